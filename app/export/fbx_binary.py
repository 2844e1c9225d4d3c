"""The container of FBX 7.4: a tree of named nodes with typed properties, as bytes.

Source: the layout as described by Blender's developers (code.blender.org, "FBX binary file format
specification", 2013), and what the FBX SDK was seen to refuse. Its constants for the file's id, creation
time and footer belong together: the SDK drops every mesh of a file in which they do not match.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FILE_ID = bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")
CREATION_TIME = "1970-01-01 10:00:00:000"
_VERSION = 7400
_MAGIC = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", _VERSION)
_FOOTER_ID = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_FOOTER_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")
_RECORD = struct.Struct("<IIIB")
_SENTINEL = bytes(_RECORD.size)
_ALWAYS_CLOSED = ("AnimationStack", "AnimationLayer")
_ARRAY_CODES = {"<f8": b"d", "<f4": b"f", "<i4": b"i", "<i8": b"l"}


class Int64(int):
    """A property of 64 bits, as ids and times must be; a plain int has 32."""


Property = bool | int | float | str | bytes | np.ndarray


@dataclass(frozen=True)
class Node:
    """A node of the tree."""

    name: str
    properties: tuple[Property, ...] = ()
    children: tuple[Node, ...] = ()


def node(name: str, *properties: Property, children: Sequence[Node] = ()) -> Node:
    """Shorter to write and read than the class."""
    return Node(name, properties, tuple(children))


def encode(roots: Sequence[Node]) -> bytes:
    """The whole file."""
    parts, position = [_MAGIC], len(_MAGIC)
    for root in roots:
        parts.append(_encode_node(root, position, last=False))
        position += len(parts[-1])
    tail = _SENTINEL + _FOOTER_ID + bytes(4)
    padding = bytes(16 - (position + len(tail)) % 16)
    return b"".join([*parts, tail, padding, struct.pack("<I", _VERSION), bytes(120), _FOOTER_END])


def _encode_node(item: Node, start: int, *, last: bool) -> bytes:
    """The record of a node that begins `start` bytes into the file; `last` among its parent's children."""
    name = item.name.encode("ascii")
    properties = b"".join(encode_property(value) for value in item.properties)
    parts = [name, properties]
    position = start + _RECORD.size + len(name) + len(properties)
    for child in item.children:
        parts.append(_encode_node(child, position, last=child is item.children[-1]))
        position += len(parts[-1])
    if item.children or (not item.properties and not last) or item.name in _ALWAYS_CLOSED:
        parts.append(_SENTINEL)
        position += len(_SENTINEL)
    head = _RECORD.pack(position, len(item.properties), len(properties), len(name))
    return b"".join([head, *parts])


def encode_property(value: Property) -> bytes:
    """One typed value; arrays are compressed."""
    if isinstance(value, np.ndarray):
        code = _ARRAY_CODES[value.dtype.newbyteorder("<").str]
        packed = zlib.compress(np.ascontiguousarray(value).tobytes(), 1)
        return code + struct.pack("<III", value.size, 1, len(packed)) + packed
    if isinstance(value, str | bytes):
        raw = value if isinstance(value, bytes) else value.encode()
        return (b"R" if isinstance(value, bytes) else b"S") + struct.pack("<I", len(raw)) + raw
    if isinstance(value, bool):
        return b"C" + struct.pack("<?", value)
    if isinstance(value, Int64):
        return b"L" + struct.pack("<q", value)
    if isinstance(value, int):
        return b"I" + struct.pack("<i", value)
    return b"D" + struct.pack("<d", value)
