"""Weighting heatmaps after the softmax is a bias on their logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.pipeline.isolation import PUSH
from model.pointhmr import Features, reweighted


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
