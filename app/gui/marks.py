"""Small marks over a picture: joints with their bones, and tags."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPen, QRadialGradient

from app.gui.theme import Theme

BONES = (
    *((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (2, 8), (3, 9)),
    *((6, 7), (7, 8), (8, 9), (9, 10), (10, 11), (12, 13)),
)
"""Pairs of LSP joints that are joined by a line."""
RIGHT_JOINTS = (0, 1, 2, 6, 7, 8)
RIGHT, LEFT = "#f0a45f", "#6cb8f2"
TAG_HEIGHT = 19.0


def paint_joints(painter: QPainter, spots: Sequence[QPointF]) -> None:
    """The 14 LSP joints in pixels of the widget: right ones orange, left ones blue."""
    for width, colour in ((4.0, QColor(0, 0, 0, 120)), (2.0, QColor(255, 255, 255, 225))):
        painter.setPen(QPen(colour, width, c=Qt.PenCapStyle.RoundCap))
        for a, b in BONES:
            painter.drawLine(spots[a], spots[b])
    painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
    for index, spot in enumerate(spots):
        painter.setBrush(QColor(RIGHT if index in RIGHT_JOINTS else LEFT))
        painter.drawEllipse(spot, 3.4, 3.4)


def paint_tag(painter: QPainter, corner: QPointF, text: str, back: QColor, front: QColor) -> None:
    """A few words on a rounded plate."""
    font = QFont(painter.font())
    font.setPixelSize(11)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    metrics = painter.fontMetrics()
    rect = QRectF(corner.x(), corner.y(), metrics.horizontalAdvance(text) + 12, TAG_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    back.setAlphaF(min(back.alphaF(), 0.92))
    painter.setBrush(back)
    painter.drawRoundedRect(rect, 5, 5)
    painter.setPen(front)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)


def paint_badge(painter: QPainter, corner: QPointF, text: str, theme: Theme) -> None:
    """What a view shows besides the newest frame, on a plate in the accent colour."""
    paint_tag(painter, corner, text, QColor(theme.accent), QColor(theme.on_accent))


def paint_legend(
    painter: QPainter, corner: QPointF, colours: Sequence[QColor], ends: tuple[str, str], theme: Theme
) -> None:
    """A bar of colours with a word at both ends; `corner` is its lower left."""
    font = QFont(painter.font())
    font.setPixelSize(11)
    painter.setFont(font)
    metrics = painter.fontMetrics()
    first = metrics.horizontalAdvance(ends[0])
    bar = QRectF(corner.x() + first + 8, corner.y() - 10, 84, 6)
    shades = QLinearGradient(bar.topLeft(), bar.topRight())
    for place, colour in enumerate(colours):
        shades.setColorAt(place / (len(colours) - 1), colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shades)
    painter.drawRoundedRect(bar, 3, 3)
    painter.setPen(theme.colour("muted"))
    painter.drawText(QPointF(corner.x(), corner.y() - 3), ends[0])
    painter.drawText(QPointF(bar.right() + 8, corner.y() - 3), ends[1])


def paint_circle(painter: QPainter, spot: QPointF, radius: float) -> None:
    """A ring with its middle, readable on every picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, colour in ((4.0, QColor(0, 0, 0, 130)), (1.8, QColor(255, 255, 255, 235))):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(spot, radius, radius)
        painter.drawPoint(spot)


def paint_ball(painter: QPainter, spot: QPointF, colour: QColor, radius: float, facing: bool) -> None:
    """A small lit sphere, or a dotted ring where the surface looks away."""
    if not facing:
        colour.setAlphaF(0.55)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.4, Qt.PenStyle.DotLine))
        painter.drawEllipse(spot, radius, radius)
        return
    light = QRadialGradient(spot - QPointF(radius * 0.35, radius * 0.4), radius * 1.5)
    light.setColorAt(0.0, colour.lighter(160))
    light.setColorAt(0.55, colour)
    light.setColorAt(1.0, colour.darker(190))
    painter.setPen(QPen(QColor(0, 0, 0, 110), 1.0))
    painter.setBrush(light)
    painter.drawEllipse(spot, radius, radius)
