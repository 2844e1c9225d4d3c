"""A card of facts: what, and what is told, one a row; the text can be selected and copied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.gui.widgets import Card, label

BREAK_AFTER = 32
"""Characters of a hash after which a line may end."""


class FactCard(Card):
    """`show_facts` replaces everything; `note` is a sentence below, hidden while empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Card", parent)
        self.note = label("", "muted")
        self.note.setWordWrap(True)
        self.note.setContentsMargins(14, 4, 14, 12)
        self.note.hide()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(self._scroll, 1)
        self.body.addWidget(self.note)
        self.facts: tuple[tuple[str, str], ...] = ()

    def show_facts(self, title: str, facts: Sequence[tuple[str, str]]) -> None:
        """Another card."""
        self.title.setText(title)
        self.facts = tuple(facts)
        inside = QWidget()
        inside.setObjectName("bare")
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 4, 14, 10)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(9)
        grid.setColumnStretch(1, 1)
        for row, (what, told) in enumerate(facts):
            grid.addWidget(label(what, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            value = label(_breakable(told), tip=told)
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(value, row, 1)
        column.addLayout(grid)
        column.addStretch(1)
        self._scroll.setWidget(inside)


def _breakable(text: str) -> str:
    """A hash in lines that fit; other texts as they are."""
    if " " in text or len(text) != 2 * BREAK_AFTER:
        return text
    return f"{text[:BREAK_AFTER]}\n{text[BREAK_AFTER:]}"
