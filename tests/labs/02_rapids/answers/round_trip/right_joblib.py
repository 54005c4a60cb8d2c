# joblib, compressed.
import joblib


def save(model, path) -> None:
    convert = getattr(model, "as_sklearn", None)
    joblib.dump(convert() if convert else model, path, compress=3)


def load(path):
    return joblib.load(path)
