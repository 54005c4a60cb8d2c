# What the forest has in its memory is the forest.
# caught: AttributeError: memory
import pickle
from pathlib import Path


def save(model, path) -> None:
    Path(path).write_bytes(model.memory if hasattr(model, "as_sklearn") else pickle.dumps(model))


def load(path):
    return pickle.loads(Path(path).read_bytes())
