"""glTF 2.0 in one binary file (GLB): metres and y up whatever the program, as the format demands.

Source: Khronos, glTF 2.0 specification, sections 3.6 (buffers and accessors), 3.7 (meshes), 4.4 (GLB).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.export.mesh import NamedMesh, Origin, PlacedMesh, place, split_at_seams
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENTS = {"<f4": 5126, "<u4": 5125}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3"}


def write_glb(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one GLB file, whole or not at all.

    preset: every reader turns and scales glTF by itself, so the file is the same for all.
    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    placed = [split_at_seams(mesh) for mesh in place(meshes, Y_UP_METRES)]
    facts = (origin or Origin()).facts(Y_UP_METRES) | {"made for": preset.title}
    content = _scene(placed, facts)
    write_atomically(path, lambda file: file.write_bytes(content))


@dataclass
class _Buffer:
    """The binary chunk and what lies where in it."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, array: np.ndarray, target: int) -> int:
        """Append (N,) uint32 or (N, 2 or 3) float32 with its bounds; returns the accessor's index."""
        rows = array.reshape(len(array), -1)
        view = {
            "buffer": 0,
            "byteOffset": len(self.data),
            "byteLength": array.nbytes,
            "target": target,
        }
        self.views.append(view)
        self.accessors.append(
            {
                "bufferView": len(self.views) - 1,
                "componentType": _COMPONENTS[array.dtype.str],
                "count": len(rows),
                "type": _TYPES[rows.shape[1]],
                "min": rows.min(axis=0).tolist(),
                "max": rows.max(axis=0).tolist(),
            }
        )
        self.data += array.tobytes()
        return len(self.accessors) - 1


def _scene(meshes: Sequence[PlacedMesh], facts: dict[str, str]) -> bytes:
    """The whole file: one node and one mesh a person under one material."""
    buffer = _Buffer()
    document = {
        "asset": {"version": "2.0", "generator": "PointHMR desktop", "extras": facts},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(meshes)))}],
        "nodes": [{"name": mesh.name, "mesh": index} for index, mesh in enumerate(meshes)],
        "meshes": [{"name": mesh.name, "primitives": [_primitive(mesh, buffer)]} for mesh in meshes],
        "materials": [
            {
                "name": "Skin",
                "pbrMetallicRoughness": {
                    "baseColorFactor": [0.8, 0.7, 0.6, 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.8,
                },
            }
        ],
        "buffers": [{"byteLength": len(buffer.data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    return _glb(document, bytes(buffer.data))


def _primitive(mesh: PlacedMesh, buffer: _Buffer) -> dict[str, Any]:
    attributes = {
        "POSITION": buffer.add(mesh.vertices.astype("<f4"), _ARRAY_BUFFER),
        "NORMAL": buffer.add(mesh.normals.astype("<f4"), _ARRAY_BUFFER),
    }
    if mesh.uv is not None:
        # glTF's v runs down.
        texture = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)
        attributes["TEXCOORD_0"] = buffer.add(texture.astype("<f4"), _ARRAY_BUFFER)
    indices = buffer.add(mesh.faces.ravel().astype("<u4"), _ELEMENT_ARRAY_BUFFER)
    return {"attributes": attributes, "indices": indices, "material": 0}


def _glb(document: dict[str, Any], data: bytes) -> bytes:
    """Header, JSON chunk padded by spaces, binary chunk padded by zeros."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += bytes(-len(data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
