"""Another model while the worker works: the source goes on, the old one goes, a failure changes nothing."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.pipeline.frames import Hops, Person
from app.pipeline.pipeline import Pipeline
from app.pipeline.tracker import Tracker
from app.pipeline.worker import WorkerState
from model.errors import UserError
from tests.app.fakes import EVENT, FakeCamera, FakeClip, FakeDetector, FakeReconstructor, standing
from tests.app.test_worker import QUICK, Bench, indices, states


class Other(FakeReconstructor):
    """A network whose people have `size` vertices, and that chokes on the features of others."""

    size = 9

    def regress(self, encoded: Any, hops: Hops) -> Person:
        if isinstance(encoded, Person):
            assert len(encoded.vertices) == self.size, "features of another network"
        person = super().regress(encoded, hops)
        return replace(person, vertices=np.zeros((self.size, 3), np.float32))


class SwitchBench(Bench):
    """Remembers what each switch came to, and after which record."""

    def __init__(self, sources: dict[str, Any]) -> None:
        super().__init__(sources, QUICK)
        self.outcomes: list[tuple[str, int]] = []
        self.finder = FakeDetector([standing()])
        self.worker.start()

    def make(self) -> Pipeline:
        return Pipeline(self.finder, Tracker(), Other())

    def switch(self, factory: Callable[[], Pipeline] | None = None) -> None:
        self.worker.switch(factory or self.make, lambda fault: self._add(self.outcomes, fault))

    def _add(self, where: list[Any], news: object) -> None:
        if where is getattr(self, "outcomes", None):
            news = (news, len(self.records))
        super()._add(where, news)

    def wait_outcomes(self, count: int) -> tuple[str, int]:
        self.wait(lambda: len(self.outcomes) >= count, f"{self.outcomes}")
        return self.outcomes[-1]


@pytest.fixture
def bench() -> Iterator[Callable[..., SwitchBench]]:
    before = set(threading.enumerate())
    made: list[SwitchBench] = []

    def make(**sources: Any) -> SwitchBench:
        made.append(SwitchBench(sources))
        return made[-1]

    yield make
    for one in made:
        one.shut()
    for thread in set(threading.enumerate()) - before:
        thread.join(EVENT)
        assert not thread.is_alive(), thread


def sizes(bench: SwitchBench) -> list[int]:
    """Vertices of the person in each record."""
    return [len(record.people[0].vertices) for record in bench.records]


def test_a_clip_goes_on_under_the_other_model(bench: Callable[..., SwitchBench]) -> None:
    b = bench(clip=FakeClip(100_000, fps=60))
    b.worker.open("clip")
    b.wait_records(3)
    b.switch()
    fault, place = b.wait_outcomes(1)
    assert fault == ""
    b.wait_records(place + 3)
    assert Other.size not in sizes(b)[:place], "only the old one before"
    assert set(sizes(b)[place:]) == {Other.size}, "only the new one after"
    assert indices(b) == sorted(set(indices(b))), "the clip was not started again"
    assert set(states(b)) == {WorkerState.OPENING, WorkerState.RUNNING}
    assert {record.people[0].box.id for record in b.records} == {1}, "nobody was lost"


def test_the_old_model_plays_while_the_new_one_loads(bench: Callable[..., SwitchBench]) -> None:
    b = bench(clip=FakeClip(100_000, fps=60))
    b.worker.open("clip")
    b.wait_records(1)
    loading, loaded = threading.Event(), threading.Event()

    def slow() -> Pipeline:
        loading.set()
        assert loaded.wait(EVENT)
        return b.make()

    b.switch(slow)
    assert loading.wait(EVENT)
    b.wait_records(len(b.records) + 5)
    assert b.outcomes == [] and Other.size not in sizes(b)
    loaded.set()
    assert b.wait_outcomes(1)[0] == ""


def test_a_frozen_picture_is_done_again_and_takes_other_masks(bench: Callable[..., SwitchBench]) -> None:
    b = bench(picture=FakeClip(1, fps=None))
    b.worker.open("picture")
    b.wait_state(WorkerState.ENDED)
    b.switch()
    b.wait(lambda: sizes(b)[-1:] == [Other.size])
    b.worker.set_hops((1, 1, 1, 1))
    b.wait(lambda: b.records[-1].hops == (1, 1, 1, 1))
    assert sizes(b)[-1] == Other.size and b.records[-1].frame.index == 0
    assert states(b)[-1] is WorkerState.ENDED


def test_a_model_that_fails_to_load_leaves_the_old_one(bench: Callable[..., SwitchBench]) -> None:
    b = bench(camera=FakeCamera(period=0.01))
    b.worker.open("camera")
    b.wait_records(1)

    def refused() -> Pipeline:
        raise UserError("weights.bin is cut off or damaged.")

    def broken() -> Pipeline:
        raise RuntimeError("out of memory")

    b.switch(refused)
    assert b.wait_outcomes(1)[0] == "weights.bin is cut off or damaged."
    b.switch(broken)
    assert b.wait_outcomes(2)[0] == "The model could not be loaded: out of memory."
    b.wait_records(len(b.records) + 3)
    assert Other.size not in sizes(b)
    assert set(states(b)) == {WorkerState.OPENING, WorkerState.RUNNING}


def test_the_old_pipeline_is_let_go(bench: Callable[..., SwitchBench]) -> None:
    b = bench(clip=FakeClip(100_000, fps=60))
    b.worker.open("clip")
    b.wait_records(1)
    pipelines: list[weakref.ref[Pipeline]] = []

    def make() -> Pipeline:
        pipeline = b.make()
        pipelines.append(weakref.ref(pipeline))
        return pipeline

    for count in (1, 2):
        b.switch(make)
        b.wait_outcomes(count)
    b.wait_records(len(b.records) + 2)
    gc.collect()
    assert [ref() is None for ref in pipelines] == [True, False]


def test_before_the_first_source_the_new_model_is_simply_the_model(bench: Callable[..., SwitchBench]) -> None:
    b = bench(clip=FakeClip(3))
    b.switch()
    assert b.wait_outcomes(1) == ("", 0)
    b.worker.open("clip")
    b.wait_state(WorkerState.ENDED)
    assert b.built == 0 and set(sizes(b)) == {Other.size}


def test_the_last_of_several_switches_counts(bench: Callable[..., SwitchBench]) -> None:
    b = bench(clip=FakeClip(100_000, fps=60))
    b.worker.open("clip")
    b.wait_records(1)
    gate = threading.Event()

    def slow() -> Pipeline:
        assert gate.wait(EVENT)
        return Pipeline(b.finder, Tracker(), FakeReconstructor())

    b.switch(slow)
    b.switch()
    assert b.wait_outcomes(1)[0] == ""
    gate.set()
    assert b.wait_outcomes(2)[0] == "Another model was chosen meanwhile."
    b.wait_records(len(b.records) + 2)
    assert sizes(b)[-1] == Other.size
