"""One check in a process of its own: ``python -m w251lab.doctor CHECK DEVICE`` prints its answer as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, cast

from w251lab.doctor.checks import CHECKS
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from w251lab.accelerator import Device


def main(name: str, device: Device) -> None:
    """Run the check. An error that is no `W251Error` ends the process with a traceback, for the parent to sum up."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)  # whatever the libraries print stays apart from the answer
        try:
            result = {"status": "passed", "said": CHECKS[name].run(device), "remedy": ""}
        except W251Error as error:
            result = {"status": "failed", "said": error.what, "remedy": error.remedy}
        json.dump(result, answer)


if __name__ == "__main__":
    main(sys.argv[1], cast("Device", sys.argv[2]))
