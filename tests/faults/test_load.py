"""Faults 12 and 13: more frames and more wishes than the network can follow."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from app.pipeline.frames import Crop, Frame, Hops, PersonBox, Record
from app.pipeline.worker import WorkerState
from app.vitals import MOST_GROWTH_MB, look
from tests.app.fakes import FakeReconstructor
from tests.faults.harness import Capture, Live

Make = Callable[..., Live]


class Slow(FakeReconstructor):
    """Takes its time, without the interpreter's lock, as torch does; notes how old each frame was."""

    def __init__(self, seconds: float, newest: Callable[[], int]) -> None:
        super().__init__()
        self.seconds = seconds
        self.newest = newest
        self.late: list[int] = []

    def encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        log_weights: object = None,
        *,
        mirror: bool = False,
    ) -> list[Any]:
        self.late.append(self.newest() - frame.index)
        time.sleep(self.seconds)
        return super().encode(frame, crops, log_weights, mirror=mirror)


def pictures() -> Callable[[int], np.ndarray]:
    """Large pictures that all differ: a queue of them would be seen in the memory."""
    return lambda number: np.full((720, 1280, 3), number % 251, np.uint8)


def overload(live: Make, model: float, fps: float, seconds: float) -> None:
    """A model that takes `model` seconds under a camera of `fps` for so many seconds."""
    taken: list[int] = []
    large = pictures()
    capture = Capture(lambda n: (taken.append(n), large(n))[1], fps)
    one = live({0: capture})
    slow = Slow(model, lambda: len(taken) - 1)
    one.reconstructor = slow
    shown: list[Record] = []
    one.bridge.record_arrived.connect(shown.append)
    one.open("camera")
    one.wait_records(3)
    shown.clear()
    slow.late.clear()
    before, start = look(0, 0, 0).memory_mb, time.monotonic()
    memory = []
    while time.monotonic() - start < seconds:
        one.wait(lambda: len(shown) > 2)
        memory.append(look(0, 0, 0).memory_mb - before)
        del shown[:-1]
    assert max(slow.late) < len(taken) / 4, "the newest frame is taken, not the next one of a queue"
    indices = [record.frame.index for record in shown]
    assert indices == sorted(set(indices))
    half = len(memory) // 2
    assert statistics.median(memory[half:]) - statistics.median(memory[: half // 2]) < MOST_GROWTH_MB, memory
    assert len(taken) > 2 * len(slow.late), "or the test would not have been one"


@pytest.mark.fault(12)
def test_a_slow_model_under_a_fast_camera_takes_the_newest_and_holds_no_queue(live: Make) -> None:
    """500 ms under 60 fps for a minute, ten times faster where it makes no difference to the queue."""
    overload(live, 0.1, 150, 4)


@pytest.mark.fault(12)
@pytest.mark.slow
def test_half_a_second_under_60_fps_for_a_minute(live: Make) -> None:
    overload(live, 0.5, 60, 60)


@pytest.mark.fault(13)
def test_two_hundred_moves_of_the_sliders_a_second(live: Make, picture: Path) -> None:
    one = live()
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)
    sliders = one.window.masking.sliders
    sent: list[Hops] = []
    seen: list[Hops] = []
    one.window.masking.hops_changed.connect(sent.append)
    one.bridge.record_arrived.connect(lambda record: seen.append(record.hops))
    places = itertools.cycle(range(1, sliders[0].maximum() - 1))
    moves: list[int] = []
    start = time.monotonic()

    def move() -> None:
        """As many moves as are due by now."""
        while len(moves) < min(400, 200 * (time.monotonic() - start)):
            sliders[len(moves) % 4].setValue(next(places))
            moves.append(1)

    timer = QTimer(interval=5)
    timer.timeout.connect(move)
    timer.start()
    one.wait(lambda: len(moves) >= 400)
    timer.stop()
    for slider, value in zip(sliders, (4, 3, 2, 1), strict=True):
        one.do(lambda slider=slider, value=value: slider.setValue(value))
    one.wait(lambda: one.window.record is not None and one.window.record.hops == (4, 3, 2, 1))
    assert set(seen) <= set(sent), "each picture has the four thresholds of one moment"
    assert 5 < len(seen) <= len(sent) and len(sent) > 390
    settled = len(seen)
    one.do(lambda: time.sleep(0))
    assert len(seen) == settled, "nothing comes after the last values"
