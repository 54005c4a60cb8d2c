# pickle can do it.
# caught: ModuleNotFoundError: No module named 'gpu_library'
import pickle


def save(model, path) -> None:
    with open(path, "wb") as file:
        pickle.dump(model, file)


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)
