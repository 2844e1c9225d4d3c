"""The container of glTF 2.0: a JSON document and one binary buffer in a file.

Source: Khronos, glTF 2.0 specification, sections 3.6 (buffers and accessors) and 4.4 (GLB).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VERTICES, TRIANGLES = 34962, 34963
"""What a view of the buffer is for: ARRAY_BUFFER and ELEMENT_ARRAY_BUFFER."""
_COMPONENTS = {"|u1": 5121, "<f4": 5126, "<u4": 5125}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


@dataclass
class Buffer:
    """The binary chunk and what lies where in it."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, array: np.ndarray, target: int | None = None) -> int:
        """Append (N,) or (N, 2, 3, 4 or 16) float32, uint32 or uint8 (N, 4); returns the accessor's index."""
        rows = array.reshape(len(array), -1)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes}
        self.views.append(view if target is None else view | {"target": target})
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
        self.data += np.ascontiguousarray(array).tobytes()
        return len(self.accessors) - 1


def encode(document: dict[str, Any], buffer: Buffer) -> bytes:
    """The whole file: header, JSON chunk padded by spaces, binary chunk padded by zeros."""
    data = bytes(buffer.data) + bytes(-len(buffer.data) % 4)
    whole = document | {
        "buffers": [{"byteLength": len(data)}],
        "bufferViews": buffer.views,
        "accessors": buffer.accessors,
    }
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
