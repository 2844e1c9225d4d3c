"""Turn bodies from MakeHuman's A-pose to the T-pose by inverse skinning."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from assets.build.body.skeleton import INDEX, JOINTS, PARENTS, other_side
from model.surface import MIRROR


def _turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, 3): the smallest rotation that takes the direction a to the direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, a @ b)).as_matrix()


def rotations_from_t(joints: np.ndarray) -> np.ndarray:
    """(24, 3, 3): each joint's global rotation from the T-pose to the A-pose.

    joints: (24, 3) in the A-pose. Straight arms and legs; elbows and knees keep a slight natural bend.
    """

    def bone(joint: str, child: str) -> np.ndarray:
        return joints[INDEX[child]] - joints[INDEX[joint]]

    def straighten(joint: str, child: str, direction: list[float], before: np.ndarray) -> np.ndarray:
        return _turn(before @ bone(joint, child), np.array(direction)) @ before

    turn: dict[str, np.ndarray] = {}
    turn["left_collar"] = Rotation.from_euler("z", 8, degrees=True).as_matrix()
    turn["left_shoulder"] = straighten("left_shoulder", "left_elbow", [1, 0, -0.03], turn["left_collar"])
    turn["left_elbow"] = straighten("left_elbow", "left_wrist", [1, 0, 0.02], turn["left_shoulder"])
    turn["left_wrist"] = straighten("left_wrist", "left_hand", [1, -0.05, 0.05], turn["left_elbow"])
    turn["left_hand"] = turn["left_wrist"]
    turn["left_hip"] = straighten("left_hip", "left_knee", [0.045, -1, 0], np.eye(3))
    turn["left_knee"] = straighten("left_knee", "left_ankle", [-0.01, -1, -0.07], turn["left_hip"])
    foot = bone("left_ankle", "left_foot") * [1, 0, 1]
    turn["left_ankle"] = turn["left_foot"] = _turn(foot, np.array([0.12, 0, 1]))

    rotations = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    flip = np.diag(MIRROR)
    for name, to_t in turn.items():
        rotations[INDEX[name]] = to_t.T
        rotations[INDEX[other_side(name)]] = (flip @ to_t @ flip).T
    return rotations


def to_t_pose(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, rotations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Undo linear blend skinning for many bodies at once.

    vertices: (N, V, 3), joints: (N, 24, 3), both in the A-pose; weights: (V, 24); rotations: (24, 3, 3).
    Returns vertices and joints of the same shapes in the T-pose.
    """
    straight = np.zeros_like(joints)
    straight[:, 0] = joints[:, 0]
    for j, parent in list(enumerate(PARENTS))[1:]:
        straight[:, j] = straight[:, parent] + (joints[:, j] - joints[:, parent]) @ rotations[parent]
    shifts = joints - np.einsum("jab,njb->nja", rotations, straight)
    undo = np.linalg.inv(np.einsum("vj,jab->vab", weights, rotations))
    posed = np.empty_like(vertices)
    for n, body in enumerate(vertices):
        posed[n] = np.einsum("vab,vb->va", undo, body - weights @ shifts[n])
    return posed, straight
