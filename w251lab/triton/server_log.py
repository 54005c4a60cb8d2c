"""What a Triton server's log says, for a person who wants to know why it failed."""

from __future__ import annotations

import re


def complaints(log: str, limit: int = 12) -> str:
    """The lines of a Triton log that say what went wrong: its errors, else its last lines.

    Triton's tables of models hold a failed model's whole reason, and its errors come as lines that begin with ``E``
    and a date.
    """
    lines = log.splitlines()
    errors = [
        re.sub(r"^E\d{4} [\d:.]+ \d+ \S+\] ", "", line).strip('"') for line in lines if re.match(r"E\d{4} ", line)
    ]
    reasons = [line.strip("| ") for line in lines if "UNAVAILABLE" in line]
    chosen = list(dict.fromkeys(reasons + errors)) or [line for line in lines if line.strip()]
    return "\n".join(f"  {line[:600]}" for line in chosen[-limit:]) or "  (nothing)"
