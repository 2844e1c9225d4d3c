"""How the parts of a take's time line are painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF

from app.gui.theme import Theme

if TYPE_CHECKING:
    from app.gui.take_track import Curve, Presence

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between two marks of the ruler."""
MARK_EVERY = 78.0
"""Pixels that a mark's text needs."""


def clock(seconds: float, digits: int = 1) -> str:
    """12.34 -> "0:12.3"."""
    unit = 10**digits
    ticks = int(max(seconds, 0.0) * unit + 1e-6)
    minutes, rest = divmod(ticks, 60 * unit)
    text = f"{minutes}:{rest // unit:02d}"
    return f"{text}.{rest % unit:0{digits}d}" if digits else text


def _small(painter: QPainter, *, bold: bool = False) -> None:
    font = QFont(painter.font())
    font.setPixelSize(11)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    painter.setFont(font)


def paint_ruler(painter: QPainter, times: np.ndarray, xs: np.ndarray, place: QRectF, theme: Theme) -> None:
    """Seconds from the take's start."""
    length = float(times[-1] - times[0])
    width = float(xs[-1] - xs[0])
    if length <= 0 or width <= 0:
        return
    step = next((s for s in STEPS if s * width / length >= MARK_EVERY), STEPS[-1])
    _small(painter)
    for mark in np.arange(0.0, length + 1e-9, step):
        x = float(xs[0]) + mark / length * width
        painter.setPen(theme.colour("border"))
        painter.drawLine(QPointF(x, place.bottom() - 4), QPointF(x, place.bottom()))
        painter.setPen(theme.colour("muted"))
        text = clock(mark, 1 if step < 1 else 0)
        half = painter.fontMetrics().horizontalAdvance(text) / 2
        left = min(max(x - half, place.left() + 2), place.right() - 2 * half - 2)
        painter.drawText(QPointF(left, place.bottom() - 6), text)


def paint_curve(painter: QPainter, xs: np.ndarray, curve: Curve, lane: QRectF, theme: Theme) -> None:
    """A curve from 0 up in its lane."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("raised", 0.55))
    painter.drawRoundedRect(lane, 4, 4)
    rows = [row for row in (curve.before, curve.values) if row is not None and np.isfinite(row).any()]
    if not rows:
        return
    top = max(float(np.nanmax(row)) for row in rows) * 1.08 or 1.0
    inner = lane.adjusted(0, 2, 0, -2)
    if curve.limit is not None and curve.limit < top:
        y = inner.bottom() - curve.limit / top * inner.height()
        painter.setPen(QPen(theme.colour("warning", 0.55), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(inner.left(), y), QPointF(inner.right(), y))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if curve.before is not None:
        painter.setPen(QPen(theme.colour("muted", 0.55), 1.0))
        painter.drawPath(_path(xs, curve.before, inner, top))
    high = curve.limit is not None and float(np.nanmax(curve.values)) > curve.limit
    painter.setPen(QPen(theme.colour("warning" if high else "accent"), 1.5))
    painter.drawPath(_path(xs, curve.values, inner, top))


def _path(xs: np.ndarray, values: np.ndarray, inner: QRectF, top: float) -> QPainterPath:
    """A line through the finite values, broken at the others; never more points than can be told apart."""
    path, down = QPainterPath(), False
    ys = inner.bottom() - np.clip(values / top, 0, 1) * inner.height()
    for x, y in _thinned(xs, ys, inner.width()):
        if not np.isfinite(y):
            down = False
        elif down:
            path.lineTo(x, y)
        else:
            path.moveTo(x, y)
            path.lineTo(x + 0.5, y)
            down = True
    return path


def _thinned(xs: np.ndarray, ys: np.ndarray, width: float) -> list[tuple[float, float]]:
    """Of many frames in one pixel the highest is drawn: a spike is never left out."""
    each = int(len(xs) // max(width, 1.0))
    if each < 2:
        return list(zip(xs.tolist(), ys.tolist(), strict=True))
    whole = len(xs) // each * each
    filled = np.where(np.isfinite(ys[:whole]), ys[:whole], np.inf).reshape(-1, each)
    best = filled.min(axis=1)
    return list(
        zip(xs[:whole:each].tolist(), np.where(np.isfinite(best), best, np.nan).tolist(), strict=True)
    )


def paint_words(painter: QPainter, curve: Curve, lane: QRectF, frame: int, theme: Theme) -> None:
    """A curve's name and its number at the play head."""
    here = float(curve.values[frame]) if frame < len(curve.values) else np.nan
    number = f"{here:.1f} {curve.unit}" if np.isfinite(here) else "–"
    _small(painter)
    left = QPointF(lane.left() + 7, lane.top() + 14)
    name = painter.fontMetrics().horizontalAdvance(curve.name)
    plate = QRectF(lane.left() + 2, lane.top() + 2, name + 70, 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("panel", 0.72))
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(theme.colour("muted"))
    painter.drawText(left, curve.name)
    _small(painter, bold=True)
    painter.setPen(theme.colour("text"))
    painter.drawText(left + QPointF(name + 7, 0), number)


