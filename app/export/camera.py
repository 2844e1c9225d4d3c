"""The camera over whose picture the meshes lie, as FBX and GLB hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.export.fbx_binary import node
from app.export.fbx_scene import ZERO, Scene, model_content, properties
from app.export.presets import Preset

NEAR, FAR = 0.05, 200.0
"""Metres."""
_FILM = 36 / 25.4
"""Inches: the width of the film of a full-frame camera."""


@dataclass(frozen=True)
class Camera:
    """A pinhole in the origin that looks along z (x right, y down); its centre is the picture's middle."""

    width: float
    """Of the picture, in pixels."""
    height: float
    focal: float
    """Focal length in pixels."""

    @property
    def facts(self) -> dict[str, str]:
        """For a person who reads the file's header."""
        picture = f"picture {self.width:g} x {self.height:g}"
        return {
            "origin": "camera",
            "camera": f"pinhole in the origin, focal length {self.focal:g} pixels, {picture}",
        }

    def angle(self, side: float) -> float:
        """Radians that a side of the picture spans."""
        return float(2 * np.arctan2(side / 2, self.focal))


def add_to_glb(document: dict[str, Any], camera: Camera) -> None:
    """A node that looks along -z, as all glTF cameras do."""
    perspective = {
        "aspectRatio": camera.width / camera.height,
        "yfov": camera.angle(camera.height),
        "znear": NEAR,
        "zfar": FAR,
    }
    document["cameras"] = [{"name": "Camera", "type": "perspective", "perspective": perspective}]
    document["nodes"] = [*document["nodes"], {"name": "Camera", "camera": 0}]
    root = document["scenes"][0]
    root["nodes"] = [*root["nodes"], len(document["nodes"]) - 1]


def add_to_fbx(scene: Scene, camera: Camera, preset: Preset) -> None:
    """A node whose x axis points where the camera looks, as all FBX cameras do, and whose y axis is up."""
    unit = preset.units_per_metre
    wide, high = np.degrees(camera.angle(camera.width)), np.degrees(camera.angle(camera.height))
    numbers = {
        "AspectWidth": camera.width,
        "AspectHeight": camera.height,
        "PixelAspectRatio": 1.0,
        "FilmWidth": _FILM,
        "FilmHeight": _FILM * camera.height / camera.width,
        "FilmAspectRatio": camera.width / camera.height,
        "NearPlane": NEAR * unit,
        "FarPlane": FAR * unit,
    }
    rows: list[tuple[Any, ...]] = [
        ("AspectRatioMode", "enum", "", "", 2),
        ("ApertureMode", "enum", "", "", 3),
        ("GateFit", "enum", "", "", 2),
        ("CameraProjectionType", "enum", "", "", 0),
        *((name, "double", "Number", "", float(value)) for name, value in numbers.items()),
        ("FieldOfView", "FieldOfView", "", "A", float(wide)),
        ("FieldOfViewX", "FieldOfViewX", "", "A", float(wide)),
        ("FieldOfViewY", "FieldOfViewY", "", "A", float(high)),
        ("FocalLength", "Number", "", "A", camera.focal / camera.width * 36),
    ]
    content = [properties(rows), node("TypeFlags", "Camera"), node("GeometryVersion", 124)]
    # Columns: where the node's x, y and z point, which are the picture's depth, height and width.
    points = preset.turn(np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])).T
    model = scene.add("Model", "Camera", "Model", "Camera", model_content(rotation=_degrees(points)))
    scene.connect(model, ZERO)
    scene.connect(scene.add("NodeAttribute", "Camera", "NodeAttribute", "Camera", content), model)


def _degrees(turn: np.ndarray) -> list[float]:
    """(3, 3) as turns about x, then y, then z; where y's is a quarter there is no need of x's."""
    about_y = np.arcsin(np.clip(-turn[2, 0], -1, 1))
    if abs(turn[2, 0]) > 1 - 1e-9:
        about_x, about_z = 0.0, np.arctan2(-turn[0, 1], turn[1, 1])
    else:
        about_x, about_z = np.arctan2(turn[2, 1], turn[2, 2]), np.arctan2(turn[1, 0], turn[0, 0])
    return [float(np.degrees(angle)) for angle in (about_x, about_y, about_z)]
