"""Worker: states, newest wins, and a way on from every fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.pipeline.frames import Frame, Hops, Record
from app.pipeline.pictures import FrameError, SourceError
from app.pipeline.pipeline import Pipeline
from app.pipeline.tracker import Tracker
from app.pipeline.worker import Patience, Status, Worker, WorkerState
from model.errors import UserError
from tests.app.fakes import (
    EVENT,
    FakeCamera,
    FakeClip,
    FakeDetector,
    FakeReconstructor,
    frame,
    gradient,
    standing,
)

QUICK = Patience(silent=0.1, frozen=0.1, dead=0.4, opening=0.3)


class Bench:
    """A worker on fakes that keeps all it says and can wait for it."""

    def __init__(self, sources: dict[str, Any], patience: Patience = QUICK) -> None:
        self.sources = sources
        self.detector = FakeDetector([standing()])
        self.reconstructor = FakeReconstructor()
        self.records: list[Record] = []
        self.statuses: list[Status] = []
        self.threads: set[threading.Thread] = set()
        self.built = 0
        self.gate = threading.Event()
        """Cleared: the next frame stays in the network until it is set."""
        self.gate.set()
        self.inside = threading.Event()
        self.factory_error: Exception | None = None
        self._news = threading.Condition()
        self._regress = self.reconstructor.regress
        self.reconstructor.regress = self._slow  # type: ignore[method-assign]
        self.worker = Worker(self._build, self._record, self._status, opener=self._open, patience=patience)

    def wait(self, condition: Callable[[], object], what: str = "") -> None:
        """Until the condition holds; it is looked at after every record and status."""
        with self._news:
            assert self._news.wait_for(condition, EVENT), what or self.statuses

    def wait_state(self, state: WorkerState) -> Status:
        """Until the last status is this one."""
        self.wait(lambda: self.statuses and self.statuses[-1].state is state, f"no {state}: {self.statuses}")
        return self.statuses[-1]

    def wait_records(self, count: int) -> Record:
        """Until there are so many records."""
        self.wait(lambda: len(self.records) >= count, f"{len(self.records)} of {count}: {self.statuses}")
        return self.records[-1]

    def shut(self) -> None:
        """Frees everything that hangs and ends."""
        self.gate.set()
        for source in self.sources.values():
            if isinstance(source, FakeCamera):
                source.fail()
                source.release.set()
        assert self.worker.close(EVENT)

    def _build(self) -> Pipeline:
        self.built += 1
        if self.factory_error is not None:
            raise self.factory_error
        return Pipeline(self.detector, Tracker(), self.reconstructor)

    def _open(self, spec: str | Path) -> Any:
        source = self.sources.get(str(spec))
        if source is None:
            raise SourceError(f"There is no file or folder {spec}.")
        return source() if callable(source) else source

    def _slow(self, encoded: Any, hops: Hops) -> Any:
        self.inside.set()
        assert self.gate.wait(2 * EVENT)
        return self._regress(encoded, hops)

    def _record(self, record: Record) -> None:
        self._add(self.records, record)

    def _status(self, status: Status) -> None:
        self._add(self.statuses, status)

    def _add(self, where: list[Any], news: object) -> None:
        with self._news:
            self.threads.add(threading.current_thread())
            where.append(news)
            self._news.notify_all()


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes started benches; afterwards no thread may be left."""
    before = set(threading.enumerate())
    made: list[Bench] = []

    def make(patience: Patience = QUICK, **sources: Any) -> Bench:
        made.append(Bench(sources, patience))
        made[-1].worker.start()
        return made[-1]

    yield make
    for one in made:
        one.shut()
    for thread in set(threading.enumerate()) - before:
        thread.join(EVENT)
        assert not thread.is_alive(), thread


def indices(bench: Bench) -> list[int]:
    return [record.frame.index for record in bench.records]


def states(bench: Bench) -> list[WorkerState]:
    return [status.state for status in bench.statuses]


# Files


