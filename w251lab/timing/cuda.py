"""Wait for the GPUs that this process computes on, whichever library gave them their work.

A call of CuPy, cuDF, cuML or XGBoost may return while its work is still queued on the device. All of them compute in a
device's primary context, so waiting for that context waits for all of them. It is done through the driver's own
library, and only if some other library has loaded it: nothing is imported, no context is made, and a process that uses
no GPU waits for nothing. The functions are those of the CUDA Driver API, chapters "Primary Context Management" and
"Context Management".
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any

from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = "libcuda.so.1"
_SUCCESS = 0
# Nobody in this process has begun to use CUDA, or has begun and ended.
_UNUSED = {3: "CUDA_ERROR_NOT_INITIALIZED", 4: "CUDA_ERROR_DEINITIALIZED"}


def synchronize(driver: Any = None) -> None:
    """Return when every primary context that is in use has done what it was given.

    Args:
        driver: The driver's library; by default the one that is loaded, if one is.

    Raises:
        W251Error: The device reports that work given to it has failed.
    """
    driver = driver or _loaded()
    for device in _active(driver):
        _wait(driver, device)


def in_use(driver: Any = None) -> bool:
    """Has this process a primary context on any GPU: can anything have computed there?

    Args:
        driver: As in :func:`synchronize`.
    """
    return next(_active(driver or _loaded()), None) is not None  # the number of the first one is 0, which is false


def _active(driver: Any) -> Iterator[ctypes.c_int]:
    """The devices with a primary context."""
    if driver is None:
        return
    count = ctypes.c_int()
    if (code := driver.cuDeviceGetCount(ctypes.byref(count))) in _UNUSED:
        return
    _check(driver, code)
    for index in range(count.value):
        device, flags, active = ctypes.c_int(), ctypes.c_uint(), ctypes.c_int()
        _check(driver, driver.cuDeviceGet(ctypes.byref(device), ctypes.c_int(index)))
        _check(driver, driver.cuDevicePrimaryCtxGetState(device, ctypes.byref(flags), ctypes.byref(active)))
        if active.value:
            yield device


def _loaded() -> Any:
    """The driver's library, if it is loaded in this process."""
    try:
        return ctypes.CDLL(_LIBRARY, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return None


def _wait(driver: Any, device: ctypes.c_int) -> None:
    """Wait with the device's context in front, and leave the thread as it was, also after a failure."""
    context, previous = ctypes.c_void_p(), ctypes.c_void_p()
    _check(driver, driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
    try:
        _check(driver, driver.cuCtxPushCurrent_v2(context))
        try:
            _check(driver, driver.cuCtxSynchronize())
        finally:
            driver.cuCtxPopCurrent_v2(ctypes.byref(previous))
    finally:
        driver.cuDevicePrimaryCtxRelease_v2(device)


def _check(driver: Any, code: int) -> None:
    if code == _SUCCESS:
        return
    name = ctypes.c_char_p()
    driver.cuGetErrorName(code, ctypes.byref(name))
    said = name.value.decode() if name.value else f"error {code}"
    raise W251Error(
        f"the GPU reports that work which it was given has failed: {said}",
        "restart the kernel (after such a failure the process cannot use the GPU any more) and run with less data; "
        "CUDA_LAUNCH_BLOCKING=1 shows which call it was",
    )
