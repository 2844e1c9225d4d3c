"""Faults 1 to 5: cameras that stop, freeze, hang, change their pictures, or are not there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.pipeline import sources
from app.pipeline.worker import WorkerState
from tests.app.fakes import gradient
from tests.faults.harness import Capture, Live, is_sentence

Make = Callable[..., Live]


@pytest.mark.fault(1)
def test_a_camera_that_ends_at_frame_30_is_told_within_a_second_and_comes_back(live: Make) -> None:
    first = Capture(lambda n: gradient(shade=n) if n < 30 else None)
    captures = iter([first, Capture()])
    one = live({0: lambda: next(captures)})
    one.open("camera")
    one.wait_state(WorkerState.FAULTED)
    assert first.failed_at is not None
    assert time.monotonic() - first.failed_at < 1.0 + one.pulse.room
    assert "disconnected" in one.banner and is_sentence(one.banner)
    window = one.window
    assert window.record is not None and window.record.people, "the last mesh is still shown"
    assert window.parts.image.view.stale and window.parts.mesh.view.stale, "and greyed"
    one.wait(lambda: first.released)
    assert window.commands.play.isEnabled() and window.commands.play.text() == "Try again"
    one.do(window.commands.play.trigger)
    one.wait_state(WorkerState.RUNNING)
    one.wait_records(3)
    assert not window.parts.mesh.view.stale and not one.banner


@pytest.mark.fault(2)
def test_the_same_buffer_for_ever_is_noticed_within_two_seconds(live: Make) -> None:
    frozen = threading.Event()
    buffer = gradient(shade=1)
    one = live({0: Capture(lambda n: buffer if frozen.is_set() else gradient(shade=n))})
    one.open("camera")
    one.wait_records(3)
    frozen.set()
    start = time.monotonic()
    one.wait(lambda: "same picture again" in one.message)
    assert time.monotonic() - start < 2.0 + one.pulse.room
    assert is_sentence(one.message) and one.window.state is WorkerState.RUNNING
    frozen.clear()
    one.wait(lambda: "same picture" not in one.message)


@pytest.mark.fault(3)
def test_a_read_that_blocks_for_ever_is_left_behind(live: Make, picture: Path) -> None:
    blocked, release = threading.Event(), threading.Event()

    def picture_or_nothing(number: int) -> np.ndarray:
        if number == 10:
            blocked.set()
            release.wait(60)
        return gradient(shade=number)

    one = live({0: Capture(picture_or_nothing)})
    one.open("camera")
    one.wait(blocked.is_set)
    one.wait(lambda: "stopped sending" in one.message)
    assert is_sentence(one.message)
    start = time.monotonic()
    one.goes_on(picture)
    assert time.monotonic() - start < 2.0 + one.pulse.room
    assert any(thread.name == "pointhmr-feed" for thread in threading.enumerate()), "it still hangs"
    release.set()


HANGING = """
import sys, time
from PySide6.QtCore import QTimer
from app.gui.application import create_application, run_window
from app.pipeline.sources import CameraSource
from tests.app import gui_fakes
from tests.app.test_application import FakePipeline

class Hanging:
    isOpened = lambda self: True
    release = lambda self: None
    def read(self):
        print("hangs", flush=True)
        time.sleep(1000)

CameraSource.__init__.__defaults__ = (0, lambda index: Hanging())
application = create_application()

def close():
    start = time.monotonic()
    application.topLevelWidgets()[0].window().close()
    application.closeAllWindows()
    print(time.monotonic() - start, flush=True)

QTimer.singleShot(1500, close)
sys.exit(run_window("camera", lambda: (FakePipeline(), gui_fakes.model_info())))
"""


@pytest.mark.fault(3)
def test_the_program_ends_with_0_while_a_read_blocks() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    hangs, seconds = done.stdout.split()
    assert hangs == "hangs" and float(seconds) < 20, "two, and the import of Open3D on a busy machine"


CHANGES = {
    "as ever": lambda n: gradient(shade=n)[..., ::-1],
    "larger": lambda n: gradient((640, 480), n),
    "portrait": lambda n: gradient((240, 320), n),
    "grey": lambda n: gradient(shade=n)[..., 1],
    "16 bits": lambda n: gradient(shade=n).astype(np.uint16) * 256,
    "16-bit grey": lambda n: gradient(shade=n)[..., 1].astype(np.uint16) * 256,
    "floats with NaN": lambda n: np.where(gradient(shade=n) > 128, np.nan, gradient(shade=n) / 255.0),
    "with alpha": lambda n: np.dstack([gradient(shade=n), np.full((240, 320), 99, np.uint8)]),
    "tiny": lambda n: gradient((2, 2), n),
}


@pytest.mark.fault(4)
def test_pictures_may_change_their_kind_in_mid_stream(live: Make) -> None:
    kind = ["as ever"]
    one = live({0: Capture(lambda n: CHANGES[kind[0]](n))})
    one.open("camera")
    for name in [*CHANGES, "as ever"]:
        kind[0] = name
        one.wait_records(4)
        record = one.window.record
        assert record is not None and record.frame.image.shape[:2] == CHANGES[name](0).shape[:2], name
        assert record.frame.image.dtype == np.uint8 and record.frame.image.shape[2] == 3
    one.wait(lambda: one.window.record is not None and one.window.record.people)
    assert set(one.states) == {WorkerState.OPENING, WorkerState.RUNNING}
    assert not one.banner


@pytest.mark.fault(4)
def test_a_picture_of_no_known_kind_is_one_sentence(live: Make, picture: Path) -> None:
    one = live({0: Capture(lambda n: np.zeros((24, 32, 7), np.uint8))})
    one.open("camera")
    one.wait_state(WorkerState.FAULTED)
    assert "(24, 32, 7)" in one.banner and is_sentence(one.banner)
    one.goes_on(picture)


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    ("exists", "allowed", "words"),
    [
        (False, False, "There is no camera 0"),
        (True, False, "no permission"),
        (True, True, "another program is using it"),
    ],
    ids=["absent", "denied", "in use"],
)
def test_without_a_camera_files_still_work(
    live: Make,
    picture: Path,
    monkeypatch: pytest.MonkeyPatch,
    exists: bool,
    allowed: bool,
    words: str,
) -> None:
    there = Path.exists
    monkeypatch.setattr(sources.sys, "platform", "linux")
    monkeypatch.setattr(Path, "exists", lambda path: exists if "video" in path.name else there(path))
    monkeypatch.setattr(sources.os, "access", lambda *_: allowed)
    one = live({0: Capture(opened=False)})
    one.open("camera")
    one.wait_state(WorkerState.FAULTED)
    assert words in one.banner and is_sentence(one.banner)
    assert not one.window.parts.mesh.view.hint.startswith("Loading")
    one.goes_on(picture)


@pytest.mark.fault(5)
def test_a_camera_number_that_nobody_has_is_one_sentence() -> None:
    """The real OpenCV on a device that is not there."""
    with pytest.raises(sources.SourceError) as caught:
        sources.CameraSource(97)
    assert is_sentence(str(caught.value)) and "97" in str(caught.value)
