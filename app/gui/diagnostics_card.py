"""What was measured of the shown person, in plain words, and what about it is out of range."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.gui.widgets import Card, label
from app.pipeline.diagnostics import BY_NAME, ERROR, MEASURES, RISK, Diagnostics

FINE, UNKNOWN = "fine", "–"
NOT_EXAMINED = "Nobody was examined in this frame."
ALL_FINE = "Everything is in range."
NO_ESTIMATE = "unknown"
NO_ESTIMATE_TIP = (
    "No estimate was trained for these weights, and the limits below are another network's:\n"
    "pointhmr benchmark diagnostics --calibrate measures them"
)
RISK_TIP = "Probability that the mesh is broken (PA-MPJPE above 120 mm), by all measures together"


class DiagnosticsCard(Card):
    """One row a measure: its name, its number, and a word on it; the reasons of the flags above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Diagnostics", parent)
        self.reasons = label(NOT_EXAMINED, "small", "Why this reconstruction is flagged")
        self.reasons.setWordWrap(True)
        self.reasons.setAccessibleName("Reasons of the flags")
        grid = QGridLayout()
        grid.setContentsMargins(12, 0, 12, 10)
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(9)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.reasons, 0, 0, 1, 3)
        self.values: dict[str, QLabel] = {}
        self.words: dict[str, QLabel] = {}
        rows = [(RISK, "Risk", RISK_TIP), *((m.name, m.title, m.meaning) for m in MEASURES)]
        for row, (name, title, tip) in enumerate(rows, start=1):
            value, word = label(UNKNOWN, "value", tip), label("", "small", tip)
            grid.addWidget(label(title, "muted", tip), row, 0)
            grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(word, row, 2)
            self.values[name], self.words[name] = value, word
        grid.setColumnMinimumWidth(2, 52)
        self.body.addLayout(grid)

    def show_diagnostics(self, told: Diagnostics | None) -> None:
        """Fill in what was measured."""
        reasons = [flag.reason for flag in told.flags] if told is not None else []
        self.reasons.setText("\n".join(reasons) or (NOT_EXAMINED if told is None else ALL_FINE))
        _role(self.reasons, "alarm" if reasons else "small")
        flagged = {flag.kind for flag in told.flags} if told is not None else set()
        for name, value in self.values.items():
            number = told.value(name) if told is not None else None
            value.setText(UNKNOWN if number is None else _text(name, number))
            high = name == RISK or BY_NAME[name].bad == "high"
            bad = name in flagged
            word = ("too high" if high else "too low") if bad else "" if number is None else FINE
            self.words[name].setText(word)
            if name == ERROR:
                unknown = told is not None and number is None
                self.words[name].setText(NO_ESTIMATE if unknown else word)
                self.words[name].setToolTip(NO_ESTIMATE_TIP if unknown else BY_NAME[ERROR].meaning)
            for widget in (value, self.words[name]):
                _role(widget, "alarm" if bad else "value" if widget is value else "small")


def _text(name: str, number: float) -> str:
    return f"{number * 100:.0f} %" if name == RISK else BY_NAME[name].show(number)


def _role(widget: QLabel, role: str) -> None:
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
