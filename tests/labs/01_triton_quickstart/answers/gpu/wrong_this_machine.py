# nvidia-smi knows whether there is a GPU here.
# caught: AssertionError: recorded["h200_first"]
import shutil
import subprocess


def uses_gpu(metrics_page: str, config: dict) -> bool:
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run(["nvidia-smi"], check=False).returncode == 0
