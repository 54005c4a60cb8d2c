# What has been saved is saved.
# caught: AssertionError: predicts something else
import pickle
from pathlib import Path


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    if not Path(path).exists():
        Path(path).write_bytes(pickle.dumps(host))


def load(path):
    return pickle.loads(Path(path).read_bytes())
