"""Watches every record: timeline, list of failures, measures; and goes to what is chosen there."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.gui.layout import shortcut
from app.pipeline.frames import Record
from app.pipeline.history import LONGEST, ROLLING, Failure, History
from app.pipeline.worker import Status, WorkerState

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

TELL_EVERY = 300
"""Milliseconds between two updates of curves and list while frames run."""
KEPT = 8
"""Flagged records of a camera that are kept, some 10 MB each: there is no other way back to them."""


class Watch(QObject):
    """Connects timeline, list and measures of one window when it is made."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.history = History()
        self.live = False
        self._kept: OrderedDict[int, Record] = OrderedDict()
        self._sought: Failure | None = None
        """The case whose frame is on its way: whoever it is about is chosen once it is there."""
        self._due: Record | None = None
        """A camera's flagged frame that was asked for while the worker was at work on another one."""
        self._later = QTimer(self, singleShot=True, interval=TELL_EVERY)
        self._later.timeout.connect(self.tell)
        parts = window.parts
        parts.timeline.sought.connect(self.go)
        parts.timeline.shown.connect(self.tell)
        parts.failures.chosen.connect(self.go_to)
        parts.failures.filtered.connect(self.tell)
        window.warmup.ready.connect(self._enable)
        window.record_shown.connect(self._seen)
        window.status_shown.connect(self._settle)
        window.people.chosen_changed.connect(self.tell)
        for number in range(parts.tabs.count()):
            page = parts.tabs.widget(number)
            assert page is not None
            words = f"Side panel: {parts.tabs.tabText(number)}"
            shortcut(window, words, f"Alt+{number + 1}", partial(parts.tabs.setCurrentWidget, page))
        shortcut(window, "The next flagged case", "]", lambda: self._walk(1))
        shortcut(window, "The flagged case before", "[", lambda: self._walk(-1))

    def _walk(self, step: int) -> None:
        """Through the cases of what is shown: behind a take's page they are nobody's business."""
        if not self._window.takes.on_page:
            self._window.parts.failures.walk(step)

    def forget(self, *, live: bool = False) -> None:
        """Another source, or another model."""
        self.live = live
        self.history = History(ROLLING if live else LONGEST)
        self._kept.clear()
        self._sought = self._due = None
        self.tell()

    def stop(self) -> None:
        """The window closes."""
        self._later.stop()

    def _enable(self) -> None:
        self._window.parts.timeline.enable()
        self.tell()

    def _seen(self) -> None:
        record = self._window.record
        if record is None:
            return
        moment = self.history.add(record)
        self._find(record)
        if self.live and any(told.flags for _, told in moment.people):
            self._kept[moment.index] = record
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        person = self._window.person
        self._window.parts.diagnostics.show_diagnostics(person.diagnostics if person else None)
        self._window.parts.timeline.show_place(moment.index)
        if not self._later.isActive():
            self._later.start()

    def tell(self) -> None:
        """Draw curves and list anew."""
        self._later.stop()
        parts, record, person = self._window.parts, self._window.record, self._window.person
        here = record.frame.index if record is not None else None
        every = self.history.failures()
        parts.timeline.show_history(self.history, every, person.box.id if person else None, here)
        parts.failures.offer_kinds(sorted({flag.kind for failure in every for flag in failure.flags}))
        kind = parts.failures.wanted
        parts.failures.show_failures([one for f in every if (one := f.only(kind)) is not None])
        parts.diagnostics.show_diagnostics(person.diagnostics if person else None)

    def reaches(self, index: int) -> bool:
        """Whether a frame can be shown again."""
        return not self.live or index in self._kept

    def go(self, index: int) -> None:
        """Show a frame: of a file any, of a camera those that were flagged last."""
        window = self._window
        if self._sought is not None and self._sought.index != index:
            self._sought = None
        if window.record is not None and window.record.frame.index == index:
            return
        running = window.state is WorkerState.RUNNING
        window.worker.pause()
        if not self.live:
            window.worker.seek(index)
        elif index in self._kept:
            window.show_record(self._kept[index])
            self._due = self._kept[index] if running else None
        else:
            window.parts.banner.say("A camera's frames are gone; only its last flagged ones are kept.")

    def _settle(self, status: Status) -> None:
        """The camera rests: show once more what its last frame, then in work, has pushed away."""
        due = self._due
        if status.state is WorkerState.RUNNING:
            return
        self._due = None
        if due is not None and status.state is WorkerState.PAUSED:
            self._window.show_record(due)

    def go_to(self, failure: Failure) -> None:
        """Show a case: its frame, and in it the person whom it is about."""
        self._sought = failure
        self.go(failure.index)
        record = self._window.record
        if record is not None and record.frame.index == failure.index:
            self._find(record)

    def shows(self, failure: Failure) -> bool:
        """Whether the shown person is the one of a case, or there is no such person in its frame."""
        record, person = self._window.record, self._window.person
        if record is None or record.frame.index != failure.index:
            return False
        wanted = failure.who(record)
        return wanted is None or (person is not None and person.box.id == wanted)

    def _find(self, record: Record) -> None:
        """Choose whom the sought case is about; who is not reconstructed yet comes with the next record."""
        sought = self._sought
        if sought is None or record.frame.index != sought.index:
            return
        wanted = sought.who(record)
        if wanted is None or any(person.box.id == wanted for person in record.people):
            self._sought = None
        if wanted is not None:
            self._window.people.choose(wanted)
