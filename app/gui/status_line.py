"""The status bar: what is going on, and what it costs."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from app.gui.model_info import ModelInfo
from app.gui.theme import DARK, Theme
from app.gui.widgets import ElidedLabel, label
from app.pipeline.frames import Record
from app.pipeline.worker import Status, WorkerState

STAGES = ("grab", "detect", "encode", "regress", "study", "draw")
TRUTH_TIP = "Error of the shown mesh against the source's ground truth; of a case, as it was measured then"
WINDOW = 2.0
"""Seconds over which frames are counted."""
TELL_EVERY = 0.2
"""Seconds between two texts while frames run: each lays out the whole line anew."""

_STATES = {
    WorkerState.IDLE: ("Ready", "muted"),
    WorkerState.OPENING: ("Opening", "warning"),
    WorkerState.RUNNING: ("Running", "success"),
    WorkerState.PAUSED: ("Paused", "accent"),
    WorkerState.ENDED: ("Finished", "muted"),
    WorkerState.FAULTED: ("Stopped", "danger"),
}


class _Light(QWidget):
    """A small lamp."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(22, 14)
        self.colour = QColor("#888888")

    def paintEvent(self, event: QPaintEvent) -> None:
        """A disc with a soft halo."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(0, 0, 0, 0))
        halo = QColor(self.colour)
        halo.setAlphaF(0.25)
        painter.setBrush(halo)
        painter.drawEllipse(9, 1, 12, 12)
        painter.setBrush(self.colour)
        painter.drawEllipse(12, 4, 6, 6)
        painter.end()


class StatusLine(QStatusBar):
    """State and message on the left; device, model, rate and latency on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._theme: Theme = DARK
        self._state = WorkerState.IDLE
        self._sentence = ""
        self._place = self._take = ""
        self._info: ModelInfo | None = None
        self._engine = ""
        self._shown: deque[float] = deque()
        self._told_at = -TELL_EVERY
        self._light = _Light()
        self.message = ElidedLabel("Ready")
        self.model = _model_button()
        self.rate = label("", tip="Frames shown per second")
        self.latency = label("", tip="Milliseconds for each stage of the newest frame")
        self.addWidget(self._light)
        self.addWidget(self.message, 1)
        self.truth = label("", tip=TRUTH_TIP)
        self.truth.hide()
        self.addPermanentWidget(self.truth)
        self.addPermanentWidget(self.model)
        for part in (self.rate, self.latency):
            part.setContentsMargins(10, 0, 0, 0)
            self.addPermanentWidget(part)

    @property
    def sentence(self) -> str:
        """What the worker says; empty when there is nothing to say but its state."""
        return self._sentence

    def set_theme(self, theme: Theme) -> None:
        """The lamp in the theme's colours."""
        self._theme = theme
        self._light.colour = QColor(theme.colour("accent" if self._take else _STATES[self._state][1]))
        self._light.update()

    def set_status(self, status: Status) -> None:
        """State and the worker's sentence."""
        self._state = status.state
        self._sentence = status.message
        self._tell()
        if status.state is not WorkerState.RUNNING:
            self._shown.clear()
            self.rate.setText("")
        self.set_theme(self._theme)

    def _tell(self) -> None:
        name = _STATES[self._state][0]
        seen = self._state in (WorkerState.RUNNING, WorkerState.PAUSED, WorkerState.ENDED)
        place = f"{name}   ·   {self._place}" if seen and self._place else name
        self.message.setText(self._take or self._sentence or place)

    def show_take(self, sentence: str) -> None:
        """What of a take is looked at, in the place of the source; empty: the source again."""
        changed = bool(sentence) != bool(self._take)
        self._take = sentence
        self._tell()
        if changed:
            for part in (self.rate, self.latency):
                part.setVisible(not sentence)
            self.truth.setVisible(not sentence and bool(self.truth.text()))
            self.set_theme(self._theme)

    def set_model_info(self, info: ModelInfo) -> None:
        """Device, engine and model."""
        self._info, self._engine = info, info.engine() if info.engine else ""
        body = "" if info.body == "free body" else f"   ·   {info.body}"
        self.model.setText(f"{info.device}   ·   {info.title}{body}")
        digest = f"SHA-256 {info.sha256}" if info.sha256 else "no weight file"
        engine = f" by {self._engine}" if self._engine else ""
        where = f"Device {info.device}{engine}, model {info.model_name} over the {info.body}"
        self.model.setToolTip(f"{where}\n{digest}\nClick for all models")

    def _follow_engine(self) -> None:
        """A faster engine takes over while frames run."""
        info = self._info
        if info is not None and info.engine is not None and info.engine() != self._engine:
            self.set_model_info(info)

    def set_record(self, record: Record, draw_ms: float, now: float | None = None) -> None:
        """Count a shown record and print its stages."""
        now = time.monotonic() if now is None else now
        self._shown.append(now)
        while now - self._shown[0] > WINDOW:
            self._shown.popleft()
        running = self._state is WorkerState.RUNNING
        if running and 0 <= now - self._told_at < TELL_EVERY:
            return
        self._told_at = now
        self._follow_engine()
        self._place = f"{Path(record.frame.source).name}   ·   frame {record.frame.index + 1:,}"
        self._tell()
        if running and len(self._shown) > 1:
            span = max(self._shown[-1] - self._shown[0], 1e-6)
            self.rate.setText(f"{(len(self._shown) - 1) / span:.0f} fps")
        timings = {**record.timings, "draw": draw_ms}
        parts = [f"{stage} {timings[stage]:.0f}" for stage in STAGES if stage in timings]
        self.latency.setText("   ".join(parts) + " ms ")

    def set_truth(self, sentence: str) -> None:
        """Errors against ground truth; hidden where there is none."""
        self.truth.setText(sentence)
        self.truth.setVisible(bool(sentence) and not self._take)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that can be read, for tests."""
        labels: tuple[QLabel | QToolButton, ...] = (self.message, self.model, self.rate, self.latency)
        return tuple(item.text() for item in labels)


def _model_button() -> QToolButton:
    """Device, model and hash; it opens the Models page."""
    button = QToolButton()
    button.setObjectName("status")
    button.setText("No model yet")
    button.setToolTip("Device, model and the start of its SHA-256\nClick for all models")
    button.setAccessibleName("Models")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
