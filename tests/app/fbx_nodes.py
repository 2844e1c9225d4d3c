"""FBX files taken apart by the published layout of their container."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

SCALARS = {b"C": "<?", b"I": "<i", b"L": "<q", b"D": "<d"}
ARRAYS = {b"d": "<f8", b"f": "<f4", b"i": "<i4", b"l": "<i8"}


def decode_property(data: bytes, at: int) -> tuple[Any, int]:
    """A value and where the next one begins."""
    code, at = data[at : at + 1], at + 1
    if code in SCALARS:
        (value,) = struct.unpack_from(SCALARS[code], data, at)
        return value, at + struct.calcsize(SCALARS[code])
    if code in ARRAYS:
        count, packed, size = struct.unpack_from("<III", data, at)
        raw = data[at + 12 : at + 12 + size]
        values = np.frombuffer(zlib.decompress(raw) if packed else raw, ARRAYS[code])
        assert len(values) == count
        return values.tolist(), at + 12 + size
    (size,) = struct.unpack_from("<I", data, at)
    raw = data[at + 4 : at + 4 + size]
    return (raw.decode() if code == b"S" else raw), at + 4 + size


def decode_node(data: bytes, at: int) -> tuple[Any, int]:
    """(name, properties, children) and where the next node begins; None for a sentinel."""
    end, count, size, name_size = struct.unpack_from("<IIIB", data, at)
    if end == 0:
        return None, at + 13
    at += 13
    name, at = data[at : at + name_size].decode(), at + name_size
    properties, children, stop = [], [], at + size
    for _ in range(count):
        value, at = decode_property(data, at)
        properties.append(value)
    assert at == stop
    while at < end:
        child, at = decode_node(data, at)
        if child is None:
            break
        children.append(child)
    assert at == end
    return (name, properties, children), end


def decode_file(data: bytes) -> list[Any]:
    """The nodes at the top of a file."""
    at, found = 27, []
    while (step := decode_node(data, at))[0] is not None:
        found.append(step[0])
        at = step[1]
    return found


def child(nodes: list[Any], name: str) -> Any:
    """The first node of this name."""
    return next(item for item in nodes if item[0] == name)


def numbers(item: Any, name: str) -> np.ndarray:
    """The array in a node's child."""
    return np.array(child(item[2], name)[1][0])
