"""A pinhole camera that stands still. Camera axes: x right, y down, z forward; world y up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """position and target (3,) in metres; view: horizontal field of view in degrees; size in pixels."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    view: float
    width: int
    height: int

    @property
    def rotation(self) -> np.ndarray:
        """World to camera axes (3, 3)."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward])

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / float(np.tan(np.radians(self.view) / 2))

    @property
    def intrinsics(self) -> np.ndarray:
        """fx, fy, cx, cy in pixels; the centre of the first pixel is (0.5, 0.5)."""
        return np.array([self.focal, self.focal, self.width / 2, self.height / 2])

    def scaled(self, factor: float) -> Camera:
        """The same view with fewer or more pixels."""
        return Camera(
            self.position, self.target, self.view, round(self.width * factor), round(self.height * factor)
        )

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to camera axes."""
        return (points - np.array(self.position)) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to pixels (..., 2)."""
        local = self.to_camera(points)
        fx, fy, cx, cy = self.intrinsics
        return np.stack(
            [fx * local[..., 0] / local[..., 2] + cx, fy * local[..., 1] / local[..., 2] + cy], axis=-1
        )

    def directions(self, pixels: np.ndarray) -> np.ndarray:
        """Unit world directions (..., 3) through pixels (..., 2)."""
        fx, fy, cx, cy = self.intrinsics
        x, y = (pixels[..., 0] - cx) / fx, (pixels[..., 1] - cy) / fy
        local = np.stack([x, y, np.ones_like(x)], axis=-1)
        return (local / np.linalg.norm(local, axis=-1, keepdims=True)) @ self.rotation
