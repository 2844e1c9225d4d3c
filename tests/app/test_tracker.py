"""Tracker: ids, rests, and asks when somebody is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.frames import Crop, Person, PersonBox
from app.pipeline.tracker import DETECT_EVERY, DETECT_OTHERS_EVERY, Tracker, coco_keypoints, iou
from tests.app.fakes import FakeFeatures, FakeTensor, standing

PICTURE = (640, 480)


def person(box: PersonBox, presence: float = 1.0, **fields: object) -> Person:
    """A reconstruction whose body fills exactly this box."""
    corners = np.array([[-0.5, -1, 0], [0.5, 1, 0]], np.float32)
    scale = box.height / 2
    corners[:, 0] *= box.width / scale
    joints = np.zeros((14, 3), np.float32)
    made = Person(
        box=box,
        crop=Crop(np.eye(2, 3), 256),
        vertices=corners,
        coarse=corners,
        joints3d=joints,
        joints2d=joints[:, :2],
        camera=(scale, box.x + box.width / 2, box.y + box.height / 2),
        presence=presence,
        features=FakeFeatures(FakeTensor(joints)),  # type: ignore[arg-type]
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def shifted(box: PersonBox, dx: float, dy: float = 0.0) -> PersonBox:
    return replace(box, x=box.x + dx, y=box.y + dy)


def test_overlap() -> None:
    a = PersonBox(0, 0, 10, 10)
    assert iou(a, a) == 1.0
    assert iou(a, PersonBox(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert iou(a, PersonBox(10, 0, 10, 10)) == 0.0


def test_lsp_to_coco_keeps_sides() -> None:
    joints = np.arange(28, dtype=np.float32).reshape(14, 2)
    coco = coco_keypoints(joints)
    left = {5: 9, 7: 10, 9: 11, 11: 3, 13: 4, 15: 5}
    right = {6: 8, 8: 7, 10: 6, 12: 2, 14: 1, 16: 0}
    assert coco.shape == (17, 2)
    for ours, theirs in (left | right).items():
        np.testing.assert_array_equal(coco[ours], joints[theirs])


@pytest.mark.parametrize("seed", range(10))
def test_people_keep_their_ids_while_they_walk(seed: int) -> None:
    """The detector names them in any order and misses the moving ones now and then."""
    rng = np.random.default_rng(seed)
    tracker = Tracker()
    tracker.follow(True, None)
    real = [standing((x, 240), 200) for x in (100, 320, 540)]
    ids: dict[int, int] = {}
    for step in range(100):
        real = [shifted(box, rng.uniform(-4, 4), rng.uniform(-2, 2)) for box in real]
        if tracker.wants_detection:
            seen = real if step == 0 else [box for box in real if rng.random() > 0.1]
            tracker.detected([seen[i] for i in rng.permutation(len(seen))])
        targets = tracker.targets()
        assert len({box.id for box in targets}) == len(targets) == 3
        people = []
        for box in targets:
            truth = int(np.argmax([iou(box, other) for other in real]))
            assert ids.setdefault(box.id, truth) == truth
            people.append(person(replace(real[truth], id=box.id)))
        tracker.followed(people, PICTURE)
    assert len(ids) == 3


def test_the_detector_rests_while_somebody_is_followed() -> None:
    tracker = Tracker()
    box = standing()
    asked = []
    for step in range(3 * DETECT_EVERY):
        if tracker.wants_detection:
            asked.append(step)
            tracker.detected([box])
        tracker.followed([person(target) for target in tracker.targets()], PICTURE)
    assert asked == [0, DETECT_EVERY, 2 * DETECT_EVERY]


def test_those_who_are_not_followed_are_known_and_looked_for_more_often() -> None:
    tracker = Tracker()
    large, small = standing((100, 240), 300), standing((400, 240), 100)
    asked = []
    for step in range(2 * DETECT_OTHERS_EVERY + 1):
        if tracker.wants_detection:
            asked.append(step)
            tracker.detected([large, shifted(small, step)])
        (target,) = tracker.targets()
        (other,) = tracker.others()
        assert target.height == 300 and other.id != target.id
        assert other.x == shifted(small, asked[-1]).x, "as the last detection saw it"
        tracker.followed([person(target)], PICTURE)
    assert asked == [0, DETECT_OTHERS_EVERY, 2 * DETECT_OTHERS_EVERY]
    tracker.follow(True, None)
    assert tracker.others() == ()


def test_somebody_whom_the_detector_misses_is_no_other_any_more() -> None:
    tracker = Tracker()
    large, small = standing((100, 240), 300), standing((400, 240), 100)
    tracker.detected([large, small])
    tracker.detected([large])
    assert tracker.others() == ()
    tracker.detected([large, small])
    assert [box.id for box in tracker.others()] == [2]


def test_an_empty_scene_is_searched_every_frame() -> None:
    tracker = Tracker()
    for _ in range(5):
        assert tracker.wants_detection
        tracker.detected([])
        assert tracker.targets() == []
        tracker.followed([], PICTURE)


def followed_once(all_people: bool = False) -> tuple[Tracker, PersonBox]:
    tracker = Tracker()
    tracker.follow(all_people, None)
    tracker.detected([standing()])
    (box,) = tracker.targets()
    tracker.followed([person(box)], PICTURE)
    assert not tracker.wants_detection
    return tracker, tracker.targets()[0]


LARGE = (2000, 2000)
LOSSES = {
    "absent": lambda box: [person(box, presence=0.4)],
    "dropped": lambda box: [],
    "collapsed": lambda box: [person(replace(box, width=2.0, height=4.0))],
    "exploded": lambda box: [person(PersonBox(0, 0, *LARGE, id=box.id))],
    "gone": lambda box: [person(shifted(box, 5000))],
    "jumped": lambda box: [person(shifted(box, 300))],
    "not a number": lambda box: [person(box, camera=(float("nan"), 0.0, 0.0))],
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_calls_the_detector_and_the_id_comes_back(loss: str) -> None:
    tracker, box = followed_once()
    tracker.followed(LOSSES[loss](box), LARGE)
    assert tracker.wants_detection
    assert tracker.targets() == []
    tracker.detected([])
    tracker.followed([], PICTURE)
    tracker.detected([shifted(standing(), 5)])
    assert [one.id for one in tracker.targets()] == [box.id]


def test_a_long_lost_person_is_somebody_new() -> None:
    tracker, box = followed_once()
    for _ in range(80):
        tracker.followed([], PICTURE)
        tracker.detected([])
    tracker.detected([standing()])
    assert tracker.targets()[0].id > box.id


def test_a_ghost_that_only_the_network_sees_is_given_up() -> None:
    tracker, _ = followed_once()
    for _ in range(2 * DETECT_EVERY + 2):
        if tracker.wants_detection:
            tracker.detected([])
        tracker.followed([person(target) for target in tracker.targets()], PICTURE)
    assert tracker.targets() == []


def test_one_person_is_the_largest_and_stays_it() -> None:
    tracker = Tracker()
    small, large = standing((100, 240), 100), standing((400, 240), 300)
    tracker.detected([small, large])
    (first,) = tracker.targets()
    assert first.height == 300
    tracker.followed([person(first)], PICTURE)
    tracker.detected([standing((100, 240), 400), large])
    assert [box.id for box in tracker.targets()] == [first.id]


def test_the_chosen_person_is_followed_and_everybody_on_request() -> None:
    tracker = Tracker()
    tracker.detected([standing((100, 240), 100), standing((400, 240), 300)])
    tracker.follow(True, None)
    large, small = tracker.targets()
    tracker.follow(False, small.id)
    assert tracker.wants_detection, "the boxes of those who were not followed are old"
    assert [box.id for box in tracker.targets()] == [small.id]
    tracker.follow(False, 999)
    assert [box.id for box in tracker.targets()] == [large.id]


def test_two_tracks_on_one_body_become_one() -> None:
    tracker = Tracker()
    tracker.follow(True, None)
    tracker.detected([standing((100, 240), 200), standing((300, 240), 200)])
    same = standing((200, 240), 200)
    while len(targets := tracker.targets()) == 2:
        boxes = [replace(same, x=(box.x + same.x) / 2, id=box.id) for box in targets]
        tracker.followed([person(box) for box in boxes], PICTURE)
    assert [box.id for box in targets] == [1]


def test_trembling_is_damped_and_motion_followed() -> None:
    tracker, box = followed_once()
    tracker.followed([person(shifted(box, 4))], PICTURE)
    assert tracker.targets()[0].x == pytest.approx(box.x + 2)
    box = tracker.targets()[0]
    tracker.followed([person(shifted(box, box.width * 0.6))], PICTURE)
    assert tracker.targets()[0].x == pytest.approx(box.x + box.width * 0.6)


def test_the_box_is_what_the_picture_shows() -> None:
    tracker = Tracker()
    tracker.detected([standing((320, 380), 400)])
    (box,) = tracker.targets()
    for _ in range(20):
        tracker.followed([person(box)], PICTURE)
    (seen,) = tracker.targets()
    assert seen.y + seen.height == pytest.approx(480, abs=1)
    assert seen.keypoints is not None


def test_after_a_cut_people_are_found_where_they_were() -> None:
    tracker, box = followed_once()
    tracker.lose_everybody()
    assert tracker.wants_detection and tracker.targets() == []
    tracker.detected([standing((500, 240)), shifted(standing(), 10)])
    assert {one.id for one in tracker.targets()} == {box.id}


def test_the_same_clip_has_the_same_ids_again() -> None:
    tracker, box = followed_once()
    tracker.reset()
    assert tracker.wants_detection and tracker.targets() == []
    tracker.detected([standing((500, 240))])
    assert tracker.targets()[0].id == box.id == 1
