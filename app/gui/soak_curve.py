"""The curves of a soak as a picture: memory, threads and handles over the minutes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

from app.vitals import WARM_UP, Vitals

WIDTH, HEIGHT = 960, 640
_LEFT, _RIGHT, _TOP, _GAP = 84, 24, 56, 40
_INK, _FAINT, _BACK = QColor("#1d232b"), QColor("#c9ced6"), QColor("#ffffff")
_ROWS = (
    ("memory_mb", "Memory, MB", QColor("#2563c9")),
    ("threads", "Threads", QColor("#b45309")),
    ("handles", "Handles", QColor("#047857")),
)


def curve(samples: Sequence[Vitals], title: str) -> QImage:
    """(640, 960) picture, one row for each quantity; the warm-up is grey."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(_BACK)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_INK)
    painter.setFont(QFont("sans", 13))
    painter.drawText(QRectF(_LEFT, 0, WIDTH - _LEFT, _TOP - 20), Qt.AlignmentFlag.AlignVCenter, title)
    painter.setFont(QFont("sans", 10))
    height = (HEIGHT - _TOP - _GAP) / len(_ROWS) - _GAP
    for row, (name, label, colour) in enumerate(_ROWS):
        place = QRectF(_LEFT, _TOP + row * (height + _GAP), WIDTH - _LEFT - _RIGHT, height)
        _draw(painter, place, [s.seconds / 60 for s in samples], [getattr(s, name) for s in samples], colour)
        painter.setPen(_INK)
        painter.drawText(QPointF(place.left(), place.top() - 6), label)
    painter.end()
    return image


def _draw(
    painter: QPainter, place: QRectF, minutes: Sequence[float], values: Sequence[float], colour: QColor
) -> None:
    """One curve over a scale from 0, with the minutes below."""
    span, top = max(minutes[-1], 1e-9), max(*values, 1.0) * 1.15
    warm = QRectF(place.left(), place.top(), place.width() * WARM_UP, place.height())
    painter.fillRect(warm, QColor("#f1f3f6"))
    for part in range(3):
        y = place.bottom() - place.height() * part / 2
        painter.setPen(_FAINT)
        painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        painter.setPen(_INK)
        box = QRectF(0, y - 10, _LEFT - 8, 20)
        painter.drawText(
            box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{top * part / 2:.0f}"
        )
    for part in range(6):
        x = place.left() + place.width() * part / 5
        box = QRectF(x - 40, place.bottom() + 2, 80, 16)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{span * part / 5:.3g} min")
    points = [
        QPointF(place.left() + place.width() * minute / span, place.bottom() - place.height() * value / top)
        for minute, value in zip(minutes, values, strict=True)
    ]
    painter.setPen(QPen(colour, 2))
    painter.drawPolyline(QPolygonF(points))
