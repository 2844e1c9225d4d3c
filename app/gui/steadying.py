"""The switch and the strength of live smoothing, in the title row of the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.gui.layout import shortcut
from app.gui.settings import Settings
from app.gui.widgets import IconButton, PercentSlider

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

TIP = (
    "Smooth clips and cameras over time (S); takes keep the raw results.\n"
    "A standing frame under other masks, and a comparison with A, are never smoothed"
)
STRENGTH_TIP = "How much is smoothed: 100 % lags some 0.07 s behind"
WIDTH = 50


class Steadying(QObject):
    """Tells the worker of one window how much to smooth."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._worker = window, window.worker
        self.switch = IconButton("steady", TIP, checkable=True)
        self.switch.setChecked(window.settings.steady)
        self.strength = PercentSlider(STRENGTH_TIP, window.settings.steadiness, WIDTH)
        header = window.parts.mesh.header
        for place, widget in enumerate((self.switch, self.strength), start=2):
            header.insertWidget(place, widget)
        header.insertSpacing(4, 6)
        window.parts.mesh.spare.append(self.strength)
        shortcut(window, "Smoothed or raw, live or of a take", "S", self._toggle)
        self.switch.toggled.connect(self.tell)
        self.strength.valueChanged.connect(self.tell)
        window.themes.changed.connect(self.switch.set_theme)

    def _toggle(self) -> None:
        """The switch of what is looked at."""
        window = self._window
        (window.parts.take.edits.smooth if window.takes.on_page else self.switch).click()

    def tell(self) -> None:
        """Ask the worker for what the controls say."""
        self.strength.setEnabled(self.switch.isChecked())
        self._worker.set_smoothing(self.strength.share if self.switch.isChecked() else 0.0)

    def remember(self, settings: Settings) -> None:
        """Write the controls into the settings."""
        settings.steady, settings.steadiness = self.switch.isChecked(), self.strength.share
