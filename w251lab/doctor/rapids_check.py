"""The check of what the RAPIDS lab needs: a group-by, K-means and XGBoost, each done once on a device."""
# It runs in a process of its own; what only one part needs is imported there.
# ruff: noqa: PLC0415

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from w251lab import accelerator
from w251lab.errors import W251Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from w251lab.accelerator import Device

_NEEDED: dict[Device, tuple[str, ...]] = {
    "cpu": ("numpy", "pandas", "sklearn", "xgboost"),
    "gpu": ("cupy", "cudf", "cuml", "xgboost"),
}
_NAMES = {"sklearn": "scikit-learn", "cudf": "cuDF", "cuml": "cuML", "cupy": "CuPy", "xgboost": "XGBoost"}


def rapids(device: Device) -> str:
    """Group a data frame, find two clusters and train a booster on ``device``; what a library warns of is a fault."""
    accelerator.require(device, *_NEEDED[device])
    try:
        versions = ", ".join(f"{_NAMES.get(name, name)} {import_module(name).__version__}" for name in _NEEDED[device])
    except ImportError as error:
        raise W251Error(f"A library of the RAPIDS lab cannot be imported: {error}.", _repair(device)) from error
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        for kind in (UserWarning, RuntimeWarning, FutureWarning):
            warnings.simplefilter("always", kind)
        _group(device)
        _cluster(device)
        auc = _learn(device)
    _judge_warnings([str(each.message) for each in said], device)
    return f"{versions} on the {device.upper()}: a group-by, two clusters, AUC {auc:.3f}"


def _repair(device: Device) -> str:
    """How to have the right libraries again."""
    return f"in a checkout: make env DEVICE={device}; elsewhere: pip install 'w251lab[{device}]'"


def _judge_warnings(said: Sequence[str], device: Device) -> None:
    """Refuse libraries that compute, and doubt it.

    Args:
        said: What they warned of.
        device: Where.

    Raises:
        W251Error: There is a warning.
    """
    lines = [line.strip() for text in said for line in text.splitlines() if line.strip()]
    if lines:
        raise W251Error(f"The libraries compute on the {device.upper()}, but warn: {lines[0]}", _repair(device))


def _group(device: Device) -> None:
    from w251lab.rapids import arrays

    frame = arrays.libraries(device).pd.DataFrame({"key": ["b", "a", "b", "a"], "value": [1.0, 2.0, 3.0, 6.0]})
    means = arrays.to_host(frame.groupby("key")["value"].mean().sort_index())
    _judge(means.to_dict() == {"a": 4.0, "b": 2.0}, f"the means of groups {means.to_dict()}", device)


def _cluster(device: Device) -> None:
    from w251lab.rapids import agreement, data, kmeans

    made = data.blobs(1_000, 4, 2, device=device)
    found = kmeans.fit(made.points, 2)
    index = agreement.rand_index(made.labels, found.labels)
    _judge(index > 0.999, f"clusters with a Rand index of {index:.3f}", device)
    _judge(found.device == device, f"clusters on the {found.device}", device)


def _learn(device: Device) -> float:
    """The AUC, on rows that were held out, of a rule that no single feature tells: is one of two above 0, not both?"""
    from w251lab.rapids import agreement, arrays, boosting
    from w251lab.timing import device_of

    xp = arrays.libraries(device).xp
    features = xp.random.default_rng(0).standard_normal((4_000, 4), dtype="float32")
    labels = ((features[:, 0] > 0) != (features[:, 1] > 0)).astype("int32")
    model = boosting.train(features[:3_000], labels[:3_000], rounds=20, depth=4)
    auc = agreement.auc(labels[3_000:], boosting.predict(model, features[3_000:]))
    _judge(auc > 0.9, f"trees with an AUC of {auc:.3f}", device)
    where: Any = device_of(model.booster)
    _judge(where == device, f"trees on the {where}", device)
    return auc


def _judge(right: bool, what: str, device: Device) -> None:
    """Raises W251Error unless ``right``, which is of ``what`` was computed."""
    if not right:
        raise W251Error(f"The libraries compute wrong results on the {device.upper()}: {what}.", _repair(device))
