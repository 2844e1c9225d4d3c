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
_COLOURS = ("red", "green", "blue")
_FACE = np.dtype([("corners", "u1"), ("vertices", "<i4", 3)])


def write_ply(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one PLY file, whole or not at all.

    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    placed = [split_at_seams(mesh) for mesh in place(meshes, preset)]
    kind = _vertex(
        textured=all(mesh.uv is not None for mesh in placed),
        coloured=all(mesh.colours is not None for mesh in placed),
    )
    vertices = np.concatenate([_vertices(mesh, number, kind) for number, mesh in enumerate(placed)])
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in placed)])
    corners = [mesh.faces + start for mesh, start in zip(placed, starts[:-1], strict=True)]
    faces = np.zeros(sum(map(len, corners)), _FACE)
    faces["corners"], faces["vertices"] = 3, np.concatenate(corners)
    facts = (origin or Origin()).facts(preset) | {"people": ", ".join(mesh.name for mesh in placed)}
    head = _header(facts, kind, len(vertices), len(faces))
    write_atomically(path, lambda file: file.write_bytes(head + vertices.tobytes() + faces.tobytes()))


def _vertex(*, textured: bool, coloured: bool) -> np.dtype:
    """Position, normal, texture coordinate and colour if everybody has them, the person's number from 0."""
    floats = _FLOATS + _TEXTURE if textured else _FLOATS
    rows = [(name, "<f4") for name in floats]
    if coloured:
        rows += [(name, "u1") for name in _COLOURS]
    return np.dtype([*rows, ("person", "<i4")])


def _vertices(mesh: PlacedMesh, number: int, kind: np.dtype) -> np.ndarray:
    """(V,) records."""
    records = np.zeros(len(mesh.vertices), kind)
    for name, column in zip(_FLOATS, (*mesh.vertices.T, *mesh.normals.T), strict=True):
        records[name] = column
    if mesh.uv is not None and "s" in (kind.names or ()):
        records["s"], records["t"] = mesh.uv.T
    if mesh.colours is not None and "red" in (kind.names or ()):
        for name, column in zip(_COLOURS, mesh.colours.T, strict=True):
            records[name] = np.rint(255 * column)
    records["person"] = number
    return records


def _header(facts: dict[str, str], kind: np.dtype, vertices: int, faces: int) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0", "comment PointHMR desktop"]
    # The header is ASCII: JSON escapes every other character, line ends as well.
    lines += [f"comment {name}: {json.dumps(text)[1:-1]}" for name, text in facts.items()]
    types = {"<f4": "float", "|u1": "uchar", "<i4": "int"}
    fields = {} if kind.fields is None else {name: types[field[0].str] for name, field in kind.fields.items()}
    lines += [f"element vertex {vertices}", *(f"property {text} {name}" for name, text in fields.items())]
    lines += [f"element face {faces}", "property list uchar int vertex_indices"]
    return "\n".join([*lines, "end_header", ""]).encode("ascii")
