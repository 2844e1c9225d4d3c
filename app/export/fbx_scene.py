"""The frame of an FBX 7.4 scene: header, settings, objects and their connections."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence

from app.export.fbx_binary import CREATION_TIME, FILE_ID, Int64, Node, Property, node
from app.export.presets import Preset

ZERO = Int64(0)
"""The id of the scene's root, and the time at which takes begin."""
_CREATOR = "PointHMR desktop"
_FIRST_ID = 1_000_001
_TIME_MODES = {24.0: 11, 25.0: 10, 30.0: 6, 60.0: 3}
_CUSTOM_FRAME_RATE = 14

_SAME_RATE = 5e-4
"""Relative: a rate that was measured is never exact, and 24 is another one than 23.976."""


class Scene:
    """Objects with 64-bit ids, and which of them hangs under which."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_ID)
        self._objects: list[Node] = []
        self._connections: list[Node] = []

    def add(self, kind: str, name: str, namespace: str, subclass: str, children: Sequence[Node]) -> Int64:
        """A new object; returns its id."""
        number = Int64(next(self._ids))
        full_name = f"{name.replace(chr(0), '')}\0\1{namespace}"
        self._objects.append(node(kind, number, full_name, subclass, children=children))
        return number

    def connect(self, child: Int64, parent: Int64, channel: str = "") -> None:
        """Hang an object under another or under the root; with a channel it drives that property."""
        kind, *target = ("OP", channel) if channel else ("OO",)
        self._connections.append(node("C", kind, child, parent, *target))

    def roots(
        self, preset: Preset, facts: dict[str, str], stop: Int64 = ZERO, rate: float = 30.0
    ) -> list[Node]:
        """The top of the tree, in the order in which readers expect it.

        stop: the end of the take in ticks. rate: frames a second on the time line.
        """
        document = node(
            "Document",
            Int64(next(self._ids)),
            "Scene",
            "Scene",
            children=[node("RootNode", ZERO)],
        )
        return [
            _header(facts),
            node("FileId", FILE_ID),
            node("CreationTime", CREATION_TIME),
            node("Creator", _CREATOR),
            _global_settings(preset, stop, rate),
            node("Documents", children=[node("Count", 1), document]),
            node("References"),
            self._definitions(),
            node("Objects", children=self._objects),
            node("Connections", children=self._connections),
        ]

    def _definitions(self) -> Node:
        """How many objects of each kind there are; the FBX SDK drops meshes that are not announced."""
        counts = Counter(item.name for item in self._objects) + Counter(["GlobalSettings"])
        types = [node("ObjectType", kind, children=[node("Count", n)]) for kind, n in counts.items()]
        return node("Definitions", children=[node("Version", 100), node("Count", counts.total()), *types])


def _header(facts: dict[str, str]) -> Node:
    """FBXHeaderExtension: the version, and the facts as JSON in the scene's comment."""
    texts = {
        "Title": "",
        "Subject": "",
        "Author": "",
        "Keywords": "",
        "Revision": "",
        "Comment": json.dumps(facts, ensure_ascii=False),
    }
    metadata = [node("Version", 100), *(node(name, text) for name, text in texts.items())]
    info = [node("Type", "UserData"), node("Version", 100), node("MetaData", children=metadata)]
    return node(
        "FBXHeaderExtension",
        children=[
            node("FBXHeaderVersion", 1003),
            node("FBXVersion", 7400),
            node("EncryptionType", 0),
            node("Creator", _CREATOR),
            node("SceneInfo", "GlobalInfo\0\1SceneInfo", "UserData", children=info),
        ],
    )


def _time_mode(rate: float) -> int:
    near = (mode for known, mode in _TIME_MODES.items() if abs(rate / known - 1) < _SAME_RATE)
    return next(near, _CUSTOM_FRAME_RATE)


def _global_settings(preset: Preset, stop: Int64, rate: float) -> Node:
    """Axes as signed numbers of columns (x 0, y 1, z 2); the unit in centimetres."""
    up, front, front_sign = (1, 2, 1) if preset.up == "y" else (2, 1, -1)
    centimetres = 100.0 / preset.units_per_metre
    axes = {
        "UpAxis": up,
        "UpAxisSign": 1,
        "FrontAxis": front,
        "FrontAxisSign": front_sign,
        "CoordAxis": 0,
        "CoordAxisSign": 1,
        "OriginalUpAxis": up,
        "OriginalUpAxisSign": 1,
    }
    rows: list[tuple[Property, ...]] = [(name, "int", "Integer", "", value) for name, value in axes.items()]
    rows += [
        ("UnitScaleFactor", "double", "Number", "", centimetres),
        ("OriginalUnitScaleFactor", "double", "Number", "", centimetres),
        ("TimeMode", "enum", "", "", _time_mode(rate)),
        ("TimeSpanStart", "KTime", "Time", "", ZERO),
        ("TimeSpanStop", "KTime", "Time", "", stop),
        ("CustomFrameRate", "double", "Number", "", float(rate)),
    ]
    return node("GlobalSettings", children=[node("Version", 1000), properties(rows)])


def properties(rows: Sequence[tuple[Property, ...]]) -> Node:
    """Properties70: name, type, label, flags, values."""
    return node("Properties70", children=[node("P", *row) for row in rows])


def model_content(
    position: Sequence[float] = (0.0, 0.0, 0.0), rotation: Sequence[float] = (0.0, 0.0, 0.0)
) -> list[Node]:
    """A node at this place against its parent, turned by so many degrees about x, y and z; not scaled."""
    rows: list[tuple[Property, ...]] = [
        ("InheritType", "enum", "", "", 1),
        ("DefaultAttributeIndex", "int", "Integer", "", 0),
        ("Lcl Translation", "Lcl Translation", "", "A", *map(float, position)),
        ("Lcl Rotation", "Lcl Rotation", "", "A", *map(float, rotation)),
        ("Lcl Scaling", "Lcl Scaling", "", "A", 1.0, 1.0, 1.0),
    ]
    return [node("Version", 232), properties(rows), node("Shading", True), node("Culling", "CullingOff")]
