"""Importing, keeping and loading models."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from model.blazepose import load_blazepose
from model.config import preset
from model.errors import UserError
from model.hrnet import HRNet
from model.pointhmr import PointHMR
from model.pretrained import init_backbone
from model.released import UNUSED, ours_to_released
from model.weights import import_weights, list_models, load_backbone, load_network, models_dir


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield


@pytest.fixture(scope="module")
def published() -> PointHMR:
    torch.manual_seed(0)
    return PointHMR(preset("body-hrnet-w32"))


@pytest.fixture(scope="module")
def released(published: PointHMR) -> dict[str, Tensor]:
    """A released state dict in half precision, which keeps the test's files small."""
    state = ours_to_released(published.state_dict())
    state |= {key: torch.zeros(shape) for key, shape in UNUSED.items()}
    return {key: value.half() if value.is_floating_point() else value for key, value in state.items()}


@pytest.fixture(scope="module")
def checkpoint(released: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("released") / "PointHMR_h36m.bin"
    torch.save({"module." + key: value for key, value in released.items()}, path)
    return path


def same_weights(a: PointHMR, b: PointHMR) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(v.half(), theirs[k].half()) for k, v in a.state_dict().items())


def test_a_released_checkpoint_is_kept_and_comes_back(checkpoint: Path, published: PointHMR) -> None:
    card = import_weights(checkpoint)
    assert (card.name, card.part, card.config) == ("PointHMR_h36m", "network", "body-hrnet-w32")
    assert "Human3.6M" in card.trained_on and card.source == "PointHMR_h36m.bin"
    assert [c for c in list_models() if c.name == card.name] == [card]
    network, loaded = load_network("PointHMR_h36m")
    assert loaded == card and not network.training
    assert same_weights(network, published)
    assert import_weights(checkpoint) == card
    assert len(list(models_dir().glob("*.safetensors"))) == 1


def test_a_released_checkpoint_can_be_used_without_import(checkpoint: Path, published: PointHMR) -> None:
    network, card = load_network(checkpoint)
    assert same_weights(network, published)
    assert (card.name, card.config, len(card.sha256)) == ("PointHMR_h36m", "body-hrnet-w32", 64)
    assert not models_dir().exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cam_token_embed.weight": None}, r"incomplete: .* needs cam_token_embed\.weight\."),
        (
            {"transformer.xyz_regressor.weight": torch.zeros(4, 128)},
            "xyz_regressor.weight is 4 x 128, not 3 x 128",
        ),
        ({"extra.weight": torch.zeros(1)}, "does not know: extra.weight"),
    ],
)
def test_released_keys_are_taken_strictly(
    released: dict[str, Tensor], tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    state = {key: value for key, value in (released | change).items() if value is not None}
    torch.save(state, tmp_path / "w.bin")
    with pytest.raises(UserError, match=message):
        import_weights(tmp_path / "w.bin")
    assert not models_dir().exists()


def test_another_network_is_no_pointhmr(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "w.bin")
    with pytest.raises(UserError, match=r"another architecture, .* shares 0 of 2,023 tensors"):
        import_weights(tmp_path / "w.bin")


@pytest.fixture(scope="module")
def hrnet() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {k: v.half() if v.is_floating_point() else v for k, v in HRNet().state_dict().items()}


def test_classification_hrnet_becomes_a_backbone(hrnet: dict[str, Tensor], tmp_path: Path) -> None:
    heads = {"incre_modules.0.0.conv1.weight": torch.zeros(1), "classifier.weight": torch.zeros(1000, 8)}
    torch.save(hrnet | heads, tmp_path / "hrnet_w32.pth")
    card = import_weights(tmp_path / "hrnet_w32.pth", trained_on="ImageNet-1k")
    assert (card.part, card.trained_on) == ("backbone", "ImageNet-1k")
    state = load_backbone("hrnet_w32")
    assert all(torch.equal(state[key].half(), value.half()) for key, value in hrnet.items())
    with pytest.raises(UserError, match="not a whole network"):
        load_network("hrnet_w32")


def test_romps_backbone_may_lack_the_last_exchange(
    hrnet: dict[str, Tensor], published: PointHMR, tmp_path: Path
) -> None:
    cut = {
        k: v
        for k, v in hrnet.items()
        if not k.startswith(tuple(f"stage4.2.fuse_layers.{i}." for i in (1, 2, 3)))
    }
    torch.save(cut, tmp_path / "pretrain_hrnet.pkl", _use_new_zipfile_serialization=False)
    card = import_weights(tmp_path / "pretrain_hrnet.pkl")
    assert card.notes.startswith(f"{len(hrnet) - len(cut)} tensors")
    network = PointHMR(preset("body-hrnet-w32"))
    before = network.backbone.state_dict()["stage4.2.fuse_layers.3.0.0.0.weight"].clone()
    init_backbone(network, load_backbone("pretrain_hrnet"))
    after = network.backbone.state_dict()
    assert torch.equal(after["conv1.weight"].half(), hrnet["conv1.weight"])
    assert torch.equal(after["stage4.2.fuse_layers.3.0.0.0.weight"], before)


def test_a_backbone_behind_a_prefix_is_found(hrnet: dict[str, Tensor], tmp_path: Path) -> None:
    state = {"backbone." + key: value for key, value in hrnet.items()} | {"head.weight": torch.zeros(3)}
    torch.save(state, tmp_path / "w.pth")
    assert load_backbone(tmp_path / "w.pth").keys() == hrnet.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage3.1.branches.0.0.conv1.weight": None}, "incomplete: the HRNet-W32 backbone needs stage3.1"),
        (
            {"stage2.0.branches.0.0.conv1.weight": torch.zeros(48, 48, 3, 3)},
            "48 x 48 x 3 x 3, not 32 x 32 x 3 x 3",
        ),
        ({"mystery.weight": torch.zeros(1)}, "does not know: mystery.weight"),
    ],
)
def test_other_backbones_are_refused(
    hrnet: dict[str, Tensor], tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    torch.save({k: v for k, v in (hrnet | change).items() if v is not None}, tmp_path / "w.pth")
    with pytest.raises(UserError, match=message):
        import_weights(tmp_path / "w.pth")


def lite_file(path: Path, backbone: bool) -> PointHMR:
    """Our own file, as training writes it: fp16, the frozen backbone left out."""
    torch.manual_seed(2)
    network = PointHMR(preset("body-lite"))
    tensors = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
        if backbone or not key.startswith("backbone.")
    }
    save_file(tensors, path, {"config": dataclasses.replace(network.config, hops=(5, 5, 3, 1)).to_json()})
    return network


