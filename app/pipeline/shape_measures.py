"""Whether a mesh is human-shaped: limb lengths, symmetry, volume, surface, joint angles.

Measured against the body at rest with mean shape; turning and moving the mesh changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.body import BodyModel
from model.hierarchy import Hierarchy

# LSP: R ankle 0, knee, hip 2, L hip 3, knee, ankle 5, R wrist 6, elbow, shoulder 8, L shoulder 9, …, neck 12.
_RIGHT = ((0, 1), (1, 2), (6, 7), (7, 8))
_LEFT = ((5, 4), (4, 3), (11, 10), (10, 9))
_WIDTHS = ((2, 3), (8, 9))
LIMBS = np.array([*_RIGHT, *_LEFT])
BONES = np.array([*_RIGHT, *_LEFT, *_WIDTHS])
TINY = 1e-6
LARGEST = 1000.0
"""Factors are cut here, so that a body that is a point still has numbers."""
LIMITS = {"knee": 160.0, "elbow": 160.0, "hip": 150.0, "head": 95.0, "back": 100.0}
"""Degrees by which a joint may bend away from straight."""
_KNEES = ((2, 1, 0, 8, 11), (3, 4, 5, 7, 10))
"""Hip, knee, ankle (LSP), ankle and foot (the body's own 24 joints)."""


@dataclass(frozen=True)
class ShapeMeasures:
    """See the fields of the same names in `Diagnostics`."""

    limbs: float
    reach: float
    symmetry: float
    volume: float
    stretch: float
    angles: float


class BodyNorms:
    """A body at rest, and the measures of meshes against it."""

    def __init__(self, body: BodyModel, hierarchy: Hierarchy) -> None:
        rest = body.data.arrays["v_template"].astype(np.float64)
        joints = body.keypoint_regressor.numpy().astype(np.float64) @ rest
        faces = hierarchy.faces[2].astype(np.int64)
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        self._faces = faces
        self._edges = np.unique(edges, axis=0)
        coarse = rest[hierarchy.vertex_of_coarse]
        self._skeleton = np.asarray(hierarchy.fine_from_coarse.T @ body.data.arrays["J_regressor"].T).T
        self._bones = _lengths(joints, BONES)
        self._edge_lengths = np.maximum(_lengths(coarse, self._edges), TINY)
        self._volume = _volume(coarse, faces)

    def measure(self, coarse: np.ndarray, joints3d: np.ndarray) -> ShapeMeasures:
        """coarse: (C, 3), joints3d: (14, 3) LSP joints; metres."""
        joints = joints3d.astype(np.float64)
        points = coarse.astype(np.float64)
        bones = np.log(np.maximum(_lengths(joints, BONES), TINY) / self._bones)
        sides = np.abs(bones[: len(_RIGHT)] - bones[len(_RIGHT) : len(LIMBS)])
        edges = np.abs(np.log(np.maximum(_lengths(points, self._edges), TINY) / self._edge_lengths))
        ranked = np.partition(edges, int(0.95 * len(edges)))[int(0.95 * len(edges))]
        return ShapeMeasures(
            limbs=_factor(np.abs(bones).max()),
            reach=_factor(bones[: len(LIMBS)].mean()),
            symmetry=_factor(sides.max()),
            volume=float(np.clip(_volume(points, self._faces) / self._volume, -LARGEST, LARGEST)),
            stretch=_factor(ranked),
            angles=self._angles(joints, self._skeleton @ points),
        )

    @staticmethod
    def _angles(joints: np.ndarray, skeleton: np.ndarray) -> float:
        """Degrees beyond the limits of the worst joint."""
        hips, neck = joints[2:4].mean(0), joints[12]
        trunk = neck - hips
        excess = [_bend(trunk, joints[13] - neck) - LIMITS["head"]]
        for hip, knee, ankle, own_ankle, foot in _KNEES:
            thigh, shin = joints[knee] - joints[hip], joints[ankle] - joints[knee]
            excess.append(_bend(thigh, shin) - LIMITS["knee"])
            excess.append(_bend(-trunk, thigh) - LIMITS["hip"])
            excess.append(_hyperextension(thigh, shin, skeleton[foot] - skeleton[own_ankle]))
        for shoulder, elbow, wrist in ((8, 7, 6), (9, 10, 11)):
            upper, fore = joints[elbow] - joints[shoulder], joints[wrist] - joints[elbow]
            excess.append(_bend(upper, fore) - LIMITS["elbow"])
        across, above = joints[3] - joints[2], joints[9] - joints[8]
        excess.append(_bend(across, above) - LIMITS["back"])
        return max(0.0, *map(float, excess))


def _lengths(points: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    difference = points[pairs[:, 0]] - points[pairs[:, 1]]
    result: np.ndarray = np.sqrt((difference**2).sum(axis=1))
    return result


def _volume(points: np.ndarray, faces: np.ndarray) -> float:
    """Signed volume of a closed mesh, by the divergence theorem."""
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _factor(log_ratio: float) -> float:
    return float(np.clip(np.exp(log_ratio), 1 / LARGEST, LARGEST))


def _bend(a: np.ndarray, b: np.ndarray) -> float:
    """Degrees between two directions; 0 where one has no length."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 0.0 if length < TINY else float(np.degrees(np.arccos(np.clip(a @ b / length, -1, 1))))


def _hyperextension(thigh: np.ndarray, shin: np.ndarray, foot: np.ndarray) -> float:
    """Degrees by which a knee bends forwards: to the side to which the toes point from the shin."""
    knee, ankle = np.cross(thigh, shin), np.cross(shin, foot)
    length = float(np.linalg.norm(knee) * np.linalg.norm(ankle))
    same = 0.0 if length < TINY else float(knee @ ankle) / length
    return _bend(thigh, shin) * max(0.0, same) - STRAIGHT


STRAIGHT = 15.0
"""Degrees of a forward bend that a straight knee may show."""
