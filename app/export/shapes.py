"""Takes without a skeleton: one mesh a person, and a shape for each frame, exact to the last vertex."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.export.fbx import add_material, add_mesh, write_scene
from app.export.fbx_binary import Int64, node
from app.export.fbx_scene import Scene, properties
from app.export.fbx_take import TICKS, add_layer, curve
from app.export.glb import Buffer
from app.export.gltf import primitive, write_document
from app.export.mesh import NamedMesh, Origin, PlacedMesh, place, split_at_seams, vertex_normals
from app.export.presets import Y_UP_METRES, Preset
from model.errors import UserError

NORMAL_STEP = 2.0**-8
"""To which the normals of FBX shapes are rounded, a fifth of a degree: they take half of what points do."""


@dataclass(frozen=True)
class MeshTake:
    """One person's meshes."""

    mesh: NamedMesh
    """That of the first frame."""
    vertices: np.ndarray
    """(T, V, 3) metres in camera axes."""
    times: np.ndarray
    """(K,) seconds, increasing: the keys."""
    rows: np.ndarray
    """(K,) which of the T meshes is seen at each key; increasing, the first and the last may repeat."""


def _shapes(take: MeshTake, preset: Preset) -> tuple[PlacedMesh, np.ndarray]:
    """The first frame, and (T, V, 3) all frames, in the file's axes and unit."""
    if not np.isfinite(take.vertices).all():
        raise UserError(f"{take.mesh.name} has vertices that are not finite; nothing was exported.")
    (mesh,) = place([replace(take.mesh, vertices=take.vertices[0])], preset)
    flat = preset.turn(take.vertices.reshape(-1, 3).astype(np.float64)) * preset.units_per_metre
    return mesh, flat.reshape(take.vertices.shape)


def _start(takes: Sequence[MeshTake]) -> float:
    if not takes:
        raise UserError("There is no person to export.")
    return min(float(take.times[0]) for take in takes)


def write_fbx_shapes(
    path: Path,
    takes: Sequence[MeshTake],
    preset: Preset = Y_UP_METRES,
    origin: Origin | None = None,
    rate: float = 30.0,
    step: Callable[[], None] = lambda: None,
) -> None:
    """Blend shapes in an FBX file, whole or not at all; the first key is at 0 s.

    rate: frames a second on the program's time line. step: called after each shape; what it raises
    passes through. Raises UserError when there is nobody, a vertex is not finite, or the disk refuses.
    """
    start, scene = _start(takes), Scene()
    stop = Int64(round(max(take.times[-1] - start for take in takes) * TICKS))
    material, layer = add_material(scene), add_layer(scene, stop)
    for take in takes:
        mesh, frames = _shapes(take, preset)
        _, geometry = add_mesh(scene, mesh, material)
        deformer = scene.add("Deformer", mesh.name, "Deformer", "BlendShape", [node("Version", 100)])
        scene.connect(deformer, geometry)
        ticks = np.round((take.times - start) * TICKS).astype(np.int64)
        for number in range(1, len(frames)):
            turned = vertex_normals(frames[number], mesh.faces) - mesh.normals
            channel = _add_shape(scene, f"{mesh.name}_{number}", frames[number] - frames[0], turned, deformer)
            _add_weight(scene, layer, channel, ticks, take.rows, number)
            step()
    write_scene(path, scene, preset, origin, stop, rate)


def _add_shape(scene: Scene, name: str, offsets: np.ndarray, turned: np.ndarray, deformer: Int64) -> Int64:
    """A shape, by how far its points and normals are from the mesh's, and the channel that mixes it in."""
    facts = [node("Version", 100), node("DeformPercent", 0.0), node("FullWeights", np.array([100.0]))]
    channel = scene.add("Deformer", name, "SubDeformer", "BlendShapeChannel", facts)
    scene.connect(channel, deformer)
    content = [
        node("Version", 100),
        node("Indexes", np.arange(len(offsets), dtype=np.int32)),
        node("Vertices", offsets.ravel()),
        node("Normals", np.round(turned.ravel() / NORMAL_STEP) * NORMAL_STEP),
    ]
    scene.connect(scene.add("Geometry", name, "Geometry", "Shape", content), channel)
    return channel


def _add_weight(
    scene: Scene, layer: Int64, channel: Int64, ticks: np.ndarray, rows: np.ndarray, number: int
) -> None:
    """The curve of one shape: seen in its own frame alone, blended into its neighbours between."""
    around = np.abs(rows - number) <= 1
    row = properties([("d|DeformPercent", "Number", "", "A", 0.0)])
    track = scene.add("AnimationCurveNode", "DeformPercent", "AnimCurveNode", "", [row])
    scene.connect(track, layer)
    scene.connect(track, channel, "DeformPercent")
    values = np.where(rows[around] == number, 100.0, 0.0)
    keys = scene.add("AnimationCurve", "", "AnimCurve", "", curve(ticks[around], values))
    scene.connect(keys, track, "d|DeformPercent")


def write_glb_shapes(
    path: Path,
    takes: Sequence[MeshTake],
    origin: Origin | None = None,
    step: Callable[[], None] = lambda: None,
) -> None:
    """Morph targets in a GLB file, whole or not at all; the first key is at 0 s.

    step: called after each person; what it raises passes through.
    Raises UserError when there is nobody, a vertex is not finite, or the disk refuses.
    """
    start, buffer = _start(takes), Buffer()
    meshes: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    samplers: list[dict[str, Any]] = []
    for number, take in enumerate(takes):
        placed, frames = _shapes(take, Y_UP_METRES)
        mesh = split_at_seams(placed)
        content = primitive(mesh, buffer)
        offsets = (frames[1:] - frames[0])[:, mesh.source].astype("<f4")
        content["targets"] = []
        for frame, offset in zip(frames[1:], offsets, strict=True):
            turned = vertex_normals(frame, placed.faces)[mesh.source] - mesh.normals
            target = {"POSITION": buffer.add(offset), "NORMAL": buffer.add(turned.astype("<f4"))}
            content["targets"].append(target)
        step()
        weights = np.eye(len(frames), dtype="<f4")[take.rows, 1:]
        meshes.append({"name": mesh.name, "primitives": [content]})
        if len(offsets) == 0:
            del content["targets"]
            continue
        meshes[-1]["weights"] = [0.0] * len(offsets)
        channels.append({"sampler": len(samplers), "target": {"node": number, "path": "weights"}})
        times = buffer.add((take.times - start).astype("<f4"))
        output = buffer.add(weights.reshape(-1))
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
    nodes = [{"name": mesh["name"], "mesh": number} for number, mesh in enumerate(meshes)]
    motion: dict[str, Any] = {}
    if channels:
        motion["animations"] = [{"name": "Take", "channels": channels, "samplers": samplers}]
    write_document(path, buffer, origin or Origin(), nodes, range(len(nodes)), meshes, motion)
