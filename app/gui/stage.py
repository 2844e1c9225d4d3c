"""The backdrop of the mesh view: gradient, glow and floor, painted anew only when something has changed."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPixmap

from app.gui.ground import draw_glow, draw_grid
from app.gui.orbit import Orbit
from app.gui.theme import Theme


class Stage:
    """Keeps the last picture."""

    def __init__(self) -> None:
        self._kept: tuple[object, QPixmap] | None = None

    def picture(self, orbit: Orbit, theme: Theme, size: QSize, ratio: float) -> QPixmap:
        """The backdrop for this camera, theme and size at a screen's pixel ratio."""
        camera = (orbit.yaw, orbit.pitch, orbit.zoom, orbit.extent, *orbit.target.tolist())
        key = (theme, size.width(), size.height(), ratio, camera)
        if self._kept is None or self._kept[0] != key:
            picture = QPixmap(size * ratio)
            picture.setDevicePixelRatio(ratio)
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            _paint(painter, theme, size)
            if orbit.pitch >= 0:
                draw_grid(painter, orbit, theme, size.width(), size.height())
            painter.end()
            self._kept = (key, picture)
        return self._kept[1]


def _paint(painter: QPainter, theme: Theme, size: QSize) -> None:
    gradient = QLinearGradient(0, 0, 0, size.height())
    gradient.setColorAt(0.0, QColor(theme.canvas_top))
    gradient.setColorAt(1.0, QColor(theme.canvas_bottom))
    painter.fillRect(0, 0, size.width(), size.height(), gradient)
    draw_glow(painter, theme, size.width(), size.height())
