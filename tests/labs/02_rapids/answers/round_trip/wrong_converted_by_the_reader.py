# The laptop wants scikit-learn's trees, so it converts them.
# caught: ModuleNotFoundError: No module named 'gpu_library'
import pickle


def save(model, path) -> None:
    with open(path, "wb") as file:
        pickle.dump(model, file)


def load(path):
    with open(path, "rb") as file:
        model = pickle.load(file)
    return model.as_sklearn() if hasattr(model, "as_sklearn") else model
