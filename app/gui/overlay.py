"""What is laid over the picture: the lit mesh and the heatmaps, as images with their place in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QTransform

from app.gui.colours import MAP_NAMES, colour_map, person_colour
from app.gui.heatmaps import enlarge, heatmap_to_picture, tint
from app.gui.model_info import ModelInfo
from app.gui.pins import Pin
from app.gui.render import Renderer, create_renderer
from app.gui.scene import stacked_faces
from app.gui.shading import shade, topology_of
from app.pipeline.frames import Person

SIDE = 640
"""Pixels of the square in which the mesh overlay is drawn, whatever the picture's size."""
HEAT_SIDE = 192
PIN_COLOURS_NAME = "Pin colours"
COLOUR_MAPS = (PIN_COLOURS_NAME, *MAP_NAMES)


def image_of(rgba: np.ndarray) -> QImage:
    """(h, w, 4) uint8 premultiplied RGBA -> an image that owns its pixels."""
    height, width = rgba.shape[:2]
    view = QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied)
    return view.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def picture_of(rgb: np.ndarray) -> QImage:
    """(h, w, 3) uint8 RGB -> an image that owns its pixels."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    view = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return view.convertToFormat(QImage.Format.Format_RGB32)


@dataclass(frozen=True)
class MeshLayer:
    """The drawn meshes and the rectangle of the picture that they cover, in its pixels."""

    image: QImage
    place: QRectF


@dataclass(frozen=True)
class HeatLayer:
    """One heatmap and the transform from its pixels to the picture's."""

    image: QImage
    transform: QTransform


class MeshOverlay:
    """Draws people's meshes as the picture's camera sees them. GUI thread only."""

    def __init__(self) -> None:
        self._renderer: Renderer | None = None
        self._faces: dict[int, np.ndarray] = {}

    @property
    def ready(self) -> bool:
        """Whether `open` was called."""
        return self._renderer is not None

    def open(self) -> None:
        """Create the renderer; Open3D must be imported."""
        if self._renderer is None:
            self._renderer = create_renderer(SIDE, SIDE, 1.0)

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def forget(self) -> None:
        """Another model: its faces are different."""
        self._faces.clear()

    def draw(self, people: Sequence[Person], info: ModelInfo, visible: QRectF) -> MeshLayer | None:
        """The part of the meshes inside `visible` (picture pixels), or None when nothing is there."""
        if self._renderer is None or not people:
            return None
        count = len(info.part_of_vertex)
        pixels = np.vstack([_in_picture(person) for person in people])
        low, high = pixels[:, :2].min(axis=0) - 2, pixels[:, :2].max(axis=0) + 2
        place = QRectF(low[0], low[1], high[0] - low[0], high[1] - low[1]).intersected(visible)
        if place.isEmpty():
            return None
        side = max(place.width(), place.height())
        points = pixels.copy()
        points[:, :2] = (pixels[:, :2] - [place.left(), place.top()]) * (SIDE / side)
        faces = self._faces.setdefault(len(people), stacked_faces(info.faces, count, len(people)))
        colours = np.vstack([_lit(person, info) for person in people])
        rgba = self._renderer.draw(points, faces, colours)
        return MeshLayer(image_of(rgba), QRectF(place.left(), place.top(), side, side))


def _in_picture(person: Person) -> np.ndarray:
    """(V, 3): pixels of the picture, and depth in metres with larger (nearer) people in front."""
    away = 1000.0 / max(person.camera[0], 1e-6)
    return np.column_stack([person.project(person.vertices), person.vertices[:, 2] + away])


def _lit(person: Person, info: ModelInfo) -> np.ndarray:
    topology = topology_of(info.faces, len(info.part_of_vertex))
    vertices = person.vertices.astype(np.float64)
    normals = topology.normals(vertices)
    return shade(normals, person_colour(person.box.id)[None], topology.creases(vertices, normals))


def heat_layers(person: Person, info: ModelInfo, pins: Sequence[Pin], map_name: str) -> list[HeatLayer]:
    """Heatmaps of the pins: each in its colour, or all in one layer with a perceptual map."""
    if not pins:
        return []
    heatmaps = person.heatmaps
    hills = [enlarge(heatmaps[info.coarse_of_vertex[pin.vertex]], HEAT_SIDE) for pin in pins]
    matrix = heatmap_to_picture(np.asarray(person.crop.matrix, float), person.crop.size, HEAT_SIDE)
    transform = QTransform(matrix[0, 0], matrix[1, 0], matrix[0, 1], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    if map_name not in MAP_NAMES:
        tinted = [tint(hill, pin.colour) for hill, pin in zip(hills, pins, strict=True)]
        return [HeatLayer(image_of(rgba), transform) for rgba in tinted]
    ramp = colour_map(map_name, np.linspace(0.15, 1.0, 256))
    return [HeatLayer(image_of(tint(np.max(hills, axis=0), ramp)), transform)]
