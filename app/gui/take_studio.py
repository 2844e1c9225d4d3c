"""Computes what the page of a take shows: its body, the edited take, and how much everybody trembles."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.export.take_options import LARGE_RESIDUAL
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.model_info import ModelInfo
from app.gui.take_fit import TakeFit
from app.gui.take_scene import fits_take, presence_of, spread, take_info
from app.gui.take_track import Curve, Presence
from app.takes.edit import Edit, accelerations, edited, mean_known
from app.takes.take import Take
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow
    from model.body import BodyModel


@dataclass(frozen=True)
class Edited:
    """A take with what was done to it."""

    recorded: Take
    take: Take
    before: dict[int, np.ndarray]
    """Person's id -> (T,) m/s² of the take that is filled and not smoothed."""
    after: dict[int, np.ndarray]


def compute(take: Take, edit: Edit, stale: threading.Event) -> Edited:
    """Fill, smooth, measure. Raises UserError without words when something else is wanted by now."""

    def step(_part: float) -> None:
        if stale.is_set():
            raise UserError("")

    step(0.0)
    filled = edited(take, Edit(fill=edit.fill))
    before = {one.id: accelerations(filled, one) for one in filled.people}
    if edit.smoothing == 0:
        return Edited(take, filled, before, before)
    smooth = edited(take, edit, step)
    return Edited(take, smooth, before, {one.id: accelerations(smooth, one) for one in smooth.people})


class TakeStudio(QObject):
    """`ready` when something new can be drawn; of several wishes for an edit only the newest is met."""

    ready = Signal()

    def __init__(self, parent: QObject, window: MainWindow) -> None:
        super().__init__(parent)
        self._window = window
        self._page = window.parts.take
        self._take: Take | None = None
        self._edited: Edited | None = None
        self._stale = threading.Event()
        self.info: ModelInfo | None = None
        self.body: BodyModel | None = None
        self.fit = TakeFit(self, window)
        self.fit.changed.connect(self.ready)
        self._reading, self._editing = BackgroundJob(self), BackgroundJob(self)
        self._reading.done.connect(self._read)
        self._editing.done.connect(self._arrived)
        self._page.edits.changed.connect(self._ask)

    @property
    def shown(self) -> Take | None:
        """The take as it is looked at: edited, once that is computed."""
        return self._edited.take if self._edited is not None else self._take

    @property
    def edit(self) -> Edit:
        """What is done to every frame."""
        return self._page.edits.edit

    @property
    def busy(self) -> bool:
        """Whether something newer is on its way."""
        return self._editing.busy or self._reading.busy

    def set_take(self, take: Take) -> None:
        """Another take: read its body, edit it, measure it."""
        self._take, self._edited, self.body = take, None, None
        running = self._window.info
        self.info = running if running is not None and fits_take(running, take) else None
        self.fit.set_take(take)
        if self.info is not None:
            self._use(self.info)
        else:
            self._page.mesh.view.hint = "Opening the take…"
            self._page.mesh.view.set_record(None)

        def work() -> tuple[Take, BodyModel]:
            from app.takes.bodies import body_of  # brings torch along, for which the window does not wait

            return take, body_of(take)

        self._reading.start(work)
        self._ask()

    def _read(self, result: tuple[Take, BodyModel] | None, fault: str) -> None:
        if result is None:
            self._page.mesh.view.hint = fault
            self._page.mesh.view.update()
            self._window.parts.banner.say(fault)
        elif result[0] is self._take:
            self.body = result[1]
            if self.info is None:
                self._use(take_info(*result))
            self.fit.set_body(self.body)
            self.ready.emit()

    def _use(self, info: ModelInfo) -> None:
        self.info = info
        self._page.studio.set_model_info(info)
        self._page.mesh.view.set_model_info(info)

    # Edits

    def _ask(self) -> None:
        """Compute what is wanted; what is being computed is not wanted any more."""
        self._stale.set()
        self._stale = stale = threading.Event()
        take, edit = self._take, self.edit
        if take is not None:
            self._editing.start(lambda: compute(take, edit, stale))

    def _arrived(self, result: Edited | None, fault: str) -> None:
        if fault:
            self._window.parts.banner.say(fault)
        if result is not None and result.recorded is self._take:
            self._edited = result
            self.ready.emit()

    # What is shown

    def curves(self, person_id: int | None) -> tuple[Curve, ...]:
        """How much a person trembles, and how far a skeleton is from the meshes."""
        take, state = self._take, self._edited
        if take is None or person_id is None:
            return ()
        unknown = np.full(len(take), np.nan)
        if state is None:
            return (Curve("Acceleration", "m/s²", unknown),)
        person = state.take.person(person_id)
        before, after = (
            spread(state.take, person, rows.get(person_id)) for rows in (state.before, state.after)
        )
        curves = [Curve("Acceleration", "m/s²", after, before if state.after is not state.before else None)]
        misses = self.fit.misses(person_id)
        if misses is not None:
            curves.append(Curve("Skeleton off", "mm", misses, limit=LARGE_RESIDUAL))
        return tuple(curves)

    def show_person(self, person_id: int | None) -> None:
        """Numbers of one person on the card."""
        state, card = self._edited, self._page.edits
        if state is None or person_id is None:
            card.show_acceleration(float("nan"), float("nan"))
            return
        before, after = (mean_known(rows.get(person_id, np.zeros(0))) for rows in (state.before, state.after))
        card.show_acceleration(before, after)
        presence = presence_of(state.take, person_id)
        card.show_gaps(presence.count(Presence.FILLED), presence.count(Presence.MISSING))

    def shutdown(self) -> None:
        """The window closes."""
        self._stale.set()
        self.fit.shutdown()
        for job in (self._reading, self._editing):
            job.wait(PATIENCE)
