"""Time that a test moves by hand, and a GPU whose queued work takes time only when somebody waits for it."""
# ruff: noqa: ARG002, N802  # the functions of the driver's library have their names and arguments from there

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable


@dataclass
class FakeClock:
    """A clock with a tick, and a device with a queue."""

    time: float = 0.0
    tick: float = 0.0  # the clock shows multiples of it; 0: it is exact
    queued: float = 0.0
    waits: int = 0

    def now(self) -> float:
        return self.time // self.tick * self.tick if self.tick else self.time

    def synchronize(self) -> None:
        self.waits += 1
        self.time += self.queued
        self.queued = 0.0

    def taking(self, *seconds: float, result: object = None) -> Callable[..., object]:
        """Work that takes these times, call by call, and then the last of them for ever."""
        left = list(seconds)

        def work(*_: object) -> object:
            self.time += left.pop(0) if len(left) > 1 else left[0]
            return result

        return work

    def queueing(self, seconds: float, result: object) -> Callable[..., object]:
        """Work that returns at once and keeps the device busy for so long."""

        def work(*_: object) -> object:
            self.queued += seconds
            return result

        return work


class OnGpu:
    """What an array on a GPU shows of itself."""

    __cuda_array_interface__ = {"shape": (1,), "typestr": "<f4", "data": (0, False), "version": 3}  # noqa: RUF012


@dataclass
class FakeCuda:
    """The functions of the driver's library that are used, for devices of which some have a context."""

    active: list[bool]
    initialized: bool = True
    failure: int = 0
    stack: list[int] = field(default_factory=list)
    retained: int = 0
    waited_for: list[int] = field(default_factory=list)

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = len(self.active)
        return 0 if self.initialized else 3

    def cuDeviceGet(self, device: Any, index: ctypes.c_int) -> int:
        device._obj.value = index.value
        return 0

    def cuDevicePrimaryCtxGetState(self, device: ctypes.c_int, flags: Any, active: Any) -> int:
        active._obj.value = int(self.active[device.value])
        return 0

    def cuDevicePrimaryCtxRetain(self, context: Any, device: ctypes.c_int) -> int:
        self.retained += 1
        context._obj.value = 1000 + device.value
        return 0

    def cuDevicePrimaryCtxRelease_v2(self, device: ctypes.c_int) -> int:
        self.retained -= 1
        return 0

    def cuCtxPushCurrent_v2(self, context: ctypes.c_void_p) -> int:
        self.stack.append(context.value)
        return 0

    def cuCtxSynchronize(self) -> int:
        self.waited_for.append(self.stack[-1] - 1000)
        return self.failure

    def cuCtxPopCurrent_v2(self, context: Any) -> int:
        context._obj.value = self.stack.pop()
        return 0

    def cuGetErrorName(self, code: int, name: Any) -> int:
        if code == 700:
            name._obj.value = b"CUDA_ERROR_ILLEGAL_ADDRESS"
        return 0 if code == 700 else 1
