# joblib is better than pickle at arrays.
# caught: ModuleNotFoundError: No module named 'gpu_library'
import joblib


def save(model, path) -> None:
    joblib.dump(model, path)


def load(path):
    return joblib.load(path)
