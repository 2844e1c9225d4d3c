"""Other masks to compare with and attention: computed when asked for, by the regressor alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.pipeline.frames import Person, Study
from app.pipeline.worker import WorkerState
from tests.app.fakes import FakeClip
from tests.app.test_worker import Bench, bench  # noqa: F401  (a fixture)

A = (1, 1, 1, 1)
B = (7, 5, 3, 1)
Make = Callable[..., Bench]


def still(bench: Make) -> Bench:  # noqa: F811
    """A bench that has shown its one picture."""
    b = bench(image=FakeClip(1, fps=None))
    b.worker.open("image")
    b.wait_state(WorkerState.ENDED)
    return b


def test_nothing_more_is_computed_unless_asked_for(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    record = b.records[-1]
    assert record.study == Study() and record.baseline == () and record.attention is None
    assert b.reconstructor.regressed == [B] and b.reconstructor.attended == []


def test_a_pinned_setting_is_regressed_once_for_a_frozen_frame(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    b.worker.set_study(Study(baseline=A))
    pinned = b.wait_records(2)
    assert b.reconstructor.regressed == [B, A]
    b.worker.set_hops((2, 2, 2, 2))
    moved = b.wait_records(3)
    assert b.reconstructor.regressed == [B, A, (2, 2, 2, 2)], "A was known already"
    assert moved.baseline[0] is pinned.baseline[0]
    assert not np.allclose(moved.people[0].vertices, moved.baseline[0].vertices)
    assert b.reconstructor.encoded == [0]


def test_unpinning_forgets_and_computes_nothing(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    b.worker.set_study(Study(baseline=A))
    people = b.wait_records(2).people
    b.worker.set_study(Study())
    record = b.wait_records(3)
    assert record.baseline == () and record.people == people
    assert "study" not in record.timings
    assert b.reconstructor.regressed == [B, A]


def test_while_playing_every_frame_is_compared(bench: Make) -> None:  # noqa: F811
    b = bench(clip=FakeClip(1000, fps=30))
    b.worker.set_study(Study(baseline=A))
    b.worker.open("clip")
    b.wait_records(3)
    for record in b.records[:3]:
        assert [p.box.id for p in record.baseline] == [p.box.id for p in record.people]
        assert record.baseline[0].features is record.people[0].features


def test_attention_follows_the_masks_and_the_person(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    b.worker.set_study(Study(attention=True))
    record = b.wait_records(2)
    assert record.attention is not None and record.attention.person_id == record.people[0].box.id
    b.worker.set_study(Study(baseline=A, attention=True))
    assert b.wait_records(3).attention is record.attention
    b.worker.set_hops((2, 2, 2, 2))
    b.wait_records(4)
    assert b.reconstructor.attended == [B, (2, 2, 2, 2)]


def test_a_failed_study_is_told_and_not_tried_for_ever(bench: Make) -> None:  # noqa: F811
    b = still(bench)

    def fail(encoded: object, hops: object) -> None:
        raise RuntimeError("no attention here")

    b.reconstructor.attention = fail  # type: ignore[method-assign,assignment]
    b.worker.set_study(Study(attention=True))
    b.wait(lambda: "no attention here" in b.statuses[-1].message)
    b.worker.set_study(Study())
    assert b.wait_records(2).attention is None


def test_a_mesh_that_cannot_be_drawn_is_no_baseline(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    b.reconstructor.spoil = lambda person: replace(person, vertices=person.vertices * np.nan)
    b.worker.set_study(Study(baseline=A))
    record = b.wait_records(2)
    assert record.baseline == () and len(record.people) == 1


def test_after_a_failure_nothing_of_it_is_taken_over(bench: Make) -> None:  # noqa: F811
    b = still(bench)
    b.worker.set_study(Study(baseline=A))
    b.wait_records(2)
    good = b.reconstructor.spoil

    def fail(person: Person) -> Person:
        raise RuntimeError("no regressor here")

    b.reconstructor.spoil = fail
    b.worker.set_hops((2, 2, 2, 2))
    b.wait(lambda: "no regressor here" in b.statuses[-1].message)
    b.reconstructor.spoil = good
    other = (4, 4, 4, 4)
    b.worker.set_study(Study(baseline=other))
    record = b.wait_records(3)
    assert record.hops == (2, 2, 2, 2)
    assert b.reconstructor.regressed[-2:] == [(2, 2, 2, 2), other]
