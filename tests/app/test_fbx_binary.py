"""The container of FBX files, taken apart by the published layout."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from app.export.fbx_binary import Int64, Node, encode, encode_property, node

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


def plain(item: Node) -> Any:
    values = [value.tolist() if isinstance(value, np.ndarray) else value for value in item.properties]
    return item.name, values, [plain(child) for child in item.children]


def test_a_tree_is_found_again() -> None:
    tree = [
        node("Empty"),
        node("Parent", Int64(2**40), "Jörg\0\1Model", b"\0raw", children=[node("Leaf", -3), node("Last")]),
        node("Values", True, 0.1, np.arange(5.0), np.arange(4, dtype=np.int32), children=[node("Child", 1)]),
    ]
    data = encode(tree)
    assert data.startswith(b"Kaydara FBX Binary  \0\x1a\0") and struct.unpack_from("<I", data, 23) == (7400,)
    at, found = 27, []
    while (step := decode_node(data, at))[0] is not None:
        found.append(step[0])
        at = step[1]
    assert found == [plain(item) for item in tree]
    assert (len(data) - 16 - 120 - 4) % 16 == 0, "the footer is aligned"


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_a_plain_number_beyond_32_bits_is_an_error(value: int) -> None:
    with pytest.raises(struct.error):
        encode_property(value)
    assert decode_property(encode_property(Int64(value)), 0)[0] == value
