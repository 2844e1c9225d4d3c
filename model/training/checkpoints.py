"""Where a run stands: weights as safetensors, the optimizer beside them, and which of them count."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically
from model.pointhmr import PointHMR
from model.safe_load import check_state, load_checkpoint

POINTER = "last.json"
WEIGHTS, STATE, BEST = "weights.safetensors", "state.pt", "best.safetensors"


def save_network(path: Path, network: PointHMR, body: str, *, compact: bool = False) -> None:
    """A network's tensors, with its config and the body's name in the metadata.

    compact: in float16, and without a BlazePose backbone, which ships as a file of its own.
    """
    left_out = "backbone." if compact and network.config.backbone.startswith("blazepose") else None
    tensors = {}
    for name, value in network.state_dict().items():
        if left_out is None or not name.startswith(left_out):
            kept = value.detach().cpu().contiguous()
            tensors[name] = kept.half() if compact and kept.is_floating_point() else kept.clone()
    metadata = {"config": network.config.to_json(), "body": body}
    write_atomically(path, lambda file: file.write_bytes(save(tensors, metadata)))


def save_checkpoint(folder: Path, step: int, network: PointHMR, body: str, state: dict[str, Any]) -> None:
    """A new checkpoint beside the old one, which goes only when the new one is complete."""
    name = f"step-{step:08d}"
    save_network(folder / name / WEIGHTS, network, body)
    # On a full disk torch's own writer says something else than the system: so it writes into memory.
    content = io.BytesIO()
    torch.save(state | {"step": step}, content)
    write_atomically(folder / name / STATE, lambda file: file.write_bytes(content.getbuffer()))
    text = json.dumps({"step": step, "folder": name})
    write_atomically(folder / POINTER, lambda file: file.write_text(text + "\n", encoding="utf-8"))
    for old in folder.glob("step-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)


def load_checkpoint_of(folder: Path, network: PointHMR) -> dict[str, Any] | None:
    """Fill the network from a run's last checkpoint and return the rest; None for a run without one.

    Raises UserError when the checkpoint is damaged or of another network.
    """
    if not (folder / POINTER).is_file():
        if (folder / STATE).is_file():
            raise UserError(
                f"The run in {folder} was made by an earlier version: begin a new one "
                f"with --start-from {folder / WEIGHTS}."
            )
        return None
    try:
        name = str(parse_json((folder / POINTER).read_text(encoding="utf-8"))["folder"])
        state = torch.load(folder / name / STATE, weights_only=True, map_location="cpu")
        int(state["step"])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise UserError(f"The run in {folder} cannot be resumed: {type(error).__name__}.") from error
    tensors = load_checkpoint(folder / name / WEIGHTS)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    check_state(tensors, expected, WEIGHTS, f"{network.config.name} network")
    network.load_state_dict(tensors)
    return dict(state)
