"""Training states and weight files: written atomically, read without running anything."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from model.errors import UserError
from model.paths import write_atomically
from model.pointhmr import PointHMR
from model.weights import FREE


@dataclass(frozen=True)
class TrainingState:
    """How far a run is."""

    step: int
    seen: int
    """Samples."""


def save_state(
    path: Path,
    state: TrainingState,
    network: PointHMR,
    ema: PointHMR,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Everything that a run needs to go on."""
    content = {
        "step": state.step,
        "seen": state.seen,
        "network": network.state_dict(),
        "ema": ema.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    write_atomically(path, lambda file: torch.save(content, file))


def load_state(
    path: Path, network: PointHMR, ema: PointHMR, optimizer: torch.optim.Optimizer
) -> TrainingState:
    """Restore a run; raises UserError when the file is not a state of this network."""
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
        network.load_state_dict(content["network"])
        ema.load_state_dict(content["ema"])
        optimizer.load_state_dict(content["optimizer"])
        return TrainingState(int(content["step"]), int(content["seen"]))
    except (OSError, RuntimeError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise UserError(f"The training state {path} cannot be resumed: {error}.") from error


def save_weights(path: Path, network: PointHMR) -> None:
    """The trained part of a network as fp16 safetensors, its config in the metadata.

    A frozen BlazePose backbone is left out: it ships as a file of its own.
    """
    frozen = network.config.backbone.startswith("blazepose")
    tensors = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
        if not (frozen and name.startswith("backbone."))
    }
    metadata = {"config": network.config.to_json(), "body": FREE}
    write_atomically(path, lambda file: save_file(tensors, file, metadata))
