"""The real window on the real worker, over fake devices and a fake network; and a watch on the event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer

from app.gui.application import share_the_interpreter
from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.pipeline.orders import Patience, WorkerState
from app.pipeline.pipeline import Pipeline
from app.pipeline.sources import CameraSource, open_source
from app.pipeline.tracker import Tracker
from app.pipeline.worker import Worker
from tests.app import gui_fakes
from tests.app.fakes import FakeDetector, FakeReconstructor, gradient, standing

ANSWERS_WITHIN = 0.1
"""Seconds that the window may be busy at a stretch, on a machine that has nothing else to do."""
EVENT = 20.0
"""Seconds after which an event that must come is given up."""
_BEAT = 0.005
_WAITED = Path("/proc/thread-self/schedstat")


class Pulse:
    """Longest stretch in which the event loop answered nothing, without what the machine is to blame for.

    Left out is the time in which the thread could have run and had no core (Linux tells). What is left of the
    machine's share, such as a holder of Python's lock that has no core, is seen in a bare thread that sleeps
    as long as the window's timer: how late it wakes.
    """

    def __init__(self) -> None:
        self.worst = self.machine = 0.0
        self._beat = 0.0
        self._on = threading.Event()
        self._over = threading.Event()
        self._timer = QTimer(interval=int(_BEAT * 1000))
        self._timer.timeout.connect(self._tick)
        self._control = threading.Thread(target=self._sleep, name="control", daemon=True)
        self._control.start()

    def __enter__(self) -> Pulse:
        self._beat = self._clock()
        self._on.set()
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._tick()
        self._timer.stop()
        self._on.clear()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self._on.set()
        self._control.join()

    @property
    def room(self) -> float:
        """Seconds by which this machine may be late: it may be half as fast, and it may stutter."""
        return 0.1 + 3 * self.machine

    def _tick(self) -> None:
        now = self._clock()
        self.worst = max(self.worst, now - self._beat)
        self._beat = now

    def _clock(self) -> float:
        """Seconds, standing still while this thread waits for a core."""
        return time.monotonic() - (int(_WAITED.read_text().split()[1]) * 1e-9 if _WAITED.exists() else 0.0)

    def _sleep(self) -> None:
        while not self._over.is_set():
            self._on.wait()
            before = time.monotonic()
            time.sleep(_BEAT)
            self.machine = max(self.machine, time.monotonic() - before - _BEAT)


class Capture:
    """A `cv2.VideoCapture` at `fps` whose picture number n is `picture(n)`; None: there is none."""

    def __init__(
        self,
        picture: Callable[[int], np.ndarray | None] | None = None,
        fps: float = 60.0,
        opened: bool = True,
    ) -> None:
        self._picture = picture or (lambda number: gradient(shade=number))
        self._period = 1 / fps
        self._opened = opened
        self._number = 0
        self.failed_at: float | None = None
        """When it first had no picture."""
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self._opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(self._period)
        image = self._picture(self._number)
        self._number += 1
        if image is None and self.failed_at is None:
            self.failed_at = time.monotonic()
        return image is not None, image

    def release(self) -> None:
        self.released = True


class Live:
    """A shown and started window. Meshes are not drawn: that is somebody else's test."""

    def __init__(self, qtbot: Any, folder: Path, patience: Patience, captures: dict[int, Any]) -> None:
        self._qtbot = qtbot
        self.captures = captures
        """Camera number -> what `cv2.VideoCapture` would return, or a function that makes it."""
        self.opened: list[str] = []
        share_the_interpreter()
        self.detector = FakeDetector([standing()])
        self.reconstructor = FakeReconstructor()
        self.bridge = Bridge()
        self.pulse = Pulse()
        self.pipelines: list[Pipeline] = []
        self.on_cpu: Callable[[str], Pipeline] | None = None
        self.states: list[WorkerState] = []
        self.messages: list[str] = []
        self.worker = Worker(
            self._build, self.bridge.on_record, self.bridge.on_status, opener=self._open, patience=patience
        )
        self.window = MainWindow(
            self.worker,
            self.bridge,
            gui_fakes.model_info(),
            settings_path=folder / "pointhmr.ini",
            theme="dark",
        )
        self.window.warmup.start = lambda: None  # type: ignore[method-assign]
        self.window.status_shown.connect(lambda status: self.states.append(status.state))
        self.window.status_shown.connect(lambda status: self.messages.append(status.message))
        self.window.resize(1280, 800)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.start()
        self._settle()

    def do(self, work: Callable[[], object]) -> None:
        """What a person does: in the event loop, so that the time counts."""
        done: list[object] = []
        QTimer.singleShot(0, lambda: done.append(work()))
        self.wait(lambda: done)

    def open(self, spec: str | Path) -> None:
        """Choose a source."""
        self.do(lambda: self.window.open_source(spec))

    def wait(self, condition: Callable[[], object], seconds: float = EVENT) -> None:
        """Until it holds, with the event loop under watch."""
        with self.pulse:
            self._qtbot.waitUntil(lambda: bool(condition()), timeout=int(seconds * 1000))

    def wait_state(self, state: WorkerState) -> None:
        """Until the window has heard of this state."""
        self.wait(lambda: self.window.state is state)

    def wait_records(self, more: int = 1) -> None:
        """Until so many more records were shown."""
        count = self.window.shown + more
        self.wait(lambda: self.window.shown >= count)

    @property
    def banner(self) -> str:
        """The sentence across the window, empty when there is none."""
        banner = self.window.parts.banner
        return banner.text.text() if banner.isVisible() else ""

    @property
    def message(self) -> str:
        """The sentence in the status bar."""
        return self.window.parts.status.message.text()

    def goes_on(self, picture: Path) -> None:
        """A person can go on: another source is opened and seen, and the fault is forgotten."""
        self.open(picture)
        self.wait_state(WorkerState.ENDED)
        self.wait(lambda: self.window.record is not None)
        assert self.window.record is not None and self.window.record.people
        assert not self.banner and not self.window.parts.image.view.stale

    def end(self) -> None:
        """Close it; the event loop must have answered all the time."""
        assert self.window.isVisible(), "the window lives"
        self.window.close()
        self.pulse.stop()
        self.window.deleteLater()
        assert self.pulse.worst < ANSWERS_WITHIN + self.pulse.room, (self.pulse.worst, self.pulse.machine)

    def _settle(self) -> None:
        """The first layout and paint are no part of a fault."""
        self._qtbot.wait(50)

    def _build(self) -> Pipeline:
        self.pipelines.append(Pipeline(self.detector, Tracker(), self.reconstructor))
        self.pipelines[-1].on_cpu = self.on_cpu
        return self.pipelines[-1]

    def _open(self, spec: str | Path) -> Any:
        self.opened.append(str(spec))
        if str(spec).startswith("camera"):
            number = int(str(spec).partition(":")[2] or 0)
            capture = self.captures[number]
            return CameraSource(number, lambda index: capture() if callable(capture) else capture)
        return open_source(spec)


def is_sentence(text: str) -> bool:
    """One clear sentence: no traceback, no list of errors."""
    return 10 < len(text) < 400 and text.endswith(".") and "\n" not in text and "Traceback" not in text
