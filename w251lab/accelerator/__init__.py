"""What this machine has to compute with, and which device a step is to use.

Everything said about a GPU comes from NVIDIA's management library (NVML, through nvidia-ml-py), which works on a plain
driver, in a container and in WSL 2, and starts no CUDA context. Memory is in bytes everywhere.

- `gpus`: the GPUs that a process started here can use, or why there is none.
- `machine`: the processor, the cores and the memory, as limits leave them.
- `choice`: `auto`, `cpu` or `gpu` resolved; the device's name.
- `requirements`: can the GPU libraries compute here: no GPU, driver too old, library missing or broken.
"""

from w251lab.accelerator.choice import DEVICE_KEY, DEVICES, Device, label, resolve_device, show
from w251lab.accelerator.gpus import Gpu, devices, driver_cuda
from w251lab.accelerator.machine import Machine, describe
from w251lab.accelerator.requirements import CUDA_MAJOR, require

__all__ = [
    "CUDA_MAJOR",
    "DEVICES",
    "DEVICE_KEY",
    "Device",
    "Gpu",
    "Machine",
    "describe",
    "devices",
    "driver_cuda",
    "label",
    "require",
    "resolve_device",
    "show",
]
