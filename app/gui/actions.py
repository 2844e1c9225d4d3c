"""All commands of the window: their names, keys, icons and tooltips; the menus and the tool bar."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from app.gui.icons import icon
from app.gui.layout import set_checked
from app.gui.settings import AUTOMATIC, THEMES
from app.gui.theme import Theme
from app.pipeline.tiers import LITE, QUALITY

CAMERAS_TO_OFFER = 2
ISOLATE_TIP = (
    "Keep each person's heatmaps off the other people's bodies.\n"
    "Pin as A (Shift+A) before, to see what it changes"
)
MIRROR_TIP = "Each person in the mirror too, and the mean of both meshes: more exact, half as fast"
TIER_WORDS = {
    AUTOMATIC: ("Automatic", "Quality where this machine makes 25 frames a second with it, else lite"),
    LITE: ("Lite: fastest", "body-lite"),
    QUALITY: ("Quality: best", "body-quality: led by a larger network"),
}
"""Menu text and tooltip of each choice of the embedded model."""


def camera_specs() -> list[str]:
    """Cameras to offer: those of the system where it tells, else the first two."""
    if sys.platform == "linux":
        numbers = sorted(int(p.name[5:]) for p in Path("/dev").glob("video*") if p.name[5:].isdigit())
        return [f"camera:{n}" for n in numbers] or ["camera"]
    return [f"camera:{n}" for n in range(CAMERAS_TO_OFFER)]


class Actions:
    """The commands as `QAction`s; the window connects them."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._icons: dict[QAction, str] = {}
        make = self._make
        self.open_file = make("Open file…", "file", "Ctrl+O", "Open a picture, a video or a take")
        self.open_folder = make("Open folder…", "folder", "Ctrl+Shift+O", "Open a folder of pictures")
        self.open_case = make(
            "Open case…", "folder", "Ctrl+Shift+C", "Open a case that was saved as a folder"
        )
        self.open_sample = make("Bundled sample", "sample", "Ctrl+L", "Play the clip that comes with it")
        self.play = make("Play", "play", "Space", "Play or pause")
        self.back = make("Step back", "back", ",", "One frame back")
        self.forward = make("Step forward", "forward", ".", "One frame forward")
        self.freeze = make("Freeze", "freeze", "F", "Keep this frame; masks are still tried on it")
        self.freeze.setCheckable(True)
        self.everyone = make("Everyone", "people", "E", "Reconstruct everyone in the picture")
        self.everyone.setCheckable(True)
        self.isolate = make("Isolate", "isolate", "I", ISOLATE_TIP)
        self.isolate.setCheckable(True)
        self.isolate.setChecked(True)
        self.mirror = make("Look twice", "", "Shift+M", MIRROR_TIP)
        self.mirror.setCheckable(True)
        self.next_person = make("Next person", "person", "P", "Choose the next person")
        self.record = make("Record", "record", "R", "Keep everything that is reconstructed as a take")
        self.record.setCheckable(True)
        self.take = make("Take", "take", "T", "Look at the take, or go back to the source")
        self.take.setCheckable(True)
        self.take.setEnabled(False)
        self.export = make("Export…", "export", "Ctrl+E", "Save this frame or the take for another program")
        self.models = make("Models…", "mesh", "Ctrl+Shift+M", "Networks and bodies: see, import, use")
        self.quit = make("Quit", "", "Ctrl+Q", "Close the window")
        self.shortcuts = make("Keyboard shortcuts", "", "F1", "All keys")
        self.report = make("Save report…", "", "", "Versions, devices, last errors; no pictures")
        self.about = make("About PointHMR", "", "", "Version and licences")
        self.dismiss = make("Dismiss message", "", "Esc", "Hide the message")
        self.reset_masks = make("Masks of the paper", "reset", "Ctrl+R", "7, 5, 3, 1 hops")
        self.front = make("Front", "", "1", "Look from the front")
        self.side = make("Side", "", "2", "Look from the side")
        self.top = make("Top", "", "3", "Look from the top")
        self.reset_view = make("Reset views", "reset", "0", "Whole picture, first look at the mesh")
        self.full_screen = make("Full screen", "", "F11", "Fill the screen")
        self.full_screen.setCheckable(True)
        self.cameras = [self._camera(spec, number) for number, spec in enumerate(camera_specs())]
        self.themes = QActionGroup(window)
        for choice in THEMES:
            action = self.themes.addAction(choice.capitalize())
            action.setCheckable(True)
            action.setData(choice)
        self.tiers = QActionGroup(window)
        for choice, (words, tip) in TIER_WORDS.items():
            action = self.tiers.addAction(words)
            action.setToolTip(tip)
            action.setCheckable(True)
            action.setData(choice)
        self.source_menu = QMenu("Source", window)
        self.person_menu = QMenu("Person", window)
        self.person_group = QActionGroup(window)
        self.recorded = QLabel()
        self.recorded.setObjectName("recorded")
        self.recorded.setToolTip("Time, frames and size on the disk of what is being recorded")

    def _make(self, text: str, icon_name: str, key: str, tip: str) -> QAction:
        action = QAction(text, self._window)
        if key:
            action.setShortcut(QKeySequence(key))
            shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            tip = f"{tip} ({shown})"
        action.setToolTip(tip)
        self._window.addAction(action)
        if icon_name:
            self._icons[action] = icon_name
        return action

    def _camera(self, spec: str, number: int) -> QAction:
        name = "Camera" if ":" not in spec else f"Camera {spec.split(':')[1]}"
        action = self._make(name, "camera", "Ctrl+K" if number == 0 else "", "Show a camera live")
        action.setData(spec)
        return action

    def set_icon(self, action: QAction, name: str, theme: Theme) -> None:
        """Give an action another icon."""
        self._icons[action] = name
        action.setIcon(icon(name, theme.text, theme.accent))

    def set_theme(self, theme: Theme) -> None:
        """All icons in the theme's colours."""
        for action, name in self._icons.items():
            colour = theme.on_accent if action is self.export else theme.text
            checked = theme.danger if action is self.record else theme.accent
            action.setIcon(icon(name, colour, checked))

    def show_state(
        self, *, playing: bool, loaded: bool, again: bool, take: bool, case: bool, people: bool, theme: Theme
    ) -> None:
        """What can be done: `loaded` with the source, `again` after a fault, of the take or case shown."""
        again = again and not take
        self.set_icon(self.play, "pause" if playing else "reset" if again else "play", theme)
        self.play.setText("Pause" if playing else "Try again" if again else "Play")
        self.play.setEnabled(loaded or again or take)
        for action in (self.back, self.forward):
            action.setEnabled(loaded or take)
        for action in (self.isolate, self.mirror, self.person_menu.menuAction()):
            action.setEnabled(not take)
        self.freeze.setEnabled(loaded and not take)
        self.everyone.setEnabled(not take and not case)
        if (playing and not take) or not loaded:
            set_checked(self.freeze, False)
        self.record.setEnabled(loaded or self.record.isChecked())
        self.export.setEnabled(take or people)

    def build_menus(self, panels: list[QAction]) -> None:
        """Fill the menu bar; `panels` are the switches for parts of the window."""
        bar = self._window.menuBar()
        sources = [*self.cameras, self.open_file, self.open_folder, self.open_case, self.open_sample]
        self.source_menu.addActions(sources)
        file_menu = bar.addMenu("&File")
        file_menu.addActions([self.open_file, self.open_folder, self.open_case, self.open_sample])
        file_menu.addActions(self.cameras)
        file_menu.addSeparator()
        file_menu.addActions([self.record, self.take, self.export, self.models])
        tiers = file_menu.addMenu("Embedded model")
        tiers.setToolTipsVisible(True)
        tiers.addActions(self.tiers.actions())
        file_menu.addAction(self.mirror)
        file_menu.addSeparator()
        file_menu.addAction(self.quit)
        view = bar.addMenu("&View")
        theme = view.addMenu("Theme")
        theme.addActions(self.themes.actions())
        view.addSeparator()
        view.addActions(panels)
        view.addSeparator()
        view.addActions([self.front, self.side, self.top, self.reset_view, self.full_screen])
        help_menu = bar.addMenu("&Help")
        help_menu.addActions([self.shortcuts, self.report, self.about])

    def build_toolbar(self) -> QToolButton:
        """Add the tool bar; returns its person button, whose text follows the choice."""
        bar = QToolBar("Tools")
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(_menu_button("Source", self.source_menu, "Where the pictures come from"))
        bar.addSeparator()
        for action in (self.back, self.play, self.forward):
            bar.addAction(action)
        bar.addWidget(_text_button(self.freeze))
        bar.addSeparator()
        person = _menu_button("Largest person", self.person_menu, "Whom to follow (P: the next person)")
        bar.addWidget(person)
        bar.addWidget(_text_button(self.everyone))
        bar.addWidget(_text_button(self.isolate))
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(gap)
        bar.addWidget(self.recorded)
        self.record_button = _text_button(self.record)
        self.record_button.setObjectName("record")
        bar.addWidget(self.record_button)
        bar.addWidget(_text_button(self.take))
        export = _text_button(self.export)
        export.setObjectName("primary")
        bar.addWidget(export)
        self._window.addToolBar(bar)
        return person

    def keys(self) -> list[tuple[str, str]]:
        """(key, what it does) of every command that has one."""
        actions = [a for a in self._window.actions() if not a.shortcut().isEmpty()]
        native = QKeySequence.SequenceFormat.NativeText
        return [(a.shortcut().toString(native), a.text().rstrip("…")) for a in actions]


def _menu_button(text: str, menu: QMenu, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(f"{text}  ▾")
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setToolTip(tip)
    button.setAccessibleName(text)
    return button


def _text_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
