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

from app.pipeline.crop import body_roll, crop_for_box, scale_beside
from app.pipeline.frames import Crop, Frame, Hops, Person, PersonBox, Record
from app.pipeline.isolation import log_weights
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

    @property
    def crop_scale(self) -> float:
        """Side of the crop over that of a person's usual square, both in the picture."""

    @property
    def heatmap_size(self) -> int:
        """Cells along the side of a heatmap."""

    def encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        log_weights: Sequence[np.ndarray | None] | None = None,
        *,
        mirror: bool = False,
    ) -> list[Any]:
        """Backbone, heatmaps and tokens of each crop, the logits weighted where weights are given.

        mirror: of its mirror image too.
        """

    def regress(self, encoded: Any, hops: Hops) -> Person:
        """The mesh. Reads `box`, `crop`, `features` and `plain`, so a `Person` will do as well."""

    def attention(self, encoded: Any, hops: Hops) -> tuple[tuple[np.ndarray, ...], ...]:
        """Attention weights per encoder and layer, (heads, N, N)."""


class Examines(Protocol):
    """Measures people, see `app.pipeline.examiner`."""

    def examine(self, people: Sequence[Person], frame: Frame) -> list[Person]:
        """The same people with their diagnostics."""

    def forget(self) -> None:
        """The next frame does not follow on the last one."""


