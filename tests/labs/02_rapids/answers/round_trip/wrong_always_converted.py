# Convert it.
# caught: AttributeError: as_sklearn
import pickle
from pathlib import Path


def save(model, path) -> None:
    Path(path).write_bytes(pickle.dumps(model.as_sklearn()))


def load(path):
    return pickle.loads(Path(path).read_bytes())
