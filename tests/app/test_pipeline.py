"""Pipeline: detect, crop, encode, regress, and the one gate for what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.crop import MARGIN, roll_of, to_crop
from app.pipeline.frames import Hops, Person, PersonBox
from app.pipeline.pipeline import Pipeline, fault_of
from app.pipeline.tracker import DETECT_EVERY, Tracker
from tests.app.fakes import PICTURE, FakeDetector, FakeReconstructor, frame, standing

HOPS: Hops = (7, 5, 3, 1)


@pytest.fixture
def reconstructor() -> FakeReconstructor:
    return FakeReconstructor()


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector([standing()])


@pytest.fixture
def pipeline(detector: FakeDetector, reconstructor: FakeReconstructor) -> Pipeline:
    return Pipeline(detector, Tracker(), reconstructor)


def test_a_person_goes_all_the_way(pipeline: Pipeline, reconstructor: FakeReconstructor) -> None:
    shot = frame()
    record = pipeline.process(shot, HOPS)
    (person,) = record.people
    assert record.frame is shot and record.hops == HOPS
    assert set(record.timings) == {"detect", "encode", "regress"}
    assert all(value >= 0 for value in record.timings.values())
    height = np.ptp(person.vertices[:, 1])
    assert 1.4 < height < 2.0
    assert (np.abs(person.project(person.joints3d) - person.joints2d) < 0.5).all()
    inside = to_crop(person.crop, person.project(person.vertices))
    assert inside.min() > 0 and inside.max() < reconstructor.crop_size
    assert person.heatmaps.shape == (431, 64, 64)


def test_the_detector_rests_and_ids_stay(pipeline: Pipeline, detector: FakeDetector) -> None:
    ids = {pipeline.process(frame(i), HOPS).people[0].box.id for i in range(DETECT_EVERY + 1)}
    assert len(ids) == 1 and detector.calls == 2


def test_a_record_names_those_who_are_not_followed(pipeline: Pipeline, detector: FakeDetector) -> None:
    detector.people = [standing((90, 120), 160), standing((240, 120), 80)]
    record = pipeline.process(frame(), HOPS)
    (person,), (other,) = record.people, record.others
    assert other.xywh == detector.people[1].xywh and other.id != person.box.id
    assert pipeline.regress_again(record, (1, 1, 1, 1)).others == record.others
    pipeline.tracker.follow(False, other.id)
    swapped = pipeline.process(frame(1), HOPS)
    assert [swapped.people[0].box.id, swapped.others[0].id] == [other.id, person.box.id]
    assert pipeline.process(frame(2), HOPS, [standing()]).others == ()


def test_nobody_there(pipeline: Pipeline, detector: FakeDetector, reconstructor: FakeReconstructor) -> None:
    detector.people = []
    assert pipeline.process(frame(), HOPS).people == ()
    assert reconstructor.encoded == []
    detector.people = [standing()]
    reconstructor.presence = 0.3
    assert pipeline.process(frame(), HOPS).people == ()
    assert pipeline.tracker.wants_detection


def test_masks_change_without_the_backbone(pipeline: Pipeline, reconstructor: FakeReconstructor) -> None:
    record = pipeline.process(frame(), HOPS)
    again = pipeline.regress_again(record, (None, 5, 3, 1))
    assert reconstructor.encoded == [0] and reconstructor.regressed == [HOPS, (None, 5, 3, 1)]
    assert again.hops == (None, 5, 3, 1) and again.frame is record.frame
    assert again.people[0].box is record.people[0].box and again.people[0].crop is record.people[0].crop
    assert not np.allclose(again.people[0].vertices, record.people[0].vertices)
    back = pipeline.regress_again(again, HOPS)
    np.testing.assert_array_equal(back.people[0].vertices, record.people[0].vertices)


def test_given_boxes_keep_their_order_and_skip_detection(
    pipeline: Pipeline, detector: FakeDetector, reconstructor: FakeReconstructor
) -> None:
    reconstructor.presence = 0.1
    boxes = [PersonBox(200, 20, 60, 160, id=5), standing(id=9), PersonBox(0, 0, 30, 60, id=2)]
    record = pipeline.process(frame(), HOPS, boxes)
    assert [person.box.id for person in record.people] == [5, 9, 2]
    assert detector.calls == 0
    assert [person.box.xywh for person in record.people] == [box.xywh for box in boxes]
    assert pipeline.process(frame(), HOPS, []).people == ()


def test_the_crop_of_a_given_box_is_its_square_turned_upright(
    pipeline: Pipeline, detector: FakeDetector, reconstructor: FakeReconstructor
) -> None:
    box = PersonBox(80, 180, 160, 60)  # down to the lower edge of the picture
    (plain,) = pipeline.process(frame(), HOPS, [box]).people
    np.testing.assert_allclose(to_crop(plain.crop, np.array([[160, 210]])), [[128, 128]])
    assert plain.crop.matrix[0, 0] * 160 * MARGIN == pytest.approx(256)
    upright = standing((160, 210), 160).keypoints
    assert upright is not None
    detector.keypoints = (upright - [160, 210]) @ np.array([[0, 1], [-1, 0]]) + [160, 210]
    (person,) = pipeline.process(frame(), HOPS, [box]).people
    assert roll_of(person.crop) == pytest.approx(np.pi / 2)
    np.testing.assert_allclose(to_crop(person.crop, np.array([[160, 210]])), [[128, 128]], atol=1e-9)
    up = person.joints2d[[8, 9]].mean(0) - person.joints2d[[2, 3]].mean(0)
    assert up[0] > 0 and abs(up[1]) < 0.1 * up[0], "in the picture the body lies, its head on the right"


def nan_in(name: str) -> Callable[[Person], Person]:
    def spoil(person: Person) -> Person:
        array = getattr(person, name).copy()
        array[3, 1] = np.nan
        return replace(person, **{name: array})

    return spoil


SPOILS: dict[str, Callable[[Person], Person]] = {
    **{name: nan_in(name) for name in ("vertices", "coarse", "joints3d", "joints2d")},
    "infinite": lambda person: replace(person, vertices=person.vertices + np.float32(np.inf)),
    "double": lambda person: replace(person, vertices=person.vertices.astype(float)),
    "flat": lambda person: replace(person, coarse=person.coarse[:, :2]),
    "empty": lambda person: replace(person, vertices=person.vertices[:0]),
    "joints": lambda person: replace(person, joints3d=person.joints3d[:13]),
    "scale 0": lambda person: replace(person, camera=(0.0, 1.0, 1.0)),
    "scale -1": lambda person: replace(person, camera=(-1.0, 1.0, 1.0)),
    "camera": lambda person: replace(person, camera=(1.0, float("nan"), 1.0)),
    "presence": lambda person: replace(person, presence=float("nan")),
}


@pytest.mark.parametrize("name", SPOILS)
def test_the_gate(pipeline: Pipeline, reconstructor: FakeReconstructor, name: str) -> None:
    good = pipeline.process(frame(0), HOPS)
    assert fault_of(good.people[0]) is None and pipeline.rejected == ()
    reconstructor.spoil = SPOILS[name]
    assert pipeline.process(frame(1), HOPS).people == ()
    assert len(pipeline.rejected) == 1 and pipeline.rejected[0].startswith("Person 1 was dropped")
    assert pipeline.regress_again(good, (1, 1, 1, 1)).people == ()
    reconstructor.spoil = lambda person: person
    (person,) = pipeline.process(frame(2), HOPS).people
    assert person.box.id == good.people[0].box.id and pipeline.rejected == ()


@pytest.mark.parametrize("size", [(1, 1), (3000, 2)])
def test_odd_pictures(pipeline: Pipeline, detector: FakeDetector, size: tuple[int, int]) -> None:
    detector.people = [PersonBox(0, 0, *size)]
    pipeline.process(frame(size=size), HOPS)


def test_the_crop_has_the_air_that_the_network_wants(
    pipeline: Pipeline, reconstructor: FakeReconstructor
) -> None:
    usual = pipeline.process(frame(), HOPS, [standing()]).people[0].crop
    reconstructor.crop_scale = 1.5
    wide = pipeline.process(frame(), HOPS, [standing()]).people[0].crop
    followed = pipeline.process(frame(), HOPS).people[0].crop
    np.testing.assert_allclose(wide.matrix[:, :2], usual.matrix[:, :2] / 1.5)
    np.testing.assert_allclose(followed.matrix, wide.matrix)


def test_two_people_near_each_other_are_seen_apart(
    pipeline: Pipeline, detector: FakeDetector, reconstructor: FakeReconstructor
) -> None:
    """Whether the other one is reconstructed too, only known, or given by hand."""
    reconstructor.crop_scale = 1.5
    one, other = standing((130, 120), 160), standing((170, 120), 150)
    alone = pipeline.process(frame(), HOPS, [one]).people[0].crop
    given = pipeline.process(frame(), HOPS, [one], others=[other]).people[0].crop
    both = pipeline.process(frame(), HOPS, [one, other]).people[0].crop
    detector.people = [one, other]
    known = pipeline.process(frame(), HOPS).people[0].crop
    np.testing.assert_allclose(given.matrix[:, :2], 1.5 * alone.matrix[:, :2])
    np.testing.assert_allclose(both.matrix, given.matrix)
    np.testing.assert_allclose(known.matrix, given.matrix)


def test_what_was_seen_before_isolating_is_looked_for_where_nobody_kept_it(
    pipeline: Pipeline, reconstructor: FakeReconstructor
) -> None:
    """A kept case has the features that were shown alone."""
    alone = pipeline.process(frame(), HOPS, [standing()], isolate=True)
    pipeline.encode_again(alone, HOPS, isolate=False, mirror=False)
    assert len(reconstructor.encoded) == 1, "off whom should they have been kept?"
    one, other = standing((130, 120)), standing((170, 120))
    pair = pipeline.process(frame(), HOPS, [one], isolate=True, others=[other])
    assert pair.people[0].plain is None
    again = pipeline.encode_again(pair, HOPS, isolate=False, mirror=False)
    assert len(reconstructor.encoded) == 3 and not again.isolate


def test_reset_searches_again(pipeline: Pipeline, detector: FakeDetector) -> None:
    pipeline.process(frame(), HOPS)
    pipeline.reset()
    pipeline.process(frame(1), HOPS)
    assert detector.calls == 2 and PICTURE == (320, 240)
