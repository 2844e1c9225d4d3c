"""The card that lists vertices: those that look at a spot of the picture, or those of a body part."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.gui.lookup import Found
from app.gui.theme import Theme
from app.gui.widgets import Card, IconButton, label

HOW = "Alt+click the image to see which vertices look there, or type a part."
ROWS_HEIGHT = 132


class VertexList(Card):
    """Emits what the person types, points at (a full vertex or None) and pins (a full vertex)."""

    typed = Signal(str)
    marked = Signal(object)
    chosen = Signal(int)
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Find vertices", parent)
        self.clear_button = IconButton("close", "Empty the list (Shift+Esc)")
        self.clear_button.clicked.connect(self.cleared)
        self.header.addWidget(self.clear_button)
        self.words = QLineEdit()
        self.words.setPlaceholderText("Body part, such as left hand")
        self.words.setToolTip("List the vertices of a body part (Ctrl+F)")
        self.words.setAccessibleName("Body part to find")
        self.words.textChanged.connect(self.typed)
        self.caption = label(HOW, "small")
        self.caption.setWordWrap(True)
        self.rows = QListWidget()
        self.rows.setObjectName("found")
        self.rows.setFixedHeight(ROWS_HEIGHT)
        self.rows.setMouseTracking(True)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.rows.setToolTip("Point at a vertex to see it on the mesh; a double click or Enter pins it")
        self.rows.setAccessibleName("Vertices that were found")
        self.rows.viewport().installEventFilter(self)
        self.rows.itemEntered.connect(lambda item: self.marked.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.rows.currentItemChanged.connect(lambda *_: self._mark_current())
        self.rows.itemActivated.connect(self._choose)
        column = QVBoxLayout()
        column.setContentsMargins(12, 0, 12, 12)
        column.setSpacing(6)
        for widget in (self.words, self.caption, self.rows):
            column.addWidget(widget)
        self.body.addLayout(column)
        self.show_found((), HOW)

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.clear_button.set_theme(theme)

    def show_found(self, found: Sequence[Found], caption: str) -> None:
        """Replace the list; the vertex that was current stays so while it is still listed."""
        self.caption.setText(caption)
        before = self.rows.currentItem()
        current = before.data(Qt.ItemDataRole.UserRole) if before is not None else None
        blocked = self.rows.blockSignals(True)
        self.rows.clear()
        for one in found:
            share = "" if one.mass is None else f"{one.mass * 100:.1f} %   "
            item = QListWidgetItem(f"{share}{one.name}  {one.vertex:,}", self.rows)
            item.setData(Qt.ItemDataRole.UserRole, one.vertex)
            if one.vertex == current:
                self.rows.setCurrentItem(item)
        self.rows.blockSignals(blocked)
        self.rows.setVisible(bool(found))
        self._mark_current()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The pointer leaves the rows: the current one is marked again."""
        if event.type() == QEvent.Type.Leave:
            self._mark_current()
        return super().eventFilter(watched, event)

    def _mark_current(self) -> None:
        item = self.rows.currentItem()
        self.marked.emit(item.data(Qt.ItemDataRole.UserRole) if item is not None else None)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))
