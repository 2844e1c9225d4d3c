"""Which body a take's meshes have, and the heights of a person over its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.gui.background import PATIENCE, BackgroundJob
from app.gui.model_info import ModelInfo
from app.gui.take_scene import fits_take, motion_of, spread
from app.gui.take_track import Curve
from app.takes.take import Take

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class TakeStudio(QObject):
    """`ready` when the take can be drawn."""

    ready = Signal()

    def __init__(self, parent: QObject, window: MainWindow) -> None:
        super().__init__(parent)
        self._window = window
        self._page = window.parts.take
        self._take: Take | None = None
        self._motion: dict[int, np.ndarray] = {}
        self.info: ModelInfo | None = None
        self._job = BackgroundJob(self)
        self._job.done.connect(self._arrived)

    def set_take(self, take: Take) -> None:
        """Read its body, where the running model has another one, and measure its motion."""
        self._take, self.info, self._motion = take, None, {}
        running = self._window.info

        def work() -> tuple[Take, ModelInfo, dict[int, np.ndarray]]:
            info = running if running is not None and fits_take(running, take) else info_of(take)
            return take, info, {one.id: motion_of(take, one) for one in take.people}

        self._page.mesh.view.hint = "Opening the take…"
        self._page.mesh.view.set_record(None)
        self._job.start(work)

    def _arrived(self, result: tuple[Take, ModelInfo, dict[int, np.ndarray]] | None, fault: str) -> None:
        if result is None:
            self._page.mesh.view.hint = fault
            self._page.mesh.view.update()
            self._window.parts.banner.say(fault)
            return
        take, info, motion = result
        if take is self._take:
            self.info, self._motion = info, motion
            self._page.studio.set_model_info(info)
            self._page.mesh.view.set_model_info(info)
            self.ready.emit()

    def curves(self, person_id: int | None) -> tuple[Curve, ...]:
        """How much a person's joints accelerate: trembling shows as a high, ragged line."""
        take = self._take
        if take is None or person_id is None:
            return ()
        person = take.person(person_id)
        return (Curve("Acceleration", "mm/f²", spread(take, person, self._motion.get(person_id))),)

    def shutdown(self) -> None:
        """The window closes."""
        self._job.wait(PATIENCE)