class Pipeline:
    """Keeps nothing but tracker and examiner from one frame to the next."""

    def __init__(
        self,
        detector: Detects,
        tracker: Tracker,
        reconstructor: Reconstructs,
        examiner: Examines | None = None,
    ) -> None:
        """examiner: None leaves people without diagnostics."""
        self.tracker = tracker
        self.reconstructor = reconstructor
        self.examiner = examiner
        self.rejected: tuple[str, ...] = ()
        """Why people of the last call are missing from its record, one sentence each."""
        self.on_cpu: Callable[[str], Pipeline] | None = None
        """Makes this pipeline again on the CPU, told why; None where it runs there."""
        self._frugal = False
        self._detector = detector

    def process(
        self,
        frame: Frame,
        hops: Hops,
        boxes: Sequence[PersonBox] | None = None,
        *,
        isolate: bool = False,
        mirror: bool = False,
        others: Sequence[PersonBox] = (),
    ) -> Record:
        """Reconstructs the followed people of a frame, or those in the given boxes in their order.

        Given boxes skip detection and tracking, and nobody in them is dropped for being unlikely. Each is
        its person's whole extent: the crop is its square and a margin, turned upright.
        With `isolate` each person's heatmaps are kept off everybody else who is known: the other boxes, and
        those in `others` (with given boxes) or of the last detection, who are not reconstructed. With
        `mirror` each person is looked at in the mirror too, and the mean of both meshes is the answer.
        """
        timings: dict[str, float] = {}
        size = frame.image.shape[1], frame.image.shape[0]
        with _timed(timings, "detect"):
            targets = self._followed(frame) if boxes is None else [self._torso(frame, box) for box in boxes]
        others = self.tracker.others() if boxes is None else tuple(self._torso(frame, o) for o in others)
        known = (*targets, *others)
        crops = [(box, self._crop(box, known, size, webcam=boxes is None)) for box in targets]
        with _timed(timings, "encode"):
            encoded = self._encode(frame, crops, known if isolate else (), mirror) if crops else []
        with _timed(timings, "regress"):
            people = self._gate([self.reconstructor.regress(one, hops) for one in encoded])
        if boxes is None:
            self.tracker.followed(people, size)
            people = [person for person in people if person.presence >= PRESENT]
        people = self._examined(people, frame, timings)
        return Record(frame, tuple(people), hops, timings, others, isolate=isolate, mirror=mirror)

    def regress_again(self, record: Record, hops: Hops) -> Record:
        """The same frame and people under other masks: only the regressor runs."""
        timings = dict(record.timings)
        timings.pop("regress", None)
        with _timed(timings, "regress"):
            people = [self.reconstructor.regress(person, hops) for person in record.people]
        people = self._examined(self._gate(people), record.frame, timings)
        return replace(record, people=tuple(people), hops=hops, timings=timings)

    def encode_again(self, record: Record, hops: Hops, *, isolate: bool, mirror: bool) -> Record:
        """The same frame and people, looked at otherwise; what is known from before isolating is taken."""
        if not isolate and mirror == record.mirror and _plain_is_known(record):
            plain = [replace(p, features=p.plain or p.features, plain=None) for p in record.people]
            return replace(self.regress_again(replace(record, people=tuple(plain)), hops), isolate=False)
        everybody = (*(person.box for person in record.people), *record.others) if isolate else ()
        crops = [(person.box, person.crop) for person in record.people]
        encoded = self._encode(record.frame, crops, everybody, mirror) if crops else []
        again = [
            replace(person, features=one.features, plain=getattr(one, "plain", None))
            for person, one in zip(record.people, encoded, strict=True)
        ]
        done = self.regress_again(replace(record, people=tuple(again)), hops)
        return replace(done, isolate=isolate, mirror=mirror)

    def economise(self) -> None:
        """From now on one person at a time: slower, in the memory of one."""
        self._frugal = True

    def jumped(self) -> None:
        """The next frame is from elsewhere in the same source: everybody is looked for."""
        self.tracker.lose_everybody()
        self._forget()

    def reset(self) -> None:
        """Forgets everybody: another source, or the same one from the start."""
        self.tracker.reset()
        self.rejected = ()
        self._forget()

    def _forget(self) -> None:
        if self.examiner is not None:
            self.examiner.forget()

    def _examined(self, people: list[Person], frame: Frame, timings: dict[str, float]) -> list[Person]:
        if self.examiner is None or not people:
            return people
        timings.pop("examine", None)
        with _timed(timings, "examine"):
            return self.examiner.examine(people, frame)

    def _encode(
        self,
        frame: Frame,
        crops: Sequence[tuple[PersonBox, Crop]],
        everybody: Sequence[PersonBox],
        mirror: bool,
    ) -> list[Any]:
        """everybody: off whom each person's heatmaps are kept; empty leaves them as they are."""
        cells = self.reconstructor.heatmap_size
        weights = [
            log_weights(crop, cells, box, [other for other in everybody if other is not box])
            if everybody
            else None
            for box, crop in crops
        ]
        if not self._frugal:
            return self.reconstructor.encode(frame, crops, weights, mirror=mirror)
        pairs = zip(crops, weights, strict=True)
        encode = self.reconstructor.encode
        return [one for crop, own in pairs for one in encode(frame, [crop], [own], mirror=mirror)]

    def _followed(self, frame: Frame) -> list[PersonBox]:
        if self.tracker.wants_detection:
            self.tracker.detected(self._detector.detect(frame.image))
        return self.tracker.targets()

    def _crop(
        self, box: PersonBox, known: Sequence[PersonBox], picture_size: tuple[int, int], *, webcam: bool
    ) -> Crop:
        others = [each for each in known if each is not box]
        crop_size, scale = self.reconstructor.crop_size, self.reconstructor.crop_scale
        scale = scale_beside(box, others, scale)
        return crop_for_box(box, picture_size, crop_size, body_roll(box), scale=scale, webcam=webcam)

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


def _plain_is_known(record: Record) -> bool:
    """Whether its people's heatmaps are there as they were before they were kept off anybody."""
    alone = len(record.people) + len(record.others) < 2
    return alone or not record.isolate or all(person.plain is not None for person in record.people)


def fault_of(person: Person) -> str | None:
    """What is wrong with a reconstruction as data (not as a body); None if nothing is."""
    meshes = {"vertices": person.vertices, "coarse mesh": person.coarse}
    shapes = {"3D joints": (person.joints3d, (14, 3)), "2D joints": (person.joints2d, (14, 2))}
    if person.network_joints is not None:
        shapes["own joints"] = (person.network_joints, (14, 3))
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
