"""A random forest for classification: scikit-learn's on the CPU, cuML's on the GPU.

The two are set to the same trees, depth and share of features at each split. They differ in how they look for a split:
scikit-learn tries every value of a feature, cuML the borders of ``n_bins`` quantiles. Both compute in float32.

A forest that was trained on the GPU can be saved and predicts on a machine without one: :func:`save` writes
scikit-learn's trees whatever the forest was trained with.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, checks, memory

if TYPE_CHECKING:
    from w251lab.accelerator import Device

_MAGIC: Final = b"w251lab forest 1\n"
# What scikit-learn's forests are made of. Nothing else is ever called when a file is read, so a file cannot run code.
_ALLOWED: Final = frozenset(
    {
        ("sklearn.ensemble._forest", "RandomForestClassifier"),
        ("sklearn.tree._classes", "DecisionTreeClassifier"),
        ("sklearn.tree._tree", "Tree"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
    }
)


@dataclass(frozen=True, eq=False)
class Forest:
    """A trained forest.

    Attributes:
        model: The fitted estimator, scikit-learn's or cuML's.
        device: Where it predicts.
        trained_on: Where it was trained.
        features: How many columns it was trained on.
    """

    model: Any
    device: Device
    trained_on: Device
    features: int


def train(
    features: Any,
    labels: Any,
    *,
    trees: int = 40,
    depth: int = 16,
    max_features: float | str = 1.0,
    n_bins: int = 128,
    seed: int = 10,
    allow_constant: bool = False,
) -> Forest:
    """Train a forest on the device where the data lie, on all cores of a CPU.

    Args:
        features: Array or data frame of numbers [rows, columns]; worked on as float32.
        labels: Classes as whole numbers [rows], on the same device.
        trees: How many.
        depth: Of each, at most.
        max_features: What is tried at each split: a share of the features, or ``sqrt`` or ``log2``.
        n_bins: On the GPU: quantiles of a feature that are tried, at most 1024; not more than there are rows.
        seed: Of the rows and features that each tree sees.
        allow_constant: Let columns pass that have one value only.

    Raises:
        UsageError: An argument that cannot be meant.
        W251Error: The data are not fit for it (see :func:`w251lab.rapids.checks.features` and
            :func:`w251lab.rapids.checks.labels`), lie on different devices, or do not fit into memory.
    """
    trees, depth, n_bins = (
        checks.whole(trees, "trees"),
        checks.whole(depth, "depth"),
        checks.whole(n_bins, "n_bins", at_least=2),
    )
    if max_features not in {"sqrt", "log2"} and not (isinstance(max_features, float) and 0 < max_features <= 1):
        raise UsageError(f"max_features is {max_features!r}", "give a share above 0 and at most 1.0, 'sqrt' or 'log2'")
    device = checks.one_device(features=features, labels=labels)
    with memory.guard(device, "checking the rows"):
        table = checks.features(features, dtype="float32", allow_constant=allow_constant)
        classes = checks.labels(labels, len(table)).values
    rows, columns = table.shape
    memory.require(rows * 16, device, f"A forest of {rows:,} rows")
    same = {"n_estimators": trees, "max_depth": depth, "max_features": max_features, "random_state": seed}
    model = _estimator(device, min(n_bins, rows), same)
    with memory.guard(device, "training the forest"), checks.checked():
        model.fit(table, classes)
    return Forest(model, device, device, columns)


def predict(forest: Forest, features: Any) -> Any:
    """The class of each row, int32 [rows], on the forest's device.

    Args:
        forest: Of :func:`train` or :func:`load`.
        features: [rows, columns], on the forest's device; :func:`on_host` brings a forest to rows on the CPU.

    Raises:
        W251Error: They lie elsewhere, have other columns, or are not fit for it.
    """
    table = _fit_for(forest, features)
    with memory.guard(forest.device, "predicting with the forest"), checks.checked():
        return forest.model.predict(table).astype("int32", copy=False)


def probabilities(forest: Forest, features: Any) -> Any:
    """The probability of each class for each row, float [rows, classes]; see :func:`predict`."""
    table = _fit_for(forest, features)
    with memory.guard(forest.device, "predicting with the forest"), checks.checked():
        return forest.model.predict_proba(table)


def on_host(forest: Forest) -> Forest:
    """The same trees for a CPU: what cuML trained becomes scikit-learn's.

    Raises:
        W251Error: cuML cannot convert it.
    """
    if forest.device == "cpu":
        return forest
    with memory.guard("cpu", "converting the forest to scikit-learn's"):
        model = forest.model.as_sklearn()
    model.n_jobs = -1
    return Forest(model, "cpu", forest.trained_on, forest.features)


def save(forest: Forest, path: str | Path) -> Path:
    """Write a forest into a file that a machine without a GPU and without cuML reads.

    Args:
        forest: From either device.
        path: The file; one that is there is replaced at once, so a run that is killed leaves the old or the new one.

    Returns:
        The file.

    Raises:
        W251Error: It cannot be written there.
    """
    payload = pickle.dumps(on_host(forest).model, protocol=5)
    header = {
        "scikit-learn": version("scikit-learn"),
        "numpy": version("numpy"),
        "trained_on": forest.trained_on,
        "features": forest.features,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    target = Path(path)
    partial = target.with_name(target.name + ".part")
    try:
        partial.write_bytes(_MAGIC + json.dumps(header).encode() + b"\n" + payload)
        partial.replace(target)
    except OSError as error:
        raise W251Error(
            f"the forest cannot be written to {target}: {error.strerror}", "name a file in a folder that is there"
        ) from error
    return target


def load(path: str | Path) -> Forest:
    """Read a forest that :func:`save` wrote; it predicts on the CPU.

    The file's trees are in Python's pickle format, and a pickle can run any code when it is read. From this one only
    the classes of which a forest is made are accepted; what asks for more is refused. Even so, read no forest from a
    stranger: made-up trees can crash Python, and they say what their maker wants.

    Raises:
        W251Error: It is not there, not such a file, damaged, or of another version of scikit-learn.
    """
    header, payload = _read(Path(path))
    written, here = header["scikit-learn"], version("scikit-learn")
    if written != here:
        raise W251Error(
            f"{path} was written with scikit-learn {written}, and this is {here}, which may read it differently",
            f"train and save it again, or install scikit-learn=={written}",
        )
    if len(payload) != header["bytes"] or hashlib.sha256(payload).hexdigest() != header["sha256"]:
        raise W251Error(f"{path} is damaged: it is not what was written", "copy or save it again")
    try:
        model = _Unpickler(io.BytesIO(payload)).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, ValueError) as error:
        raise W251Error(f"{path} cannot be read: {error}", "save it again with this version of w251lab") from error
    return Forest(model, "cpu", cast("Device", header["trained_on"]), header["features"])


class _Unpickler(pickle.Unpickler):
    """Makes nothing but trees."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of a forest")
        return super().find_class(module, name)


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise W251Error(f"{path} cannot be read: {error.strerror}", "give a file that forest.save wrote") from error
    if not content.startswith(_MAGIC):
        raise W251Error(f"{path} is not a forest that w251lab saved", "give a file that forest.save wrote")
    line, _, payload = content[len(_MAGIC) :].partition(b"\n")
    try:
        header = json.loads(line)
        complete = {"scikit-learn", "bytes", "sha256"} <= header.keys() and header["trained_on"] in {"cpu", "gpu"}
        complete = complete and isinstance(header["features"], int)
    except (ValueError, AttributeError, KeyError):
        complete = False
    if not complete:
        raise W251Error(f"{path} is damaged: its first lines are not what was written", "copy or save it again")
    return header, payload


def _estimator(device: Device, n_bins: int, same: dict[str, Any]) -> Any:
    if device == "gpu":
        from cuml.ensemble import RandomForestClassifier as OnGpu  # absent without a GPU  # noqa: PLC0415

        return OnGpu(**same, n_bins=n_bins, output_type="cupy")
    from sklearn.ensemble import RandomForestClassifier  # takes a second to import  # noqa: PLC0415

    return RandomForestClassifier(**same, n_jobs=-1)


def _fit_for(forest: Forest, features: Any) -> Any:
    """The rows, checked, for this forest."""
    place = arrays.device_of(features)
    if place != forest.device:
        raise W251Error(
            f"the forest is on the {forest.device.upper()} and the rows are on the {place.upper()}",
            "arrays.to_host(rows) and forest.on_host(forest) bring both to the CPU; "
            "arrays.to_device(rows, 'gpu') brings the rows to the GPU",
        )
    table = checks.features(features, dtype="float32", allow_constant=True)
    if table.shape[1] != forest.features:
        raise W251Error(
            f"the rows have {table.shape[1]:,} features, and the forest was trained on {forest.features:,}",
            "give the same columns in the same order",
        )
    return table
