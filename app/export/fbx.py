"""FBX 7.4, binary: the scene of single meshes that Blender, Unity, Unreal and Maya import."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.export.fbx_binary import CREATION_TIME, FILE_ID, Int64, Node, Property, encode, node
from app.export.mesh import NamedMesh, Origin, PlacedMesh, place
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically

_CREATOR = "PointHMR desktop"
_ROOT = Int64(0)
_FIRST_ID = 1_000_001
_CUSTOM_FRAME_RATE = 14


def write_fbx(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one FBX file, whole or not at all.

    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    scene = Scene()
    skin = scene.add("Material", "Skin", "Material", "", _material())
    for mesh in place(meshes, preset):
        model = scene.add("Model", mesh.name, "Model", "Mesh", _model())
        geometry = scene.add("Geometry", mesh.name, "Geometry", "Mesh", _geometry(mesh))
        scene.connect(model, _ROOT)
        scene.connect(geometry, model)
        scene.connect(skin, model)
    content = encode(scene.roots(preset, (origin or Origin()).facts(preset)))
    write_atomically(path, lambda file: file.write_bytes(content))


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

    def connect(self, child: Int64, parent: Int64) -> None:
        """Hang an object under another, or under the root of the scene."""
        self._connections.append(node("C", "OO", child, parent))

    def roots(self, preset: Preset, facts: dict[str, str]) -> list[Node]:
        """The top of the tree, in the order in which readers expect it."""
        document = node(
            "Document",
            Int64(next(self._ids)),
            "Scene",
            "Scene",
            children=[node("RootNode", _ROOT)],
        )
        return [
            _header(facts),
            node("FileId", FILE_ID),
            node("CreationTime", CREATION_TIME),
            node("Creator", _CREATOR),
            _global_settings(preset),
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


def _global_settings(preset: Preset) -> Node:
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
        ("TimeMode", "enum", "", "", _CUSTOM_FRAME_RATE),
        ("TimeSpanStart", "KTime", "Time", "", Int64(0)),
        ("TimeSpanStop", "KTime", "Time", "", Int64(0)),
        ("CustomFrameRate", "double", "Number", "", 30.0),
    ]
    return node("GlobalSettings", children=[node("Version", 1000), _properties(rows)])


def _properties(rows: Sequence[tuple[Property, ...]]) -> Node:
    """Properties70: name, type, label, flags, values."""
    return node("Properties70", children=[node("P", *row) for row in rows])


def _material() -> list[Node]:
    return [
        node("Version", 102),
        node("ShadingModel", "lambert"),
        node("MultiLayer", 0),
        _properties([("DiffuseColor", "Color", "", "A", 0.8, 0.7, 0.6)]),
    ]


def _model() -> list[Node]:
    """A node at the origin, neither turned nor scaled."""
    rows: list[tuple[Property, ...]] = [
        ("InheritType", "enum", "", "", 1),
        ("DefaultAttributeIndex", "int", "Integer", "", 0),
        ("Lcl Translation", "Lcl Translation", "", "A", 0.0, 0.0, 0.0),
        ("Lcl Rotation", "Lcl Rotation", "", "A", 0.0, 0.0, 0.0),
        ("Lcl Scaling", "Lcl Scaling", "", "A", 1.0, 1.0, 1.0),
    ]
    return [node("Version", 232), _properties(rows), node("Shading", True), node("Culling", "CullingOff")]


def _geometry(mesh: PlacedMesh) -> list[Node]:
    """Vertices, polygons and a layer of normals, texture, smoothing and material."""
    ends = mesh.faces.copy()
    ends[:, -1] = ~ends[:, -1]  # The last corner of a polygon is told by its inverted bits.
    normals = node("Normals", mesh.normals[mesh.faces.ravel()])
    smoothing = node("Smoothing", np.ones(len(mesh.faces), np.int32))
    layers = [
        _layer("LayerElementNormal", "ByPolygonVertex", "Direct", normals),
        _layer("LayerElementSmoothing", "ByPolygon", "Direct", smoothing),
        _layer("LayerElementMaterial", "AllSame", "IndexToDirect", node("Materials", np.zeros(1, np.int32))),
    ]
    if mesh.uv is not None and mesh.uv_faces is not None:
        uv = [node("UV", mesh.uv), node("UVIndex", mesh.uv_faces)]
        layers.append(_layer("LayerElementUV", "ByPolygonVertex", "IndexToDirect", *uv))
    used = [
        node("LayerElement", children=[node("Type", layer.name), node("TypedIndex", 0)]) for layer in layers
    ]
    return [
        node("GeometryVersion", 124),
        node("Vertices", mesh.vertices),
        node("PolygonVertexIndex", ends),
        *layers,
        node("Layer", 0, children=[node("Version", 100), *used]),
    ]


def _layer(kind: str, mapping: str, reference: str, *data: Node) -> Node:
    head = [
        node("Version", 101),
        node("Name", ""),
        node("MappingInformationType", mapping),
        node("ReferenceInformationType", reference),
    ]
    return node(kind, 0, children=[*head, *data])
