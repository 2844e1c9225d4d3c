"""Boxes around people: bold for the chosen one, thin for the others, broken for those not followed."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.gui.colours import person_colour
from app.gui.marks import TAG_HEIGHT, paint_tag
from app.gui.theme import Theme
from app.pipeline.frames import Person

ROUND = 6.0
DARK_TEXT = "#0d1117"


def paint_person(painter: QPainter, rect: QRectF, person: Person, theme: Theme, *, chosen: bool) -> None:
    """The box of a reconstructed person, with number and presence."""
    colour = QColor(theme.accent) if chosen else _colour(person.box.id)
    _frame(painter, rect, QPen(QColor(0, 0, 0, 90), 3.6 if chosen else 2.6))
    _frame(painter, rect, QPen(colour, 1.8 if chosen else 1.2))
    front = QColor(theme.on_accent if chosen else DARK_TEXT)
    _tag(painter, rect, f"Person {person.box.id}   {person.presence * 100:.0f} %", colour, front)


def paint_other(painter: QPainter, rect: QRectF, person_id: int, *, pointed: bool) -> None:
    """The box of somebody who could be chosen; clearer under the pointer."""
    colour = _colour(person_id)
    colour.setAlphaF(1.0 if pointed else 0.75)
    _frame(painter, rect, QPen(QColor(0, 0, 0, 70), 2.4))
    _frame(painter, rect, QPen(colour, 1.2, Qt.PenStyle.DashLine))
    back = QColor(20, 25, 33)
    back.setAlphaF(0.85 if pointed else 0.65)
    text = f"Person {person_id}   click to follow" if pointed else f"Person {person_id}"
    _tag(painter, rect, text, back, colour)


def _frame(painter: QPainter, rect: QRectF, pen: QPen) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawRoundedRect(rect, ROUND, ROUND)


def _tag(painter: QPainter, rect: QRectF, text: str, back: QColor, front: QColor) -> None:
    """Above the box, or inside where the picture ends."""
    above = rect.topLeft() - QPointF(0, TAG_HEIGHT + 3)
    spot = above if above.y() >= 2 else rect.topLeft() + QPointF(6, 6)
    paint_tag(painter, spot, text, back, front)


def _colour(person_id: int) -> QColor:
    return QColor.fromRgbF(*(float(c) for c in person_colour(person_id)))