def test_our_own_file_brings_its_config_and_the_shipped_backbone(tmp_path: Path) -> None:
    lite_file(tmp_path / "mine.safetensors", backbone=False)
    network, card = load_network(tmp_path / "mine.safetensors")
    assert network.config.hops == (5, 5, 3, 1) and card.config == "body-lite"
    shipped = load_blazepose("full").state_dict()
    assert all(torch.equal(network.backbone.state_dict()[key], value) for key, value in shipped.items())
    assert import_weights(tmp_path / "mine.safetensors", name="lite/../x").name == "lite-..-x"
    assert load_network("lite-..-x")[0].config == network.config


def test_our_own_file_may_bring_its_backbone(tmp_path: Path) -> None:
    network = lite_file(tmp_path / "mine.safetensors", backbone=True)
    assert same_weights(load_network(tmp_path / "mine.safetensors")[0], network)


def test_a_name_is_never_taken_twice(tmp_path: Path) -> None:
    lite_file(tmp_path / "body-lite.safetensors", backbone=False)
    card = import_weights(tmp_path / "body-lite.safetensors")
    assert card.name == f"body-lite-{card.source_sha256[:6]}"


def test_a_spoilt_card_or_file_does_not_hide_the_others(tmp_path: Path) -> None:
    lite_file(tmp_path / "mine.safetensors", backbone=False)
    card = import_weights(tmp_path / "mine.safetensors")
    shipped = {c.name for c in list_models()} - {"mine"}
    (models_dir() / "junk.safetensors").write_bytes(b"junk")
    (models_dir() / "mine.json").write_text("{ not json")
    (again,) = [c for c in list_models() if c.name not in shipped]
    assert (again.name, again.config, again.path) == (card.name, card.config, card.path)
    (models_dir() / "mine.json").write_text(json.dumps({"name": "other", "trained_on": 3, "future": 1}))
    assert {c.name: c.trained_on for c in list_models()}["mine"] == "3"


def test_random_weights_are_asked_for_by_name() -> None:
    network, card = load_network("body-hrnet-w32:random")
    assert card.source == "random weights" and network.config.name == "body-hrnet-w32"


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(UserError, match="body-hrnet-w32:random"):
        load_network("body-hrnet-w32")
    with pytest.raises(UserError, match="no model or file 'nothing'"):
        load_network("nothing")
