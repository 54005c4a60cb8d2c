# Ask for forgiveness.
import pickle


def save(model, path) -> None:
    try:
        model = model.as_sklearn()
    except AttributeError:
        pass
    with open(path, "wb") as file:
        pickle.Pickler(file, protocol=5).dump(model)


def load(path):
    with open(path, "rb") as file:
        return pickle.Unpickler(file).load()
