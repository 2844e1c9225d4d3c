"""The embedded model's two tiers: chosen by hand, or by the speed that this machine shows."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.gui.layout import set_checked
from app.gui.settings import AUTOMATIC
from app.pipeline.frames import Record
from app.pipeline.tiers import LITE, QUALITY, TIERS, TierJudge
from app.pipeline.worker import WorkerState

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

PATIENCE = 180.0
"""Seconds after which the engine that works then counts as the fastest that there will be."""
SENTENCES = {
    QUALITY: "This machine is fast enough for body-quality: it takes over.",
    LITE: "body-quality is too slow for live pictures here: body-lite takes over.",
}


class TierDesk(QObject):
    """Connects the menu "Embedded model" of one window when it is made."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._judge = TierJudge()
        self._since = time.monotonic()
        self._asked = ""
        if window.models.choice.weights == QUALITY:
            window.settings.tier = QUALITY
        self.choice = window.settings.tier
        """AUTOMATIC or the name of a tier."""
        window.commands.tiers.triggered.connect(self._chosen)
        window.bridge.record_arrived.connect(self._seen)
        window.bridge.model_ready.connect(self._restart)
        window.models.started.connect(self._follow)
        window.models.done.connect(self._switched)
        self._mark()

    def _chosen(self, action: QAction) -> None:
        self.choice = self._window.settings.tier = str(action.data())
        if self.choice in TIERS:
            self._go_over(self.choice)

    def _mark(self) -> None:
        for action in self._window.commands.tiers.actions():
            set_checked(action, action.data() == self.choice)

    def _restart(self) -> None:
        self._since = time.monotonic()
        self._hold()

    def _switched(self, fault: str) -> None:
        if not fault:
            self._hold()

    def _hold(self) -> None:
        """Go over to the tier that was chosen while another model was being loaded."""
        if self.choice in TIERS and self._window.models.choice.weights in TIERS:
            self._go_over(self.choice)

    def _seen(self, record: Record) -> None:
        """Judge a frame of a source that plays."""
        switch = self._window.models
        model = str(switch.choice.weights)
        if self.choice != AUTOMATIC or switch.busy or model not in TIERS or not record.people:
            return
        if self._window.state is not WorkerState.RUNNING or self._window.recording.on:
            return  # A take is made by one model: another one would end the recording.
        info = self._window.info
        engine = info.engine() if info is not None and info.engine is not None else "torch"
        final = engine != "torch" or time.monotonic() - self._since > PATIENCE
        better = self._judge.hear(model, record.timings, final=final)
        if better is not None:
            self._window.parts.banner.say(SENTENCES[better], serious=False)
            self._go_over(better)

    def _go_over(self, tier: str) -> None:
        switch = self._window.models
        if tier != str(switch.choice.weights) and not switch.busy:
            self._asked = tier
            switch.use(replace(switch.choice, weights=tier))

    def _follow(self) -> None:
        """A tier that is chosen on the Models page is chosen here, too."""
        wanted = self._window.models.wanted
        name = "" if wanted is None else str(wanted.weights)
        if name in TIERS and name != self._asked:
            self.choice = self._window.settings.tier = name
        self._asked = ""
        self._mark()
