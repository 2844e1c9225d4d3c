"""Which network runs over which body, and the way from one to another while a source plays."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.gui.bridge import Bridge, Controls
from app.gui.model_info import ModelInfo
from app.pipeline.pipeline import Pipeline
from model.config import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from model.bodies import BodyCard


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelChoice:
    """What to load; calling it loads it (slow: never in the GUI's thread)."""

    weights: str | Path = DEFAULT_WEIGHTS
    """A model's name or a weight file."""
    body: Path | BodyCard | None = None
    """A user's own body; None: the free one."""
    device: str = "auto"
    fast: bool = False
    """Whether there is time ahead that pays for a faster engine."""

    def __call__(self) -> tuple[Pipeline, ModelInfo]:
        """The pipeline and what the window must know about it. Raises UserError.

        A device without room for the model, or out of order, is told of in the notice, and the CPU is used.
        """
        from app.pipeline.rescue import Kind, farewell, free_memory, trouble_of

        try:
            return self._load()
        except Exception as error:
            trouble = trouble_of(error)
            if trouble.kind is Kind.OTHER or self.device == "cpu":
                raise
            _log.warning("the model on %s", self.device, exc_info=error)
        free_memory()
        pipeline, info = replace(self, device="cpu")._load()
        return pipeline, replace(info, notice=f"{farewell(trouble)} {info.notice}".rstrip())

    def rescue(self, tell: Callable[[ModelInfo], None]) -> Callable[[str], Pipeline]:
        """What makes the same model again on the CPU, told why; `tell` hears of it first."""

        def on_cpu(why: str) -> Pipeline:
            pipeline, info = replace(self, device="cpu")()
            tell(replace(info, notice=why))
            return pipeline

        return on_cpu

    def _load(self) -> tuple[Pipeline, ModelInfo]:
        from app.gui.model_info import model_info
        from app.pipeline.loading import leave_a_core, load_pipeline
        from app.pipeline.speed import speed_up

        leave_a_core()
        pipeline, reconstructor = load_pipeline(self.weights, self.body, self.device)
        if self.fast:
            speed_up(reconstructor)
        return pipeline, model_info(reconstructor)


class ModelSwitch(QObject):
    """One switch at a time; `done` comes with "" or with the sentence why the old model stays."""

    started = Signal()
    done = Signal(str)
    _told = Signal(str)

    def __init__(
        self, worker: Controls, bridge: Bridge, choice: ModelChoice, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.choice = choice
        """What runs, or is loaded first."""
        self.wanted: ModelChoice | None = None
        """What is being loaded."""
        self._worker = worker
        self._bridge = bridge
        self._told.connect(self._finish)

    @property
    def busy(self) -> bool:
        """Whether a model is being loaded."""
        return self.wanted is not None

    def use(self, choice: ModelChoice) -> None:
        """Load a model beside the running one and go over to it; nothing happens while one is loading."""
        if self.busy:
            return
        self.wanted = choice
        infos: list[ModelInfo] = []

        def make() -> Pipeline:
            pipeline, info = choice()
            pipeline.on_cpu = choice.rescue(self._bridge.on_model)
            infos.append(info)
            return pipeline

        def switched(fault: str) -> None:
            if not fault:
                self._bridge.on_model(infos[-1])
            self._told.emit(fault)

        self._worker.switch(make, switched)
        self.started.emit()

    def _finish(self, fault: str) -> None:
        if not fault and self.wanted is not None:
            self.choice = self.wanted
        self.wanted = None
        self.done.emit(fault)