def test_a_clip_plays_to_its_end_on_the_workers_thread(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(5, fps=20))
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert states(b) == [WorkerState.OPENING, WorkerState.RUNNING, WorkerState.ENDED]
    assert indices(b)[0] == 0 and indices(b)[-1] == 4 and indices(b) == sorted(set(indices(b)))
    assert {"grab", "detect", "encode", "regress"} == set(b.records[0].timings)
    assert len(b.threads) == 1 and threading.current_thread() not in b.threads
    assert all(thread.daemon for thread in b.threads)


def test_the_pace_is_that_of_the_file(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(4, fps=10))
    start = time.monotonic()
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert 0.28 < time.monotonic() - start < 2 and indices(b) == [0, 1, 2, 3]


def test_a_slow_network_leaves_frames_out_of_a_fast_clip(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(200, fps=200))
    slow = b.detector.detect
    b.detector.detect = lambda image: (threading.Event().wait(0.05), slow(image))[1]  # type: ignore[method-assign]
    b.reconstructor.presence = 0.0  # so that the slow detector is asked each time
    start = time.monotonic()
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert indices(b)[-1] == 199 and len(b.records) < 30
    assert time.monotonic() - start < 3, "one second of film, and a little"


def test_no_picture_of_a_folder_is_left_out(bench: Callable[..., Bench]) -> None:
    b = bench(folder=FakeClip(3, fps=4))
    b.gate.clear()
    b.worker.open("folder")
    assert b.inside.wait(EVENT)
    b.gate.set()
    b.wait_records(1)
    b.gate.clear()
    b.inside.clear()
    assert b.inside.wait(EVENT)
    threading.Event().wait(0.6)  # the second picture takes longer than the third one's turn
    b.gate.set()
    b.wait_state(WorkerState.ENDED)
    assert indices(b) == [0, 1, 2]


def test_loop_starts_again_and_a_single_picture_does_not(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(2), image=FakeClip(1, fps=None))
    b.worker.set_loop(True)
    b.worker.open("clip")
    b.wait(lambda: indices(b).count(0) >= 3)
    b.worker.open("image")
    b.wait_state(WorkerState.ENDED)
    assert b.sources["clip"].closed.is_set()


def test_the_last_picture_of_a_loop_is_shown_for_its_time(bench: Callable[..., Bench]) -> None:
    b = bench(folder=FakeClip(3, fps=2.5))
    b.worker.set_loop(True)
    b.worker.open("folder")
    b.wait_records(3)
    start = time.monotonic()
    b.wait_records(4)
    assert time.monotonic() - start > 0.3 and indices(b)[:4] == [0, 1, 2, 0]


def test_pause_step_seek_and_play(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(1000, fps=30))
    b.worker.open("clip")
    b.worker.pause()
    b.wait_state(WorkerState.PAUSED)
    assert b.wait_records(1).frame.index == 0
    b.worker.step()
    assert b.wait_records(2).frame.index == 1
    b.worker.seek(500)
    assert b.wait_records(3).frame.index == 500
    b.worker.step(-2)
    assert b.wait_records(4).frame.index == 498
    assert states(b)[-1] is WorkerState.PAUSED
    b.worker.play()
    assert b.wait_records(6).frame.index > 498
    b.worker.step()
    b.wait_state(WorkerState.PAUSED)


def test_a_jump_before_the_source_is_open_is_not_lost(bench: Callable[..., Bench]) -> None:
    may_open = threading.Event()

    def open_late() -> FakeClip:
        assert may_open.wait(EVENT)
        return FakeClip(100)

    b = bench(clip=open_late)
    b.worker.open("clip")
    b.wait_state(WorkerState.OPENING)
    b.worker.pause()
    b.worker.seek(42)
    may_open.set()
    b.wait(lambda: indices(b)[-1:] == [42])
    assert states(b)[-1] is WorkerState.PAUSED


