"""The frozen part of the quality tier: what comes from which of the two BlazePoses, and from which files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from model.blazepose import load_blazepose
from model.config import preset
from model.guided import GuidedBlazePose, frozen_network, shipped_state, variant_of
from model.pointhmr import PointHMR
from model.training.checkpoints import save_network
from model.warm_start import warm_start
from model.weights import load_network

QUALITY = preset("body-quality")


@pytest.fixture(scope="module")
def guided() -> GuidedBlazePose:
    network = frozen_network(QUALITY)
    assert isinstance(network, GuidedBlazePose)
    network.load_state_dict(shipped_state(QUALITY))
    return network.eval().requires_grad_(False)


def test_landmarks_are_the_guides_and_the_tuned_levels_start_from_the_backbone(
    guided: GuidedBlazePose,
) -> None:
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    output, small, large = guided(image), load_blazepose("full")(image), load_blazepose("heavy")(image)
    for name in ("landmarks", "world", "presence", "heatmaps"):
        assert torch.equal(getattr(output, name), getattr(large, name))
    for name in ("stride4", "stride8"):
        assert torch.equal(getattr(output, name), getattr(small, name))


def test_every_frozen_weight_comes_from_a_file_that_ships(guided: GuidedBlazePose) -> None:
    assert shipped_state(QUALITY).keys() == guided.state_dict().keys()
    lite = preset("body-lite")
    assert shipped_state(lite).keys() == frozen_network(lite).state_dict().keys()


def test_a_weight_file_leaves_both_frozen_networks_out(tmp_path: Path) -> None:
    network = PointHMR(QUALITY)
    rest = warm_start(network, "body-lite")
    assert rest and all(name.startswith(("backbone.", "decoders.guide.")) for name in rest)
    save_network(tmp_path / "mine.safetensors", network, "free body", compact=True)
    loaded, card = load_network(tmp_path / "mine.safetensors")
    assert card.config == "body-quality" and loaded.config == QUALITY
    guide = load_blazepose("heavy").state_dict()
    state = loaded.state_dict()
    assert all(torch.equal(state[f"backbone.guide.{name}"], value) for name, value in guide.items())


def test_a_guides_features_and_finer_cells_change_nothing_at_first(tmp_path: Path) -> None:
    """A network that learnt without them goes on from where it was; then they tell."""
    before = dataclasses.replace(QUALITY, guide_features=False, lifter_cells=4)
    torch.manual_seed(0)
    older = PointHMR(before).eval()
    assert older.lifter is not None and older.lifter.picture is not None
    with torch.no_grad():
        older.lifter.picture.weight.normal_(0, 0.05)
    save_network(tmp_path / "older.safetensors", older, "free body", compact=True)
    older = load_network(tmp_path / "older.safetensors")[0].eval()
    network = PointHMR(QUALITY, older.hierarchy).eval()
    network.backbone.load_state_dict(shipped_state(QUALITY))
    warm_start(network, tmp_path / "older.safetensors")
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    guide = network.decoders.guide
    with torch.no_grad():
        guide.measure(network.backbone(image))
        torch.testing.assert_close(network(image).coarse, older(image).coarse, atol=1e-5, rtol=0)
        assert guide.standardize_low(network.backbone(image).s32x).mean() == pytest.approx(0, abs=0.05)
        guide.low.weight.normal_(0, 0.05)
        assert not torch.allclose(network(image).coarse, older(image).coarse, atol=1e-4)


def test_only_a_blazepose_can_guide() -> None:
    with pytest.raises(ValueError, match="hrnet"):
        variant_of("hrnet-w32")
    with pytest.raises(ValueError, match="hrnet"):
        frozen_network(dataclasses.replace(QUALITY, guide="hrnet-w32"))
