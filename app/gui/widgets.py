"""Small building blocks shared by the panels."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
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


class ElidedLabel(QLabel):
    """A line of text that gives way to its neighbours: with an ellipsis, and the whole text as its tip."""

    LEAST = 80

    def minimumSizeHint(self) -> QSize:
        """Some words."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), self.LEAST), hint.height())

    def shown(self) -> str:
        """What there is room for."""
        width = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, width)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text in the style's colours."""
        shown = self.shown()
        self.setToolTip(self.text() if shown != self.text() else "")
        painter, role = QPainter(self), self.foregroundRole()
        place = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.style().drawItemText(
            painter, self.contentsRect(), place, self.palette(), self.isEnabled(), shown, role
        )
        painter.end()


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


class TickBox(QCheckBox):
    """A check box whose tick follows the theme."""

    def __init__(self, text: str, tip: str) -> None:
        super().__init__(text)
        self._theme: Theme | None = None
        self.setToolTip(tip)

    def set_theme(self, theme: Theme) -> None:
        """Colour of the tick."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box, then the tick."""
        super().paintEvent(event)
        if self._theme is None or not self.isChecked():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("on_accent" if self.isEnabled() else "muted"), 1.8))
        y = self.height() / 2
        painter.drawPolyline([QPointF(4.5, y), QPointF(7, y + 2.8), QPointF(11.5, y - 3)])
        painter.end()


class NumberEdit(QLineEdit):
    """A whole number; `number_changed` when another one was typed and Enter pressed or the field left."""

    number_changed = Signal(int)

    def __init__(self, tip: str, width: int = 72) -> None:
        super().__init__()
        self._number, self._range = 0, (0, 0)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setFixedWidth(width)
        self.editingFinished.connect(self._read)

    @property
    def number(self) -> int:
        """What it holds."""
        return self._number

    def set_range(self, least: int, most: int) -> None:
        """What is typed is brought into it."""
        self._range = (least, most)

    def set_number(self, number: int) -> None:
        """Show another one, without telling anyone."""
        self._number = number
        self.setText(str(number))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the number over, and presses no button of the dialog."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._read()
            self.selectAll()
            event.accept()
        else:
            super().keyPressEvent(event)

    def _read(self) -> None:
        text = "".join(letter for letter in self.text() if letter.isdecimal())
        number = min(max(int(text), self._range[0]), self._range[1]) if text else self._number
        changed = number != self._number
        self.set_number(number)
        if changed:
            self.number_changed.emit(number)


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
