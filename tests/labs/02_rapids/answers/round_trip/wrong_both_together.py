# The converted one, and the original to be safe.
# caught: ModuleNotFoundError: No module named 'gpu_library'
import pickle
from pathlib import Path


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    Path(path).write_bytes(pickle.dumps({"host": host, "original": model}))


def load(path):
    return pickle.loads(Path(path).read_bytes())["host"]
