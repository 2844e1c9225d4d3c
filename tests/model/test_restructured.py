"""The cheaper first stage is the same function."""

from __future__ import annotations

import pytest
import torch

import assets
from model.body import load_body
from model.config import preset
from model.data.crops import CropsDataset
from model.decoders import LiteDecoders
from model.pointhmr import PointHMR
from model.restructured import RestructuredEncode, as_features
from model.weights import load_network


def shaken(name: str) -> PointHMR:
    """A network whose batch norms do something."""
    torch.manual_seed(0)
    network = PointHMR(preset(name)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.1)
            assert module.running_var is not None
            module.running_var.uniform_(0.8, 1.2)
            module.weight.data.uniform_(0.5, 1.5)
    if isinstance(network.decoders, LiteDecoders) and network.decoders.guide is not None:
        for convolution in (network.decoders.guide.high, network.decoders.guide.low):
            convolution.weight.data.normal_(0, 0.1)
    return network.requires_grad_(False)


@pytest.mark.parametrize("name", ["body-hrnet-w32", "body-lite", "body-quality"])
def test_the_restructured_stage_is_exact(name: str) -> None:
    network = shaken(name).double()
    size = network.config.image_size
    image = torch.rand(1, 3, size, size, dtype=torch.float64)
    with torch.inference_mode():
        wanted = network.encode(image, keep_points=True)
        stage = RestructuredEncode(network)
        outputs = stage(image)
        got = as_features(outputs)
        points = stage.points(outputs[3])
    assert wanted.point_features is not None
    pairs = [
        (got.heatmaps, wanted.heatmaps),
        (got.vertex_tokens, wanted.vertex_tokens),
        (got.grid_tokens, wanted.grid_tokens),
        (points, wanted.point_features),
    ]
    if wanted.landmarks is not None and got.landmarks is not None:
        pairs.append((got.landmarks, wanted.landmarks))
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()
    left = [m for m in stage.network.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert not left
    assert network.backbone is not stage.network.backbone


@pytest.mark.parametrize("name", ["body-lite", "body-quality"])
def test_the_weights_that_ship_give_the_same_people_in_either_form(name: str) -> None:
    network = load_network(name)[0].eval().requires_grad_(False)
    image = CropsDataset(assets.VALIDATION, load_body())[0].image
    images = network.normalize(torch.from_numpy(image)[None])
    with torch.inference_mode():
        features = network.encode(images), as_features(RestructuredEncode(network)(images))
        wanted, got = (network.regress(one, upsample=False).coarse for one in features)
    assert (got - wanted).norm(dim=-1).max() < 1e-4, "metres"
