from __future__ import annotations

import os
import sys
from pathlib import Path

from w251lab.course.kernel import ThisInterpreter, kernel_environment


def test_every_name_is_this_interpreter() -> None:
    for name in ("python3", "some-other-kernel"):
        assert ThisInterpreter().get_kernel_spec(name).argv[0] == sys.executable


def test_the_environment_has_our_programs_first_and_no_start_up_files(tmp_path: Path) -> None:
    environment = kernel_environment(tmp_path)
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert environment["IPYTHONDIR"] == str(tmp_path / "ipython")
    assert environment.keys() >= os.environ.keys()
