"""Cells of somebody else lose weight, a person's own do not, and two hills are told from one."""

from __future__ import annotations

import numpy as np
import pytest

from app.pipeline.frames import Crop, PersonBox
from app.pipeline.heat_measures import measure_heatmaps
from app.pipeline.isolation import log_weights

CROP = Crop(np.array([[1.0, 0, 0], [0, 1.0, 0]]), 256)


def skeleton(x: float) -> np.ndarray:
    """(17, 2) COCO joints of somebody who stands upright about x, 160 pixels tall."""
    joints = np.zeros((17, 2), np.float32)
    heights = {0: 50, 5: 80, 6: 80, 7: 105, 8: 105, 9: 130, 10: 130, 11: 130, 12: 130}
    heights |= {13: 170, 14: 170, 15: 205, 16: 205}
    for joint, y in heights.items():
        side = 0 if joint == 0 else (10 if joint % 2 else -10)
        joints[joint] = x + side, y
    joints[1:5] = joints[0]
    return joints


def standing(x: float, person_id: int) -> PersonBox:
    return PersonBox(x - 25, 40, 50, 170, id=person_id, keypoints=skeleton(x))


def at(weights: np.ndarray, x: float, y: float) -> float:
    cells = len(weights)
    return float(weights[int(y / 256 * cells), int(x / 256 * cells)])


def test_the_others_cells_lose_and_ones_own_do_not() -> None:
    weights = log_weights(CROP, 64, standing(90, 1), [standing(170, 2)])
    assert weights is not None and weights.shape == (64, 64) and (weights <= 0).all()
    for height in (80, 105, 130, 170, 205):
        assert at(weights, 90, height) == 0
        assert at(weights, 172, height) < -2


def test_nothing_is_done_where_nobody_else_is_near() -> None:
    assert log_weights(CROP, 64, standing(90, 1), []) is None
    assert log_weights(CROP, 64, standing(90, 1), [standing(900, 2)]) is None


def test_covered_parts_of_ones_own_stay_readable() -> None:
    """Where both bodies are, the person's own cells keep their weight."""
    weights = log_weights(CROP, 64, standing(120, 1), [standing(124, 2)])
    assert weights is not None
    assert at(weights, 120, 105) == 0


def hill(x: float, y: float, sigma: float = 0.03, side: int = 64) -> np.ndarray:
    centres = (np.arange(side) + 0.5) / side
    return np.exp(-((centres[None] - x) ** 2 + (centres[:, None] - y) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize("side", [32, 56, 64])
def test_one_hill_is_sure_and_two_are_ambiguous(side: int) -> None:
    one = measure_heatmaps(np.stack([hill(0.3, 0.4, side=side)] * 4))
    two = measure_heatmaps(np.stack([hill(0.3, 0.4, side=side) + 0.8 * hill(0.8, 0.7, side=side)] * 4))
    assert one.modes == 1 and one.ambiguity < 0.05
    assert np.allclose(one.middles, [0.3, 0.4], atol=0.02)
    assert two.modes == 2 and two.ambiguity > 0.6
    assert two.spread > 3 * one.spread and two.confidence < one.confidence


def test_an_even_heatmap_has_no_hill_and_the_least_confidence() -> None:
    even = measure_heatmaps(np.ones((4, 64, 64)))
    assert even.confidence == pytest.approx(1 / 256)
    assert even.modes == 1
    empty = measure_heatmaps(np.zeros((4, 64, 64)))
    assert empty.confidence == pytest.approx(even.confidence)