def test_from_the_end_play_starts_again_and_step_goes_back(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(3))
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    b.worker.step(-1)
    b.wait_state(WorkerState.PAUSED)
    b.wait(lambda: indices(b)[-1] == 1)
    b.worker.play()
    b.wait_state(WorkerState.ENDED)
    count = len(b.records)
    b.worker.play()
    b.wait_records(count + 1)
    assert b.records[count].frame.index == 0


# Frozen frame


def test_while_paused_masks_run_only_the_regressor(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(1000, fps=30))
    b.worker.open("clip")
    b.worker.pause()
    first = b.wait_records(1)
    encoded = list(b.reconstructor.encoded)
    b.worker.set_hops((None, None, None, None))
    again = b.wait_records(2)
    assert b.reconstructor.encoded == encoded and b.detector.calls == 1
    assert again.hops == (None,) * 4 and again.frame is first.frame
    assert not np.allclose(again.people[0].vertices, first.people[0].vertices)


def test_a_frame_that_stands_is_looked_at_twice_and_once_again(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(1000, fps=30))
    b.worker.open("clip")
    b.worker.pause()
    first = b.wait_records(1)
    assert not first.mirror and b.reconstructor.mirrors == [False]
    for count, on in ((2, True), (3, False)):
        b.worker.set_mirror(on)
        again = b.wait_records(count)
        assert again.mirror is on and again.frame is first.frame
    assert b.reconstructor.mirrors == [False, True, False] and b.detector.calls == 1


@pytest.mark.fault(13)
def test_many_slider_moves_end_with_the_last_values(bench: Callable[..., Bench]) -> None:
    b = bench(image=FakeClip(1, fps=None))
    b.worker.open("image")
    b.wait_state(WorkerState.ENDED)
    b.gate.clear()
    b.inside.clear()
    b.worker.set_hops((0, 0, 0, 0))
    assert b.inside.wait(EVENT)
    for i in range(1, 201):
        b.worker.set_hops((i, i, i, i))
    b.gate.set()
    b.wait(lambda: b.records[-1].hops == (200,) * 4)
    assert [record.hops for record in b.records[1:]] == [(0,) * 4, (200,) * 4], "nothing queued up"


def test_choosing_people_on_a_frozen_frame(bench: Callable[..., Bench]) -> None:
    b = bench(image=FakeClip(1, fps=None))
    b.detector.people = [standing((80, 120), 150), standing((240, 120), 100)]
    b.worker.open("image")
    assert len(b.wait_records(1).people) == 1
    b.worker.set_all_people(True)
    everybody = b.wait_records(2)
    assert len(everybody.people) == 2
    small = everybody.people[1].box.id
    b.worker.choose_person(small)
    b.worker.set_all_people(False)
    b.wait(lambda: [person.box.id for person in b.records[-1].people] == [small])


# Cameras


@pytest.mark.fault(12)
def test_the_newest_frame_wins_and_nothing_queues_up(bench: Callable[..., Bench]) -> None:
    camera = FakeCamera()
    b = bench(camera=camera)
    b.worker.open("camera")
    b.wait_state(WorkerState.RUNNING)
    b.gate.clear()
    camera.push()
    assert b.inside.wait(EVENT)
    for _ in range(50):
        camera.push()
    deadline = time.monotonic() + EVENT
    while camera.reads < 51 and time.monotonic() < deadline:
        camera.idle.wait(0.01)
    camera.push()
    while camera.reads < 52 and time.monotonic() < deadline:
        camera.idle.wait(0.01)
    b.gate.set()
    b.wait(lambda: indices(b)[-1:] == [51])
    assert indices(b) == [0, 51]


@pytest.mark.fault(1)
def test_a_pulled_cable_is_told_and_another_try_works(bench: Callable[..., Bench]) -> None:
    first, second = FakeCamera(period=0.01), FakeCamera(period=0.01)
    both = iter([first, second])
    b = bench(camera=lambda: next(both))
    b.worker.open("camera")
    b.wait_records(3)
    first.fail()
    status = b.wait_state(WorkerState.FAULTED)
    assert "disconnected" in status.message and first.closed.is_set()
    count = len(b.records)
    b.worker.open("camera")
    b.wait_records(count + 2)
    assert b.statuses[-1] == Status(WorkerState.RUNNING)


