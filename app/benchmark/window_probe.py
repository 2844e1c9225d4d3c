"""`python -m app.benchmark.window_probe STARTED SECONDS`: plays the clip in the window and prints figures."""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

TICK = 0.005
PATIENCE = 300.0
"""Seconds until the first mesh, on a machine that does other things as well."""


class Probe:
    """Watches a window from its first moment; `figures` once it is through."""

    def __init__(self, window: MainWindow, started: float, seconds: float) -> None:
        """started: Unix time of the process's start."""
        from PySide6.QtCore import Qt, QTimer

        self._window = window
        self._started = started
        self._seconds = seconds
        self.visible = time.time() - started
        self.first_mesh = math.nan
        self._from = math.inf
        self._shown_before = 0
        self._ticks: list[float] = []
        self._timer = QTimer(window, interval=round(1000 * TICK), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        window = self._window
        if math.isnan(self.first_mesh):
            if window.shown and window.views_ready:
                self.first_mesh = time.time() - self._started
                # Seconds in which Open3D makes its first pictures belong to the start.
                self._from = now + 2.0
                self._shown_before = -1
            elif time.time() - self._started > PATIENCE:
                self._end()
            return
        if now < self._from:
            return
        if self._shown_before < 0:
            self._shown_before = window.shown
        self._ticks.append(now)
        if now - self._from >= self._seconds:
            self._end()

    def _end(self) -> None:
        self._timer.stop()
        self._window.close()

    def figures(self) -> dict[str, object]:
        """Seconds of the start; frames a second; milliseconds by which the event loop was late; MiB."""
        import numpy as np

        from app.vitals import look

        info = self._window.info
        gaps = np.diff(self._ticks) - TICK if len(self._ticks) > 1 else np.array([math.nan])
        span = self._ticks[-1] - self._ticks[0] if len(self._ticks) > 1 else math.nan
        return {
            "visible_s": self.visible,
            "first_mesh_s": self.first_mesh,
            "engine": info.engine() if info is not None and info.engine is not None else "",
            "drawn_per_second": (self._window.shown - max(self._shown_before, 0)) / span,
            "blocked_p999_ms": 1000 * float(np.percentile(gaps, 99.9)),
            "blocked_p99_ms": 1000 * float(np.percentile(gaps, 99)),
            "blocked_max_ms": 1000 * float(gaps.max()),
            "memory_mib": look(0.0, 0, 0).memory_mb,
        }


def main() -> None:
    """See the module."""
    started, seconds = float(sys.argv[1]), float(sys.argv[2])
    from app.commands.window import SAMPLE
    from app.gui.application import create_application, create_window, share_the_interpreter
    from app.gui.model_choice import ModelChoice
    from app.malloc import use_few_arenas

    use_few_arenas()
    application = create_application()
    share_the_interpreter()
    with tempfile.TemporaryDirectory() as folder:
        window = create_window(
            ModelChoice(fast=True), sample=SAMPLE, settings_path=Path(folder) / "settings.ini"
        )
        window.show()
        application.processEvents()
        probe = Probe(window, started, seconds)
        window.start(None)
        application.exec()
        sys.stdout.write(json.dumps(probe.figures()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
