"""The mesh view's camera: turns about a point, zooms by its focal length, never enters the mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

DISTANCE = 7.0
"""Metres from the eye to the target, always."""
STANDING = 0.92
"""Height of the target above the floor: the middle of a standing adult with room for raised arms."""
SMALLEST = 1.4
"""Metres; a crouching person is not blown up further."""
MARGIN = 1.1
HOME = (math.radians(18), math.radians(9))


@dataclass
class Orbit:
    """World axes as the records': x right, y down, z away from the photographer; the floor is y = 0."""

    yaw: float = HOME[0]
    pitch: float = HOME[1]
    """Above 0 looks down on the scene."""
    zoom: float = 1.0
    extent: tuple[float, float] = (2.1, 2.2)
    """Width and height in metres that fit into the view at zoom 1."""
    target: np.ndarray = field(default_factory=lambda: np.array([0.0, -STANDING, 0.0]))

    def rotation(self) -> np.ndarray:
        """(3, 3) rows: the view's right, down and away in world axes."""
        cy, sy, cp, sp = math.cos(self.yaw), math.sin(self.yaw), math.cos(self.pitch), math.sin(self.pitch)
        return np.array([[cy, 0.0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]])

    def focal(self, width: float, height: float) -> float:
        """Focal length in pixels for a view of this size."""
        return self.zoom * DISTANCE * min(width / self.extent[0], height / self.extent[1])

    def project(self, points: np.ndarray, width: float, height: float) -> np.ndarray:
        """World (N, 3) metres -> (N, 3): x and y in pixels of the view, distance from the eye in metres."""
        view = (points - self.target) @ self.rotation().T
        depth = np.maximum(view[:, 2] + DISTANCE, 0.1)
        view[:, :2] *= (self.focal(width, height) / depth)[:, None]
        view[:, :2] += (width / 2, height / 2)
        view[:, 2] = depth
        return np.asarray(view)

    def turn(self, dx: float, dy: float) -> None:
        """Drag by pixels."""
        self.yaw = math.remainder(self.yaw + dx * 0.009, 2 * math.pi)
        self.pitch = max(-1.2, min(math.pi / 2, self.pitch + dy * 0.009))

    def pan(self, dx: float, dy: float, width: float, height: float) -> None:
        """Move the scene with the mouse by pixels."""
        right, down, _ = self.rotation()
        self.target = self.target - (right * dx + down * dy) * DISTANCE / self.focal(width, height)

    def zoom_by(self, steps: float) -> None:
        """One notch of the wheel is one step."""
        self.zoom = max(0.3, min(12.0, self.zoom * 1.12**steps))

    def home(self) -> None:
        """Back to the first look."""
        self.yaw, self.pitch, self.zoom = *HOME, 1.0
        self.target = np.array([0.0, -STANDING, 0.0])

    def fit(self, points: np.ndarray, grow_only: bool = False) -> None:
        """Choose extent and target so that the points (N, 3) fill the view at zoom 1.

        With `grow_only` the view never tightens, so that it stays calm while people move.
        """
        if len(points) == 0:
            return
        low = min(float(points[:, 1].min()), -SMALLEST)
        height = max(-low, -2 * float(self.target[1])) if grow_only else -low
        self.target = np.array([0.0, -height / 2, 0.0])
        view = (points - self.target) @ self.rotation().T
        flat = np.abs(view[:, :2]) * (DISTANCE / (view[:, 2:] + DISTANCE))
        wide, high = (2 * flat.max(axis=0) * MARGIN).tolist()
        wide, high = max(wide, SMALLEST), max(high, SMALLEST)
        if grow_only:
            wide, high = max(wide, self.extent[0]), max(high, self.extent[1])
        self.extent = (wide, high)

    def look(self, side: str) -> None:
        """Turn to "front" (as the photographer saw it), "side" or "top"."""
        self.yaw, self.pitch = {
            "front": (0.0, 0.0),
            "side": (math.pi / 2, 0.0),
            "top": (0.0, math.pi / 2),
        }[side]
