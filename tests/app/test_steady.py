"""Live smoothing: less trembling, everything of a person alike, and afresh where nothing follows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.frames import Frame, Person, Record
from app.pipeline.steady import ACROSS, DEPTH, STAGES, Steadier, share
from app.takes.journal import frame_entry
from tests.app.gui_fakes import person

RATE = 30.0
PICTURE = np.zeros((480, 640, 3), np.uint8)


def at(index: int, *people: Person, time: float | None = None) -> Record:
    """A record of a 30 Hz clip."""
    moment = index / RATE if time is None else time
    return Record(Frame(PICTURE, index, moment, "clip.mp4"), people, (7, 5, 3, 1))


def moved(base: Person, offset: np.ndarray, place: tuple[float, float] = (0.0, 0.0)) -> Person:
    """The person with every point moved by an offset (3,) in metres, and in the picture by pixels."""
    offset = offset.astype(np.float32)
    arrays = {name: getattr(base, name) + offset for name in ("vertices", "coarse", "joints3d")}
    s, tx, ty = base.camera
    return replace(base, camera=(s, tx + place[0], ty + place[1]), **arrays)


def trembling(count: int, size: float = 0.01) -> list[Person]:
    """A still person with noise on all points alike."""
    rng = np.random.default_rng(3)
    return [moved(person(), rng.normal(0, size, 3)) for _ in range(count)]


def accelerations(people: list[Person]) -> float:
    joints = np.stack([p.joints3d for p in people])
    return float(np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).mean())


def test_trembling_goes_and_the_raw_people_stay_with_the_record() -> None:
    raw = trembling(60)
    steady = Steadier()
    records = [steady(at(i, p), 1.0) for i, p in enumerate(raw)]
    assert accelerations([r.people[0] for r in records[10:]]) < 0.2 * accelerations(raw[10:])
    assert all(r.raw[0] is p for r, p in zip(records, raw, strict=True))
    assert records[-1].unsmoothed.people == (raw[-1],)
    assert frame_entry(records[-1]) == frame_entry(at(59, raw[-1])), "takes keep what the network made"


def test_a_steady_motion_is_followed_with_the_promised_lag() -> None:
    steady, speed = Steadier(), np.array([0.9, 0.0, 0.6])
    for i in range(90):
        record = steady(at(i, moved(person(), speed * i / RATE)), 1.0)
    behind = (moved(person(), speed * 89 / RATE).vertices - record.people[0].vertices).mean(0)
    assert behind[0] / speed[0] == pytest.approx(ACROSS, rel=0.02)
    assert behind[2] / speed[2] == pytest.approx(DEPTH, rel=0.05)
    assert ACROSS * RATE <= 2.001, "frames at 30 a second"


def test_joints_vertices_and_camera_stay_one_body() -> None:
    """Whatever is linear in the mesh stays it; the picture's joints are the projected ones."""
    rng, steady, base = np.random.default_rng(0), Steadier(), person()
    weights = rng.dirichlet(np.ones(len(base.vertices)), 14).astype(np.float32)
    for i in range(12):
        vertices = base.vertices + rng.normal(0, 0.01, base.vertices.shape).astype(np.float32)
        one = replace(base, vertices=vertices, joints3d=weights @ vertices, network_joints=weights @ vertices)
        one = moved(replace(one, coarse=vertices[:431]), np.zeros(3), (3.0 * i, -i))
        one = replace(one, network_joints=one.joints3d)
        result = steady(at(i, one), 0.7).people[0]
    assert np.abs(weights @ result.vertices - result.joints3d).max() < 1e-5
    assert np.abs(result.vertices[:431] - result.coarse).max() < 1e-6
    assert result.network_joints is not None
    assert np.abs(result.network_joints - result.joints3d).max() < 1e-6
    assert np.abs(result.project(result.joints3d) - result.joints2d).max() < 1e-3
    assert result.vertices.dtype == result.joints2d.dtype == np.float32
    assert result.camera[1] < one.camera[1], "lags"


def test_the_pace_of_the_pictures_does_not_change_the_lag_in_seconds() -> None:
    for seconds in (1 / 60, 1 / 30, 1 / 10):
        part = share(ACROSS, seconds)
        assert STAGES * (1 - part) / part * seconds == pytest.approx(ACROSS)


@pytest.mark.parametrize(
    ("index", "time", "offset", "place"),
    [
        (11, 5.0, (0, 0, 0), (0, 0)),
        (3, None, (0, 0, 0), (0, 0)),
        (10, None, (0, 0, 0), (0, 0)),
        (11, None, (1.5, 0, 0), (0, 0)),
        (11, None, (0, 0, 0), (400, 0)),
    ],
    ids=["a gap", "back", "the same moment", "another pose at once", "elsewhere at once"],
)
def test_what_does_not_follow_begins_afresh(
    index: int, time: float | None, offset: tuple[float, ...], place: tuple[float, float]
) -> None:
    steady = Steadier()
    for i, one in enumerate(trembling(11)):
        steady(at(i, one), 1.0)
    new = moved(person(), np.array(offset) + 0.02, place)
    result = steady(at(index, new, time=time), 1.0).people[0]
    assert np.array_equal(result.vertices, new.vertices)
    assert result.camera == new.camera


def test_whoever_was_gone_begins_afresh_and_the_others_go_on() -> None:
    steady, raw = Steadier(), trembling(12)
    second = moved(person(2), np.zeros(3), (200.0, 0.0))
    for i in range(10):
        steady(at(i, raw[i], second), 1.0)
    steady(at(10, raw[10]), 1.0)
    back = moved(second, np.full(3, 0.03))
    result = steady(at(11, raw[11], back), 1.0)
    assert np.array_equal(result.people[1].vertices, back.vertices)
    assert not np.array_equal(result.people[0].vertices, raw[11].vertices)


def test_strength_nought_changes_nothing() -> None:
    record = at(0, person())
    assert Steadier()(record, 0.0) is record
