"""The container of FBX files, taken apart by the published layout."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from app.export.fbx_binary import Int64, Node, encode, encode_property, node
from tests.app.fbx_nodes import decode_file, decode_property


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
    assert decode_file(data) == [plain(item) for item in tree]
    assert (len(data) - 16 - 120 - 4) % 16 == 0, "the footer is aligned"


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_a_plain_number_beyond_32_bits_is_an_error(value: int) -> None:
    with pytest.raises(struct.error):
        encode_property(value)
    assert decode_property(encode_property(Int64(value)), 0)[0] == value
