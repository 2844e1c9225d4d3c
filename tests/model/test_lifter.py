"""The lifter: what it knows of landmarks stays when it gets to see the picture, and what it sees counts."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from model.config import preset
from model.hierarchy import load_hierarchy
from model.lifter import LANDMARK_FEATURES, Lifter
from model.pointhmr import Features, PointHMR

LANDMARKS, POINTS, PICTURE = 33, 20, 12


@pytest.fixture
def lifter() -> Lifter:
    torch.manual_seed(0)
    return Lifter(LANDMARKS, 32, POINTS, PICTURE).eval()


def test_a_picture_changes_nothing_before_training(lifter: Lifter) -> None:
    landmarks = torch.randn(2, LANDMARKS, LANDMARK_FEATURES)
    seen = lifter(landmarks, torch.randn(2, PICTURE))
    blind = lifter(landmarks)
    torch.testing.assert_close(seen.points, blind.points)
    torch.testing.assert_close(seen.camera, blind.camera)


def test_what_only_the_picture_tells_is_learnt(lifter: Lifter) -> None:
    landmarks = torch.randn(1, LANDMARKS, LANDMARK_FEATURES).expand(16, -1, -1)
    picture, target = torch.randn(16, PICTURE), torch.randn(16, POINTS, 3)
    optimizer = torch.optim.Adam(lifter.parameters(), 1e-2)
    for _ in range(200):
        loss = (lifter(landmarks, picture).points - target).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unaware = (target - target.median(0).values).abs().mean()
    assert loss < 0.3 * unaware


def test_the_networks_lifter_sees_where_in_the_grid_a_feature_lies() -> None:
    config = dataclasses.replace(preset("body-lite"), lifter_cells=4)
    torch.manual_seed(0)
    network = PointHMR(config, load_hierarchy()).eval()
    assert network.lifter is not None and network.lifter.picture is not None
    torch.nn.init.normal_(network.lifter.picture.weight, std=0.1)

    def first(cell: int) -> torch.Tensor:
        grid = torch.zeros(1, config.grid_size**2, config.token_width)
        grid[0, cell] = 1
        vertices = torch.zeros(1, config.num_vertices, config.token_width)
        features = Features(torch.empty(0), vertices, grid, torch.zeros(1, LANDMARKS, LANDMARK_FEATURES))
        mesh = network.regress(features, upsample=False)
        assert mesh.first is not None
        return mesh.first.points

    with torch.no_grad():
        corner, neighbour, opposite = first(0), first(1), first(config.grid_size**2 - 1)
    torch.testing.assert_close(corner, neighbour)  # One coarse cell.
    assert (corner - opposite).abs().max() > 1e-3
