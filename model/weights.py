"""The models that there are: those that ship, and those that the user imported; safe in, safe out."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

import assets
from model.config import PRESETS, NetworkConfig, preset
from model.errors import UserError
from model.guided import shipped_state
from model.hierarchy import Hierarchy
from model.json_text import parse_json
from model.paths import data_dir, sha256, write_atomically
from model.pointhmr import PointHMR
from model.pretrained import hrnet_state, looks_like_hrnet
from model.released import looks_released, released_shapes, released_to_ours
from model.safe_load import check_state, load_checkpoint

Part = Literal["network", "backbone"]
RANDOM = ":random"
"""Suffix of a preset's name: the network with random weights, to look at the machinery."""
FREE, SMPL, ANY = "free body", "SMPL", "any"
"""Bodies that a card can name: the one that ships, SMPL with METRO's meshes, or whatever is asked for."""
_PUBLISHED = "body-hrnet-w32"
_RANDOM_SCALE = 0.9
"""Camera scale of a published network with random weights: half of them would turn the picture inside out."""
_HINTS = {"h36m": "Human3.6M", "3dpw": "3DPW", "freihand": "FreiHAND"}


@dataclass(frozen=True)
class ModelCard:
    """What is known about a file of weights."""

    name: str
    part: Part
    """A whole network, or a backbone to start training from."""
    config: str
    """Name of the network's config."""
    sha256: str
    """Of the file that is loaded."""
    source: str
    """Where the weights came from."""
    source_sha256: str = ""
    """Of the file that was imported."""
    body: str = ""
    """Whose vertices it regresses: FREE, SMPL, or ANY."""
    trained_on: str = "unknown"
    licence: str = "unknown"
    date: str = ""
    """Of the import."""
    notes: str = ""
    path: str = dataclasses.field(default="", compare=False)
    """Where the file lies; empty for random weights."""


def models_dir() -> Path:
    """Folder of the imported models."""
    return data_dir() / "models"


def list_models() -> list[ModelCard]:
    """Cards of the shipped models, then of the imported ones. Files that cannot be read are left out."""
    files = sorted(assets.WEIGHTS.glob("*.safetensors")) + sorted(models_dir().glob("*.safetensors"))
    cards = (_card_of(path) for path in files)
    return [card for card in cards if card is not None]


def find_card(name_or_file: str | Path) -> ModelCard:
    """The card of a model's name, a weight file, or PRESET:random; no weights are read.

    Raises UserError in one sentence when there is no such network.
    """
    name = str(name_or_file)
    if name.endswith(RANDOM):
        config = preset(name.removesuffix(RANDOM)).name
        return ModelCard(name, "network", config, "", "random weights", body=ANY, trained_on="nothing")
    card = next((card for card in list_models() if card.name == name), None)
    if card is not None:
        if card.part != "network":
            raise UserError(f"{name} is a backbone to start training from, not a whole network.")
        return card
    path = Path(name)
    if not path.is_file():
        raise UserError(_unknown(name))
    metadata = _metadata(path)
    config = NetworkConfig.from_json(metadata["config"]).name if "config" in metadata else _PUBLISHED
    body = metadata.get("body", _usual_body(config))
    return ModelCard(path.stem, "network", config, "", str(path), body=body, path=str(path))


def load_network(name_or_file: str | Path, hierarchy: Hierarchy | None = None) -> tuple[PointHMR, ModelCard]:
    """A network in eval mode and its card: a model's name, a weight file, or PRESET:random.

    hierarchy: the mesh that it regresses; the free body's when None. Raises UserError in one sentence.
    """
    card = find_card(name_or_file)
    if not card.path:
        return _random_network(preset(card.config), hierarchy), card
    path = Path(card.path)
    state = load_checkpoint(path)
    config_text = _metadata(path).get("config")
    if config_text is not None:
        network = built(NetworkConfig.from_json(config_text), hierarchy, path.name)
        _fill(network, state, path.name)
    else:
        network = PointHMR(preset(_PUBLISHED), hierarchy)
        network.load_state_dict(_from_released(state, network, path.name))
    return network.eval(), dataclasses.replace(card, sha256=sha256(path))


