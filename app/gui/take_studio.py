"""Computes what the page of a take shows: the filled and smoothed take, its curves, and the fit of the body."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.gui.background import BackgroundJob
from app.gui.model_info import ModelInfo
from app.gui.take_fit import TakeFit
from app.gui.take_scene import fits_take, presence_of, spread, take_info
from app.gui.take_track import Curve, Presence
from app.takes.edit import Edit, acceleration, edited
from app.takes.body import body_of
from app.takes.take import Take

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

LARGE_MM = 15.0
"""Above this mean distance a posed body is not the mesh that the network saw."""


@dataclass(frozen=True)
class Edited:
    """A take with what was done to it, and how much everybody trembles."""

    recorded: Take
    take: Take
    edit: Edit
    before: dict[int, np.ndarray]
    """Person -> (T,) mm per frame², of the filled take."""
    after: dict[int, np.ndarray]


def compute(take: Take, edit: Edit) -> Edited:
    """Fill, smooth, measure."""
    filled = edited(take, Edit(gap=edit.gap))
    result = edited(take, edit) if edit.smooth > 0 else filled
    before = {one.id: acceleration(filled, one) for one in filled.people}
    after = {one.id: acceleration(result, one) for one in result.people} if result is not filled else before
    return Edited(take, result, edit, before, after)


class TakeStudio(QObject):
    """`edited` when a new result is there: the newest wish only, others are left out."""

    edited = Signal()

    def __init__(self, parent: QObject, window: MainWindow) -> None:
        super().__init__(parent)
        self._window = window
        self._page = window.parts.take
        self._take: Take | None = None
        self._state: Edited | None = None
        self._wanted: tuple[Take, Edit] | None = None
        self._kept = (0, 0)
        self._person: int | None = None
        self.info: ModelInfo | None = None
        self._editing = BackgroundJob(self)
        self._editing.done.connect(self._arrived)
        self._body = BackgroundJob(self)
        self._body.done.connect(self._body_read)
        self.fit = TakeFit(self, window)
        self.fit.changed.connect(self.edited)
        self._page.smooth.changed.connect(lambda _value: self._ask())
        self._page.gaps.changed.connect(lambda _value: self._ask())

    @property
    def result(self) -> Take | None:
        """The newest edited take."""
        return self._state.take if self._state is not None else None

    @property
    def edit(self) -> Edit:
        """What is wanted."""
        return Edit(gap=self._page.gaps.longest.value(), smooth=self._page.smooth.value)

    @property
    def busy(self) -> bool:
        """Whether another result is on its way."""
        return self._editing.busy

    def set_take(self, take: Take) -> None:
        """Another take: its body, its edit, and no fit yet."""
        self._take, self._state = take, None
        self.fit.set_take(take)
        info = self._window.info
        if info is not None and fits_take(info, take):
            self._use(info)
        else:
            self.info = None
            self._body.start(lambda: take_info(take, body_of(take)))
        self._ask()
        self.edited.emit()

    def _body_read(self, info: ModelInfo | None, fault: str) -> None:
        if info is None:
            self._page.mesh.view.hint = fault
            self._page.mesh.view.update()
            self._window.parts.banner.say(fault)
            return
        self._use(info)
        self.edited.emit()

    def _use(self, info: ModelInfo) -> None:
        self.info = info
        self._page.studio.set_model_info(info)
        self._page.mesh.view.set_model_info(info)

    # Edits

    def _ask(self) -> None:
        """Compute what is wanted, after what is being computed; wishes in between are left out."""
        if self._take is None:
            return
        self._wanted = (self._take, self.edit)
        if not self._editing.busy:
            self._begin()

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._editing.start(lambda: compute(*wanted))

    def _arrived(self, state: Edited | None, fault: str) -> None:
        if fault:
            self._window.parts.banner.say(fault)
        if state is not None and state.recorded is self._take:
            self._state = state
            self.edited.emit()
        self._begin()

    # What is shown

    def curves(self, person_id: int | None) -> tuple[Curve, ...]:
        """Trembling, and how far the posed body is from the mesh."""
        state, take = self._state, self._take
        if take is None or person_id is None:
            return ()
        person = take.person(person_id)
        if state is not None:
            person = state.take.person(person_id)
            before = spread(state.take, person, state.before.get(person_id))
            after = spread(state.take, person, state.after.get(person_id))
        else:
            before = after = np.full(len(take), np.nan)
        smooth = state is not None and state.after is not state.before
        curves = [Curve("Acceleration", "mm/f²", after, before if smooth else None)]
        residual = self.fit.residual(person_id)
        if residual is not None:
            curves.append(Curve("Body fit", "mm", residual, limit=LARGE_MM))
        return tuple(curves)

    def show_person(self, person_id: int | None) -> None:
        """Numbers of one person."""
        self._person = person_id
        state = self._state
        if state is None or person_id is None:
            self._page.smooth.show_acceleration(None, None)
            return
        rows = state.before.get(person_id), state.after.get(person_id)
        means = [_mean(row) for row in rows]
        self._page.smooth.show_acceleration(means[0], means[1])
        presence = presence_of(state.take, person_id)
        self._page.gaps.show_gaps(presence.count(Presence.FILLED), presence.count(Presence.MISSING))
        self.fit.show_person(person_id, self._kept)

    def show_frame(self, frame: int) -> None:
        """Numbers of the shown frame."""
        self.fit.show_frame(frame)

    def trimmed(self, first: int, last: int) -> None:
        """Numbers over the kept frames."""
        self._kept = (first, last)
        self.fit.show_person(self._person, self._kept)

    def shutdown(self) -> None:
        """The window closes."""
        self._wanted = None
        self.fit.shutdown()
        self._editing.wait()
        self._body.wait()


def _mean(values: np.ndarray | None) -> float | None:
    if values is None or not np.isfinite(values).any():
        return None
    return float(np.nanmean(values))


class Cancel:
    """A flag that a thread looks at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Whether it was called off."""
        return self._event.is_set()

    def set(self) -> None:
        """Call it off."""
        self._event.set()
