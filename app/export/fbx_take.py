"""Skinned takes as FBX 7.4: for each person a mesh, bones, a bind pose, and curves for every bone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.export.fbx import add_material, add_mesh, write_scene
from app.export.fbx_binary import Int64, Node, node
from app.export.fbx_scene import ZERO, Scene, model_content, properties
from app.export.mesh import Origin, place
from app.export.presets import Y_UP_METRES, Preset
from app.export.skeleton import Motion, Skeleton, SkinnedTake, euler_angles, start_of

TICKS = 46_186_158_000
"""FBX's units of time in a second."""
_LINEAR = 24836
"""Flags of a key: straight lines between keys."""
_TANGENT = (0.0, 0.0, 9.42e-30, 0.0)
"""Attributes of a key that the FBX SDK writes where there are no tangents."""


def write_fbx_take(
    path: Path,
    takes: Sequence[SkinnedTake],
    preset: Preset = Y_UP_METRES,
    origin: Origin | None = None,
    rate: float = 30.0,
) -> None:
    """Write everybody's skinned take as one FBX file, whole or not at all; the first key is at 0 s.

    rate: frames a second on the program's time line; the keys stay where they are.
    Raises UserError when there is nothing to write, a number is not finite, or the disk refuses.
    """
    start, scene = start_of(takes), Scene()
    stop = Int64(max(_ticks(take.motion.times - start)[-1] for take in takes))
    material, layer = add_material(scene), add_layer(scene, stop)
    for take in takes:
        prefix = f"{take.skeleton.mesh.name}_" if len(takes) > 1 else ""
        bones = _add_skinned(scene, take.skeleton, preset, prefix, material)
        _add_curves(scene, take, preset, bones, layer, start)
    write_scene(path, scene, preset, origin, stop, rate)


def _ticks(seconds: np.ndarray) -> np.ndarray:
    """(T,) int64."""
    return np.round(seconds * TICKS).astype(np.int64)


def add_layer(scene: Scene, stop: Int64) -> Int64:
    """The animation layer that holds everybody's curves."""
    spans = {"LocalStart": ZERO, "LocalStop": stop, "ReferenceStart": ZERO, "ReferenceStop": stop}
    times = properties([(name, "KTime", "Time", "", time) for name, time in spans.items()])
    stack = scene.add("AnimationStack", "Take", "AnimStack", "", [times])
    layer = scene.add("AnimationLayer", "Layer", "AnimLayer", "", [])
    scene.connect(layer, stack)
    return layer


def _add_skinned(
    scene: Scene, skeleton: Skeleton, preset: Preset, prefix: str, material: Int64
) -> list[Int64]:
    """Mesh, bones, skin and bind pose of one person; returns the bones."""
    (mesh,) = place([skeleton.mesh], preset)
    model, geometry = add_mesh(scene, mesh, material)
    skin = scene.add("Deformer", mesh.name, "Deformer", "Skin", _skin_content())
    scene.connect(skin, geometry)
    bones: list[Int64] = []
    binds = _bind_matrices(skeleton, preset)
    for joint, offset in enumerate(_in_file(skeleton.offsets, preset)):
        name, parent = prefix + skeleton.names[joint], int(skeleton.parents[joint])
        bone = scene.add("Model", name, "Model", "LimbNode", model_content(offset))
        scene.connect(bone, bones[parent] if parent >= 0 else ZERO)
        scene.connect(scene.add("NodeAttribute", name, "NodeAttribute", "LimbNode", _limb()), bone)
        cluster = _cluster(skeleton.weights[:, joint], binds[joint])
        number = scene.add("Deformer", name, "SubDeformer", "Cluster", cluster)
        scene.connect(number, skin)
        scene.connect(bone, number)
        bones.append(bone)
    posed = [(model, np.eye(4)), *zip(bones, binds, strict=True)]
    scene.add("Pose", mesh.name, "Pose", "BindPose", _bind_pose(posed))
    return bones


def _in_file(points: np.ndarray, preset: Preset) -> np.ndarray:
    """(N, 3) metres in the body's axes -> the file's axes and unit."""
    return points @ preset.from_y_up.T * preset.units_per_metre


def _bind_matrices(skeleton: Skeleton, preset: Preset) -> np.ndarray:
    """(J, 4, 4) from each bone to the scene at rest, acting on columns."""
    binds = np.tile(np.eye(4), (len(skeleton.joints), 1, 1))
    binds[:, :3, 3] = _in_file(skeleton.joints, preset)
    return binds


def _skin_content() -> list[Node]:
    return [node("Version", 101), node("Link_DeformAcuracy", 50.0)]


def _limb() -> list[Node]:
    return [properties([("Size", "double", "Number", "", 3.0)]), node("TypeFlags", "Skeleton")]


def _cluster(weights: np.ndarray, bind: np.ndarray) -> list[Node]:
    """The vertices that a bone moves, and where both were at rest; FBX's matrices act on rows."""
    moved = np.flatnonzero(weights)
    content = [node("Version", 100), node("UserData", "", "")]
    if len(moved):
        content += [node("Indexes", moved.astype(np.int32)), node("Weights", weights[moved])]
    return [*content, node("Transform", np.linalg.inv(bind).T), node("TransformLink", bind.T)]


def _bind_pose(posed: Sequence[tuple[Int64, np.ndarray]]) -> list[Node]:
    nodes = [
        node("PoseNode", children=[node("Node", number), node("Matrix", matrix.T)])
        for number, matrix in posed
    ]
    return [node("Type", "BindPose"), node("Version", 100), node("NbPoseNodes", len(nodes)), *nodes]


def _add_curves(
    scene: Scene, take: SkinnedTake, preset: Preset, bones: Sequence[Int64], layer: Int64, start: float
) -> None:
    """Rotations of every bone and the translation of the root."""
    motion: Motion = take.motion
    ticks, turn = _ticks(motion.times - start), preset.from_y_up
    angles = euler_angles(turn @ motion.rotations @ turn.T)
    for joint, bone in enumerate(bones):
        _add_track(scene, layer, bone, "Lcl Rotation", ticks, angles[:, joint])
    places = _in_file(take.skeleton.joints[0] + motion.translations, preset)
    _add_track(scene, layer, bones[0], "Lcl Translation", ticks, places)


def _add_track(
    scene: Scene, layer: Int64, bone: Int64, channel: str, ticks: np.ndarray, values: np.ndarray
) -> None:
    """Curves (T, 3) for one property of a bone."""
    rows = [(f"d|{axis}", "Number", "", "A", float(x)) for axis, x in zip("XYZ", values[0], strict=True)]
    name = channel.removeprefix("Lcl ")[0]
    track = scene.add("AnimationCurveNode", name, "AnimCurveNode", "", [properties(rows)])
    scene.connect(track, layer)
    scene.connect(track, bone, channel)
    for axis, column in zip("XYZ", values.T, strict=True):
        keys = scene.add("AnimationCurve", "", "AnimCurve", "", curve(ticks, column))
        scene.connect(keys, track, f"d|{axis}")


def curve(ticks: np.ndarray, values: np.ndarray) -> list[Node]:
    """Keys joined by straight lines: (T,) int64 ticks, (T,) values."""
    return [
        node("Default", float(values[0])),
        node("KeyVer", 4008),
        node("KeyTime", ticks),
        node("KeyValueFloat", values.astype(np.float32)),
        node("KeyAttrFlags", np.array([_LINEAR], np.int32)),
        node("KeyAttrDataFloat", np.array(_TANGENT, np.float32)),
        node("KeyAttrRefCount", np.array([len(ticks)], np.int32)),
    ]
