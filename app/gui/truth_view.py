"""Ground truth of a source that has one: errors as colours on the mesh, and as numbers in the status line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from app.gui.background import BackgroundJob
from app.gui.colourings import ERROR, Painted, on_map, ramp, round_scale
from app.gui.model_info import ModelInfo
from app.pipeline.frames import Record
from app.pipeline.truth_file import truth_file

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow
    from app.pipeline.truth import TruthErrors

SMOOTHING = 2
NO_TRUTH = "This source has no ground truth for this frame and body."


class TruthView(QObject):
    """Looks for the truth of every source that is opened."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._truth: Any = None
        self._spec: object = None
        self._job = BackgroundJob(self)
        self._job.done.connect(self._found)
        window.parts.mesh.view.colourings[ERROR] = self._paint
        window.record_shown.connect(self._tell)

    def look(self, spec: str | Path) -> None:
        """Another source is opened."""
        self._truth, self._spec = None, spec
        self._tell()
        self._job.start(lambda: _look(spec))

    def errors(self, record: Record | None) -> TruthErrors | None:
        """Of whoever in the record the truth is about."""
        if record is None or self._truth is None:
            return None
        from app.pipeline.truth import errors_of

        return errors_of(record, self._truth.at(record.frame.index))

    def _found(self, result: Any, fault: str) -> None:
        if fault:
            self._window.parts.banner.say(fault)
        elif result is not None and result[0] == self._spec:
            self._truth = result[1]
            self._tell()

    def _tell(self) -> None:
        record = self._window.record
        errors = self.errors(record)
        known = errors.sentence if errors is not None else self._window.cases.errors(record)
        self._window.parts.status.set_truth(known)

    def _paint(self, record: Record, info: ModelInfo) -> Painted:
        errors = self.errors(record)
        if errors is None or len(errors.vertices) != info.coarse_count:
            return Painted(tuple(None for _ in record.people), note=NO_TRUTH)
        full = info.topology.smooth(errors.vertices[info.coarse_of_vertex], SMOOTHING)
        end = round_scale(float(np.max(errors.vertices)))
        colour = on_map("Magma", full / end)
        colours = tuple(colour if p.box.id == errors.person_id else None for p in record.people)
        return Painted(colours, (ramp("Magma"), ("0", f"{end:.0f} mm from the truth")))


def _look(spec: str | Path) -> tuple[object, object]:
    if truth_file(spec) is None:
        return spec, None
    from app.pipeline.truth import truth_beside  # brings torch along, for which the window does not wait

    return spec, truth_beside(spec)
