"""Who is who from frame to frame. Plain geometry: no network, no picture.

While a person is followed, the box of the next frame comes from the reconstruction itself and the detector
rests; it is asked again every `DETECT_EVERY` frames, or as soon as somebody is lost. The boxes of people
who are not followed come from the detector alone, so while there are any it is asked more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.pipeline.frames import Person, PersonBox

DETECT_EVERY = 30
DETECT_OTHERS_EVERY = 10
PRESENT = 0.5
"""Below this presence the crop shows nobody."""
MOST_PEOPLE = 6
_SAME = 0.3
"""Overlap from which a detection is taken for a known person."""
_TWINS = 0.7
"""Overlap from which two followed boxes are one person, followed twice."""
_STEADY = 0.6
"""Overlap from which a body barely moved, so that its box is smoothed rather than replaced."""
_LEAST_SIDE = 8.0
_LEAST_SHOWN = 0.05
"""Part of the body's box that must lie in the picture: a head and its shoulders do."""
_LARGEST_JUMP = 4.0
_PATIENCE = 2
"""Rounds of detection that may miss somebody who is followed; not every backbone knows who is absent."""
_MEMORY = 60
"""Frames for which the id of a lost person is kept."""


@dataclass
class _Track:
    box: PersonBox
    lost: bool = False
    misses: int = 0
    """Rounds of detection without it."""
    unseen: int = 0
    """Frames since it was last detected or reconstructed."""


class Tracker:
    """Keeps people's ids and boxes.

    Per frame: if `wants_detection`, hand the detector's boxes to `detected`; reconstruct `targets`; hand the
    result to `followed`.
    """

    def __init__(self, detect_every: int = DETECT_EVERY) -> None:
        self._all_people = False
        self._chosen: int | None = None
        self._every = detect_every
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._focus: int | None = None
        self._age = 0
        self._asked = True

    def follow(self, all_people: bool, chosen: int | None) -> None:
        """Follow everybody, or only the chosen person (None, or nobody with this id: the largest one)."""
        self._asked |= (all_people, chosen) != (self._all_people, self._chosen)
        self._all_people, self._chosen = all_people, chosen

    @property
    def wants_detection(self) -> bool:
        """True if nobody is followed, somebody got lost or the last detection is old."""
        every = min(self._every, DETECT_OTHERS_EVERY) if self.others() else self._every
        return self._asked or self._age >= every or not self.targets()

    def reset(self) -> None:
        """Forgets everybody; ids start again, so that a clip played twice has the same ones."""
        self._tracks = []
        self._next_id = 1
        self._focus = None
        self._age = 0
        self._asked = True

    def lose_everybody(self) -> None:
        """As at a cut: people are found again where they were, or they are new."""
        for track in self._tracks:
            track.lost = True
        self._asked = True

    def detected(self, boxes: Sequence[PersonBox]) -> None:
        """Matches the detector's boxes with the known people, best overlap first."""
        self._age = 0
        self._asked = False
        free = list(boxes)
        unmatched = list(self._tracks)
        while free and unmatched:
            pairs = [
                (iou(track.box, box), i, j) for i, track in enumerate(unmatched) for j, box in enumerate(free)
            ]
            overlap, i, j = max(pairs)
            if overlap < _SAME:
                break
            self._refresh(unmatched.pop(i), free.pop(j), overlap)
        for track in unmatched:
            track.misses += 1
            track.lost |= track.misses >= _PATIENCE
        for box in free:
            self._tracks.append(_Track(replace(box, id=self._next_id)))
            self._next_id += 1

    def targets(self) -> list[PersonBox]:
        """Boxes to reconstruct in this frame, the largest first."""
        present = [track.box for track in self._tracks if not track.lost]
        present.sort(key=lambda box: -box.width * box.height)
        if self._all_people:
            return present[:MOST_PEOPLE]
        for wanted in (self._chosen, self._focus):
            match = [box for box in present if box.id == wanted]
            if match:
                return match
        return present[:1]

    def others(self) -> tuple[PersonBox, ...]:
        """Boxes that the last detection saw and that are no targets, the largest first."""
        aims = {box.id for box in self.targets()}
        seen = [t.box for t in self._tracks if not t.lost and t.misses == 0 and t.box.id not in aims]
        return tuple(sorted(seen, key=lambda box: -box.width * box.height))

    def followed(self, people: Sequence[Person], picture_size: tuple[int, int]) -> None:
        """Takes the boxes of the next frame from the reconstructions of `targets()`.

        A target that is missing in `people`, or whose body is absent, collapsed, exploded or out of the
        picture (width, height), is lost.
        """
        self._age += 1
        by_id = {person.box.id: person for person in people}
        aims = [box.id for box in self.targets()]
        self._focus = aims[0] if aims else self._focus
        for track in self._tracks:
            track.unseen += 1
            if track.box.id not in aims:
                continue
            person = by_id.get(track.box.id)
            seen = None if person is None else _box_of(person, picture_size)
            if seen is None or not _plausible(track.box, seen):
                track.lost = True
                self._asked = True
            else:
                track.box = _blend(track.box, seen)
                track.unseen = 0
        self._tracks = [track for track in self._tracks if track.unseen < _MEMORY]
        self._drop_twins()

    def _refresh(self, track: _Track, box: PersonBox, overlap: float) -> None:
        """A followed body's own box is better than the detector's unless they disagree."""
        if track.lost or track.unseen > 0 or overlap < 0.5:
            track.box = replace(box, id=track.box.id)
        track.lost = False
        track.misses = track.unseen = 0

    def _drop_twins(self) -> None:
        kept: list[_Track] = []
        for track in sorted(self._tracks, key=lambda track: track.box.id):
            if track.lost or all(other.lost or iou(other.box, track.box) < _TWINS for other in kept):
                kept.append(track)
        self._tracks = kept