def paint_strip(
    painter: QPainter, xs: np.ndarray, presence: Sequence[Presence], strip: QRectF, theme: Theme
) -> None:
    """The frames: where the person was seen, where a gap is filled, where nobody was."""
    colours = {
        "seen": theme.colour("accent", 0.42),
        "filled": theme.colour("warning", 0.75),
        "missing": theme.colour("border"),
    }
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colours["missing"])
    painter.drawRoundedRect(strip, 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    edges = [strip.left(), *((xs[1:] + xs[:-1]) / 2).tolist(), strip.right()]
    start = 0
    for frame in range(1, len(presence) + 1):
        if frame < len(presence) and presence[frame] is presence[start]:
            continue
        if presence[start].value != "missing":
            left, right = edges[start], edges[frame]
            painter.fillRect(
                QRectF(left, strip.top(), max(right - left, 1.0), strip.height()),
                colours[presence[start].value],
            )
        start = frame
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def paint_handles(
    painter: QPainter, ends: tuple[float, float], strip: QRectF, whole: QRectF, theme: Theme
) -> None:
    """A veil over what is cut off, and a bracket at both ends of what is kept."""
    veil = theme.colour("panel", 0.72)
    painter.setPen(Qt.PenStyle.NoPen)
    for left, right in ((whole.left(), ends[0] - 1), (ends[1] + 1, whole.right())):
        if right > left:
            painter.fillRect(QRectF(left, whole.top(), right - left, whole.height()), veil)
    frame = QColor(theme.accent)
    painter.setPen(QPen(frame, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawLine(QPointF(ends[0], strip.top()), QPointF(ends[1], strip.top()))
    painter.drawLine(QPointF(ends[0], strip.bottom()), QPointF(ends[1], strip.bottom()))
    for x, side in ((ends[0], -1), (ends[1], 1)):
        grip = QRectF(x if side > 0 else x - 9, strip.top() - 1, 9, strip.height() + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(frame)
        painter.drawRoundedRect(grip, 3, 3)
        painter.setPen(QPen(theme.colour("on_accent"), 1.2))
        for offset in (-1.4, 1.4):
            middle = grip.center() + QPointF(offset, 0)
            painter.drawLine(middle - QPointF(0, 4), middle + QPointF(0, 4))


def paint_head(painter: QPainter, x: float, height: float, theme: Theme, *, focused: bool) -> None:
    """The play head: a line with a flag that shows the focus."""
    colour = theme.colour("text")
    painter.setPen(QPen(colour, 1.4))
    painter.drawLine(QPointF(x, 8), QPointF(x, height - 2))
    painter.setBrush(theme.colour("accent") if focused else colour)
    painter.setPen(QPen(theme.colour("panel"), 1))
    points = (QPointF(x - 5, 2), QPointF(x + 5, 2), QPointF(x + 5, 9), QPointF(x, 15), QPointF(x - 5, 9))
    painter.drawPolygon(QPolygonF(points))
