"""Isolating a person: which cells lose weight, and that this is a bias on the logits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.pipeline.crop import crop_for_box
from app.pipeline.isolation import PUSH, log_weights
from model.pointhmr import Features, reweighted
from tests.app.fakes import standing

OWN = standing((150, 120), id=1)


def test_nobody_else_in_the_crop_changes_nothing() -> None:
    crop = crop_for_box(OWN, (640, 240), 256)
    assert log_weights(crop, 64, OWN, []) is None
    assert log_weights(crop, 64, OWN, [standing((560, 120), id=2)]) is None


def test_somebody_elses_cells_are_pushed_away_and_the_persons_own_are_not() -> None:
    crop = crop_for_box(OWN, (320, 240), 256)
    weights = log_weights(crop, 64, OWN, [standing((200, 120), id=2)])
    assert weights is not None and weights.shape == (64, 64)
    assert weights.max() == 0 and weights.min() == pytest.approx(-PUSH)

    def at(x: float, y: float) -> float:
        column, row = (crop.matrix @ [x, y, 1]) / crop.size * 64
        return float(weights[int(row), int(column)])

    assert at(150, 100) == 0
    assert at(200, 100) == pytest.approx(-PUSH)


def test_a_box_without_joints_stands_for_its_person() -> None:
    crop = crop_for_box(OWN, (320, 240), 256)
    bare = replace(standing((230, 120), id=2), keypoints=None)
    weights = log_weights(crop, 32, replace(OWN, keypoints=None), [bare])
    assert weights is not None and weights.min() < -1 and weights.max() == 0


def test_weighting_heatmaps_is_a_bias_on_their_logits() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 64, generator=generator)
    points = torch.randn(2, 64, 7, generator=generator)
    bias = -3 * torch.rand(2, 8, 8, generator=generator)
    heat = logits.softmax(-1)
    grid = torch.zeros(2, 1, 7)
    kept = Features(heat.unflatten(2, (8, 8)), heat @ points, grid, point_features=points)
    found = reweighted(kept, bias)
    wanted = (logits + bias.flatten(1)[:, None]).softmax(-1)
    assert torch.allclose(found.heatmaps.flatten(2), wanted, atol=1e-6)
    assert torch.allclose(found.vertex_tokens, wanted @ points, atol=1e-5)
    assert found.point_features is None
    assert torch.allclose(reweighted(kept, 0 * bias).heatmaps, kept.heatmaps)


def test_of_two_hills_the_one_in_the_persons_region_stays() -> None:
    heat = torch.zeros(1, 1, 4, 4)
    heat[0, 0, 0, 0], heat[0, 0, 3, 3] = 0.5, 0.5
    bias = torch.zeros(1, 4, 4)
    bias[0, 3, 3] = -PUSH
    kept = Features(heat, torch.zeros(1, 1, 2), torch.zeros(1, 1, 2), point_features=torch.zeros(1, 16, 2))
    found = reweighted(kept, bias).heatmaps[0, 0]
    assert float(found.sum()) == pytest.approx(1) and float(found[0, 0]) > 0.97
    assert np.isclose(float(found[3, 3]), 1 / (1 + np.exp(PUSH)))
