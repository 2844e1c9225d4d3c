"""Small building blocks shared by the panels."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.icons import icon
from app.gui.theme import Theme


def label(text: str, role: str = "", tip: str = "") -> QLabel:
    """A label in one of the style sheet's roles: title, value, muted, small."""
    result = QLabel(text)
    result.setProperty("role", role)
    result.setToolTip(tip)
    return result


class Card(QFrame):
    """A rounded panel with a small title row; `header` takes controls, `body` the content."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        self.header = QHBoxLayout()
        self.header.setContentsMargins(12, 6, 8, 6)
        self.header.setSpacing(4)
        self.title = label(title.upper(), "title")
        self.header.addWidget(self.title)
        self.header.addStretch(1)
        outer.addLayout(self.header)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        outer.addLayout(self.body, 1)


class IconButton(QToolButton):
    """A button with one of our icons that follows the theme."""

    def __init__(self, name: str, tip: str, *, checkable: bool = False) -> None:
        super().__init__()
        self._name = name
        self._theme: Theme | None = None
        self.setObjectName("flat")
        self.setCheckable(checkable)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setIconSize(QSize(18, 18))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_icon(self, name: str) -> None:
        """Show another sign."""
        self._name = name
        if self._theme is not None:
            self.set_theme(self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw the icon in the theme's colours."""
        self._theme = theme
        self.setIcon(icon(self._name, theme.muted, theme.accent))


def push_button(text: str, tip: str, *, primary: bool = False) -> QPushButton:
    """A button of a dialog; Enter in another field does not press it."""
    result = QPushButton(text)
    result.setToolTip(tip)
    result.setAutoDefault(False)
    if primary:
        result.setObjectName("primary")
    return result


class PercentSlider(QSlider):
    """0 ... 100 %, read and written as a share."""

    def __init__(self, tip: str, value: float, width: int = 64) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setValue(round(value * 100))
        self.setFixedWidth(width)
        self.setToolTip(tip)
        self.setAccessibleName(tip)

    @property
    def share(self) -> float:
        """The value in [0, 1]."""
        return self.value() / 100


def clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Remove and delete every widget of a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
