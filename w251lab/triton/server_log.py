"""What a Triton server's log says, for a person who wants to know why it failed."""

from __future__ import annotations

import re

# Said by every server on a machine without a GPU.
_HARMLESS = ("CudaDriverHelper", "Failed to initialize NVML")
_ERROR = re.compile(r"^(E\d{4} [\d:.]+ \d+ \S+\]|\[libprotobuf ERROR [^\]]*\]) *")
_FIRST = re.compile(r"^I\d{4} [\d:.]+ \d+ \S+\] *")
# Said as information, and then Triton waits for ever for a stub that is gone.
STUB_FAILED = "Failed to preinitialize Python stub"


def complaints(log: str, limit: int = 12) -> str:
    """The lines of a Triton log that say what went wrong: its errors, else its last lines.

    Triton's tables of models hold a failed model's whole reason, its errors come as lines that begin with ``E``
    and a date, and after a wrong argument it prints its whole manual.

    Args:
        log: What the server has written.
        limit: How many lines to give at most.
    """
    lines = log.partition("\nUsage: ")[0].splitlines()
    errors = [_ERROR.sub("", line).strip('"') for line in lines if _ERROR.match(line)]
    stubs = [_FIRST.sub("", line) for line in lines if STUB_FAILED in line]
    reasons = [line.strip("| ") for line in lines if "UNAVAILABLE" in line]
    said = [line for line in reasons + stubs + errors if not any(word in line for word in _HARMLESS)]
    chosen = list(dict.fromkeys(said)) or [line for line in lines if line.strip()]
    return "\n".join(f"  {line[:600]}" for line in chosen[-limit:]) or "  (nothing)"
