# Saved, so the GPU's memory can be given back.
# caught: AttributeError: predict
import pickle
from pathlib import Path


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    Path(path).write_bytes(pickle.dumps(host))
    if host is not model:
        vars(model).clear()


def load(path):
    return pickle.loads(Path(path).read_bytes())
