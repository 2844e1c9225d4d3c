"""Whom to export: a button with a menu of everybody."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget


class PeopleMenu(QToolButton):
    """`changed` when others are chosen; at least one person always is."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip("Who is exported")
        self.setAccessibleName("Who is exported")
        self.actions_of: dict[int, QAction] = {}

    @property
    def count(self) -> int:
        """People there are to choose from."""
        return len(self.actions_of)

    @property
    def ids(self) -> tuple[int, ...]:
        """Those who are chosen; empty: everybody."""
        chosen = tuple(number for number, action in self.actions_of.items() if action.isChecked())
        return () if len(chosen) == len(self.actions_of) else chosen

    def set_people(self, ids: Sequence[int]) -> None:
        """Other people, all of them chosen."""
        self._menu.clear()
        self.actions_of = {}
        for number in ids:
            action = self._menu.addAction(f"Person {number}")
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lambda on, changed=action: self._toggled(changed, on=on))
            self.actions_of[number] = action
        self._show()

    def _toggled(self, action: QAction, *, on: bool) -> None:
        if not on and not any(one.isChecked() for one in self.actions_of.values()):
            action.setChecked(True)
            return
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        ids = self.ids
        names = ", ".join(map(str, ids))
        self.setText(f"{f'Person {names}' if ids else 'Everybody'}  ▾")
