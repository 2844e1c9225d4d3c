"""The curves of a source, frame by frame: confidence, ambiguity, motion, and the flagged frames.

pyqtgraph is imported by the warm-up's thread; until then the card is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.gui.theme import DARK, Theme
from app.gui.widgets import Card, label
from app.pipeline.history import Failure, History


class Curve(NamedTuple):
    """How a measure is drawn: colours alone would not tell the curves apart to everybody."""

    name: str
    """Of the measure."""
    words: str
    role: str
    """Colour of the theme."""
    style: Qt.PenStyle
    width: float
    """Pixels; lines that are broken and not 1 wide take Qt a second for long clips."""
    glyph: str
    """Of the legend."""


CURVES = (
    Curve("confidence", "confidence", "accent", Qt.PenStyle.SolidLine, 1.6, "━"),
    Curve("ambiguity", "ambiguity", "warning", Qt.PenStyle.DashLine, 1.0, "╌╌"),
    Curve("jerk", "motion (jerk)", "success", Qt.PenStyle.DotLine, 1.0, "····"),
)
CALM_JERK = 200.0
"""m/s³ that the scale of motion holds at least, so that rest looks like rest."""
TIP = (
    "Confidence, ambiguity and motion of the shown person by frame; red: flagged.\n"
    "Click or drag to go there; arrow keys step, Page keys jump by ten, Home and End go to the ends."
)
HEIGHT = 118
_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10}


class Timeline(Card):
    """`sought` carries the number of the frame that somebody wants to see."""

    sought = Signal(int)
    shown = Signal()
    """It can be seen again: what happened meanwhile is not drawn yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Timeline", parent)
        self._theme: Theme = DARK
        self._plot: Any = None
        self._lines: dict[str, Any] = {}
        self._here = 0
        self._ends = (0, 0)
        self.legend = label("", "small", TIP)
        self.place = label("", "small", "Number of the shown frame")
        self.header.insertWidget(1, self.legend)
        self.header.addWidget(self.place)
        self.setFixedHeight(HEIGHT)

    @property
    def viewport(self) -> QWidget | None:
        """What takes the clicks, once it is there."""
        return None if self._plot is None else self._plot.viewport()

    def enable(self) -> None:
        """pyqtgraph is there: make the plot."""
        if self._plot is not None:
            return
        import pyqtgraph as pg

        self._plot = plot = pg.PlotWidget(background=None)
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        plot.hideButtons()
        plot.hideAxis("left")
        plot.getAxis("bottom").setHeight(18)
        plot.setYRange(-0.12, 1.06, padding=0)
        plot.setToolTip(TIP)
        plot.setAccessibleName("Timeline")
        plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lines = {curve.name: plot.plot(connect="finite") for curve in CURVES}
        self._flags = pg.ScatterPlotItem(size=7, symbol="s", pen=None)
        self._cursor = pg.InfiniteLine(0, angle=90)
        plot.addItem(self._flags)
        plot.addItem(self._cursor)
        plot.installEventFilter(self)
        plot.viewport().installEventFilter(self)
        self.body.addWidget(plot)
        self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the curves."""
        self._theme = theme
        words = (
            f'<span style="color:{getattr(theme, curve.role)}">{curve.glyph}</span> {curve.words}'
            for curve in CURVES
        )
        self.legend.setText("&nbsp;&nbsp; ".join(words))
        if self._plot is None:
            return
        import pyqtgraph as pg

        for curve in CURVES:
            pen = pg.mkPen(getattr(theme, curve.role), width=curve.width, style=curve.style)
            self._lines[curve.name].setPen(pen)
        self._flags.setBrush(pg.mkBrush(theme.danger))
        self._cursor.setPen(pg.mkPen(theme.text, width=1.2))
        self._plot.setBackground(theme.panel)
        axis = self._plot.getAxis("bottom")
        axis.setPen(pg.mkPen(theme.border))
        axis.setTickPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.muted))

    def show_history(
        self, history: History, failures: Sequence[Failure], person_id: int | None, here: int | None
    ) -> None:
        """Draw everything anew; `failures` are all of the history's, `here` is the shown frame."""
        if self._plot is None or not self.isVisible():
            return
        for curve in CURVES:
            numbers, values = history.curve(curve.name, person_id)
            if curve.name == "jerk":
                values = values / max(float(np.nanmax(values, initial=0.0)), CALM_JERK)
            self._lines[curve.name].setData(numbers, values)
        flagged = sorted({failure.index for failure in failures})
        self._flags.setData(flagged, [-0.05] * len(flagged))
        if len(history):
            self._ends = history.moments[0].index, history.moments[-1].index
            self._plot.setXRange(self._ends[0], max(self._ends[1], self._ends[0] + 1), padding=0.01)
        self.show_place(here)

    def show_place(self, here: int | None) -> None:
        """Move the line."""
        self._here = 0 if here is None else here
        self.place.setText("" if here is None else f"frame {here + 1:,}")
        if self._plot is not None:
            self._cursor.setValue(self._here)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what happened meanwhile."""
        super().showEvent(event)
        self.shown.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Clicks and drags on the plot, keys while it has the focus."""
        if isinstance(event, QMouseEvent) and watched is self.viewport:
            pressed = event.type() == QEvent.Type.MouseButtonPress
            if pressed or (event.type() == QEvent.Type.MouseMove and event.buttons()):
                self._seek(self._frame_at(event.position().x()))
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        ends = {Qt.Key.Key_Home: self._ends[0], Qt.Key.Key_End: self._ends[1]}
        if key not in _KEYS and key not in ends:
            return False
        self._seek(ends[key] if key in ends else self._here + _KEYS[key])
        return True

    def _frame_at(self, x: float) -> int:
        scene = self._plot.mapToScene(round(x), 0)
        return round(self._plot.getPlotItem().vb.mapSceneToView(scene).x())

    def position_of(self, index: int) -> float:
        """Where a frame is in the viewport, in pixels from the left."""
        from PySide6.QtCore import QPointF

        scene = self._plot.getPlotItem().vb.mapViewToScene(QPointF(index, 0.5))
        return float(self._plot.mapFromScene(scene).x())

    def _seek(self, index: int) -> None:
        wanted = min(max(index, self._ends[0]), self._ends[1])
        if wanted != self._here:
            self.show_place(wanted)
            self.sought.emit(wanted)
