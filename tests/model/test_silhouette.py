"""A silhouette covers what its triangles cover, and overlap counts pixels."""

from __future__ import annotations

import numpy as np
import pytest

from model.silhouette import overlap, silhouette

SQUARE = np.array([[0, 1, 2], [0, 2, 3]])


def test_a_square_covers_its_area_wherever_its_triangles_turn() -> None:
    points = np.array([[10.0, 10], [30, 10], [30, 50], [10, 50]])
    front, back = silhouette(points, SQUARE, 64), silhouette(points, SQUARE[:, ::-1], 64)
    assert np.array_equal(front, back)
    assert front.sum() == pytest.approx(20 * 40, rel=0.1)
    assert front[20, 20] and not front[20, 40]


def test_triangles_over_each_other_make_no_hole() -> None:
    points = np.array([[10.0, 10], [30, 10], [30, 50], [10, 50]])
    assert np.array_equal(silhouette(points, np.vstack([SQUARE, SQUARE]), 64), silhouette(points, SQUARE, 64))


def test_points_far_outside_are_cut() -> None:
    points = np.array([[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]])
    assert silhouette(points, SQUARE, 16).all()


def test_overlap_of_known_masks() -> None:
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    first[:, :2] = second[:, 1:3] = True
    assert overlap(first, second) == pytest.approx(1 / 3)
    assert overlap(first, first) == 1.0
    assert np.isnan(overlap(np.zeros((4, 4), bool), np.zeros((4, 4), bool)))
