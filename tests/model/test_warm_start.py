"""A network begins with what another one knows, also when its heatmaps are coarser."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from model.config import preset
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.pointhmr import PointHMR
from model.training.checkpoints import save_network
from model.warm_start import warm_start


@pytest.fixture
def fine(tmp_path: Path) -> tuple[PointHMR, Path]:
    """An older network: twice as fine heatmaps, no tuned levels; and its file."""
    config = dataclasses.replace(preset("body-lite"), heatmap_size=64, tuned_levels=False)
    torch.manual_seed(1)
    network = PointHMR(config, load_hierarchy())
    path = tmp_path / "fine.safetensors"
    save_network(path, network, "free body", compact=True)
    return network, path


def test_what_fits_is_taken_and_the_rest_is_named(fine: tuple[PointHMR, Path]) -> None:
    older, path = fine
    network = PointHMR(preset("body-lite"), older.hierarchy)
    rest = warm_start(network, path)
    assert rest and all(name.startswith("decoders.deep.") for name in rest)
    torch.testing.assert_close(network.point_head.weight, older.point_head.weight, atol=1e-3, rtol=0)


def test_a_finer_map_is_averaged(fine: tuple[PointHMR, Path]) -> None:
    older, path = fine
    network = PointHMR(preset("body-lite"), older.hierarchy)
    warm_start(network, path)
    assert network.decoders.feature.finer == 1
    pyramid = torch.rand(1, 48, 64, 64)
    with torch.no_grad():
        coarse = network.eval().decoders.feature(pyramid)
        fine_map = older.eval().decoders.feature(pyramid)
    averaged = torch.nn.functional.avg_pool2d(fine_map, 2)
    torch.testing.assert_close(coarse, averaged, atol=5e-3, rtol=0)


def test_unknown_weights_are_a_users_error(fine: tuple[PointHMR, Path]) -> None:
    with pytest.raises(UserError):
        warm_start(fine[0], "no-such-model")
