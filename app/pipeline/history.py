"""What was measured of every frame of a source so far: curves for a timeline, and a list of failures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.pipeline.diagnostics import Diagnostics, Flag
from app.pipeline.frames import PersonBox, Record
from app.pipeline.tracker import iou

LONGEST = 20_000
"""Frames that are remembered of a file: eleven minutes at 30 per second, some 40 MB."""
ROLLING = 900
"""Frames that are remembered of a camera."""
SAME = 0.3
"""Overlap of two boxes of one frame from which they are one person's."""
CURVE_POINTS = 1500
"""More frames than these are told of every second, third, … one only: a timeline has no more pixels."""


@dataclass(frozen=True)
class Failure:
    """One person in one frame whose reconstruction is not to be trusted."""

    index: int
    time: float
    person_id: int
    flags: tuple[Flag, ...]
    """The worst first; never empty."""
    box: PersonBox
    """Where the person was: after a jump the same one may have another id."""

    @property
    def severity(self) -> float:
        """That of the worst flag."""
        return self.flags[0].severity

    def only(self, kind: str) -> Failure | None:
        """With the flags of one kind, or None without any; "" is every kind."""
        if not kind:
            return self
        kept = tuple(flag for flag in self.flags if flag.kind == kind)
        return replace(self, flags=kept) if kept else None

    def who(self, record: Record) -> int | None:
        """The id that this person has in a record of the same frame; None for somebody who is not there."""
        boxes = [*(person.box for person in record.people), *record.others]
        overlaps = [(iou(self.box, box), box.id == self.person_id, box.id) for box in boxes]
        overlap, _, found = max(overlaps, default=(0.0, False, 0))
        return found if overlap >= SAME else None


@dataclass(frozen=True)
class Moment:
    """One frame."""

    index: int
    time: float
    people: tuple[tuple[int, Diagnostics], ...]
    """(id, what was measured) of everybody who was examined."""
    boxes: tuple[PersonBox, ...] = ()
    """Of the same people, without keypoints."""

    def of(self, person_id: int | None) -> Diagnostics | None:
        """The measures of a person; of the first one for None or somebody who is not there."""
        known = dict(self.people)
        return known.get(person_id, self.people[0][1] if self.people else None)  # type: ignore[arg-type]


class History:
    """Moments by their frame's number; the oldest goes when there are too many."""

    def __init__(self, limit: int = LONGEST) -> None:
        self.limit = limit
        self._moments: dict[int, Moment] = {}
        self._failures: dict[int, tuple[Failure, ...]] = {}
        """Of each frame; empty where nothing is flagged."""
        self._ordered: list[Moment] | None = None

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, record: Record) -> Moment:
        """Remember a frame; seen again, the newer one counts."""
        people = [person for person in record.people if person.diagnostics is not None]
        told = tuple((p.box.id, p.diagnostics) for p in people if p.diagnostics is not None)
        boxes = tuple(replace(person.box, keypoints=None) for person in people)
        moment = Moment(record.frame.index, record.frame.time, told, boxes)
        self._moments.pop(moment.index, None)  # Seen again, it is the newest.
        self._moments[moment.index] = moment
        self._failures[moment.index] = _failures_in(moment)
        self._ordered = None
        if len(self._moments) > self.limit:
            oldest = next(iter(self._moments))
            del self._moments[oldest], self._failures[oldest]
        return moment

    @property
    def moments(self) -> list[Moment]:
        """In the order of the source; sorted once for all who ask between two frames."""
        if self._ordered is None:
            self._ordered = [self._moments[index] for index in sorted(self._moments)]
        return self._ordered

    def curve(self, name: str, person_id: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(n,) numbers of frames and (n,) values of one measure; NaN where it could not be told.

        Of a long source evenly spread frames, at most CURVE_POINTS.
        """
        moments = self.moments[:: -(-len(self) // CURVE_POINTS) or 1]
        told = [moment.of(person_id) for moment in moments]
        values = [None if one is None else one.value(name) for one in told]
        numbers = np.array([moment.index for moment in moments], float)
        return numbers, np.array([np.nan if value is None else value for value in values], float)

    def failures(self, kind: str = "") -> list[Failure]:
        """In the order of the source; with the flags of one kind only, if one is given."""
        every = (failure for moment in self.moments for failure in self._failures[moment.index])
        return [kept for failure in every if (kept := failure.only(kind)) is not None]


def _failures_in(moment: Moment) -> tuple[Failure, ...]:
    return tuple(
        Failure(moment.index, moment.time, person_id, told.flags, box)
        for (person_id, told), box in zip(moment.people, moment.boxes, strict=True)
        if told.flags
    )
