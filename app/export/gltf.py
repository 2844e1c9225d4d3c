"""glTF 2.0 in one binary file (GLB): metres and y up whatever the program, as the format demands.

Source: Khronos, glTF 2.0 specification, sections 3.7 (meshes) and 3.9 (materials).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.export.camera import add_to_glb
from app.export.glb import TRIANGLES, VERTICES, Buffer, encode
from app.export.mesh import NamedMesh, Origin, PlacedMesh, place, split_at_seams
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically


def _material(name: str, colour: Sequence[float]) -> dict[str, Any]:
    """Dull; colour: linear RGB and how opaque it is, in [0, 1]."""
    surface = {"baseColorFactor": [*colour], "metallicFactor": 0.0, "roughnessFactor": 0.8}
    return {"name": name, "pbrMetallicRoughness": surface}


SKIN = _material("Skin", (0.8, 0.7, 0.6, 1.0))
"""Of everybody who brings no colours."""
PAINTED = _material("Parts", (1.0, 1.0, 1.0, 1.0))
"""Of meshes with colours, which this one multiplies (section 3.9.2): white leaves them as they are."""


def write_glb(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one GLB file, whole or not at all.

    preset: every reader turns and scales glTF by itself, so the file is the same for all.
    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    placed = [split_at_seams(mesh) for mesh in place(meshes, Y_UP_METRES)]
    origin, buffer = origin or Origin(), Buffer()
    told = replace(origin, more=(*origin.more, ("made for", preset.title)))
    nodes = [{"name": mesh.name, "mesh": index} for index, mesh in enumerate(placed)]
    contents = [{"name": mesh.name, "primitives": [primitive(mesh, buffer)]} for mesh in placed]
    write_document(path, buffer, told, nodes, range(len(nodes)), contents)


def write_document(
    path: Path,
    buffer: Buffer,
    origin: Origin,
    nodes: Sequence[dict[str, Any]],
    roots: Iterable[int],
    meshes: Sequence[dict[str, Any]],
    more: Mapping[str, Any] | None = None,
) -> None:
    """The file of everybody, whole or not at all; more: further lists of the document."""
    painted = any(part["material"] for mesh in meshes for part in mesh["primitives"])
    document: dict[str, Any] = {
        "asset": {
            "version": "2.0",
            "generator": "PointHMR desktop",
            "extras": origin.facts(Y_UP_METRES),
        },
        "scene": 0,
        "scenes": [{"nodes": list(roots)}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": [SKIN, PAINTED] if painted else [SKIN],
        **(more or {}),
    }
    if origin.camera is not None:
        add_to_glb(document, origin.camera)
    content = encode(document, buffer)
    write_atomically(path, lambda file: file.write_bytes(content))


def primitive(mesh: PlacedMesh, buffer: Buffer) -> dict[str, Any]:
    """Position, normal and texture coordinate of every vertex, and the triangles."""
    attributes = {
        "POSITION": buffer.add(mesh.vertices.astype("<f4"), VERTICES),
        "NORMAL": buffer.add(mesh.normals.astype("<f4"), VERTICES),
    }
    if mesh.uv is not None:
        # glTF's v runs down.
        texture = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)
        attributes["TEXCOORD_0"] = buffer.add(texture.astype("<f4"), VERTICES)
    if mesh.light is not None:
        attributes["COLOR_0"] = buffer.add(mesh.light.astype("<f4"), VERTICES)
    indices = buffer.add(mesh.faces.ravel().astype("<u4"), TRIANGLES)
    return {"attributes": attributes, "indices": indices, "material": int(mesh.light is not None)}
