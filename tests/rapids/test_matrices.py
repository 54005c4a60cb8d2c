from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from w251lab.errors import UsageError, W251Error
from w251lab.rapids import arrays, matrices

if TYPE_CHECKING:
    from w251lab.rapids.data import Clicks

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("kind", "name"), [("quantile", "QuantileDMatrix"), ("plain", "DMatrix")])
def test_both_kinds_hold_the_rows_and_their_labels(clicks: Clicks, kind: Any, name: str) -> None:
    made = matrices.matrix(clicks.features, clicks.labels, kind=kind)
    assert type(made.matrix).__name__ == name
    assert (made.rows, made.features, made.device, made.kind) == (4000, 20, "cpu", kind)
    assert (made.matrix.num_row(), made.matrix.num_col()) == (4000, 20)
    np.testing.assert_array_equal(made.matrix.get_label(), clicks.labels)


def test_rows_to_evaluate_on_share_the_bins_of_the_reference(clicks: Clicks) -> None:
    reference = matrices.matrix(clicks.features[:3000], clicks.labels[:3000], max_bin=16)
    made = matrices.matrix(clicks.features[3000:] * 2, clicks.labels[3000:], max_bin=16, reference=reference)
    for one, other in zip(reference.matrix.get_quantile_cut(), made.matrix.get_quantile_cut(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(W251Error, match="to evaluate on have 19 features, those to train on 20"):
        matrices.matrix(clicks.features[:, 1:], clicks.labels, reference=reference)


def test_missing_values_are_kept_as_missing(clicks: Clicks) -> None:
    holes = clicks.features.copy()
    holes[::3, 4] = np.nan
    made = matrices.matrix(pd.DataFrame(holes).add_prefix("f"), clicks.labels, kind="plain")
    assert made.matrix.num_nonmissing() == holes.size - 1334


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (np.eye(3), [0, 1, 2], "needs the labels 0 and 1; these run from 0 to 2"),
        (np.eye(3), [1, 2, 1], "these run from 1 to 2"),
        (np.eye(3), [0, 0, 0], "one class only"),
        (np.eye(3), [0, 1, np.nan], "contain nan"),
        (np.array([[1.0, np.inf], [2, 3]]), [0, 1], "contain inf: column 1, first in row 0"),
        (np.ones((2, 2)), [0, 1], "the same value in every row"),
        (pd.DataFrame({"a": [1, 2], "dest": ["IAH", "MIA"]}), [0, 1], "column 'dest' .* row 0 has 'IAH'"),
    ],
)
def test_data_that_are_not_fit_for_it(features: Any, labels: Any, said: str) -> None:
    with pytest.raises(W251Error, match=said):
        matrices.matrix(features, labels)


def test_the_objective_decides_which_labels_pass() -> None:
    features = np.arange(8.0).reshape(4, 2)
    assert matrices.matrix(features, [0.5, 0.5, 1, 7], objective="reg:squarederror").rows == 4
    assert matrices.matrix(features, [0, 1, 2, 1], objective="multi:softprob").rows == 4
    with pytest.raises(W251Error, match="must be classes"):
        matrices.matrix(features, [0, 1.5, 2, 1], objective="multi:softprob")


def test_arguments_that_cannot_be_meant(clicks: Clicks) -> None:
    with pytest.raises(UsageError, match="unknown kind of matrix 'fast'"):
        matrices.matrix(clicks.features, clicks.labels, kind="fast")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="max_bin is 1"):
        matrices.matrix(clicks.features, clicks.labels, max_bin=1)


@pytest.mark.gpu
def test_a_matrix_is_made_on_the_gpu_from_arrays_and_frames(clicks: Clicks) -> None:
    features, labels = arrays.to_device((clicks.features, clicks.labels), "gpu")
    for kind in ("quantile", "plain"):
        made = matrices.matrix(features, labels, kind=kind)  # type: ignore[arg-type]
        assert (made.device, made.rows) == ("gpu", 4000)
        np.testing.assert_array_equal(made.matrix.get_label(), clicks.labels)
    frame = arrays.to_device(pd.DataFrame(clicks.features).add_prefix("f"), "gpu")
    assert matrices.matrix(frame, labels).device == "gpu"
    with pytest.raises(W251Error, match="not everything lies on one device"):
        matrices.matrix(features, clicks.labels)
