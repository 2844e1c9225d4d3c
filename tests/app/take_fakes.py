"""Records and takes of a person who walks to the right, without any network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from app.pipeline.crop import crop_for_box
from app.pipeline.frames import Person, Record
from app.takes.take import Made, Performer, Take
from tests.app.fakes import FakeReconstructor, frame, standing

HOPS = (7, 5, None, 1)
MADE = Made("body-lite", "9f3ac2d4", source="walk.mp4")
RATE = 30.0


@lru_cache(maxsize=1)
def _standing() -> Person:
    network, box = FakeReconstructor(), standing()
    encoded = network.encode(frame(), [(box, crop_for_box(box, (320, 240), 256))])[0]
    return network.regress(encoded, HOPS)


def person(number: int = 1, seconds: float = 0.0) -> Person:
    """Somebody whose arms rise, and who is 10 pixels further to the right each second."""
    still = _standing()
    lift = np.float32(0.1 * np.sin(2 * seconds))
    vertices = still.vertices + lift * np.abs(still.vertices[:, :1]) * np.float32([0, -1, 0])
    scale, tx, ty = still.camera
    box = replace(still.box, id=number, x=still.box.x + 10 * seconds)
    return replace(still, box=box, vertices=vertices, camera=(scale, tx + 10 * seconds, ty), presence=0.9)


def record(index: int, ids: Sequence[int] = (1,)) -> Record:
    """A frame of the walk at 30 frames a second."""
    seconds = index / RATE
    return Record(frame(index), tuple(person(number, seconds) for number in ids), HOPS)


def take(frames: int = 10, ids: Sequence[int] = (1,), seen: Sequence[bool] | None = None) -> Take:
    """The walk as a take; `seen` says in which frames there are people."""
    present = np.flatnonzero(np.ones(frames, bool) if seen is None else np.asarray(seen))
    people = [[person(number, index / RATE) for index in present] for number in ids]
    return Take(
        MADE,
        np.arange(frames) / RATE,
        np.arange(frames),
        np.tile(np.array([320, 240], np.int32), (frames, 1)),
        np.tile(np.array([7, 5, -1, 1], np.int16), (frames, 1)),
        tuple(_performer(number, present, rows) for number, rows in zip(ids, people, strict=True)),
    )


def _performer(number: int, frames: np.ndarray, rows: Sequence[Person]) -> Performer:
    return Performer(
        number,
        frames.astype(np.int64),
        np.stack([row.vertices for row in rows]),
        np.stack([row.joints3d for row in rows]),
        np.array([row.camera for row in rows]),
        np.array([row.box.xywh for row in rows], np.float32),
        np.zeros(len(rows), bool),
        {"presence": np.full(len(rows), 0.9, np.float32)},
    )
