"""The time line of a take: curves over a strip of frames, the handles of the trim, the play head."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.gui.take_paint import paint_curve, paint_handles, paint_head, paint_ruler, paint_strip, paint_words
from app.gui.theme import DARK, Theme

MARGIN = 14.0
"""Pixels beside the first and the last frame, so that their handles can be caught."""
RULER, STRIP, GAP = 18.0, 18.0, 6.0
CATCH = 9.0
"""Pixels within which a handle is caught."""
JUMP = 10
"""Frames that Page Up and Page Down go."""


class Presence(Enum):
    """What is known of the shown person in a frame."""

    SEEN = "seen"
    FILLED = "filled"
    MISSING = "missing"


@dataclass(frozen=True)
class Curve:
    """Numbers over the frames."""

    name: str
    unit: str
    values: np.ndarray
    """(T,) float; NaN where there is none."""
    before: np.ndarray | None = None
    """(T,) the same before smoothing, drawn behind."""
    limit: float | None = None
    """What is above is drawn in the colour of a warning."""


@dataclass(frozen=True)
class Track:
    """What is drawn."""

    times: np.ndarray
    """(T,) seconds from the start of the take."""
    presence: tuple[Presence, ...]
    curves: tuple[Curve, ...] = ()


class TakeTrack(QWidget):
    """`frame_wanted` while it is scrubbed; `range_wanted(first, last)`, both kept, while it is trimmed."""

    frame_wanted = Signal(int)
    range_wanted = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(120)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Time line of the take")
        self.theme: Theme = DARK
        self.track: Track | None = None
        self.frame = 0
        self.first = self.last = 0
        self._held = ""
        """What the mouse holds: "frame", "first" or "last"."""

    def set_theme(self, theme: Theme) -> None:
        """Colours."""
        self.theme = theme
        self.update()

    def set_track(self, track: Track | None) -> None:
        """Show another take, person or set of curves; range and frame are told apart."""
        self.track = track
        self.update()

    def set_range(self, first: int, last: int) -> None:
        """Frames that are kept, both included."""
        self.first, self.last = first, last
        self.update()

    def set_frame(self, frame: int) -> None:
        """The frame that is shown."""
        self.frame = frame
        if self.track is not None:
            seconds = self.track.times[frame]
            self.setAccessibleDescription(f"Frame {frame + 1} of {len(self.track.times)}, {seconds:.2f} s")
        self.update()

    # Where things are

    def x_of(self, frame: int) -> float:
        """Pixels from the left of a frame's middle."""
        if self.track is None or len(self.track.times) < 2:
            return self.width() / 2
        times = self.track.times
        share = (times[frame] - times[0]) / (times[-1] - times[0])
        return float(MARGIN + share * (self.width() - 2 * MARGIN))

    def frame_at(self, x: float) -> int:
        """The frame nearest to a place."""
        if self.track is None:
            return 0
        times = self.track.times
        share = (x - MARGIN) / max(self.width() - 2 * MARGIN, 1.0)
        return int(np.abs(times - (times[0] + share * (times[-1] - times[0]))).argmin())

    def xs(self) -> np.ndarray:
        """(T,) pixels of all frames."""
        assert self.track is not None
        times = self.track.times - self.track.times[0]
        length = float(times[-1]) or 1.0
        return np.asarray(MARGIN + times / length * (self.width() - 2 * MARGIN))

    def strip(self) -> QRectF:
        """The row of frames; its ends are the handles."""
        return QRectF(MARGIN, self.height() - STRIP - 4, self.width() - 2 * MARGIN, STRIP)

    def lanes(self) -> list[QRectF]:
        """One row for each curve, between ruler and strip."""
        count = len(self.track.curves) if self.track else 0
        top, bottom = RULER + GAP, self.strip().top() - GAP
        height = (bottom - top - GAP * max(count - 1, 0)) / max(count, 1)
        width = self.width() - 2 * MARGIN
        return [QRectF(MARGIN, top + row * (height + GAP), width, height) for row in range(count)]

    def handle(self, end: str) -> QPointF:
        """Where to catch the trim's "first" or "last" frame."""
        x = self.x_of(self.first if end == "first" else self.last)
        return QPointF(x + (-4 if end == "first" else 4), self.strip().center().y())

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ruler, curves, strip, handles, play head."""
        if self.track is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        xs = self.xs()
        paint_ruler(painter, self.track.times, xs, QRectF(0, 0, self.width(), RULER), self.theme)
        for lane, curve in zip(self.lanes(), self.track.curves, strict=True):
            paint_curve(painter, xs, curve, lane, self.theme)
        strip, ends = self.strip(), (float(xs[self.first]), float(xs[self.last]))
        paint_strip(painter, xs, self.track.presence, strip, self.theme)
        paint_handles(painter, ends, strip, QRectF(0, RULER, self.width(), self.height()), self.theme)
        for lane, curve in zip(self.lanes(), self.track.curves, strict=True):
            paint_words(painter, curve, lane, self.frame, self.theme)
        paint_head(painter, float(xs[self.frame]), self.height(), self.theme, focused=self.hasFocus())
        painter.end()

    # Mouse and keys

    def _under(self, spot: QPointF) -> str:
        """What a press at a spot would take."""
        if self.track is not None and spot.y() >= self.strip().top() - 2:
            for end in ("first", "last"):
                if abs(spot.x() - self.handle(end).x()) <= CATCH:
                    return end
        return "frame"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a handle, or go to a frame."""
        if self.track is not None and event.button() == Qt.MouseButton.LeftButton:
            self._held = self._under(event.position())
            self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what is held."""
        if self._held:
            self._drag(event.position().x())
            return
        over = self._under(event.position()) != "frame"
        self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._held = ""

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere."""
        self.unsetCursor()
        super().leaveEvent(event)

    def _drag(self, x: float) -> None:
        frame = self.frame_at(x)
        if self._held == "frame":
            self.frame_wanted.emit(frame)
        elif self._held == "first":
            self.range_wanted.emit(min(frame, self.last), self.last)
        elif self._held == "last":
            self.range_wanted.emit(self.first, max(frame, self.first))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows by one frame, Page Up and Down by ten, Home and End to the ends of the trim."""
        key, keys = event.key(), Qt.Key
        wanted = {
            int(keys.Key_Left): self.frame - 1,
            int(keys.Key_Right): self.frame + 1,
            int(keys.Key_PageUp): self.frame - JUMP,
            int(keys.Key_PageDown): self.frame + JUMP,
            int(keys.Key_Home): self.first,
            int(keys.Key_End): self.last,
        }
        if self.track is None or key not in wanted:
            super().keyPressEvent(event)
            return
        self.frame_wanted.emit(max(0, min(len(self.track.times) - 1, wanted[key])))
