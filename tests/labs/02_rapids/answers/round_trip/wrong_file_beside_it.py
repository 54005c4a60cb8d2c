# The kind of forest in a second file.
# caught: FileNotFoundError: .kind
import pickle
from pathlib import Path


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    Path(path).write_bytes(pickle.dumps(host))
    Path(f"{path}.kind").write_text(type(host).__name__)


def load(path):
    assert Path(f"{path}.kind").read_text() == "RandomForestClassifier"
    return pickle.loads(Path(path).read_bytes())
