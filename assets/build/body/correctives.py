"""Pose correctives: what linear blend skinning should add so that joints keep their volume.

The target of a bend lies between linear and dual-quaternion skinning (Kavan et al., 2007), which bulges;
twist takes all of the latter. Each joint's correction, before posing, is regressed on SMPL's pose feature
vec(R - I) by ridge regression.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.spatial.transform import Rotation

from assets.build.body.skeleton import INDEX, JOINTS, MIRRORED, PARENTS
from assets.build.body.surface import neighbour_mean
from model.surface import MIRROR

NUM_POSES = 140
RIDGE = 0.02 * 0.05
LARGEST = 0.04
"""Metres: corrections of single vertices are clipped here before smoothing."""
LIMITS = {
    "left_hip": (100, 45, 45),
    "spine1": (40, 35, 30),
    "left_knee": (130, 25, 15),
    "spine2": (40, 35, 30),
    "left_ankle": (45, 30, 30),
    "spine3": (30, 30, 30),
    "left_foot": (40, 5, 5),
    "neck": (45, 50, 35),
    "left_collar": (15, 25, 30),
    "head": (40, 50, 35),
    "left_shoulder": (80, 80, 85),
    "left_elbow": (80, 130, 40),
    "left_wrist": (70, 60, 75),
    "left_hand": (10, 10, 10),
}
"""Degrees about x, y and z up to which each joint is turned for the fit."""
DEFAULT_BLEND = 0.5
BLEND = {
    "left_hip": 0.5,
    "left_knee": 0.65,
    "left_ankle": 0.7,
    "left_collar": 0.5,
    "left_shoulder": 0.35,
    "left_elbow": 0.45,
    "left_wrist": 0.9,
}
"""The share of dual-quaternion skinning in a bend."""
BONES_ALONG_X = ("collar", "shoulder", "elbow", "wrist", "hand")
"""Bones of these joints point sideways in the T-pose; all others upright. Turns about the bone are twist."""


def subtree(joint: int) -> np.ndarray:
    """(24,) bool: the joint and everything that moves with it."""
    inside = np.zeros(len(JOINTS), dtype=bool)
    inside[joint] = True
    for child, parent in enumerate(PARENTS):
        if parent >= 0 and inside[parent]:
            inside[child] = True
    return inside


def _slerped(turn: np.ndarray, share: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 3) points, each turned by its share of a rotation vector.

    Dual-quaternion skinning about one fixed centre is just this: normalised blending of quaternions.
    """
    whole = Rotation.from_rotvec(turn).as_quat(canonical=True)
    quaternions = (1 - share)[:, None] * np.array([0, 0, 0, 1.0]) + share[:, None] * whole
    return np.einsum("vab,vb->va", Rotation.from_quat(quaternions).as_matrix(), points)


def _fit_joint(
    name: str, points: np.ndarray, share: np.ndarray, smooth: sp.csr_matrix, rng: np.random.Generator
) -> np.ndarray:
    """(n, 3, 9) corrections of the n vertices that the joint bends.

    points: (n, 3) from the joint's centre; share: (n,) skinning weight of the joint's subtree;
    smooth: (n, n) smoothing of the corrections over the surface.
    """
    bone = np.array([1.0, 0, 0] if name.endswith(BONES_ALONG_X) else [0, 1.0, 0])
    bend_blend = BLEND.get(name, DEFAULT_BLEND)
    features, corrections = [], []
    for _ in range(NUM_POSES):
        turn = rng.uniform(-1, 1, 3) * np.radians(LIMITS[name])
        rotation = Rotation.from_rotvec(turn).as_matrix()
        linear = (1 - share)[:, None] * points + share[:, None] * (points @ rotation.T)
        twist = min(1, abs(turn @ bone) / (np.linalg.norm(turn) + 1e-9))
        blend = bend_blend + (1 - bend_blend) * twist**2
        wanted = blend * (_slerped(turn, share, points) - linear)
        skinning = (1 - share)[:, None, None] * np.eye(3) + share[:, None, None] * rotation
        unposed = np.linalg.solve(skinning + 1e-3 * np.eye(3), wanted[:, :, None])[:, :, 0]
        features.append((rotation - np.eye(3)).ravel())
        corrections.append(np.clip(unposed, -LARGEST, LARGEST))
    x = np.array(features)
    y = np.stack(corrections, axis=1).reshape(len(points), -1)
    y = (smooth @ y).reshape(len(points), NUM_POSES, 3).transpose(1, 0, 2).reshape(NUM_POSES, -1)
    fitted = np.linalg.solve(x.T @ x + RIDGE * NUM_POSES * np.eye(9), x.T @ y)
    return fitted.T.reshape(len(points), 3, 9)


def pose_correctives(
    template: np.ndarray, faces: np.ndarray, weights: np.ndarray, joints: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """(V, 3, 207) float64: nine columns for each joint but the first, exactly mirrored.

    template: (V, 3); weights: (V, 24); joints: (24, 3) in the T-pose.
    """
    rng = np.random.default_rng(0)
    mean = neighbour_mean(faces, len(template))
    step = (0.5 * sp.identity(len(template)) + 0.5 * mean).tocsr()
    smooth = step @ step
    result = np.zeros((len(template), 3, len(JOINTS) - 1, 9))
    flip = MIRROR[:, None] * np.outer(MIRROR, MIRROR).ravel()
    for name in LIMITS:
        j = INDEX[name]
        share = weights[:, subtree(j)].sum(axis=1)
        bent = np.flatnonzero((share > 0.003) & (share < 0.997))
        fitted = _fit_joint(name, template[bent] - joints[j], share[bent], smooth[bent][:, bent], rng)
        result[bent, :, j - 1] = fitted
        if MIRRORED[j] == j:
            own = result[:, :, j - 1]
            result[:, :, j - 1] = (own + own[mirror] * flip) / 2
        else:
            result[mirror[bent], :, MIRRORED[j] - 1] = fitted * flip
    return result.reshape(len(template), 3, -1)