@pytest.mark.fault(2)
def test_the_same_buffer_for_ever_is_noticed_and_forgiven(bench: Callable[..., Bench]) -> None:
    camera = FakeCamera()
    b = bench(camera=camera)
    b.worker.open("camera")
    still = gradient(shade=200)
    deadline = time.monotonic() + EVENT
    while not any("same picture" in status.message for status in b.statuses):
        assert time.monotonic() < deadline
        camera.push(still)
        threading.Event().wait(0.01)
    assert states(b)[-1] is WorkerState.RUNNING
    camera.push(gradient(shade=7))
    b.wait(lambda: b.statuses[-1] == Status(WorkerState.RUNNING))


@pytest.mark.fault(3)
def test_a_read_that_blocks_is_told_then_given_up(bench: Callable[..., Bench]) -> None:
    camera = FakeCamera(period=0.01)
    b = bench(camera=camera, clip=FakeClip(2))
    b.worker.open("camera")
    b.wait_records(2)
    camera.hang()
    b.wait(lambda: any("stopped sending" in status.message for status in b.statuses))
    assert "does not answer" in b.wait_state(WorkerState.FAULTED).message
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert not camera.closed.is_set(), "its own thread closes it, whenever it comes back"
    camera.release.set()
    assert camera.closed.wait(EVENT)


@pytest.mark.fault(3)
def test_a_driver_that_blocks_while_opening(bench: Callable[..., Bench]) -> None:
    release = threading.Event()
    camera = FakeCamera(period=0.01)
    b = bench(camera=lambda: (release.wait(2 * EVENT), camera)[1], clip=FakeClip(2))
    b.worker.open("camera")
    assert "does not answer" in b.wait_state(WorkerState.FAULTED).message
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    release.set()
    assert camera.closed.wait(EVENT)


def test_a_paused_camera_keeps_its_frame_and_its_masks(bench: Callable[..., Bench]) -> None:
    camera = FakeCamera(period=0.01)
    b = bench(camera=camera)
    b.worker.open("camera")
    b.wait_records(1)
    b.worker.pause()
    b.wait_state(WorkerState.PAUSED)
    camera.fail()
    frozen = b.records[-1].frame
    b.worker.set_hops((1, 1, 1, 1))
    b.wait(lambda: b.records[-1].hops == (1, 1, 1, 1))
    assert b.records[-1].frame is frozen and states(b)[-1] is WorkerState.PAUSED
    b.worker.play()
    b.wait_state(WorkerState.FAULTED)


# Faults


def test_a_missing_file_is_told_and_the_next_one_plays(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(2))
    b.worker.open("nothing")
    assert b.wait_state(WorkerState.FAULTED).message == "There is no file or folder nothing."
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert len(b.records) == 2


@pytest.mark.parametrize(
    "error", [UserError("There are no weights."), RuntimeError("no memory"), MemoryError()]
)
def test_a_model_that_does_not_load(bench: Callable[..., Bench], error: Exception) -> None:
    b = bench(clip=FakeClip(2))
    b.factory_error = error
    b.worker.open("clip")
    assert (str(error) or "MemoryError") in b.wait_state(WorkerState.FAULTED).message
    b.factory_error = None
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert b.built == 2 and len(b.records) == 2


def test_one_bad_frame_is_told_and_left(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(6, fps=20))

    encode = b.reconstructor.encode

    def fail_once(frame: Frame, *rest: Any, **named: Any) -> Any:
        if frame.index == 2:
            raise ValueError("odd frame")
        return encode(frame, *rest, **named)

    b.reconstructor.encode = fail_once  # type: ignore[method-assign]
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert 2 not in indices(b) and indices(b)[-1] == 5
    assert Status(WorkerState.RUNNING, "Frame 2 could not be reconstructed: odd frame.") in b.statuses
    assert b.statuses[-1].message == ""


