"""A frame in, people out: detect or track, crop, encode, regress. No threads."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from app.pipeline.crop import body_roll, crop_for_box
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox, Record
from app.pipeline.tracker import PRESENT, Tracker

_log = logging.getLogger(__name__)


class Detects(Protocol):
    """Finds people in a whole picture."""

    def detect(self, image: np.ndarray) -> list[PersonBox]:
        """(H, W, 3) uint8 RGB -> boxes, best first."""

    def look_at(self, image: np.ndarray, box: PersonBox) -> PersonBox:
        """The same box, with keypoints if they can be told."""


class Reconstructs(Protocol):
    """The two halves of the network, see `app.pipeline.reconstructor`."""

    @property
    def crop_size(self) -> int:
        """Side of the crop in pixels."""

    def encode(self, frame: Frame, crops: Sequence[tuple[PersonBox, Crop]]) -> list[Any]:
        """Backbone, heatmaps and tokens of each crop."""

    def regress(self, encoded: Any, hops: Hops) -> Person:
        """The mesh. Reads `box`, `crop` and `features` only, so a `Person` will do as well."""

    def attention(self, encoded: Any, hops: Hops) -> tuple[tuple[np.ndarray, ...], ...]:
        """Attention weights per encoder and layer, (heads, N, N)."""


class Pipeline:
    """Keeps nothing but the tracker from one frame to the next."""

    def __init__(self, detector: Detects, tracker: Tracker, reconstructor: Reconstructs) -> None:
        self.tracker = tracker
        self.reconstructor = reconstructor
        self.rejected: tuple[str, ...] = ()
        """Why people of the last call are missing from its record, one sentence each."""
        self.on_cpu: Callable[[str], Pipeline] | None = None
        """Makes this pipeline again on the CPU, told why; None where it runs there."""
        self._frugal = False
        self._detector = detector

    def process(self, frame: Frame, hops: Hops, boxes: Sequence[PersonBox] | None = None) -> Record:
        """Reconstructs the followed people of a frame, or those in the given boxes in their order.

        Given boxes skip detection and tracking, and nobody in them is dropped for being unlikely. Each is
        its person's whole extent: the crop is its square and a margin, turned upright.
        """
        timings: dict[str, float] = {}
        size = frame.image.shape[1], frame.image.shape[0]
        with _timed(timings, "detect"):
            targets = self._followed(frame) if boxes is None else [self._torso(frame, box) for box in boxes]
        crops = [
            (box, crop_for_box(box, size, self.reconstructor.crop_size, body_roll(box), webcam=boxes is None))
            for box in targets
        ]
        with _timed(timings, "encode"):
            encoded = self._encode(frame, crops) if crops else []
        with _timed(timings, "regress"):
            people = self._gate([self.reconstructor.regress(one, hops) for one in encoded])
        others: tuple[PersonBox, ...] = ()
        if boxes is None:
            others = self.tracker.others()
            self.tracker.followed(people, size)
            people = [person for person in people if person.presence >= PRESENT]
        return Record(frame, tuple(people), hops, timings, others)

    def regress_again(self, record: Record, hops: Hops) -> Record:
        """The same frame and people under other masks: only the regressor runs."""
        timings = dict(record.timings)
        timings.pop("regress", None)
        with _timed(timings, "regress"):
            people = [self.reconstructor.regress(person, hops) for person in record.people]
        return replace(record, people=tuple(self._gate(people)), hops=hops, timings=timings)

    def economise(self) -> None:
        """From now on one person at a time: slower, in the memory of one."""
        self._frugal = True

    def jumped(self) -> None:
        """The next frame is from elsewhere in the same source: everybody is looked for."""
        self.tracker.lose_everybody()

    def reset(self) -> None:
        """Forgets everybody: another source, or the same one from the start."""
        self.tracker.reset()
        self.rejected = ()

    def _encode(self, frame: Frame, crops: Sequence[tuple[PersonBox, Crop]]) -> list[Any]:
        if not self._frugal:
            return self.reconstructor.encode(frame, crops)
        return [one for crop in crops for one in self.reconstructor.encode(frame, [crop])]

    def _followed(self, frame: Frame) -> list[PersonBox]:
        if self.tracker.wants_detection:
            self.tracker.detected(self._detector.detect(frame.image))
        return self.tracker.targets()

    def _torso(self, frame: Frame, box: PersonBox) -> PersonBox:
        """A box given by hand says where a person is; how the body lies has to be seen."""
        return box if box.keypoints is not None else self._detector.look_at(frame.image, box)

    def _gate(self, people: Sequence[Person]) -> list[Person]:
        """Only people whose every number can be drawn, written and computed with."""
        good, rejected = [], []
        for person in people:
            fault = fault_of(person)
            if fault is None:
                good.append(person)
            else:
                rejected.append(f"Person {person.box.id} was dropped: {fault}.")
                _log.warning(rejected[-1])
        self.rejected = tuple(rejected)
        return good


def fault_of(person: Person) -> str | None:
    """What is wrong with a reconstruction as data (not as a body); None if nothing is."""
    meshes = {"vertices": person.vertices, "coarse mesh": person.coarse}
    shapes = {"3D joints": (person.joints3d, (14, 3)), "2D joints": (person.joints2d, (14, 2))}
    for name, array in meshes.items():
        if array.ndim != 2 or array.shape[1] != 3 or len(array) == 0:
            return f"its {name} have the shape {array.shape}"
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            return f"its {name} have the shape {array.shape}"
    for name, array in (meshes | {name: array for name, (array, _) in shapes.items()}).items():
        if array.dtype != np.float32:
            return f"its {name} are {array.dtype}, not float32"
        if not np.isfinite(array).all():
            return f"its {name} are not finite"
    if not all(map(math.isfinite, person.camera)) or person.camera[0] <= 0:
        return f"its camera {person.camera} is impossible"
    return None if 0.0 <= person.presence <= 1.0 else f"its presence is {person.presence}"


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Adds the milliseconds of the block to `timings[stage]`."""
    start = time.perf_counter()
    yield
    timings[stage] = timings.get(stage, 0.0) + (time.perf_counter() - start) * 1000.0
