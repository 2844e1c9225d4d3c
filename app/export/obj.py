"""Wavefront OBJ: text; each person an object. Its material is in an MTL file beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from app.export.mesh import NamedMesh, Origin, PlacedMesh, place
from app.export.presets import Y_UP_METRES, Preset
from model.errors import UserError
from model.paths import write_atomically

MATERIAL = """newmtl Skin
Ka 0.8 0.7 0.6
Kd 0.8 0.7 0.6
Ks 0.05 0.05 0.05
Ns 20
d 1
illum 2
"""


def write_obj(
    path: Path,
    meshes: Sequence[NamedMesh],
    preset: Preset = Y_UP_METRES,
    origin: Origin | None = None,
    library: str = "",
) -> None:
    """Write the meshes as one OBJ file, whole or not at all, and before it its MTL file.

    library: name of an MTL file that is there already, for the files of a sequence.
    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    preset, placed = preset.for_obj, place(meshes, preset.for_obj)
    used = library or library_beside(path).name
    texts = [_header(origin, preset)]
    texts.append(f"mtllib {used}\n")
    first = (1, 1, 1)
    for mesh in placed:
        block, first = _object(mesh, first)
        texts.append(block)
    text = "".join(texts)
    beside = path.with_name(used)
    fresh = not (library or os.path.lexists(beside))
    if not library:
        write_material(beside, origin, preset)
    try:
        write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
    except UserError:
        if fresh:
            beside.unlink(missing_ok=True)
        raise


def library_beside(path: Path) -> Path:
    """The MTL file of an OBJ file; without blanks, at which readers end its name."""
    return path.with_name(f"{'_'.join(path.stem.split())}.mtl")


def write_material(path: Path, origin: Origin | None, preset: Preset) -> None:
    """The MTL file, the same for everybody. Raises UserError when the disk refuses."""
    text = _header(origin, preset.for_obj) + MATERIAL
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def _header(origin: Origin | None, preset: Preset) -> str:
    facts = (origin or Origin()).facts(preset)
    rows = [f"# {name}: {' '.join(text.split())}\n" for name, text in facts.items()]
    return "".join(["# PointHMR desktop\n", *rows])


def _object(mesh: PlacedMesh, first: tuple[int, int, int]) -> tuple[str, tuple[int, int, int]]:
    """The text of one object, and the first free index of v, vt and vn after it."""
    rows, pattern = mesh.vertices, "v %.6f %.6f %.6f\n"
    if mesh.colours is not None:
        rows, pattern = np.concatenate([rows, mesh.colours], axis=1), f"{pattern[:-1]} %.4f %.4f %.4f\n"
    texts = [
        f"o {'_'.join(mesh.name.split())}\nusemtl Skin\n",
        _table(pattern, rows),
        _table("vn %.4f %.4f %.4f\n", mesh.normals),
    ]
    texture, (v, vt, vn), count = b"", first, len(mesh.vertices)
    after = v + count, vt, vn + count
    if mesh.uv is not None and mesh.uv_faces is not None:
        texts.append(_table("vt %.6f %.6f\n", mesh.uv))
        texture, after = mesh.uv_faces.tobytes(), (after[0], vt + len(mesh.uv), after[2])
    texts.append(_faces(mesh.faces.tobytes(), texture, first))
    return "".join(texts), after


def _table(pattern: str, rows: np.ndarray) -> str:
    return pattern * len(rows) % tuple(rows.ravel().tolist())


@lru_cache(maxsize=16)
def _faces(faces: bytes, texture: bytes, first: tuple[int, int, int]) -> str:
    """Lines of (F, 3) int32 corners and, if there are any, texture corners: the same in every frame."""
    corners, (v, vt, vn) = np.frombuffer(faces, np.int32), first
    if not texture:
        return _table("f %d//%d %d//%d %d//%d\n", np.stack([corners + v, corners + vn], 1).reshape(-1, 6))
    places = np.frombuffer(texture, np.int32) + vt
    rows = np.stack([corners + v, places, corners + vn], axis=1).reshape(-1, 9)
    return _table("f %d/%d/%d %d/%d/%d %d/%d/%d\n", rows)
