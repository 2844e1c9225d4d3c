"""What lies under the people: a fading grid on the floor and a soft shadow, painted by Qt."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QImage, QPainter, QPen, QPolygonF, QRadialGradient, QTransform

from app.gui.orbit import Orbit
from app.gui.theme import Theme
from model.cv import cv2

STEP = 0.5
HALF = 3.5
SHADOW_CELLS = 96
SHADES = 10


def draw_grid(painter: QPainter, orbit: Orbit, theme: Theme, width: int, height: int) -> None:
    """Lines every half metre on y = 0, fading with the distance from the middle."""
    line = np.arange(-HALF, HALF + 1e-6, STEP)
    cut = np.arange(-HALF, HALF + 1e-6, 0.25)
    across, along = (grid.ravel() for grid in np.meshgrid(line, cut, indexing="ij"))
    points = np.column_stack([across, np.zeros(len(across)), along])
    both = np.vstack([points, points[:, ::-1]])
    pixels = orbit.project(both, width, height)[:, :2].reshape(-1, len(cut), 2)
    middle = (both.reshape(-1, len(cut), 3)[:, 1:] + both.reshape(-1, len(cut), 3)[:, :-1]) / 2
    strength = np.clip(1 - np.linalg.norm(middle, axis=2) / HALF, 0, 1) ** 1.3
    level = np.round(strength * SHADES).astype(int)
    for shade in range(1, SHADES + 1):
        chosen = np.argwhere(level == shade)
        lines = [QLineF(*pixels[i, j], *pixels[i, j + 1]) for i, j in chosen]
        painter.setPen(QPen(theme.colour("grid", 0.42 * shade / SHADES), 1.0))
        painter.drawLines(lines)


def draw_glow(painter: QPainter, theme: Theme, width: int, height: int) -> None:
    """A soft light behind the people, so that the dark stage has depth and the shadow can be seen."""
    light = QRadialGradient(width / 2, height * 0.62, max(width, height) * 0.62)
    light.setColorAt(0.0, theme.colour("canvas_glow", 0.95))
    light.setColorAt(1.0, theme.colour("canvas_glow", 0.0))
    painter.fillRect(0, 0, width, height, light)


def shadow_of(vertices: np.ndarray) -> np.ndarray:
    """(SHADOW_CELLS, SHADOW_CELLS) in [0, 1]: how much the people darken the floor around its middle.

    Parts near the floor weigh more, so feet are grounded and raised arms leave little.
    """
    cells = ((vertices[:, [2, 0]] / HALF + 1) / 2 * SHADOW_CELLS).astype(int)
    inside = ((cells >= 0) & (cells < SHADOW_CELLS)).all(axis=1)
    flat = cells[inside, 0] * SHADOW_CELLS + cells[inside, 1]
    weight = np.exp(vertices[inside, 1] / 0.35)
    heap = np.bincount(flat, weight, SHADOW_CELLS**2).reshape(SHADOW_CELLS, -1).astype(np.float32)
    wide = cv2.GaussianBlur(heap, (0, 0), 2.4)
    return np.asarray(1 - np.exp(-wide / 14.0))


def draw_shadow(painter: QPainter, orbit: Orbit, shadow: np.ndarray, width: int, height: int) -> None:
    """Lay the shadow on the floor, in perspective; only its dark part, because Qt paints clear pixels too."""
    alpha = (shadow * 150).astype(np.uint8)
    left, top, columns, rows = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if columns == 0:
        return
    rgba = np.zeros((rows, columns, 4), np.uint8)
    rgba[..., 3] = alpha[top : top + rows, left : left + columns]
    image = QImage(rgba.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    x = (np.array([left, left + columns, left + columns, left]) / SHADOW_CELLS * 2 - 1) * HALF
    z = (np.array([top, top, top + rows, top + rows]) / SHADOW_CELLS * 2 - 1) * HALF
    pixels = orbit.project(np.column_stack([x, np.zeros(4), z]), width, height)
    corners = [(0, 0), (columns, 0), (columns, rows), (0, rows)]
    source = QPolygonF([QPointF(*corner) for corner in corners])
    target = QPolygonF([QPointF(x, y) for x, y, _ in pixels.tolist()])
    transform = QTransform()
    if QTransform.quadToQuad(source, target, transform):
        painter.save()
        painter.setTransform(transform, True)
        painter.drawImage(0, 0, image)
        painter.restore()