def test_a_broken_network_faults_and_is_built_anew(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(100))
    encode = b.reconstructor.encode

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("device assert")

    b.reconstructor.encode = fail  # type: ignore[method-assign]
    b.worker.open("clip")
    assert "device assert" in b.wait_state(WorkerState.FAULTED).message
    b.reconstructor.encode = encode  # type: ignore[method-assign]
    b.worker.set_loop(True)
    b.worker.open("clip")
    b.wait_records(2)
    assert b.built == 2


def test_masks_that_fail_are_tried_once(bench: Callable[..., Bench]) -> None:
    b = bench(image=FakeClip(1, fps=None))
    b.worker.open("image")
    b.wait_state(WorkerState.ENDED)
    works = b.reconstructor.regress
    tries = []

    def fail(encoded: Any, hops: Hops) -> Any:
        tries.append(hops)
        raise ValueError("odd masks")

    b.reconstructor.regress = fail  # type: ignore[method-assign]
    b.worker.set_hops((2, 2, 2, 2))
    b.wait(lambda: "odd masks" in b.statuses[-1].message)
    b.reconstructor.regress = works  # type: ignore[method-assign]
    b.worker.set_hops((3, 3, 3, 3))
    b.wait(lambda: b.records[-1].hops == (3, 3, 3, 3))
    assert tries == [(2, 2, 2, 2)] and b.statuses[-1] == Status(WorkerState.ENDED)


@pytest.mark.fault(8)
def test_a_person_that_some_masks_spoil_comes_back_with_others(bench: Callable[..., Bench]) -> None:
    b = bench(image=FakeClip(1, fps=None))
    b.worker.open("image")
    b.wait_state(WorkerState.ENDED)
    b.reconstructor.presence = float("nan")
    b.worker.set_hops((2, 2, 2, 2))
    b.wait(lambda: "The last good result is shown." in b.statuses[-1].message)
    assert len(b.records) == 1 and len(b.records[0].people) == 1
    b.reconstructor.presence = 1.0
    b.worker.set_hops((3, 3, 3, 3))
    b.wait(lambda: b.records[-1].hops == (3, 3, 3, 3))
    assert len(b.records[-1].people) == 1 and b.statuses[-1] == Status(WorkerState.ENDED)
    assert b.reconstructor.encoded == [0]


@pytest.mark.parametrize("error", [SourceError("The disk is gone."), OSError("I/O error")])
def test_a_source_that_breaks_in_the_middle(bench: Callable[..., Bench], error: Exception) -> None:
    clip = FakeClip(10, fps=30, error=error)
    b = bench(clip=clip)
    b.worker.open("clip")
    assert str(error).rstrip(".") in b.wait_state(WorkerState.FAULTED).message
    assert clip.closed.is_set() and indices(b) == [0, 1]


def test_a_broken_picture_in_a_folder_is_told_and_left(bench: Callable[..., Bench]) -> None:
    clip = FakeClip(4, fps=30)
    read = clip.read

    def read_over() -> Frame | None:
        frame = read()
        if frame is not None and frame.index == 2:
            raise FrameError("2.png is broken.")
        return frame

    clip.read = read_over  # type: ignore[method-assign]
    b = bench(clip=clip)
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert indices(b) == [0, 1, 3]
    assert Status(WorkerState.RUNNING, "2.png is broken.") in b.statuses


@pytest.mark.parametrize("step", [lambda worker: worker.step(-1), lambda worker: worker.seek(2)])
@pytest.mark.parametrize(("broken", "shown"), [({2}, 1), ({1, 2}, 0), ({0, 1, 2}, 3)])
def test_a_step_back_passes_over_broken_pictures(
    bench: Callable[..., Bench], broken: set[int], shown: int, step: Callable[[Worker], None]
) -> None:
    clip = FakeClip(4, fps=30)
    read = clip.read

    def read_over() -> Frame | None:
        frame = read()
        if frame is not None and frame.index in broken:
            raise FrameError(f"{frame.index}.png is broken.")
        return frame

    clip.read = read_over  # type: ignore[method-assign]
    b = bench(clip=clip)
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    count = len(b.records)
    step(b.worker)
    assert b.wait_records(count + 1).frame.index == shown
    b.wait_state(WorkerState.PAUSED)
    b.worker.play()
    b.wait_state(WorkerState.ENDED)
    assert indices(b)[count:] == [n for n in range(shown, 4) if n not in broken]


