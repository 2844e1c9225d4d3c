"""Losing and finding people again: who leaves and returns, a cut, and two who pass each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.frames import Record
from app.pipeline.pipeline import Pipeline
from app.pipeline.steady import Steadier
from app.pipeline.tracker import Tracker, iou
from tests.app.fakes import FakeDetector, FakeReconstructor, frame, standing
from tests.app.test_tracker import person

HOPS = (7, 5, 3, 1)


class Scene:
    """A pipeline and its smoothing over frames that follow each other."""

    def __init__(self) -> None:
        self.detector = FakeDetector([standing()])
        self.reconstructor = FakeReconstructor()
        self.pipeline = Pipeline(self.detector, Tracker(), self.reconstructor)
        self._steady = Steadier()
        self._next = 0

    def run(self, frames: int) -> Record:
        """The last record of so many frames."""
        for _ in range(frames):
            record = self._steady(self.pipeline.process(frame(self._next), HOPS), 1.0)
            self._next += 1
        return record


def is_fresh(record: Record) -> bool:
    return np.array_equal(record.people[0].vertices, record.raw[0].vertices)


def test_whoever_leaves_and_returns_is_the_same_person_and_not_dragged_across() -> None:
    scene = Scene()
    before = scene.run(5).people[0]
    scene.detector.people, scene.reconstructor.presence = [], 0.1
    assert scene.run(8).people == ()
    scene.detector.people, scene.reconstructor.presence = [standing((175, 118))], 1.0
    calls = scene.detector.calls
    back = scene.run(1)
    assert scene.detector.calls == calls + 1, "looked for at once"
    assert back.people[0].box.id == before.box.id
    assert is_fresh(back)
    assert np.abs(scene.run(2).people[0].joints2d - back.people[0].joints2d).max() < 9, "stays there"


def test_after_a_cut_nobody_is_smoothed_into_somebody_else() -> None:
    """The cut is not announced: the network finds nobody where the body was, then another one elsewhere."""
    scene = Scene()
    before = scene.run(5).people[0]
    scene.reconstructor.presence = 0.2
    scene.detector.people = [standing((60, 120), 120)]
    assert scene.run(1).people == ()
    scene.reconstructor.presence = 1.0
    found = scene.run(1)
    assert found.people[0].box.id != before.box.id
    assert is_fresh(found)
    middle = found.people[0].joints2d.mean(axis=0)
    assert abs(middle[0] - 60) < 30


@pytest.mark.parametrize("speed", [4, 8, 12])
def test_two_who_pass_each_other_keep_their_ids(speed: int) -> None:
    """One nearer than the other; the network stays with whoever fills its crop best."""
    tracker = Tracker()
    tracker.follow(True, None)
    who: dict[int, set[int]] = {}
    for step in range(400 // speed):
        real = [standing((120 + speed * step, 240), 200), standing((520 - speed * step, 280), 220)]
        if tracker.wants_detection:
            apart = abs(real[0].x - real[1].x) > 25
            tracker.detected(real if apart else real[1:])
        people = []
        for box in tracker.targets():
            truth = int(np.argmax([iou(box, other) for other in real]))
            who.setdefault(box.id, set()).add(truth)
            people.append(person(replace(real[truth], id=box.id)))
        tracker.followed(people, (640, 480))
    assert sorted(map(sorted, who.values())) == [[0], [1]]
