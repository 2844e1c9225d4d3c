"""The mean with the mirror image knows no left and no right: a mirrored picture gives the mirrored mesh."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import assets
from model.body import load_body
from model.data.crops import CropsDataset
from model.errors import UserError
from model.evaluation.measure import measure
from model.losses import project
from model.mirror import both_of, check_mirror, has_mirror, mean_with_mirror, with_mirror
from model.pointhmr import Mesh, PointHMR
from model.weights import load_network

COUNT = 24


@pytest.fixture(scope="module")
def network() -> PointHMR:
    return load_network("body-lite")[0].eval().requires_grad_(False)


@pytest.fixture(scope="module")
def crops() -> CropsDataset:
    return CropsDataset(assets.VALIDATION, load_body())


@pytest.fixture(scope="module")
def images(network: PointHMR, crops: CropsDataset) -> torch.Tensor:
    return network.normalize(torch.from_numpy(np.stack([crops[index].image for index in range(3)])))


def answer(network: PointHMR, images: torch.Tensor) -> Mesh:
    return mean_with_mirror(network, network.regress(network.encode(with_mirror(images)), upsample=False))


def test_a_mirrored_picture_gives_the_mirrored_mesh(network: PointHMR, images: torch.Tensor) -> None:
    mesh, other = answer(network, images), answer(network, images.flip(3))
    order, flip = network.hierarchy.mirrored, torch.tensor([-1.0, 1.0, 1.0])
    assert order is not None
    torch.testing.assert_close(other.coarse, mesh.coarse[:, order] * flip, atol=1e-4, rtol=0)
    seen, seen_other = project(mesh.coarse, mesh.camera), project(other.coarse, other.camera)
    pixels, pixels_other = (seen + 1) * 128, (seen_other + 1) * 128
    torch.testing.assert_close(pixels_other[..., 0], 256 - pixels[:, order, 0], atol=0.05, rtol=0)
    plain = network.regress(network.encode(images), upsample=False)
    assert (plain.coarse - mesh.coarse).norm(dim=-1).mean() > 0.002, "by itself the network takes sides"
    assert mesh.fine is not None and mesh.fine.shape == (3, 6890, 3)
    torch.testing.assert_close(network.upsample(mesh.coarse)[1], mesh.fine)


def test_both_views_of_a_person_are_taken_out_of_many(network: PointHMR, images: torch.Tensor) -> None:
    features = network.encode(with_mirror(images))
    pair = both_of(features, 1)
    alone = network.encode(with_mirror(images[1:2]))
    for name in ("heatmaps", "vertex_tokens", "landmarks"):
        torch.testing.assert_close(getattr(pair, name), getattr(alone, name), atol=1e-3, rtol=1e-3)


def test_the_mean_is_more_exact(network: PointHMR, crops: CropsDataset) -> None:
    """On the first validation crops: what the double time buys."""
    body, hops = load_body(), (7, 5, 3, 1)
    once, twice = (
        measure(network, body, crops, [hops], limit=COUNT, upright=True, mirror=mirror)[0].means()
        for mirror in (False, True)
    )
    assert twice["mpjpe"] < 0.99 * once["mpjpe"]
    assert twice["pck"] > once["pck"] - 0.02


def test_a_mesh_without_a_known_mirror_image_is_refused(network: PointHMR) -> None:
    lopsided = PointHMR(network.config, dataclasses.replace(network.hierarchy, mirrored=None))
    assert has_mirror(network) and not has_mirror(lopsided)
    with pytest.raises(UserError, match="no mirror image"):
        check_mirror(lopsided)