def test_what_the_gate_drops_is_told(bench: Callable[..., Bench]) -> None:
    b = bench(image=FakeClip(1, fps=None))
    b.reconstructor.presence = float("nan")
    b.worker.open("image")
    assert "was dropped" in b.wait_state(WorkerState.ENDED).message
    assert b.records[-1].people == ()


def test_a_view_that_fails_does_not_take_the_worker_with_it(bench: Callable[..., Bench]) -> None:
    b = bench(clip=FakeClip(5))
    good = b._add

    def fail(where: list[Any], news: object) -> None:
        good(where, news)
        raise RuntimeError("widget is gone")

    b._add = fail  # type: ignore[method-assign]
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)


# Close


STATES = {
    "before start": None,
    "idle": None,
    "opening": WorkerState.OPENING,
    "running file": WorkerState.RUNNING,
    "running camera": WorkerState.RUNNING,
    "paused": WorkerState.PAUSED,
    "ended": WorkerState.ENDED,
    "faulted": WorkerState.FAULTED,
}


@pytest.mark.fault(16)
@pytest.mark.parametrize("name", STATES)
def test_close_in_every_state_leaves_no_thread(name: str) -> None:
    before = set(threading.enumerate())
    release = threading.Event()
    sources = {
        "opening": lambda: (release.wait(EVENT), FakeClip())[1],
        "running file": FakeClip(10**6, fps=30),
        "running camera": FakeCamera(period=0.01),
        "paused": FakeClip(100),
        "ended": FakeClip(1),
    }
    b = Bench(sources)
    if name != "before start":
        b.worker.start()
    state = STATES[name]
    if state is not None:
        b.worker.open(name)
        if name == "paused":
            b.worker.pause()
        b.wait_state(state)
    start = time.monotonic()
    assert b.worker.close()
    assert time.monotonic() - start < 2
    assert b.worker.close()
    count = len(b.statuses) + len(b.records)
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(EVENT)
        assert not thread.is_alive()
    assert len(b.statuses) + len(b.records) == count, "silence after close"


@pytest.mark.fault(3)
@pytest.mark.fault(16)
def test_close_does_not_wait_for_what_hangs() -> None:
    camera = FakeCamera(period=0.01)
    b = Bench({"camera": camera})
    b.worker.start()
    b.worker.open("camera")
    b.wait_records(1)
    camera.hang()
    assert b.worker.close(), "the worker ends, the camera's thread is left behind"
    b.shut()

    b = Bench({"clip": FakeClip(5)})
    b.worker.start()
    b.gate.clear()
    b.worker.open("clip")
    assert b.inside.wait(EVENT)
    start = time.monotonic()
    assert not b.worker.close(0.1)
    assert time.monotonic() - start < 1
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("pointhmr"))
    b.gate.set()
    assert b.worker.close(EVENT)
    assert b.records == []


def test_open_close_many_times(bench: Callable[..., Bench]) -> None:
    """Orders pour in faster than they can be followed; the last one counts."""
    b = bench(clip=lambda: FakeClip(50, fps=30), camera=lambda: FakeCamera(period=0.01), last=FakeClip(3))
    for i in range(50):
        b.worker.open("clip" if i % 2 else "camera")
        b.worker.seek(i)
        b.worker.set_hops((i, i, i, i))
        b.worker.pause()
    b.worker.open("last")
    b.wait(lambda: states(b)[-1:] == [WorkerState.ENDED] and indices(b)[-1:] == [2])
    assert b.records[-1].hops == (49,) * 4


