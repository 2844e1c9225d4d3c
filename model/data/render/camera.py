"""Where the camera stands, how it is held, and which square of its picture shows the person."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from model.data.render.figure import LEFT_HIP, RIGHT_HIP
from model.data.sample import L_SHOULDER, R_SHOULDER

PICTURE = 304
"""Side of a rendered picture in pixels: some surroundings for augmentation, …"""
REGION = 256
"""… around the region that is the crop."""
HEAD, LEGS, ARMS = (12, 15), (1, 2, 4, 5, 7, 8, 10, 11), (18, 19, 20, 21, 22, 23)


class Framing(Enum):
    """How much of the person the crop shows."""

    FULL = "full"
    CUT = "cut"
    WEBCAM = "webcam"


class View(NamedTuple):
    """A pinhole camera. Camera axes: x right, y down, z forward; world y up."""

    rotation: np.ndarray
    """(3, 3) float32 world to camera."""
    position: np.ndarray
    """(3,) float32 metres."""
    intrinsics: np.ndarray
    """(3,) float32 focal length and principal point in pixels of the picture."""

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (N, 3) to camera axes."""
        return (points - self.position) @ self.rotation.T

    def flat(self, local: np.ndarray) -> np.ndarray:
        """Points (N, 3) in camera axes to pixels (N, 2); nothing is nearer than 5 cm."""
        return self.intrinsics[0] * local[:, :2] / np.maximum(local[:, 2:], 0.05) + self.intrinsics[1:]


def choose_view(
    framing: Framing,
    points: np.ndarray,
    joints: np.ndarray,
    part: np.ndarray,
    rng: np.random.Generator,
) -> tuple[View, np.ndarray]:
    """A view of a body (V, 3) with joints (14, 3), and the corners (2, 2) of what it wants to show.

    part: (V,) the joint that moves each vertex most.
    """
    position, target = _stand(framing, points, joints, rng)
    rotation = _look(position, target)
    rotation = _upright(rotation, position, joints, rng) @ rotation
    local = (points - position) @ rotation.T
    shown = local[_shown(framing, part, rng) & (local[:, 2] > 0.15)]
    if len(shown) < 20:
        shown = local[local[:, 2] > 0.15]
    flat = shown[:, :2] / shown[:, 2:]
    low, high = np.percentile(flat, [0.3, 99.7], axis=0)
    room = {Framing.FULL: (1.1, 1.4), Framing.CUT: (0.95, 1.2), Framing.WEBCAM: (1.05, 1.5)}[framing]
    side = float((high - low).max()) * rng.uniform(*room)
    focal = REGION / side
    middle = (low + high) / 2 + rng.uniform(-0.05, 0.05, 2) * side
    centre = PICTURE / 2 - focal * middle
    intrinsics = np.array([focal, *centre], np.float32)
    view = View(rotation.astype(np.float32), position.astype(np.float32), intrinsics)
    return view, np.stack([low, high]) * focal + centre


def _stand(
    framing: Framing, points: np.ndarray, joints: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Position and target (3,) of the camera; the body's turn is random, so it stands on the -z side."""
    low, high = points.min(axis=0), points.max(axis=0)
    if framing is Framing.WEBCAM:
        head, chest = joints[13], joints[[R_SHOULDER, L_SHOULDER]].mean(axis=0)
        target = head + rng.uniform(0.3, 0.9) * (chest - head)
        away = _front(joints)
        swing = Rotation.from_euler("y", rng.normal(0, 20), degrees=True)
        position = target + swing.apply(away) * rng.uniform(0.55, 1.25)
        position[1] = max(head[1] + rng.normal(-0.02, 0.15), 0.15)
        return position, target
    distance = float(np.exp(rng.uniform(np.log(2.0), np.log(7.5))))
    reach = max(high[0] - low[0], high[2] - low[2]) / 2 + 0.9
    target = (low + high) / 2 + rng.normal(0, 0.08, 3)
    azimuth = rng.uniform(-np.pi, np.pi)
    around = np.array([np.sin(azimuth), 0, np.cos(azimuth)])
    position = target + around * max(distance, reach)
    high_up = rng.random() < 0.1
    position[1] = rng.uniform(2.2, 3.6) if high_up else np.clip(rng.normal(1.35, 0.4), 0.25, 2.2)
    return position, target


def _front(joints: np.ndarray) -> np.ndarray:
    """(3,) level unit direction that the chest faces."""
    across = joints[L_SHOULDER] - joints[R_SHOULDER]
    front = np.cross(across, [0.0, 1.0, 0.0])
    length = np.linalg.norm(front)
    return front / length if length > 1e-6 else np.array([0.0, 0.0, 1.0])


def _look(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """World to camera axes (3, 3), the horizon level."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def _upright(
    rotation: np.ndarray, position: np.ndarray, joints: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(3, 3) turn about the optical axis after which hips -> shoulders points up, more or less.

    Pictures are turned upright before the network sees them (model.data.sample.upright_roll).
    """
    local = (joints - position) @ rotation.T
    flat = local[:, :2] / np.maximum(local[:, 2:], 0.1)
    axis = flat[[R_SHOULDER, L_SHOULDER]].mean(axis=0) - flat[[RIGHT_HIP, LEFT_HIP]].mean(axis=0)
    spread = float(np.ptp(flat, axis=0).max())
    roll = -np.arctan2(axis[0], -axis[1]) if np.linalg.norm(axis) > 0.12 * spread else 0.0
    return Rotation.from_euler("z", roll + np.radians(rng.normal(0, 4))).as_matrix()


def _shown(framing: Framing, part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(V,) vertices that should be in the crop."""
    if framing is Framing.FULL:
        return np.ones(len(part), bool)
    arms, legs = np.isin(part, ARMS), np.isin(part, LEGS)
    if framing is Framing.WEBCAM:
        low = (9, 13, 14, 16, 17) if rng.random() < 0.6 else (0, 3, 6, 9, 13, 14, 16, 17)
        return np.isin(part, (*HEAD, *low))
    draw = rng.random()
    if draw < 0.4:
        return ~legs & (~arms | (rng.random() < 0.5))
    if draw < 0.7:
        return ~np.isin(part, (4, 5, 7, 8, 10, 11)) & ~arms
    if draw < 0.82:
        return legs | np.isin(part, (0, 3))
    side = (1, 4, 7, 10, 13, 16, 18, 20, 22) if rng.random() < 0.5 else (2, 5, 8, 11, 14, 17, 19, 21, 23)
    return ~np.isin(part, side)
