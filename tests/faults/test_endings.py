"""Faults 16 and 17: closing in every state, and ends that nobody asked for."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.gui.settings import Settings, load_settings, save_settings
from app.pipeline.pipeline import Pipeline
from app.pipeline.sources import CameraSource, SourceError
from app.pipeline.tracker import Tracker
from app.pipeline.worker import Worker, WorkerState
from app.takes.recorder import Recorder, recordings_dir
from app.takes.take import Made
from tests.app import gui_fakes
from tests.app.fakes import EVENT, FakeClip, FakeDetector, FakeReconstructor, standing
from tests.faults.harness import Capture


def broken(*_: object) -> None:
    raise SourceError("There is no such thing.")


def late() -> FakeClip:
    time.sleep(0.5)
    return FakeClip(5)


SOURCES: dict[str, Callable[[], Any]] = {
    "opening": late,
    "running file": lambda: FakeClip(10**6, fps=30),
    "running camera": lambda: CameraSource(0, lambda index: Capture()),
    "paused": lambda: FakeClip(100),
    "ended": lambda: FakeClip(1, fps=None),
    "faulted": broken,
}
STATES = {
    "not started": None,
    "idle": None,
    "opening": WorkerState.OPENING,
    "running file": WorkerState.RUNNING,
    "running camera": WorkerState.RUNNING,
    "paused": WorkerState.PAUSED,
    "ended": WorkerState.ENDED,
    "faulted": WorkerState.FAULTED,
}


class Closing:
    """One window in one state."""

    def __init__(self, qtbot: Any, folder: Path, name: str) -> None:
        bridge = Bridge()
        reconstructor = FakeReconstructor()
        self.worker = Worker(
            lambda: Pipeline(FakeDetector([standing()]), Tracker(), reconstructor),
            bridge.on_record,
            bridge.on_status,
            opener=lambda spec: SOURCES[str(spec)](),
        )
        self.window = MainWindow(
            self.worker, bridge, gui_fakes.model_info(), settings_path=folder / "a.ini", theme="dark"
        )
        bridge.setParent(self.window)
        self.window.warmup.start = lambda: None  # type: ignore[method-assign]
        self.window.show()
        if name != "not started":
            self.window.start(name if name in SOURCES else None)
        if name == "paused":
            self.worker.pause()
        state = STATES[name]
        if state is not None:
            qtbot.waitUntil(lambda: self.window.state is state, timeout=int(EVENT * 1000))


def close_all() -> None:
    """Let everything that waits to be deleted go."""
    for _ in range(2):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()


@pytest.mark.fault(16)
@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [len(STATES), pytest.param(50, marks=pytest.mark.slow)])
def test_close_in_every_state_many_times_leaves_nothing(qtbot: Any, tmp_path: Path, times: int) -> None:
    first = Closing(qtbot, tmp_path, "ended").window  # what is made once and kept
    first.close()
    first.deleteLater()
    del first
    gc.collect()
    close_all()
    threads, widgets = set(threading.enumerate()), len(QApplication.allWidgets())
    names = list(STATES)
    for number in range(times):
        one = Closing(qtbot, tmp_path, names[number % len(names)])
        start = time.monotonic()
        one.window.close()
        assert time.monotonic() - start < 5
        assert not one.window.isVisible()
        assert not [timer for timer in one.window.findChildren(QTimer) if timer.isActive()]
        assert not one.worker._thread.is_alive()
        one.window.deleteLater()
        del one
        gc.collect()
        close_all()
        assert len(QApplication.allWidgets()) <= widgets, names[number % len(names)]
    for thread in set(threading.enumerate()) - threads:
        thread.join(EVENT)
        assert not thread.is_alive(), thread


@pytest.mark.fault(16)
def test_close_while_open3d_is_loaded_waits_for_it(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread inside of its import would crash the interpreter's end."""
    began, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr("app.gui.warmup.import_open3d", lambda: began.set() or go_on.wait(EVENT))
    monkeypatch.setattr("app.gui.warmup.warm_up", lambda: None)
    bridge = Bridge()
    worker = gui_fakes.FakeWorker(bridge, gui_fakes.record())
    window = MainWindow(worker, bridge, gui_fakes.model_info(), settings_path=tmp_path / "pointhmr.ini")
    ready: list[bool] = []
    window.warmup.ready.connect(lambda: ready.append(True))
    window.warmup.start()
    assert began.wait(EVENT)
    threading.Timer(0.3, go_on.set).start()
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "open3d-import"]
    close_all()
    assert not ready, "nobody is left to draw"
    window.deleteLater()


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from app.gui.application import create_application, run_window
from app.takes.recorder import Recorder, recordings_dir
from app.takes.take import Made
from tests.app import gui_fakes
from tests.app.test_application import FakePipeline

application = create_application()

def ready():
    window = next(w for w in application.topLevelWidgets() if hasattr(w, "masking"))
    if window.shown < 1 or sys.argv[2] not in window.parts.banner.text.text():
        return
    timer.stop()
    window.masking.set_hops((4, 4, 4, 4))
    print("ready", flush=True)

timer = QTimer(interval=20)
timer.timeout.connect(ready)
timer.start()
sys.exit(run_window(sys.argv[1], lambda: (FakePipeline(), gui_fakes.model_info())))
"""


def running(picture: Path, told: str = "") -> subprocess.Popen[str]:
    """A window of its own, once it has shown its picture and told so much, and its masks were moved."""
    process = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(picture), told],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def settings_file() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "pointhmr" / "pointhmr.ini"


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGINT, signal.SIGHUP))],
)
def test_a_signal_ends_the_program_in_order(picture: Path, number: signal.Signals) -> None:
    process = running(picture)
    process.send_signal(number)
    assert process.wait(60) == 0
    settings, complaint = load_settings(settings_file())
    assert not complaint and settings.hops == (4, 4, 4, 4), "what the window remembers was kept"


@pytest.mark.fault(17)
def test_a_killed_program_leaves_what_can_be_read_and_the_next_start_offers_it(picture: Path) -> None:
    save_settings(settings_file(), replace(Settings(), hops=(2, 2, 2, 2)))
    first = running(picture)
    first.kill()
    assert first.wait(60) == -signal.SIGKILL
    settings, complaint = load_settings(settings_file())
    assert not complaint and settings.hops == (2, 2, 2, 2)
    recorder = Recorder(Made("m"), recordings_dir())
    recorder.add(gui_fakes.record())
    recorder.close()
    second = running(picture, "was not saved")
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0, "and a program that starts again"
    assert load_settings(settings_file())[0].hops == (4, 4, 4, 4)
