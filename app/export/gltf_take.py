"""Skinned takes as GLB: each person a mesh, a skeleton, and a track of rotations for every joint.

Source: Khronos, glTF 2.0 specification, sections 3.7.3 (skins) and 3.11 (animations).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.export.glb import VERTICES, Buffer
from app.export.gltf import primitive, write_document
from app.export.mesh import Origin, place, split_at_seams
from app.export.presets import Y_UP_METRES
from app.export.skeleton import MAX_INFLUENCES, Motion, Skeleton, SkinnedTake, quaternions, start_of


def write_glb_take(path: Path, takes: Sequence[SkinnedTake], origin: Origin | None = None) -> None:
    """Write everybody's skinned take as one GLB file, whole or not at all; the first key is at 0 s.

    Raises UserError when there is nothing to write, a number is not finite, or the disk refuses.
    """
    start, scene = start_of(takes), _TakeScene()
    for take in takes:
        scene.add(take, start)
    scene.write(path, origin or Origin())


class _TakeScene:
    """The document's lists, which grow by one person after another."""

    def __init__(self) -> None:
        self._buffer = Buffer()
        self._nodes: list[dict[str, Any]] = []
        self._roots: list[int] = []
        self._meshes: list[dict[str, Any]] = []
        self._skins: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []
        self._samplers: list[dict[str, Any]] = []

    def add(self, take: SkinnedTake, start: float) -> None:
        """One person; `start` is the time in seconds that becomes 0."""
        skeleton, first = take.skeleton, len(self._nodes) + 1
        self._nodes.append({"name": skeleton.mesh.name, "mesh": len(self._meshes), "skin": len(self._skins)})
        self._roots += [first - 1, first]
        self._nodes += _joint_nodes(skeleton, first)
        self._meshes.append({"name": skeleton.mesh.name, "primitives": [self._skinned(skeleton)]})
        self._skins.append(self._skin(skeleton, first))
        self._animate(skeleton, take.motion, first, start)

    def write(self, path: Path, origin: Origin) -> None:
        """The whole file."""
        motion = {"name": "Take", "channels": self._channels, "samplers": self._samplers}
        more = {"skins": self._skins, "animations": [motion]}
        write_document(path, self._buffer, origin, self._nodes, self._roots, self._meshes, more)

    def _skinned(self, skeleton: Skeleton) -> dict[str, Any]:
        """The mesh at rest with the joints that move each vertex, the heaviest first."""
        mesh = split_at_seams(place([skeleton.mesh], Y_UP_METRES)[0])
        weights = skeleton.weights[mesh.source]
        joints = np.argsort(-weights, axis=1, kind="stable")[:, :MAX_INFLUENCES]
        amounts = np.take_along_axis(weights, joints, axis=1)
        joints = np.where(amounts > 0, joints, 0)
        content = primitive(mesh, self._buffer)
        content["attributes"] |= {
            "JOINTS_0": self._buffer.add(joints.astype("|u1"), VERTICES),
            "WEIGHTS_0": self._buffer.add(amounts.astype("<f4"), VERTICES),
        }
        return content

    def _skin(self, skeleton: Skeleton, first: int) -> dict[str, Any]:
        """Joints and their inverse bind matrices, column by column."""
        inverse = np.tile(np.eye(4), (len(skeleton.joints), 1, 1))
        inverse[:, :3, 3] = -skeleton.joints
        columns = inverse.swapaxes(1, 2).reshape(-1, 16).astype("<f4")
        joints = list(range(first, first + len(skeleton.joints)))
        return {"joints": joints, "skeleton": first, "inverseBindMatrices": self._buffer.add(columns)}

    def _animate(self, skeleton: Skeleton, motion: Motion, first: int, start: float) -> None:
        times = self._buffer.add((motion.times - start).astype("<f4"))
        for joint, track in enumerate(quaternions(motion.rotations).swapaxes(0, 1)):
            self._channel(first + joint, "rotation", times, track)
        self._channel(first, "translation", times, skeleton.joints[0] + motion.translations)

    def _channel(self, node: int, path: str, times: int, values: np.ndarray) -> None:
        self._channels.append({"sampler": len(self._samplers), "target": {"node": node, "path": path}})
        output = self._buffer.add(values.astype("<f4"))
        self._samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})


def _joint_nodes(skeleton: Skeleton, first: int) -> list[dict[str, Any]]:
    """A node a joint at its place at rest; the first one's index is `first`."""
    nodes: list[dict[str, Any]] = [
        {"name": name, "translation": offset}
        for name, offset in zip(skeleton.names, skeleton.offsets.tolist(), strict=True)
    ]
    for joint, parent in enumerate(skeleton.parents.tolist()):
        if parent >= 0:
            nodes[parent].setdefault("children", []).append(first + joint)
    return nodes