def _random_network(config: NetworkConfig, hierarchy: Hierarchy | None) -> PointHMR:
    """The same random weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PointHMR(config, hierarchy)
    network.load_state_dict(network.state_dict() | _shipped_backbone(network))
    if network.lifter is None:
        torch.nn.init.constant_(network.camera_head.bias[0], _RANDOM_SCALE)
    return network.eval()


def load_backbone(name_or_file: str | Path) -> dict[str, Tensor]:
    """HRNet tensors to start training from, for `model.pretrained.init_backbone`."""
    name = str(name_or_file)
    card = next((card for card in list_models() if card.name == name), None)
    path = Path(card.path) if card else Path(name)
    return hrnet_state(load_checkpoint(path), path.name)[0]


def import_weights(path: Path, *, name: str | None = None, trained_on: str | None = None) -> ModelCard:
    """Read a checkpoint safely, check every tensor, and keep it as safetensors with a card.

    Takes released PointHMR checkpoints, files of `pointhmr train`, and HRNet-W32 weights (a backbone).
    A file that was imported before is not stored twice. Raises UserError in one sentence.
    """
    source_digest = sha256(path)
    known = [card for card in list_models() if source_digest in (card.source_sha256, card.sha256)]
    if known:
        return known[0]
    state = load_checkpoint(path)
    part, config, tensors, notes = _recognised(state, path)
    target = models_dir() / f"{_free_name(name or path.stem, source_digest)}.safetensors"
    body = _metadata(path).get("body", _usual_body(config.name))
    metadata = {"part": part, "config": config.to_json(), "body": body}
    # Clones: safetensors refuses tensors that share memory.
    own = {key: value.clone() for key, value in tensors.items()}
    write_atomically(target, lambda file: file.write_bytes(save(own, metadata)))
    card = ModelCard(
        name=target.stem,
        part=part,
        config=config.name,
        sha256="",
        source=path.name,
        source_sha256=source_digest,
        body=body,
        trained_on=trained_on or _hint(path.name),
        date=date.today().isoformat(),
        notes=notes,
        path=str(target),
    )
    # Another process that imports the same may replace the file meanwhile, by one whose header is ordered
    # otherwise: safetensors does so at random.
    while (digest := sha256(target)) != card.sha256:
        card = dataclasses.replace(card, sha256=digest)
        _write_card(card)
    return card


def _write_card(card: ModelCard) -> None:
    text = json.dumps(dataclasses.asdict(card), indent=2)
    write_atomically(
        Path(card.path).with_suffix(".json"), lambda file: file.write_text(text, encoding="utf-8")
    )


def _recognised(state: dict[str, Tensor], path: Path) -> tuple[Part, NetworkConfig, dict[str, Tensor], str]:
    """What a checkpoint is, its tensors under our names, and what there is to say about it."""
    config_text = _metadata(path).get("config")
    if config_text is not None:
        network = built(NetworkConfig.from_json(config_text), None, path.name)
        _fill(network, state, path.name)
        return "network", network.config, state, ""
    published = preset(_PUBLISHED)
    if looks_like_hrnet(state) and not looks_released(state):
        tensors, lacking = hrnet_state(state, path.name)
        notes = (
            f"{len(lacking)} tensors of the last exchange are not in it and start at random."
            if lacking
            else ""
        )
        return "backbone", published, tensors, notes
    return "network", published, _from_released(state, PointHMR(published), path.name), "Released PointHMR."


def _from_released(state: Mapping[str, Tensor], network: PointHMR, label: str) -> dict[str, Tensor]:
    check_state(state, released_shapes(network), label, "released PointHMR network")
    return released_to_ours(state, network)


def built(config: NetworkConfig, hierarchy: Hierarchy | None, label: str) -> PointHMR:
    """The network of a config that a user gave. Raises UserError when there can be none such.

    label: where the config comes from.
    """
    try:
        return PointHMR(config, hierarchy)
    except (UserError, OSError):
        raise
    except Exception as error:  # Layers check little: senseless sizes raise whatever they like.
        raise UserError(
            f"{label} describes a network that cannot be built ({type(error).__name__})."
        ) from error


def _fill(network: PointHMR, state: Mapping[str, Tensor], label: str) -> None:
    """Load our own file; a frozen BlazePose backbone that it leaves out comes from the file that ships."""
    complete = dict(state)
    if not any(key.startswith("backbone.") for key in state):
        complete |= _shipped_backbone(network)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    check_state(complete, expected, label, f"{network.config.name} network")
    network.load_state_dict(complete)


def _shipped_backbone(network: PointHMR) -> dict[str, Tensor]:
    """The frozen BlazePose that ships, under the network's names; empty for a network over another one."""
    if not network.config.backbone.startswith("blazepose"):
        return {}
    return {f"backbone.{key}": value for key, value in shipped_state(network.config).items()}


def _metadata(path: Path) -> dict[str, str]:
    """Of a safetensors file; empty for any other."""
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError):
        return {}


def _card_of(path: Path) -> ModelCard | None:
    """The card beside a file, or what the file says of itself; None for files that are no such model."""
    metadata = _metadata(path)
    if "config" not in metadata:
        return None
    fields = {field.name for field in dataclasses.fields(ModelCard)}
    try:
        raw = parse_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        told = {key: str(value) for key, value in raw.items() if key in fields}
    except (OSError, ValueError, AttributeError):
        told = {key: value for key, value in metadata.items() if key in fields - {"config"}}
    try:
        config = NetworkConfig.from_json(metadata["config"]).name
    except UserError:
        return None
    defaults = {"part": "network", "sha256": "", "source": "ships with the application"}
    defaults["body"] = metadata.get("body", _usual_body(config))
    part: Part = "backbone" if told.get("part") == "backbone" else "network"
    text = defaults | told | {"name": path.stem, "config": config, "path": str(path)}
    return ModelCard(**{**text, "part": part})


def _usual_body(config: str) -> str:
    """Of a file that does not tell: released checkpoints regress SMPL, ours the free body."""
    return SMPL if config == _PUBLISHED else FREE


def _free_name(wanted: str, digest: str) -> str:
    """A file name that no other model has."""
    name = re.sub(r"[^\w.-]+", "-", wanted).strip(".-") or "model"
    taken = {card.name for card in list_models()} | PRESETS.keys()
    return f"{name}-{digest[:6]}" if name in taken else name


def _hint(file_name: str) -> str:
    sets = [name for hint, name in _HINTS.items() if hint in file_name.lower()]
    return f"{' and '.join(sets)}, by the file's name" if sets else "unknown"


def _unknown(name: str) -> str:
    names = ", ".join(card.name for card in list_models() if card.part == "network") or "none"
    if name in PRESETS:
        return (
            f"There are no weights for {name} yet: import a checkpoint with `pointhmr weights import FILE`, "
            f"or try {name}{RANDOM}."
        )
    return f"There is no model or file {name!r}; there are: {names}."
