"""A/B in the masking panel: pin these masks as A, and read how far the mesh moves from there."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.gui.layout import set_checked
from app.gui.widgets import label
from app.pipeline.frames import Hops

PIN_TIP = (
    "Keep these masks as A and compare the masks that follow, B, with them (Shift+A)\n"
    "Colour the mesh by Change (mm) to see where it moves."
)
UNPIN_TIP = "Forget A (Shift+A)"
SHOW_TIP = "Show A's mesh instead of B's while this is down (A)"
CHANGE_TIP = (
    "Distance between the vertices of A's mesh and of B's, both centred on the hips: mean and largest"
)


def masks_text(hops: Hops) -> str:
    """Four thresholds in a row, as the presets show them."""
    return " · ".join("off" if h is None else str(h) for h in hops)


class CompareBox(QWidget):
    """`pinned` carries whether A is to be kept, `peeked` whether its mesh is to be shown."""

    pinned = Signal(bool)
    peeked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pin = QPushButton("Pin as A")
        self.peek = QPushButton("Show A")
        self.peek.setToolTip(SHOW_TIP)
        self.masks = label("", "small", "The masks of A")
        self.numbers = label("", "value", CHANGE_TIP)
        self.numbers.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in (self.pin, self.peek):
            button.setObjectName("preset")
            button.setCheckable(True)
            button.setAutoDefault(False)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(5)
        column.addLayout(row)
        column.addWidget(self.masks)
        column.addWidget(self.numbers)
        self.pin.toggled.connect(self.pinned)
        self.peek.toggled.connect(self.peeked)
        self.set_baseline(None)

    def set_baseline(self, hops: Hops | None, *, plain: bool = False) -> None:
        """Show which masks A has, or that there is none."""
        on = hops is not None
        set_checked(self.pin, on)
        if not on:
            self.peek.setChecked(False)
        self.pin.setText("Unpin A" if on else "Pin as A")
        self.pin.setToolTip(UNPIN_TIP if on else PIN_TIP)
        self.peek.setEnabled(on)
        self.masks.setText(f"A:  {masks_text(hops)}{', not isolated' * plain}" if hops is not None else "")
        self.show_change(None)
        for widget in (self.masks, self.numbers):
            widget.setVisible(on)

    def show_change(self, millimetres: tuple[float, float] | None) -> None:
        """Mean and largest displacement of the shown person, or that they are not known."""
        mean, most = ("–", "–") if millimetres is None else (f"{mm:.1f}" for mm in millimetres)
        self.numbers.setText(f"Change: mean {mean} mm, max {most} mm")
