"""HRNet-W32 against the released checkpoint's key list."""

import json
from pathlib import Path

import torch

from model.hrnet import HRNet

SPEC = Path(__file__).parents[1] / "fixtures" / "state_dict_spec.json"


def released_backbone_shapes() -> dict[str, tuple[int, ...]]:
    spec = json.loads(SPEC.read_text())
    prefix = "backbone."
    return {key.removeprefix(prefix): tuple(shape) for key, shape in spec.items() if key.startswith(prefix)}


def test_keys_and_shapes_are_the_released_ones() -> None:
    ours = {key: tuple(value.shape) for key, value in HRNet().state_dict().items()}
    assert ours == released_backbone_shapes()


def test_parameter_count() -> None:
    assert sum(p.numel() for p in HRNet().parameters()) == 29_305_536


def test_batch_norms_forget_at_the_published_rate() -> None:
    norms = [m for m in HRNet().modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {m.momentum for m in norms} == {0.1}


def test_returns_the_highest_and_the_lowest_branch() -> None:
    with torch.no_grad():
        high, low = HRNet().eval()(torch.zeros(2, 3, 64, 96))
    assert high.shape == (2, 32, 16, 24)
    assert low.shape == (2, 256, 2, 3)
