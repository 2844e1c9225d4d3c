"""Two palettes, the style sheet made from them, and the switch between them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.gui.stylesheet import style_sheet


@dataclass(frozen=True)
class Theme:
    """Colours of the window as "#rrggbb"."""

    name: str
    window: str
    panel: str
    raised: str
    hover: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    danger: str
    warning: str
    success: str
    canvas_top: str
    canvas_bottom: str
    canvas_glow: str
    grid: str

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """One of the colours as a QColor with opacity."""
        colour = QColor(str(getattr(self, name)))
        colour.setAlphaF(alpha)
        return colour


DARK = Theme(
    name="dark",
    window="#101318",
    panel="#171b22",
    raised="#20262f",
    hover="#2a313c",
    border="#262d38",
    text="#e4e9f0",
    muted="#8a95a6",
    accent="#5fb3f0",
    on_accent="#0b1017",
    danger="#f2777a",
    warning="#f0b95f",
    success="#5cc99a",
    canvas_top="#151a22",
    canvas_bottom="#0f1318",
    canvas_glow="#2b3440",
    grid="#7d8ba1",
)

LIGHT = Theme(
    name="light",
    window="#eceff3",
    panel="#ffffff",
    raised="#f1f4f8",
    hover="#e4e9f0",
    border="#d9dfe7",
    text="#1b222c",
    muted="#5f6b7b",
    accent="#1f78c4",
    on_accent="#ffffff",
    danger="#c9393d",
    warning="#a96a08",
    success="#1c8a5c",
    canvas_top="#eef2f6",
    canvas_bottom="#dde3ea",
    canvas_glow="#ffffff",
    grid="#67768c",
)


class ThemeSwitch(QObject):
    """Applies "dark", "light" or "system" to the application and tells the painted widgets."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choice = "system"
        self.theme = DARK
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)

    def choose(self, choice: str) -> None:
        """Take a theme by name; "system" follows the desktop, and is dark where it does not tell."""
        self.choice = choice
        light = choice == "light" or (choice == "system" and _system_is_light())
        self.theme = LIGHT if light else DARK
        self._apply()
        self.changed.emit(self.theme)

    def _system_changed(self) -> None:
        if self.choice == "system":
            self.choose("system")

    def _apply(self) -> None:
        app = QApplication.instance()
        sheet = style_sheet(self.theme)
        # Every widget that there is is styled anew, which takes a third of a window's start.
        if isinstance(app, QApplication) and app.styleSheet() != sheet:
            app.setPalette(_qt_palette(self.theme))
            app.setStyleSheet(sheet)


def _system_is_light() -> bool:
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light


def _qt_palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: theme.window,
        role.Base: theme.panel,
        role.AlternateBase: theme.raised,
        role.Button: theme.raised,
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.PlaceholderText: theme.muted,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.Mid: theme.border,
    }
    for key, value in pairs.items():
        palette.setColor(key, QColor(value))
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, theme.colour("muted", 0.55))
    return palette
