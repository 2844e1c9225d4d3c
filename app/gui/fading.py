"""The switch for drawing faded what the picture does not show of people, in the title row of the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.gui.layout import shortcut
from app.gui.settings import Settings
from app.gui.widgets import IconButton

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

TIP = (
    "Fade what the picture does not show (U): limbs outside of it, or hidden, are made up by the network.\n"
    "Exports are not changed"
)


class Fading(QObject):
    """Tells the views of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.switch = IconButton("fade", TIP, checkable=True)
        self.switch.setChecked(window.settings.fade_unseen)
        window.parts.mesh.header.insertWidget(2, self.switch)
        shortcut(window, TIP.split(" (")[0], "U", self.switch.toggle)
        self.switch.toggled.connect(self._tell)
        window.themes.changed.connect(self.switch.set_theme)
        window.parts.studio.fade = self.switch.isChecked()

    def _tell(self, on: bool) -> None:
        parts = self._window.parts
        parts.studio.fade = on
        parts.mesh.view.draw()
        parts.image.view.draw()

    def remember(self, settings: Settings) -> None:
        """Write the switch into the settings."""
        settings.fade_unseen = self.switch.isChecked()
