"""Whom to follow: the person menu, "everyone", and a click on a box."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton

from app.gui.actions import Actions
from app.pipeline.frames import Record


class PeopleChoice(QObject):
    """Holds the chosen person's id (None: the largest) and whether everyone is reconstructed."""

    chosen_changed = Signal(object)
    everyone_changed = Signal(bool)

    def __init__(self, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.chosen: int | None = None
        self.resting = False
        """Whether something else is looked at, so that the key for the next person is not for these."""
        self.button: QToolButton | None = None
        self._ids: tuple[int, ...] = ()
        self._actions = actions
        actions.everyone.toggled.connect(self._everyone)
        actions.next_person.triggered.connect(lambda _=False: self.next())
        actions.person_menu.aboutToShow.connect(self._fill)
        self._fill()

    @property
    def everyone(self) -> bool:
        """Whether everyone is reconstructed."""
        return self._actions.everyone.isChecked()

    def seen(self, record: Record) -> None:
        """Everybody in the newest record, reconstructed or not."""
        self._ids = tuple(sorted({*(p.box.id for p in record.people), *(box.id for box in record.others)}))

    def forget(self) -> None:
        """Another source: nobody is known."""
        self._ids = ()
        if self.chosen is not None:
            self.choose(None)

    def choose(self, person_id: int | None) -> None:
        """Follow this person; None is the largest."""
        if person_id == self.chosen:
            return
        self.chosen = person_id
        self._tell()
        self.chosen_changed.emit(person_id)

    def next(self) -> None:
        """The person after the chosen one, round and round."""
        if self._ids and not self.resting:
            place = self._ids.index(self.chosen) + 1 if self.chosen in self._ids else 0
            self.choose(self._ids[place % len(self._ids)])

    def _everyone(self, on: bool) -> None:
        self._tell()
        self.everyone_changed.emit(on)

    def _tell(self) -> None:
        if self.button is not None:
            text = "Largest person" if self.chosen is None else f"Person {self.chosen}"
            self.button.setText(f"{text}  ▾")
            self.button.setAccessibleName(text)

    def _fill(self) -> None:
        menu = self._actions.person_menu
        menu.clear()
        for old in self._actions.person_group.actions():
            self._actions.person_group.removeAction(old)
            old.deleteLater()
        known = (*self._ids, *(() if self.chosen is None or self.chosen in self._ids else (self.chosen,)))
        for person_id in (None, *known):
            action = QAction("Largest person" if person_id is None else f"Person {person_id}", menu)
            action.setCheckable(True)
            action.setChecked(person_id == self.chosen)
            action.triggered.connect(lambda _=False, i=person_id: self.choose(i))
            self._actions.person_group.addAction(action)
            menu.addAction(action)
        menu.addSeparator()
        menu.addActions([self._actions.everyone, self._actions.next_person])
