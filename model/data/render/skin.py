"""A painted skin: colour by place on the resting body and solid noise, no photograph involved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from model.data.render.body import Body

NOISE = np.random.default_rng(7).standard_normal((32, 32, 32))


@dataclass(frozen=True)
class Face:
    """Where the features of the resting face lie: eyes (2, 3), nose tip (3,), their scale in metres."""

    eyes: np.ndarray
    nose: np.ndarray
    scale: float  # distance between the eyes

    @classmethod
    def of(cls, body: Body) -> Face:
        """Measure the mean body."""
        vertices = body.mesh.vertices
        eyes = vertices[body.eyes]
        left, right = eyes[eyes[:, 0] > 0].mean(axis=0), eyes[eyes[:, 0] < 0].mean(axis=0)
        scale = float(left[0] - right[0])
        middle = (left + right) / 2
        near = np.abs(vertices - middle - [0, -0.6 * scale, 0.2 * scale]) < [0.2 * scale, 0.5 * scale, scale]
        candidates = vertices[near.all(axis=1)]
        return cls(np.stack([left, right]), candidates[candidates[:, 2].argmax()], scale)


@dataclass(frozen=True)
class Skin:
    """Linear RGB colours (3,) of a person's skin, lips, iris and brows."""

    tone: tuple[float, float, float] = (0.46, 0.26, 0.175)
    lips: tuple[float, float, float] = (0.36, 0.12, 0.10)
    iris: tuple[float, float, float] = (0.07, 0.045, 0.03)
    brows: tuple[float, float, float] = (0.045, 0.028, 0.018)

    def albedo(self, points: np.ndarray, face: Face) -> np.ndarray:
        """Colours (N, 3) at resting points (N, 3) of the mean body."""
        tone = np.array(self.tone)
        mottle = 0.06 * noise(points, 0.035) + 0.04 * noise(points, 0.008)
        colour = tone * (1 + mottle[:, None] * [0.6, 1.0, 1.1])
        redness = np.sum([_blob(points, place, size) for place, size in self._flushed(face)], axis=0)
        colour = colour * (1 - redness[:, None] * [0.02, 0.22, 0.26])
        front = points[:, 2] > face.nose[2] - 0.6 * face.scale
        mouth = face.nose + np.array([0.0, -0.56, -0.25]) * face.scale
        colour = _mix(
            colour, self.lips, 0.75 * front * _ellipse(points, mouth, 0.42 * face.scale, 0.13 * face.scale)
        )
        for eye in face.eyes:
            brow = eye + np.array([0.06 * np.sign(eye[0]), 0.33, 0.0]) * face.scale
            bent = points - [0, 0.1 * face.scale, 0] * (
                1 - ((points[:, :1] - brow[0]) / (0.4 * face.scale)) ** 2
            )
            lid = eye + np.array([0.0, 0.03 * face.scale, 0.0])
            hairs = _ellipse(bent, brow, 0.34 * face.scale, 0.055 * face.scale)
            lashes = _ellipse(points, lid, 0.28 * face.scale, 0.13 * face.scale)
            colour = _mix(colour, self.brows, front * np.maximum(0.7 * hairs, 0.5 * lashes))
        return colour

    def eye_albedo(self, points: np.ndarray, face: Face) -> np.ndarray:
        """Colours (N, 3) at resting points (N, 3) of the eyes."""
        colour = np.tile([0.62, 0.58, 0.55], (len(points), 1))
        for eye in face.eyes:
            distance = np.linalg.norm((points - eye)[:, :2], axis=1) / face.scale
            colour = _mix(colour, self.iris, _step(0.105 - distance, 0.015))
            colour = _mix(colour, (0.01, 0.01, 0.01), _step(0.045 - distance, 0.012))
        return colour

    @staticmethod
    def _flushed(face: Face) -> list[tuple[np.ndarray, float]]:
        """Places where blood shows, and how far it spreads."""
        cheeks = [eye + np.array([0.12 * np.sign(eye[0]), -0.55, 0.0]) * face.scale for eye in face.eyes]
        return [(cheeks[0], 0.022), (cheeks[1], 0.022), (face.nose, 0.014)]


def noise(points: np.ndarray, size: float) -> np.ndarray:
    """Smooth solid noise (N,) of unit variance or less, with grains of `size` metres."""
    return map_coordinates(NOISE, (points / size).T, order=1, mode="grid-wrap")


def _mix(colour: np.ndarray, other: tuple[float, float, float], amount: np.ndarray) -> np.ndarray:
    return colour + amount[:, None] * (np.array(other) - colour)


def _blob(points: np.ndarray, centre: np.ndarray, size: float) -> np.ndarray:
    return np.exp(-((points - centre) ** 2).sum(axis=1) / (2 * size**2))


def _ellipse(points: np.ndarray, centre: np.ndarray, width: float, height: float) -> np.ndarray:
    """1 inside an upright ellipse of the x-y plane, softly 0 outside."""
    offset = (points[:, :2] - centre[:2]) / [width, height]
    return _step(1 - np.linalg.norm(offset, axis=1), 0.25)


def _step(value: np.ndarray, soft: float) -> np.ndarray:
    return np.clip(value / soft + 0.5, 0, 1)
