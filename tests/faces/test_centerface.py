"""The detector's file is freed of its fixed sides, and its output is read as the paper says."""

from __future__ import annotations

import numpy as np
import pytest

from w251lab.faces import centerface


def test_a_cell_is_decoded_as_the_paper_says() -> None:
    heat = np.zeros((10, 12), np.float32)
    heat[3, 5], heat[7, 2] = 0.6, 0.9
    sizes, offsets = np.zeros((2, 10, 12), np.float32), np.zeros((2, 10, 12), np.float32)
    sizes[:, 3, 5] = np.log(10), np.log(5)  # 40 high and 20 wide
    offsets[:, 3, 5] = 0.25, -0.5
    landmarks = np.zeros((10, 10, 12), np.float32)
    landmarks[:, 3, 5] = (0, 0, 0.25, 0.5, 0.5, 0.5, 1, 0, 1, 1)  # y, x
    found = centerface.decode(heat, sizes, offsets, landmarks, 0.5)
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])  # the strongest first
    centre = 4 * (5 - 0.5 + 0.5), 4 * (3 + 0.25 + 0.5)
    assert found.boxes[1].tolist() == pytest.approx([centre[0] - 10, centre[1] - 20, centre[0] + 10, centre[1] + 20])
    left, top = centre[0] - 10, centre[1] - 20
    wanted = [(0, 0), (10, 10), (10, 20), (0, 40), (20, 40)]
    np.testing.assert_allclose(found.landmarks[1], np.array(wanted) + np.array([left, top]), atol=1e-4)
    assert len(centerface.decode(heat, sizes, offsets, landmarks, 0.95).scores) == 0


def test_of_overlapping_boxes_the_first_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [8, 0, 18, 10], [0, 20, 10, 30]], float)
    found = centerface.Found(boxes, np.array([0.9, 0.8, 0.7, 0.6]), np.arange(40.0).reshape(4, 5, 2))
    kept = centerface.distinct(found)
    assert kept.scores.tolist() == [0.9, 0.7, 0.6]
    np.testing.assert_array_equal(kept.landmarks, found.landmarks[[0, 2, 3]])
    assert centerface.distinct(centerface.Found(boxes[:0], np.zeros(0), np.zeros((0, 5, 2)))).boxes.shape == (0, 4)


def test_only_the_stated_sides_of_the_file_change() -> None:
    model = centerface.WEIGHTS.path().read_bytes()
    freed = centerface.free_sides(model)
    session = centerface._session()
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    assert {len(output.shape) for output in session.get_outputs()} == {4}
    # The weights are the bulk of the file, and they are as they were.
    assert 0 < len(freed) - len(model) < 200
    assert model[5_000_000:5_100_000] in freed
