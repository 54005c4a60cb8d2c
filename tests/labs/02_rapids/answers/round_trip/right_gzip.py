# By the module of its class.
import gzip
import pickle


def save(model, path) -> None:
    if not type(model).__module__.startswith("sklearn"):
        model = model.as_sklearn()
    with gzip.open(path, "wb") as file:
        pickle.dump(model, file)


def load(path):
    with gzip.open(path, "rb") as file:
        return pickle.load(file)
