"""How busy the machine's other processes are meanwhile: what a measurement cannot help, and has to say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")


class Others:
    """Counts from when it is made.

    Args:
        stat: The kernel's counters, another file for tests.
    """

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._begin = time.perf_counter()
        self._busy, self._own = self._read()

    def cores(self) -> float | None:
        """Cores that neither this process nor its ended children kept busy; None where the kernel does not say.

        In a virtual machine this has what its host took away (steal) in it, in a container what its neighbours do.
        """
        busy, own = self._read()
        if busy is None or self._busy is None:
            return None
        # The kernel counts in ticks of a hundredth of a second.
        return max(0.0, busy - self._busy - (own - self._own)) / max(time.perf_counter() - self._begin, 0.01)

    def _read(self) -> tuple[float | None, float]:
        """Seconds of processor time: of everybody, and of this process with the children that it has waited for."""
        own = sum(os.times()[:4])
        try:
            words = self._stat.read_text(encoding="ascii").splitlines()[0].split()
        except (OSError, IndexError):
            return None, own
        user, nice, system, _idle, _iowait, *rest = (int(word) for word in words[1:9])  # the guests' time is in user
        return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK"), own
