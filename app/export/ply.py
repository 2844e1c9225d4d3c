"""Stanford PLY, binary: one surface; the vertex property `person` tells people apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.export.mesh import NamedMesh, Origin, PlacedMesh, place, split_at_seams
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically

_FLOATS = ("x", "y", "z", "nx", "ny", "nz")
_TEXTURE = ("s", "t")
_FACE = np.dtype([("corners", "u1"), ("vertices", "<i4", 3)])


def write_ply(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one PLY file, whole or not at all.

    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    placed = [split_at_seams(mesh) for mesh in place(meshes, preset)]
    textured = all(mesh.uv is not None for mesh in placed)
    names = _FLOATS + _TEXTURE if textured else _FLOATS
    vertices = np.concatenate([_vertices(mesh, number, names) for number, mesh in enumerate(placed)])
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in placed)])
    corners = [mesh.faces + start for mesh, start in zip(placed, starts[:-1], strict=True)]
    faces = np.zeros(sum(map(len, corners)), _FACE)
    faces["corners"], faces["vertices"] = 3, np.concatenate(corners)
    facts = (origin or Origin()).facts(preset) | {"people": ", ".join(mesh.name for mesh in placed)}
    head = _header(facts, names, len(vertices), len(faces))
    write_atomically(path, lambda file: file.write_bytes(head + vertices.tobytes() + faces.tobytes()))


def _vertices(mesh: PlacedMesh, number: int, names: tuple[str, ...]) -> np.ndarray:
    """(V,) records: position, normal, texture coordinate when named, the person's number from 0."""
    columns = [*mesh.vertices.T, *mesh.normals.T, *(() if mesh.uv is None else mesh.uv.T)]
    records = np.zeros(len(mesh.vertices), np.dtype([*((name, "<f4") for name in names), ("person", "<i4")]))
    for name, column in zip(names, columns, strict=False):
        records[name] = column
    records["person"] = number
    return records


def _header(facts: dict[str, str], names: tuple[str, ...], vertices: int, faces: int) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0", "comment PointHMR desktop"]
    # The header is ASCII: JSON escapes every other character, line ends as well.
    lines += [f"comment {name}: {json.dumps(text)[1:-1]}" for name, text in facts.items()]
    lines += [f"element vertex {vertices}", *(f"property float {name}" for name in names)]
    lines += ["property int person", f"element face {faces}", "property list uchar int vertex_indices"]
    return "\n".join([*lines, "end_header", ""]).encode("ascii")
