"""FBX 7.4, binary: the scene of single meshes that Blender, Unity, Unreal and Maya import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.export.camera import add_to_fbx
from app.export.fbx_binary import Int64, Node, encode, node
from app.export.fbx_scene import ZERO, Scene, model_content, properties
from app.export.mesh import NamedMesh, Origin, PlacedMesh, place
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically


def write_fbx(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one FBX file, whole or not at all.

    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    scene = Scene()
    skin = add_material(scene)
    for mesh in place(meshes, preset):
        add_mesh(scene, mesh, skin)
    write_scene(path, scene, preset, origin)


def write_scene(path: Path, scene: Scene, preset: Preset, origin: Origin | None, *times: Any) -> None:
    """The file of a scene that holds everybody, whole or not at all; times: as in `Scene.roots`."""
    origin = origin or Origin()
    if origin.camera is not None:
        add_to_fbx(scene, origin.camera, preset)
    content = encode(scene.roots(preset, origin.facts(preset), *times))
    write_atomically(path, lambda file: file.write_bytes(content))


def add_material(scene: Scene) -> Int64:
    """The material of everybody."""
    content = [
        node("Version", 102),
        node("ShadingModel", "lambert"),
        node("MultiLayer", 0),
        properties([("DiffuseColor", "Color", "", "A", 0.8, 0.7, 0.6)]),
    ]
    return scene.add("Material", "Skin", "Material", "", content)


def add_mesh(scene: Scene, mesh: PlacedMesh, material: Int64) -> tuple[Int64, Int64]:
    """A model at the scene's origin and its geometry."""
    model = scene.add("Model", mesh.name, "Model", "Mesh", model_content())
    geometry = scene.add("Geometry", mesh.name, "Geometry", "Mesh", _geometry(mesh))
    scene.connect(model, ZERO)
    scene.connect(geometry, model)
    scene.connect(material, model)
    return model, geometry


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
    if mesh.colours is not None:
        colours = np.concatenate([mesh.colours, np.ones((len(mesh.colours), 1))], axis=1)
        rows = [node("Colors", colours), node("ColorIndex", mesh.faces.ravel())]
        layers.append(_layer("LayerElementColor", "ByPolygonVertex", "IndexToDirect", *rows))
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
