"""How far a skeleton is from a take's meshes, measured in the background."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.export.take_options import Watch
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.take_scene import spread
from app.takes.take import Take
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow
    from model.body import BodyModel

SHORT = 600
"""Meshes, of all people together, that are measured without being asked for: a few seconds of work."""
Result = tuple[Take, dict[int, np.ndarray]]


class TakeFit(QObject):
    """`changed` when something is known. Measured is the take as it was recorded."""

    changed = Signal()
    _progress = Signal(float)

    def __init__(self, parent: QObject, window: MainWindow) -> None:
        super().__init__(parent)
        self._window = window
        self._card = window.parts.take.fit
        self._take: Take | None = None
        self._body: BodyModel | None = None
        self._found: dict[int, np.ndarray] | None = None
        self._cancel = threading.Event()
        self._job = BackgroundJob(self)
        self._job.done.connect(self._arrived)
        self._progress.connect(self._show_progress)
        self._card.measure.clicked.connect(self.measure)

    @property
    def busy(self) -> bool:
        """Whether it is being measured."""
        return self._job.busy

    def residual(self, first: int, last: int) -> float | None:
        """Millimetres over all people in these frames; None while unknown, or where nobody is."""
        rows = [self.misses(one.id) for one in self._take.people] if self._take is not None else []
        known = [row[first : last + 1] for row in rows if row is not None]
        values = np.concatenate(known) if known else np.zeros(0)
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else None

    def set_take(self, take: Take) -> None:
        """Nothing is known of it yet."""
        self._cancel.set()
        self._take, self._body, self._found = take, None, None
        self._card.show_busy(None)

    def set_body(self, body: BodyModel) -> None:
        """It can be measured; a short take is."""
        self._body = body
        take = self._take
        if take is not None and body.kind != "mano" and sum(len(one.frames) for one in take.people) <= SHORT:
            self.measure()

    def measure(self) -> None:
        """Fit every frame."""
        take, body = self._take, self._body
        if take is None or body is None:
            return
        self._cancel.set()
        self._cancel = cancel = threading.Event()
        watch = Watch(self._progress.emit, cancel.is_set)

        def work() -> Result | None:
            from app.export.take_fit import residuals_of  # brings torch along

            try:
                return None if cancel.is_set() else (take, residuals_of(take, body, watch))
            except UserError:
                if cancel.is_set():  # Another take is looked at by now: nobody waits for this one.
                    return None
                raise

        self._card.show_busy(0.0)
        self._job.start(work)

    def _show_progress(self, part: float) -> None:
        if self._job.busy and not self._cancel.is_set():
            self._card.show_busy(part)

    def _arrived(self, result: Result | None, fault: str) -> None:
        if not self._job.busy:
            self._card.show_busy(None)
        if fault:
            self._window.parts.banner.say(fault)
        if result is not None and result[0] is self._take:
            self._found = result[1]
            self.changed.emit()

    def misses(self, person_id: int | None) -> np.ndarray | None:
        """(N,) millimetres of a person in every frame of the take, NaN where there is none; None: unknown."""
        if self._take is None or self._found is None or person_id is None:
            return None
        return spread(self._take, self._take.person(person_id), self._found.get(person_id))

    def shutdown(self) -> None:
        """The window closes."""
        self._cancel.set()
        self._job.wait(PATIENCE)
