"""The arrays of a body model, whichever file they came from: ours, SMPL or MANO; .npz or .pkl."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

import assets
from model.array_files import load_arrays
from model.errors import UserError
from model.paths import cache_dir, sha256, write_atomically
from model.unpickle import Unreadable

Kind = Literal["free", "smpl", "mano"]

REQUIRED = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")
"""Members without which a file is no body model; the names are those of the official files."""
_OPTIONAL = ("J14_regressor", "sym", "vt", "ft", "eye", "vertex_ids", "vertex_id_names", "hands_mean")
_FLOATS = frozenset(
    ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "J14_regressor", "vt", "hands_mean")
)
_NAMES: dict[Kind, str] = {"free": "free body", "smpl": "SMPL", "mano": "MANO"}
_OTHER_FAMILY = {52: "SMPL-H", 55: "SMPL-X", 5: "FLAME"}
MAX_BETAS = 300


@dataclass(frozen=True)
class BodyData:
    """A body of V vertices, F faces, J joints, K shape directions; metres, y up, facing +z."""

    kind: Kind
    sha256: str
    """Of the file that it was read from."""
    arrays: dict[str, np.ndarray]
    """The members of REQUIRED, dense: float32 or integers; and those optional ones that the file has."""

    @property
    def name(self) -> str:
        """As a person calls it."""
        return _NAMES[self.kind]


def read_body(path: Path | None = None) -> BodyData:
    """The body of a file (None: the free body that ships), recognised by content.

    A user's file is converted once; the plain arrays are kept in the cache folder under the file's digest.
    Raises UserError when the file is missing, damaged, hostile, or no such body.
    """
    if path is None:
        path = assets.BODY / "body.npz"
        return _converted(load_arrays(path), sha256(path), path.name)
    digest = sha256(path)
    cached = cache_dir() / "bodies" / f"{digest}.npz"
    try:
        with np.load(cached, allow_pickle=False) as archive:
            return _converted({name: archive[name] for name in archive.files}, digest, cached.name)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, UserError):
        pass  # Not there, or spoilt: make it again.
    body = _converted(load_arrays(path), digest, path.name)
    write_atomically(cached, lambda target: _save(target, body.arrays))
    return body


def _save(target: Path, arrays: dict[str, np.ndarray]) -> None:
    with target.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _converted(content: dict[str, Any], digest: str, label: str) -> BodyData:
    missing = [name for name in REQUIRED if name not in content]
    if missing:
        raise UserError(f"{label} is not a body model: it lacks {', '.join(missing)}.")
    names = [*REQUIRED, *(name for name in _OPTIONAL if name in content)]
    try:
        arrays = {name: _plain(name, content[name]) for name in names}
    except (TypeError, ValueError, IndexError) as error:
        raise UserError(f"{label} is not a body model: {error}.") from error
    _check_shapes(arrays, label)
    return BodyData(_kind(arrays, label), digest, arrays)


def _plain(name: str, value: Any) -> np.ndarray:
    """A dense array of the type that its name asks for."""
    if isinstance(value, Unreadable):
        raise TypeError(f"{name} is a {value.name}, which only chumpy can evaluate")
    array = np.asarray(value.toarray() if sp.issparse(value) else value)
    if array.dtype == object and array.shape == ():
        return _plain(name, array.item())
    if name in _FLOATS:
        array = np.ascontiguousarray(array, dtype=np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
        return array[..., :MAX_BETAS] if name == "shapedirs" else array
    if name == "kintree_table":
        array = array.astype(np.int64)
        # The root's parent is -1, which older files write as an unsigned number.
        array[0, 0] = -1
    elif name == "f":
        array = array.astype(np.int32)
    return array


def _check_shapes(arrays: dict[str, np.ndarray], label: str) -> None:
    vertices, joints = len(arrays["v_template"]), len(arrays["J_regressor"])
    wanted: dict[str, tuple[int | None, ...]] = {
        "v_template": (vertices, 3),
        "f": (None, 3),
        "shapedirs": (vertices, 3, None),
        "posedirs": (vertices, 3, 9 * (joints - 1)),
        "J_regressor": (joints, vertices),
        "weights": (vertices, joints),
        "kintree_table": (2, joints),
    }
    for name, shape in wanted.items():
        got = arrays[name].shape
        if len(got) != len(shape) or any(w not in (None, g) for w, g in zip(shape, got, strict=True)):
            want = " x ".join("any" if n is None else str(n) for n in shape)
            raise UserError(f"{label} is not a body model: {name} is {got}, not {want}.")
    if arrays["f"].min(initial=0) < 0 or arrays["f"].max(initial=0) >= vertices:
        raise UserError(f"{label} is not a body model: its faces name vertices that do not exist.")
    parents = arrays["kintree_table"][0, 1:]
    if (parents < 0).any() or (parents >= np.arange(1, joints)).any():
        raise UserError(f"{label} is not a body model: its joints are not a tree from the root on.")


def _kind(arrays: dict[str, np.ndarray], label: str) -> Kind:
    joints = len(arrays["J_regressor"])
    if joints == 24:
        return "free" if "J14_regressor" in arrays else "smpl"
    if joints == 16 and "hands_mean" in arrays:
        return "mano"
    other = _OTHER_FAMILY.get(joints, "an unknown body model")
    raise UserError(
        f"{label} is {other} ({joints} joints); SMPL (24 joints) and MANO (16 joints) can be used."
    )
