"""The masking laboratory: what is pinned as A, asked of the worker, and seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.gui.attention_view import AttentionView
from app.gui.colourings import CHANGE, baseline_of, displacement, paint_change
from app.gui.compare_box import masks_text
from app.gui.layout import shortcut
from app.pipeline.frames import NO_STUDY, Hops, Record, Study

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class Lab(QObject):
    """Connects the comparison of one window when it is made."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.baseline: Hops | None = None
        self.plain = False
        """Whether A was pinned while nobody was isolated."""
        self._asked: Study = NO_STUDY
        compare = self._compare = window.masking.compare
        window.parts.mesh.view.colourings[CHANGE] = paint_change
        self.attention = AttentionView(window)
        window.parts.mesh.colour_by.currentTextChanged.connect(self._ask)
        compare.pinned.connect(self._pin)
        compare.peeked.connect(self._show_again)
        window.record_shown.connect(self._tell)
        window.people.chosen_changed.connect(self._tell)
        shortcut(window, "Pin the masks as A, or unpin them", "Shift+A", compare.pin.click)
        shortcut(window, "Show A's mesh, or B's", "A", compare.peek.click)
        window.commands.isolate.toggled.connect(window.worker.set_isolate)
        window.commands.isolate.toggled.connect(self._ask)
        window.commands.mirror.toggled.connect(window.worker.set_mirror)
        self._ask()

    def seen(self, record: Record | None) -> Record | None:
        """The record to draw: with A's meshes in the place of B's while these are wanted and there."""
        if record is None or not self._compare.peek.isChecked() or not record.baseline:
            return record
        return replace(record, people=record.baseline, baseline=record.people)

    def pin(self, hops: Hops | None, *, plain: bool = False) -> None:
        """These masks are A, or there is none; plain: as they are while nobody is isolated."""
        self.baseline, self.plain = hops, plain and hops is not None
        self._compare.set_baseline(hops, plain=self.plain)
        self._ask(anew=True)

    def _pin(self, on: bool) -> None:
        self.pin(
            self._window.masking.hops if on else None, plain=not self._window.commands.isolate.isChecked()
        )

    def _ask(self, *, anew: bool = False) -> None:
        """Tell the worker what is wanted now, if that has changed; anew: also if it has not."""
        isolated = self._window.commands.isolate.isChecked()
        wanted = Study(self.baseline, self.attention.on, self.plain and isolated)
        if anew or wanted != self._asked:
            self._asked = wanted
            self._window.worker.set_study(wanted)

    def _show_again(self) -> None:
        view = self._window.parts.mesh.view
        peeking = self._compare.peek.isChecked() and self.baseline is not None
        view.badge = f"A:  {masks_text(self.baseline)}" if peeking and self.baseline is not None else ""
        if self._window.record is not None:
            self._window.show_record(self._window.record)
        view.update()

    def _tell(self) -> None:
        record, person = self._window.record, self._window.person
        other = baseline_of(record, person) if record is not None and person is not None else None
        if person is None or other is None:
            self._compare.show_change(None)
        else:
            apart = displacement(person, other)
            self._compare.show_change((float(apart.mean()), float(apart.max())))
