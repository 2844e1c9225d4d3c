"""Live smoothing where sources are played: what is smoothed, what never is, and what it starts afresh at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.pipeline.frames import Person, Record, Study
from app.pipeline.sources import FolderSource
from app.pipeline.worker import WorkerState
from model.cv import cv2
from tests.app.fakes import FakeClip, gradient
from tests.app.test_steady import moved
from tests.app.test_worker import Bench, bench

__all__ = ["bench"]


class Tremble:
    """Moves every person by other noise, and keeps what came out."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)
        self.people: list[Person] = []

    def __call__(self, person: Person) -> Person:
        self.people.append(moved(person, self._rng.normal(0, 0.01, 3)))
        return self.people[-1]


@pytest.fixture
def play(bench: Callable[..., Bench]) -> Iterator[Callable[..., Bench]]:
    """Makes benches that tremble, smooth with full strength and miss no frame."""

    def make(**sources: object) -> Bench:
        made = bench(**sources)
        made.reconstructor.spoil = Tremble()
        made.worker.set_every_frame(True)
        made.worker.set_smoothing(1.0)
        return made

    yield make


def is_raw(record: Record) -> bool:
    """Whether the record's people are what the network made."""
    people = zip(record.people, record.unsmoothed.people, strict=True)
    return all(np.array_equal(a.vertices, b.vertices) for a, b in people)


def test_a_clip_is_smoothed_from_its_second_frame_on(play: Callable[..., Bench]) -> None:
    b = play(clip=FakeClip(6, fps=30))
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert [is_raw(record) for record in b.records] == [True, *[False] * 5]
    assert all(record.raw for record in b.records)


def test_the_tracker_sees_what_the_network_made(play: Callable[..., Bench]) -> None:
    boxes: list[list[np.ndarray]] = []
    for strength in (0.0, 1.0):
        b = play(clip=FakeClip(6, fps=30))
        b.worker.set_smoothing(strength)
        b.worker.open("clip")
        b.wait_state(WorkerState.ENDED)
        boxes.append([np.array(record.people[0].box.xywh) for record in b.records])
    assert np.allclose(boxes[0], boxes[1])


def test_pictures_are_never_smoothed(play: Callable[..., Bench], tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), gradient(shade=number))
    b = play(folder=FolderSource(tmp_path), picture=FakeClip(1))
    b.worker.open("folder")
    b.wait_records(3)
    b.worker.open("picture")
    b.wait_records(4)
    assert all(is_raw(record) for record in b.records)


def test_a_jump_begins_afresh_and_steps_go_on(play: Callable[..., Bench]) -> None:
    b = play(clip=FakeClip(1000, fps=30))
    b.worker.pause()
    b.worker.open("clip")
    b.worker.pause()
    b.wait_records(1)
    for count in (2, 3):
        b.worker.step()
        assert not is_raw(b.wait_records(count))
    b.worker.seek(500)
    assert is_raw(b.wait_records(4))
    b.worker.step(-1)
    assert is_raw(b.wait_records(5)), "time goes back"


def test_a_loop_begins_afresh(play: Callable[..., Bench]) -> None:
    b = play(clip=FakeClip(3, fps=30))
    b.worker.set_loop(True)
    b.worker.open("clip")
    b.wait(lambda: sum(record.frame.index == 0 for record in b.records) >= 2)
    assert all(is_raw(record) == (record.frame.index == 0) for record in b.records)


def test_a_standing_frame_is_not_smoothed_again_and_playing_goes_on(play: Callable[..., Bench]) -> None:
    """Other masks show at their full size, and leave no trace in what comes after."""
    later = []
    for change in (False, True):
        b = play(clip=FakeClip(1000, fps=30))
        b.worker.open("clip")
        b.worker.pause()
        b.wait_records(1)
        b.worker.step()
        b.wait_records(2)
        count = 2
        if change:
            b.reconstructor.spoil, kept = (lambda person: person), b.reconstructor.spoil
            for hops in ((1, 1, 1, 1), (7, 5, 3, 1)):
                b.worker.set_hops(hops)
                count += 1
                assert is_raw(b.wait_records(count)) and b.records[-1].frame.index == 1
            b.reconstructor.spoil = kept
        b.worker.step()
        later.append(b.wait_records(count + 1).people[0].vertices)
    assert np.array_equal(*later)


def test_a_comparison_is_between_two_unsmoothed_meshes(play: Callable[..., Bench]) -> None:
    b = play(clip=FakeClip(4, fps=30))
    b.worker.set_study(Study(baseline=(1, 1, 1, 1)))
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert all(record.baseline and is_raw(record) for record in b.records)
