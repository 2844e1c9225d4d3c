"""SMPL's 24 joints from MakeHuman's 163 bones: tree, skinning weights, joint centres."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from assets.build.body.makehuman import MakeHuman
from assets.build.body.remesh import Topology
from assets.build.body.surface import neighbour_mean

# fmt: off
JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hand", "right_hand",
)
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
# fmt: on
INDEX = {name: index for index, name in enumerate(JOINTS)}


def other_side(name: str) -> str:
    """The joint on the other side of the body; itself when it is in the middle."""
    side, _, rest = name.partition("_")
    swapped = {"left": "right", "right": "left"}.get(side)
    return f"{swapped}_{rest}" if swapped else name


MIRRORED = np.array([INDEX[other_side(name)] for name in JOINTS])
"""(24,) int: each joint's partner on the other side."""

_JOINT_OF_BONE = {
    "root": "pelvis",
    "spine05": "pelvis",
    "spine04": "pelvis",
    "pelvis": "pelvis",
    "upperleg01": "hip",
    "upperleg02": "hip",
    "lowerleg01": "knee",
    "lowerleg02": "knee",
    "foot": "ankle",
    "toe": "foot",
    "spine03": "spine1",
    "spine02": "spine2",
    "breast": "spine2",
    "spine01": "spine3",
    "neck01": "neck",
    "neck02": "neck",
    "neck03": "neck",
    "clavicle": "collar",
    "shoulder01": "collar",
    "upperarm01": "shoulder",
    "upperarm02": "shoulder",
    "lowerarm01": "elbow",
    "lowerarm02": "elbow",
    "wrist": "wrist",
    "metacarpal": "wrist",
    "finger": "hand",
}
"""Bones that are not listed belong to the face, the eyes or the tongue: head."""

_BONE_AT_JOINT = {
    "pelvis": "spine05",
    "left_hip": "upperleg01.L",
    "spine1": "spine03",
    "left_knee": "lowerleg01.L",
    "spine2": "spine02",
    "left_ankle": "foot.L",
    "spine3": "spine01",
    "left_foot": "toe2-1.L",
    "neck": "neck01",
    "left_collar": "clavicle.L",
    "head": "head",
    "left_shoulder": "upperarm01.L",
    "left_elbow": "lowerarm01.L",
    "left_wrist": "wrist.L",
    "left_hand": "finger3-1.L",
}
"""The bone whose head is the joint's centre; the right side likewise."""

SMOOTHING_STEPS = 2
MAX_JOINTS = 4


def joint_of_bone(bone: str) -> str:
    """The joint that takes over a bone's weights."""
    stem, _, side = bone.partition(".")
    for family in ("finger", "metacarpal", "toe"):
        if stem.startswith(family):
            stem = family
    joint = _JOINT_OF_BONE.get(stem, "head")
    return joint if joint in INDEX else {"L": "left_", "R": "right_"}[side] + joint


def joint_weights(source: MakeHuman, mesh: Topology) -> np.ndarray:
    """(V, 24) float64 skinning weights: merged, smoothed over the mesh, mirrored, at most 4 in a row."""
    bones, bone_weights = source.bone_weights
    merged = np.zeros((len(bone_weights), len(JOINTS)))
    for bone, column in zip(bones, bone_weights.T, strict=True):
        merged[:, INDEX[joint_of_bone(bone)]] += column

    def symmetric(w: np.ndarray) -> np.ndarray:
        w = w / w.sum(axis=1, keepdims=True)
        return (w + w[mesh.mirror][:, MIRRORED]) / 2

    weights = np.asarray(mesh.blend @ merged)
    weights = symmetric(np.where(weights < 1e-4, 0, weights))
    mean = neighbour_mean(mesh.faces, len(weights))
    for _ in range(SMOOTHING_STEPS):
        weights = 0.5 * weights + 0.5 * (mean @ weights)
    weights[weights < 2e-3] = 0
    weights[weights < np.sort(weights, axis=1)[:, [-MAX_JOINTS]]] = 0
    return symmetric(weights)


def joint_centres(source: MakeHuman) -> sp.csr_matrix:
    """(24, 19158): takes base vertices to the rig's joint centres."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, name in enumerate(JOINTS):
        bone = _BONE_AT_JOINT.get(name) or _BONE_AT_JOINT[other_side(name)].replace(".L", ".R")
        vertices = source.bone_head(bone)
        rows += [row] * len(vertices)
        columns += vertices.tolist()
        values += [1 / len(vertices)] * len(vertices)
    return sp.csr_matrix((values, (rows, columns)), shape=(len(JOINTS), len(source.base.vertices)))