def test_a_frame_in_work_is_not_told_once_its_source_is_to_be_left(bench) -> None:
    one = bench(old=FakeClip(5), new=FakeClip(1))
    one.gate.clear()
    one.worker.open("old")
    assert one.inside.wait(EVENT)
    one.worker.open("new")
    one.gate.set()
    one.wait_state(WorkerState.ENDED)
    assert len(one.records) == 1 and one.sources["old"].closed.is_set()


def kept_record(bench: Bench) -> Record:
    """A record as a case brings it, of the bench's own network."""
    pipeline = Pipeline(bench.detector, Tracker(), FakeReconstructor())
    return pipeline.process(frame(41), (7, 5, 3, 1), [standing()])


def test_masks_are_tried_on_an_adopted_record_without_its_source(bench) -> None:
    one = bench(clip=FakeClip(3))
    one.worker.set_every_frame(True)
    one.worker.open("clip")
    one.wait_state(WorkerState.ENDED)
    clip = one.sources["clip"]
    kept, seen = kept_record(one), len(one.records)
    one.worker.adopt(kept, one.reconstructor.sha256)
    one.wait_state(WorkerState.PAUSED)
    one.worker.set_hops((None, 5, 3, 1))
    again = one.wait_records(seen + 1)
    assert clip.closed.wait(EVENT), "the source is left"
    assert again.frame is kept.frame and again.hops == (None, 5, 3, 1)
    assert not np.array_equal(again.people[0].coarse, kept.people[0].coarse)
    assert one.reconstructor.encoded == [0, 1, 2], "only the regressor runs"
    one.worker.set_hops(kept.hops)
    back = one.wait_records(seen + 2)
    assert np.array_equal(back.people[0].coarse, kept.people[0].coarse)


def test_a_looping_folder_that_vanishes_ends_with_one_sentence(bench) -> None:
    """Every picture of it raises; nobody is flooded with statuses meanwhile."""
    clip = FakeClip(3)
    one = bench(clip=clip)
    one.worker.set_loop(True)
    one.worker.open("clip")
    one.wait_records(3)
    clip.read = lambda: gone(clip)
    one.wait_state(WorkerState.FAULTED)
    assert "can be read any more" in one.statuses[-1].message
    assert len(one.statuses) < 30


def gone(clip: FakeClip) -> None:
    """Reading a picture that is not there any more."""
    if clip._next >= (clip.length or 0):
        return
    clip._next += 1
    raise FrameError(f"picture {clip._next} cannot be read.")


def test_an_adopted_record_is_isolated_and_looked_at_twice(bench) -> None:
    one = bench()
    kept = kept_record(one)
    one.worker.adopt(kept, one.reconstructor.sha256)
    one.wait_state(WorkerState.PAUSED)
    one.worker.set_mirror(True)
    assert one.wait_records(1).mirror
    one.worker.set_isolate(not kept.isolate)
    assert one.wait_records(2).isolate is not kept.isolate


def test_another_models_record_is_left_alone_and_a_source_follows(bench) -> None:
    one = bench(clip=FakeClip(2))
    one.worker.adopt(kept_record(one), "f" * 64)
    one.wait(lambda: one.statuses and "Another model made this case" in one.statuses[-1].message)
    one.worker.set_hops((1, 1, 1, 1))
    one.worker.open("clip")
    one.wait_state(WorkerState.ENDED)
    assert indices(one) == [0, 1] and {record.hops for record in one.records} == {(1, 1, 1, 1)}


def test_a_case_is_shown_also_where_no_model_can_be_loaded(bench) -> None:
    one = bench()
    one.factory_error = UserError("The weights are gone.")
    one.worker.adopt(kept_record(one), one.reconstructor.sha256)
    one.wait(lambda: one.statuses and one.statuses[-1].message.startswith("Masks cannot be tried"))
    assert (
        one.statuses[-1].state is WorkerState.PAUSED and "The weights are gone." in one.statuses[-1].message
    )
