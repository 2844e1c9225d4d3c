"""The small pictures of the heatmap strip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

SIDE = 128
"""Pixels of the small crop pictures."""


class Thumbnail(QWidget):
    """The crop, dimmed, with one heatmap on it; stays square."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(64, 64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._picture: QImage | None = None

    def sizeHint(self) -> QSize:
        """As large as the drawn crop."""
        return QSize(SIDE, SIDE)

    def show_picture(self, picture: QImage | None) -> None:
        """Replace the picture; None is an empty plate."""
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture with round corners."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        side = min(self.width(), self.height())
        brush = QBrush(QColor("#000000"))
        if self._picture is not None:
            brush = QBrush(self._picture)
            brush.setTransform(QTransform.fromScale(side / SIDE, side / SIDE))
        painter.translate((self.width() - side) / 2, (self.height() - side) / 2)
        painter.setPen(QPen(Qt.PenStyle.NoPen))
        painter.setBrush(brush)
        painter.drawRoundedRect(0, 0, side, side, 6, 6)
        painter.end()


class Dot(QWidget):
    """The pin's colour."""

    def __init__(self, colour: QColor) -> None:
        super().__init__()
        self.setFixedSize(10, 10)
        self._colour = colour

    def paintEvent(self, event: QPaintEvent) -> None:
        """A disc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(Qt.PenStyle.NoPen))
        painter.setBrush(self._colour)
        painter.drawEllipse(1, 1, 8, 8)
        painter.end()