def iou(a: PersonBox, b: PersonBox) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a.width * a.height + b.width * b.height - common)


def coco_keypoints(joints2d: np.ndarray) -> np.ndarray:
    """(14, 2) LSP joints -> (17, 2) COCO joints; eyes, ears and nose all in the middle of the head."""
    head = joints2d[[12, 13]].mean(0)
    return np.concatenate([np.repeat(head[None], 5, 0), joints2d[[9, 8, 10, 7, 11, 6, 3, 2, 4, 1, 5, 0]]])


def _box_of(person: Person, picture_size: tuple[int, int]) -> PersonBox | None:
    """The part of the projected body that the picture shows; None if that is next to nothing."""
    points = person.project(person.vertices)
    if person.presence < PRESENT or not np.isfinite(points).all():
        return None
    low, high = points.min(0), points.max(0)
    (x0, y0), (x1, y1) = np.clip(low, 0, picture_size), np.clip(high, 0, picture_size)
    if max(x1 - x0, y1 - y0) < _LEAST_SIDE or (x1 - x0) * (y1 - y0) < _LEAST_SHOWN * np.prod(high - low):
        return None
    return PersonBox(
        float(x0),
        float(y0),
        float(x1 - x0),
        float(y1 - y0),
        score=person.presence,
        id=person.box.id,
        keypoints=coco_keypoints(person.joints2d),
    )


def _plausible(before: PersonBox, now: PersonBox) -> bool:
    """Bodies neither jump out of their box nor change their size at once."""
    growth = max(now.width, now.height) / max(before.width, before.height, 1.0)
    return iou(before, now) > 0.0 and 1 / _LARGEST_JUMP < growth < _LARGEST_JUMP


def _blend(before: PersonBox, now: PersonBox) -> PersonBox:
    """Halfway to the new box if the body barely moved, so that its crop does not tremble."""
    if iou(before, now) < _STEADY:
        return now
    x, y, width, height = ((a + b) / 2 for a, b in zip(before.xywh, now.xywh, strict=True))
    keypoints = now.keypoints
    if keypoints is not None and before.keypoints is not None:
        keypoints = (keypoints + before.keypoints) / 2
    return replace(now, x=x, y=y, width=width, height=height, keypoints=keypoints)
