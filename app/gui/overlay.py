"""What is laid over the picture: the lit mesh and the heatmaps, as images with their place in the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QTransform

from app.gui.colours import MAP_NAMES, colour_map, person_colour
from app.gui.heat_look import PLAIN, HeatLook
from app.gui.heatmaps import extent_of, heatmap_to_picture, tint
from app.gui.model_info import ModelInfo
from app.gui.pins import Pin
from app.gui.shading import shade
from app.gui.studio import MeshLayer, Studio, image_of
from app.pipeline.frames import Person
from model.cv import cv2

HEAT_SIDE = 192
CELL = 16
"""Pixels of a cell of the grid, its border among them."""
PIN_COLOURS_NAME = "Pin colours"
COLOUR_MAPS = (PIN_COLOURS_NAME, *MAP_NAMES)


def picture_of(rgb: np.ndarray) -> QImage:
    """(h, w, 3) uint8 RGB -> an image that owns its pixels."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    view = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return view.convertToFormat(QImage.Format.Format_RGB32)


class Pyramid:
    """One picture halved as often as fits the screen, so that large photographs stay smooth and fast."""

    def __init__(self) -> None:
        self._levels: dict[int, QImage] = {}

    def clear(self) -> None:
        """Another picture."""
        self._levels.clear()

    def at(self, picture: np.ndarray, ratio: float) -> QImage:
        """The picture (h, w, 3) uint8 RGB for a view with `ratio` pixels of the screen a pixel of it."""
        level = max(0, math.floor(math.log2(1 / max(ratio, 1e-6))))
        if level not in self._levels:
            if level:
                size = max(1, picture.shape[1] >> level), max(1, picture.shape[0] >> level)
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            self._levels[level] = picture_of(picture)
        return self._levels[level]


@dataclass(frozen=True)
class HeatLayer:
    """One heatmap and the transform from its pixels to the picture's."""

    image: QImage
    transform: QTransform


def mesh_layer(
    studio: Studio,
    people: Sequence[Person],
    visible: QRectF,
    ratio: float,
    fine: bool,
    size: tuple[int, int],
) -> MeshLayer | None:
    """The meshes as the camera of a picture of this (width, height) sees them; see `Studio.draw`.

    What the picture does not show is faded.
    """
    if not people or not studio.name:
        return None
    lit = [
        shade(surface.normals, person_colour(person.box.id)[None], surface.creases)
        for person, surface in zip(people, studio.surfaces(people), strict=True)
    ]
    points = np.vstack([_in_picture(person) for person in people])
    return studio.draw(points, np.vstack(lit), visible, ratio, fine, studio.opacity(people, size))


def _in_picture(person: Person) -> np.ndarray:
    """(V, 3): pixels of the picture, and depth in metres with larger (nearer) people in front."""
    away = 1000.0 / max(person.camera[0], 1e-6)
    return np.column_stack([person.project(person.vertices), person.vertices[:, 2] + away])


def heat_layers(
    person: Person, info: ModelInfo, pins: Sequence[Pin], map_name: str, look: HeatLook = PLAIN
) -> list[HeatLayer]:
    """Heatmaps of the pins: each in its colour, or all in one layer with a perceptual map."""
    if not pins:
        return []
    heatmaps = person.heatmaps
    hills = [look.hill(heatmaps, info, pin.vertex, HEAT_SIDE) for pin in pins]
    matrix = heatmap_to_picture(np.asarray(person.crop.matrix, float), person.crop.size, HEAT_SIDE)
    transform = QTransform(matrix[0, 0], matrix[1, 0], matrix[0, 1], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    if map_name not in MAP_NAMES:
        layers = [_heat_layer(hill, pin.colour, transform) for hill, pin in zip(hills, pins, strict=True)]
        return [layer for layer in layers if layer is not None]
    ramp = colour_map(map_name, np.linspace(0.15, 1.0, 256))
    layer = _heat_layer(np.max(hills, axis=0), ramp, transform)
    return [] if layer is None else [layer]


def _heat_layer(hill: np.ndarray, ramp: np.ndarray, transform: QTransform) -> HeatLayer | None:
    """Only the part that can be seen: Qt takes its time over clear pixels too. None when nothing can."""
    left, top, right, bottom = extent_of(hill)
    if right <= left or bottom <= top:
        return None
    image = image_of(tint(hill[top:bottom, left:right], ramp))
    return HeatLayer(image, QTransform.fromTranslate(left, top) * transform)


def grid_layer(person: Person, weights: np.ndarray) -> HeatLayer:
    """(g, g) weights of the cells of a person's crop, each a square, on the attention's colours."""
    side = len(weights)
    shares = np.sqrt(weights / max(float(weights.max()), 1e-12)).astype(np.float32)
    cells = np.repeat(np.repeat(shares, CELL, axis=0), CELL, axis=1)
    cells[::CELL] *= 0.4
    cells[:, ::CELL] *= 0.4
    matrix = heatmap_to_picture(np.asarray(person.crop.matrix, float), person.crop.size, side * CELL)
    transform = QTransform(matrix[0, 0], matrix[1, 0], matrix[0, 1], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    return HeatLayer(image_of(tint(cells**2, colour_map("Viridis", np.linspace(0.15, 1.0, 256)))), transform)
