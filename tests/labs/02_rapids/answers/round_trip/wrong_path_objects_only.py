# A path is a Path.
# caught: AttributeError: write_bytes
import pickle


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    path.write_bytes(pickle.dumps(host))


def load(path):
    return pickle.loads(path.read_bytes())
