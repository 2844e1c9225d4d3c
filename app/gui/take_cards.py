"""The cards beside a take: what it is, smoothing, gaps, and the fit of the body."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from app.gui.selection_panel import FactsCard
from app.gui.settings import LARGEST, Settings
from app.gui.theme import Theme
from app.gui.widgets import Card, PercentSlider, label, push_button

SMOOTH_TIP = "Show the smoothed take, or what the network gave frame by frame (S)"
STRENGTH_TIP = (
    "One-Euro filter: how much a slow movement is calmed; fast ones are followed closely at any strength\n"
    "Only the view and the export are smoothed, the file stays as it was recorded."
)
ACCELERATION_TIP = (
    "Mean acceleration of the joints, in mm from frame to frame to frame: a body at rest has none, "
    "trembling has much.\nLeft as recorded, right as shown."
)
GAP_TIP = "Frames in which the person was not found are filled from those around, if there are not more"


class TakeFacts(FactsCard):
    """What was recorded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "Length": "Time from the first to the last frame, and how many there are a second",
            "Frames": "Frames of the take",
            "People": "Different people in the take",
            "Size": "Of the file on the disk",
            "Model": "The network that made it, and the first digits of its SHA-256",
            "Body": "The mesh that it makes",
        }
        super().__init__("Recorded", rows, parent)


class SmoothCard(Card):
    """`changed(strength)` with 0 for raw."""

    changed = Signal(float)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__("Smoothing", parent)
        self.switch = QToolButton()
        self.switch.setObjectName("view")
        self.switch.setCheckable(True)
        self.switch.setToolTip(SMOOTH_TIP)
        self.switch.setAccessibleName("Smoothed")
        self.header.addWidget(self.switch)
        self.strength = PercentSlider(STRENGTH_TIP, settings.take_smooth, 0)
        self.strength.setMinimumWidth(120)
        self.strength.setMaximumWidth(400)
        self.amount = label("", "value", STRENGTH_TIP)
        self.acceleration = label("–", "value", ACCELERATION_TIP)
        self.change = label("", "small", ACCELERATION_TIP)
        top = QHBoxLayout()
        top.addWidget(label("Strength", "", STRENGTH_TIP))
        top.addStretch(1)
        top.addWidget(self.amount)
        bottom = QHBoxLayout()
        bottom.addWidget(label("Acceleration", "muted", ACCELERATION_TIP))
        bottom.addStretch(1)
        bottom.addWidget(self.acceleration)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(3)
        column.addLayout(top)
        column.addWidget(self.strength)
        column.addLayout(bottom)
        column.addWidget(self.change)
        self.body.addLayout(column)
        self.switch.setChecked(settings.take_smoothed)
        self.switch.toggled.connect(self._tell)
        self.strength.valueChanged.connect(self._turned)
        self._show()

    @property
    def value(self) -> float:
        """The strength that is wanted in [0, 1]; 0 while raw is shown."""
        return self.strength.share if self.switch.isChecked() else 0.0

    def _turned(self) -> None:
        """Who turns the slider wants to see it."""
        if not self.switch.isChecked() and self.strength.value() > 0:
            self.switch.setChecked(True)
        else:
            self._tell()

    def _tell(self) -> None:
        self._show()
        self.changed.emit(self.value)

    def _show(self) -> None:
        on = self.switch.isChecked()
        self.switch.setText("Smoothed" if on else "Raw")
        self.amount.setText(f"{self.strength.value()} %" if on else "raw")

    def show_acceleration(self, before: float | None, after: float | None) -> None:
        """Of the person whose curves are shown, in mm per frame²."""
        if before is None or after is None:
            self.acceleration.setText("–")
            self.change.setText("")
            return
        self.acceleration.setText(f"{before:.1f} → {after:.1f} mm/f²")
        calmer = 1 - after / before if before > 0 else 0.0
        self.change.setText(f"{calmer * 100:.0f} % calmer than recorded" if calmer > 0.005 else "As recorded")

    def set_theme(self, theme: Theme) -> None:
        """Nothing here is painted by hand."""

    def remember(self, settings: Settings) -> None:
        """Write the controls into the settings."""
        settings.take_smooth, settings.take_smoothed = self.strength.share, self.switch.isChecked()


class GapCard(Card):
    """`changed(frames)`: the longest gap that is filled."""

    changed = Signal(int)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__("Gaps", parent)
        self.longest = PercentSlider(GAP_TIP, 0.0, 0)
        self.longest.setRange(0, LARGEST["take_gap"])
        self.longest.setValue(settings.take_gap)
        self.longest.setMinimumWidth(120)
        self.longest.setMaximumWidth(400)
        self.amount = label("", "value", GAP_TIP)
        self.found = label("", "small", "Gaps of the person whose frames are shown")
        self.found.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(label("Fill up to", "", GAP_TIP))
        top.addStretch(1)
        top.addWidget(self.amount)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(3)
        column.addLayout(top)
        column.addWidget(self.longest)
        column.addWidget(self.found)
        self.body.addLayout(column)
        self.longest.valueChanged.connect(self._turned)
        self._show()

    def _turned(self) -> None:
        self._show()
        self.changed.emit(self.longest.value())

    def _show(self) -> None:
        value = self.longest.value()
        self.amount.setText("none" if value == 0 else f"{value} frame{'s' * (value != 1)}")

    def show_gaps(self, filled: int, missing: int) -> None:
        """Frames of the shown person."""
        if filled == missing == 0:
            self.found.setText("Seen in every frame.")
            return
        parts = []
        if filled:
            parts.append(f"{filled} frame{'s' * (filled != 1)} filled")
        if missing:
            parts.append(f"{missing} without the person")
        self.found.setText(", ".join(parts))

    def set_theme(self, theme: Theme) -> None:
        """Nothing here is painted by hand."""

    def remember(self, settings: Settings) -> None:
        """Write the control into the settings."""
        settings.take_gap = self.longest.value()


class FitCard(FactsCard):
    """How well a posed body repeats the predicted mesh."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = "Mean distance between the predicted vertices and those of the body posed by its skeleton"
        rows = {
            "This frame": tip,
            "Mean": f"{tip}, over all kept frames",
            "Worst": f"{tip}, in the worst frame; a click on Go shows it",
        }
        super().__init__("Body fit", rows, parent)
        self.button = push_button("Fit the body", "Find the pose of a skeleton in every frame (B)")
        self.worst = push_button("Go to the worst frame", "Show the frame where the skeleton fits least")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the fit")
        self.note = label("Skinned files need a skeleton; it is fitted when it is first asked for.", "small")
        self.note.setWordWrap(True)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(6)
        for widget in (self.note, self.progress, self.button, self.worst):
            column.addWidget(widget)
        self.body.addLayout(column)
        self.progress.hide()
        self.worst.hide()

    def set_theme(self, theme: Theme) -> None:
        """Nothing here is painted by hand."""
