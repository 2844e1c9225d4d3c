"""Reads weight files of strangers: nothing in them ever runs, and each fault has its own sentence."""

from __future__ import annotations

import pickle
import pickletools
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.errors import UserError

Shapes = Mapping[str, tuple[int, ...]]

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_LEGACY_PICKLES = 5
"""Magic number, protocol, system, the object itself, storage keys."""
_CONTAINERS = ("state_dict", "model_state_dict", "model", "network")
_ENOUGH = 0.5
"""Share of the network's tensors below which a file is another architecture, not a damaged one."""
CONVERT = "where it was made, run torch.save(model.state_dict(), 'weights.bin') and import that file"


def load_checkpoint(path: Path) -> dict[str, Tensor]:
    """Name -> tensor (CPU, float32 or integer) of a torch or safetensors file, told apart by content.

    Takes a state dict out of the usual wrappings and strips `module.` of data-parallel training. Raises
    UserError when the file is missing, empty, cut off, hostile, a whole pickled network, or no weights.
    """
    head = _head(path)
    if head.startswith(_ZIP_MAGIC) or head.startswith(_LEGACY_MAGIC):
        content = _load_torch(path)
    elif head[8:9] == b"{":
        content = _load_safetensors(path)
    elif head.startswith(b"\x80"):
        raise UserError(
            f"{path.name} is a plain pickle, not weights saved by torch.save; it was not opened: {CONVERT}."
        )
    else:
        raise UserError(f"{path.name} is not a weight file (torch or safetensors).")
    return _cleaned(_unwrapped(content, path.name), path.name)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise UserError(f"{path.name} is empty.")
    return head


def _load_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path.name} is cut off or damaged ({error}).") from error


def _load_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # An odd pickle protocol is no news to the user.
            return torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        raise UserError(_refusal(path)) from error
    except Exception as error:  # Its readers check little: damaged bytes raise whatever they like.
        raise UserError(f"{path.name} is cut off or damaged.") from error


def _refusal(path: Path) -> str:
    """Why torch would not read a file: from the names that it asks for, without following them."""
    names = _globals(path)
    if any(name.startswith("torch.nn.modules.") for name in names):
        network = next((name for name in names if not name.startswith("torch.")), "a torch module")
        return (
            f"{path.name} is a whole pickled network ({network}), which cannot be opened safely: {CONVERT}."
        )
    foreign = [name for name in names if not name.startswith(("torch.", "collections.OrderedDict"))]
    if foreign:
        return f"{path.name} was refused: opening it would call {foreign[0]}, which is no weight; {CONVERT}."
    return f"{path.name} is cut off or damaged."


def _globals(path: Path) -> list[str]:
    """All module.name that the pickles of a torch file mention, in order."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                member = next(name for name in archive.namelist() if name.endswith("data.pkl"))
                with archive.open(member) as file:
                    return _pickle_globals(file)
        with path.open("rb") as file:
            return [name for _ in range(_LEGACY_PICKLES) for name in _pickle_globals(file)]
    except Exception:  # As above: damaged bytes.
        return []


def _pickle_globals(stream: IO[bytes]) -> list[str]:
    names, texts = [], ["", ""]
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "GLOBAL":
            names.append(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.append(".".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    return names


def _unwrapped(content: Any, label: str) -> dict[str, Any]:
    """The state dict inside of a training checkpoint."""
    for _ in range(3):
        if not isinstance(content, Mapping):
            break
        inner = next((content[key] for key in _CONTAINERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise UserError(f"{label} holds no weights, but a {type(content).__name__}.")
    return {str(key): value for key, value in content.items()}


def _cleaned(state: dict[str, Any], label: str) -> dict[str, Tensor]:
    while all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    tensors = {}
    for key, value in state.items():
        if not isinstance(value, Tensor):
            raise UserError(f"{label} holds no plain weights: {key} is a {type(value).__name__}.")
        tensor = value.detach()
        if tensor.is_floating_point():
            tensor = tensor.float()
            if not bool(torch.isfinite(tensor).all()):
                raise UserError(f"{label} is damaged: {key} holds numbers that are not finite.")
        tensors[key] = tensor.contiguous()
    return tensors


def check_state(state: Mapping[str, Tensor], expected: Shapes, label: str, kind: str) -> None:
    """Raise UserError unless `state` has exactly the expected names and shapes.

    label: the file. kind: what it should be, as a person says it ("PointHMR network").
    """
    shared = state.keys() & expected.keys()
    if len(shared) < _ENOUGH * len(expected):
        raise UserError(
            f"{label} is another architecture, not a {kind}: "
            f"it shares {len(shared):,} of {len(expected):,} tensors."
        )
    wrong = [key for key in expected if key in state and tuple(state[key].shape) != tuple(expected[key])]
    if wrong:
        key = wrong[0]
        shapes = f"{_size(state[key].shape)}, not {_size(expected[key])}"
        raise UserError(f"{label} does not fit the {kind}: {key} is {shapes}{_more(wrong)}.")
    missing = [key for key in expected if key not in state]
    if missing:
        raise UserError(f"{label} is incomplete: the {kind} needs {missing[0]}{_more(missing)}.")
    unexpected = [key for key in state if key not in expected]
    if unexpected:
        raise UserError(f"{label} holds what the {kind} does not know: {unexpected[0]}{_more(unexpected)}.")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape) or "a single number"


def _more(keys: list[str]) -> str:
    return f" (and {len(keys) - 1:,} more)" if len(keys) > 1 else ""
