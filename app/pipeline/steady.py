"""Live smoothing: three low-pass filters in a row over whole bodies, the same for everything of a person.

Why not One-Euro: at the same delay it leaves more trembling (`pointhmr benchmark jitter` prints both), for
its cut-off follows the speed, and a depth that trembles looks fast. A cascade of equal first-order filters
takes more for its delay than one filter does, and depth, which trembles most, gets more of it than what the
picture shows. Every filter is linear and has the same weight for all points, so that joints stay those of
the mesh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.pipeline.frames import Person, Record
from app.pipeline.smoothing import FORGET_AFTER

STAGES = 3
ACROSS, DEPTH, PLACE = 2.0 / 30, 4.0 / 30, 1.0 / 30
"""Seconds by which the cascade lags at strength 1: x and y of the body; its z; where and how large it is."""
FASTEST = 8.0
"""Metres a second, on average over the joints about the hips, that nobody moves: there was a cut."""
FARTHEST = 12.0
"""The same for the whole body across the picture."""
_GROWTH = 1.3
"""Factor by which nobody's size changes from one frame to the next."""
_LEAST_JUMP = 0.15
"""Metres that a result may always be off, however short the time."""


@dataclass(frozen=True)
class Trail:
    """What is remembered of one person: never changed, so that keeping it is a snapshot."""

    time: float
    joints: np.ndarray
    """(J, 3) metres as they came last."""
    camera: tuple[float, float, float]
    """The same of the camera."""
    points: tuple[np.ndarray, ...]
    """(P, 3) of each stage: everything that has places, one after the other."""
    place: tuple[np.ndarray, ...]
    """(3,) of each stage: x and y in pixels, logarithm of the scale."""


class Steadier:
    """Smooths the records of one source, person by person. Not for pictures that do not follow each other."""

    def __init__(self) -> None:
        self._trails: dict[int, Trail] = {}

    def forget(self) -> None:
        """The next record does not follow on the last one."""
        self._trails = {}

    def __call__(self, record: Record, strength: float) -> Record:
        """The record with steady people, and as `raw` those that came; strength in [0, 1], 0 changes nothing.

        A person who was not in the record before, or was elsewhere, begins afresh; so does everybody after a
        gap and where time goes back or stands.
        """
        if strength <= 0:
            self.forget()
            return record
        now, known = record.frame.time, self._trails
        done = [_step(known.get(person.box.id), now, person, strength) for person in record.people]
        self._trails = {person.box.id: trail for person, (trail, _) in zip(record.people, done, strict=True)}
        return replace(record, people=tuple(person for _, person in done), raw=record.people)


def _step(trail: Trail | None, now: float, person: Person, strength: float) -> tuple[Trail, Person]:
    points = np.concatenate([array for _, array in _parts(person)])
    scale, tx, ty = person.camera
    place = np.array([tx, ty, math.log(scale)])
    if trail is None or not _follows(trail, now, person, points):
        start = Trail(now, person.joints3d, person.camera, (points,) * STAGES, (place,) * STAGES)
        return start, person
    seconds = now - trail.time
    across, depth, where = (share(lag * strength, seconds) for lag in (ACROSS, DEPTH, PLACE))
    shares = np.array([across, across, depth], points.dtype)
    stages = _through(trail.points, points, shares)
    places = _through(trail.place, place, where)
    new = Trail(now, person.joints3d, person.camera, stages, places)
    return new, _moved(person, stages[-1], places[-1])


def share(lag: float, seconds: float) -> float:
    """How much of a new value each stage takes over, so that all together lag by `lag` seconds."""
    return seconds / (seconds + lag / STAGES)


def _through(
    stages: tuple[np.ndarray, ...], value: np.ndarray, part: np.ndarray | float
) -> tuple[np.ndarray, ...]:
    result = []
    for stage in stages:
        value = stage + part * (value - stage)
        result.append(value)
    return tuple(result)


def _parts(person: Person) -> Sequence[tuple[str, np.ndarray]]:
    """Names and (N, 3) arrays of all that has places in space."""
    named = [("vertices", person.vertices), ("coarse", person.coarse), ("joints3d", person.joints3d)]
    own = person.network_joints
    return named if own is None else [*named, ("network_joints", own)]


def _moved(person: Person, points: np.ndarray, place: np.ndarray) -> Person:
    named = _parts(person)
    ends = np.cumsum([len(array) for _, array in named])[:-1]
    arrays = dict(zip((name for name, _ in named), np.split(points, ends), strict=True))
    camera = math.exp(place[2]), float(place[0]), float(place[1])
    joints2d = (arrays["joints3d"][:, :2] * camera[0] + np.array(camera[1:])).astype(np.float32)
    return replace(person, camera=camera, joints2d=joints2d, **arrays)  # type: ignore[arg-type]


def _follows(trail: Trail, now: float, person: Person, points: np.ndarray) -> bool:
    """Whether a person can be the one of the trail, a moment later."""
    seconds = now - trail.time
    if not 0 < seconds <= FORGET_AFTER or trail.points[0].shape != points.shape:
        return False
    growth = person.camera[0] / trail.camera[0]
    if not 1 / _GROWTH < growth < _GROWTH:
        return False
    apart = float(np.linalg.norm(person.joints3d - trail.joints, axis=1).mean())
    walked = math.hypot(*(a - b for a, b in zip(person.camera[1:], trail.camera[1:], strict=True)))
    walked /= person.camera[0]
    return apart < _LEAST_JUMP + FASTEST * seconds and walked < _LEAST_JUMP + FARTHEST * seconds
