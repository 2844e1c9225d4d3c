"""The cards beside a take: what it is, what is done to every frame, and how well a skeleton fits it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from app.export.take_options import LARGE_RESIDUAL
from app.gui.selection_panel import FactsCard
from app.gui.settings import Settings
from app.gui.widgets import Card, PercentSlider, label, push_button
from app.takes.edit import SHORT_GAP, Edit

SMOOTH_TIP = "Show the smoothed take, or what the network gave frame by frame (S)"
STRENGTH_TIP = (
    "One-Euro filter: how much slow movements are calmed; fast ones are followed closely at any strength.\n"
    "The view and what is exported are smoothed, the file stays as it was recorded."
)
ACCELERATION_TIP = (
    "Mean acceleration of the joints: a body at rest has none, trembling has much.\n"
    "As recorded, and as it is shown."
)
FILL_TIP = (
    f"Frames in which the person was not found are filled from those around, for up to {SHORT_GAP:g} s (G)"
)
FIT_TIP = "Mean distance between the vertices of the take and those of the body that a skeleton poses"
FIT_NOTE = "Skinned files need a skeleton: here is how far it is from the meshes as they were recorded."
LARGE_NOTE = (
    "A skeleton shows these meshes only roughly. Where they must be exact, export a shape for each frame."
)


class TakeFacts(FactsCard):
    """What was recorded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "Length": "Time from the first to the last frame, and how many there are a second",
            "Frames": "Frames of the take",
            "People": "Different people in the take",
            "Seen": "Frames in which the shown person was found",
            "Size": "Of the file on the disk",
            "Model": "The network that made it, and the first digits of its SHA-256",
            "Body": "The mesh that it makes",
        }
        super().__init__("Recorded", rows, parent)


class EditCard(Card):
    """Smoothing and gaps; `changed` when something else is wanted."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__("Smoothing and gaps", parent)
        self.smooth = _switch(SMOOTH_TIP, settings.take_smoothed)
        self.fill = _switch(FILL_TIP, settings.take_fill)
        self.strength = PercentSlider(STRENGTH_TIP, settings.take_strength)
        self.strength.setMinimumWidth(120)
        self.strength.setMaximumWidth(400)
        self.amount = label("", "value", STRENGTH_TIP)
        self.acceleration = label("–", "value", ACCELERATION_TIP)
        self.calmer = label("", "small", ACCELERATION_TIP)
        self.gaps = label("", "small", "Of the person whose frames the time line shows")
        self._lay_out()
        self.smooth.toggled.connect(self._tell)
        self.fill.toggled.connect(self._tell)
        self.strength.valueChanged.connect(self._turned)
        self._show()

    def _lay_out(self) -> None:
        rows = (
            (label("Strength", "muted", STRENGTH_TIP), self.amount, self.smooth),
            (self.strength,),
            (label("Acceleration", "muted", ACCELERATION_TIP), self.acceleration),
            (self.calmer,),
            (label("Short gaps", "muted", FILL_TIP), self.fill),
            (self.gaps,),
        )
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(4)
        for row in rows:
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addWidget(row[0], 1 if len(row) == 1 else 0)
            if len(row) > 1:
                line.addStretch(1)
            for widget in row[1:]:
                line.addWidget(widget)
            column.addLayout(line)
        self.body.addLayout(column)

    @property
    def edit(self) -> Edit:
        """What is wanted."""
        return Edit(self.strength.share if self.smooth.isChecked() else 0.0, self.fill.isChecked())

    def _turned(self) -> None:
        """Who turns the slider wants to see it."""
        if not self.smooth.isChecked() and self.strength.value() > 0:
            self.smooth.setChecked(True)
        else:
            self._tell()

    def _tell(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self.smooth.setText("Smoothed" if self.smooth.isChecked() else "Raw")
        self.fill.setText("Filled" if self.fill.isChecked() else "Left open")
        self.amount.setText(f"{self.strength.value()} %")

    def show_acceleration(self, before: float, after: float) -> None:
        """Of the person whose curves are shown, in m/s², before and after; NaN where it is not known."""
        if not np.isfinite([before, after]).all():
            self.acceleration.setText("–")
            self.calmer.setText("Too few frames in a row to tell.")
            return
        share = 1 - after / before if before > 0 else 0.0
        same = abs(share) < 0.005
        self.acceleration.setText(f"{before:.1f} m/s²" if same else f"{before:.1f} → {after:.1f} m/s²")
        self.calmer.setText(
            "As it was recorded."
            if same
            else f"{abs(share):.0%} {'less' if share > 0 else 'more'} than recorded."
        )

    def show_gaps(self, filled: int, missing: int) -> None:
        """Frames of the shown person."""
        parts = [f"{filled} frame{'s' * (filled != 1)} filled"] if filled else []
        parts += [f"{missing} without the person"] if missing else []
        self.gaps.setText(", ".join(parts).capitalize() + "." if parts else "Seen in every frame.")

    def remember(self, settings: Settings) -> None:
        """Write the controls into the settings."""
        settings.take_strength, settings.take_smoothed = self.strength.share, self.smooth.isChecked()
        settings.take_fill = self.fill.isChecked()


class FitCard(FactsCard):
    """How well a body that is posed by a skeleton repeats the meshes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "This frame": FIT_TIP,
            "Mean": f"{FIT_TIP}, over the kept frames",
            "Worst": f"{FIT_TIP}, in the worst of the kept frames",
        }
        super().__init__("Skeleton off the meshes", rows, parent)
        self.note = label(FIT_NOTE, "small")
        self.note.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the measurement")
        self.measure = push_button("Measure", "Fit a skeleton to every frame; nothing is written")
        self.worst = push_button("Show the worst", "Go to the frame in which the skeleton fits least")
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 10)
        column.setSpacing(6)
        for widget in (self.note, self.progress, self.measure, self.worst):
            column.addWidget(widget)
        self.body.addLayout(column)
        self.show_busy(None)
        self.worst.hide()

    def show_busy(self, part: float | None) -> None:
        """So much is done; None: nothing is being measured."""
        self.progress.setVisible(part is not None)
        self.measure.setEnabled(part is None)
        self.progress.setRange(0, 100)
        self.progress.setValue(round(100 * (part or 0.0)))

    def show_misses(self, misses: np.ndarray | None, frame: int, kept: tuple[int, int]) -> None:
        """(N,) millimetres of the shown person in every frame, NaN where there are none; None: unknown."""
        known = misses is not None and bool(np.isfinite(misses).any())
        self.worst.setVisible(known)
        self.measure.setVisible(misses is None)
        if misses is None or not known:
            self.fill({})
            self.note.setText(FIT_NOTE)
            return
        inside = misses[kept[0] : kept[1] + 1]
        inside = inside[np.isfinite(inside)]
        here = f"{misses[frame]:.1f} mm" if np.isfinite(misses[frame]) else "–"
        facts = {"This frame": here}
        if len(inside):
            facts |= {"Mean": f"{inside.mean():.1f} mm", "Worst": f"{inside.max():.1f} mm"}
        self.fill(facts)
        self.note.setText(LARGE_NOTE if len(inside) and inside.mean() >= LARGE_RESIDUAL else FIT_NOTE)


def _switch(tip: str, on: bool) -> QToolButton:
    button = QToolButton()
    button.setObjectName("view")
    button.setCheckable(True)
    button.setChecked(on)
    button.setToolTip(tip)
    button.setAccessibleName(tip.split("\n")[0])
    return button
