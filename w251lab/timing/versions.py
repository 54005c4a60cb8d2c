"""Which versions of what a measurement was made with: part of every figure."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

from w251lab import accelerator

if TYPE_CHECKING:
    from w251lab.accelerator import Device

_ON_BOTH = {
    "numpy": "numpy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "xgboost": "xgboost",
    "torch": "torch",
}
_ON_A_GPU = {"cupy": "cupy", "cudf": "cudf", "cuml": "cuml"}
#: What decides, where it is set, how many threads a CPU's contender has and what they do while they wait.
_SETTINGS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")


def versions(device: Device) -> dict[str, str]:
    """Versions of Python and of the libraries that are loaded and compute on ``device``; on a GPU of its driver too.

    Settings of OpenMP in the environment stand among them.
    """
    found = {"python": platform.python_version()}
    for module, name in (_ON_BOTH | (_ON_A_GPU if device == "gpu" else {})).items():
        version = getattr(sys.modules.get(module), "__version__", None)
        if version is not None:
            found[name] = str(version)
    if device == "gpu":
        cuda = accelerator.driver_cuda()
        found |= {"driver": accelerator.devices()[0].driver} if accelerator.devices() else {}
        found |= {"CUDA of the driver": f"{cuda[0]}.{cuda[1]}"} if cuda else {}
    found |= {name: os.environ[name] for name in _SETTINGS if name in os.environ}
    return found
