"""What was measured of every frame of a source so far: curves for a timeline, and a list of failures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.pipeline.diagnostics import Diagnostics, Flag
from app.pipeline.frames import Record

LONGEST = 20_000
"""Frames that are remembered of a file: eleven minutes at 30 per second, some 40 MB."""
ROLLING = 900
"""Frames that are remembered of a camera."""


@dataclass(frozen=True)
class Failure:
    """One person in one frame whose reconstruction is not to be trusted."""

    index: int
    time: float
    person_id: int
    flags: tuple[Flag, ...]
    """The worst first; never empty."""

    @property
    def severity(self) -> float:
        """That of the worst flag."""
        return self.flags[0].severity

    def only(self, kind: str) -> Failure | None:
        """With the flags of one kind, or None without any; "" is every kind."""
        kept = tuple(flag for flag in self.flags if not kind or flag.kind == kind)
        return Failure(self.index, self.time, self.person_id, kept) if kept else None


@dataclass(frozen=True)
class Moment:
    """One frame."""

    index: int
    time: float
    people: tuple[tuple[int, Diagnostics], ...]
    """(id, what was measured) of everybody who was examined."""

    def of(self, person_id: int | None) -> Diagnostics | None:
        """The measures of a person; of the first one for None or somebody who is not there."""
        known = dict(self.people)
        return known.get(person_id, self.people[0][1] if self.people else None)  # type: ignore[arg-type]


class History:
    """Moments by their frame's number; the oldest goes when there are too many."""

    def __init__(self, limit: int = LONGEST) -> None:
        self.limit = limit
        self._moments: dict[int, Moment] = {}
        self._ordered: list[Moment] | None = None

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, record: Record) -> Moment:
        """Remember a frame; seen again, the newer one counts."""
        told = tuple((p.box.id, p.diagnostics) for p in record.people if p.diagnostics is not None)
        moment = Moment(record.frame.index, record.frame.time, told)
        self._moments[moment.index] = moment
        self._ordered = None
        if len(self._moments) > self.limit:
            del self._moments[min(self._moments)]
        return moment

    @property
    def moments(self) -> list[Moment]:
        """In the order of the source; sorted once for all who ask between two frames."""
        if self._ordered is None:
            self._ordered = [self._moments[index] for index in sorted(self._moments)]
        return self._ordered

    def curve(self, name: str, person_id: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(n,) numbers of frames and (n,) values of one measure; NaN where it could not be told."""
        moments = self.moments
        told = [moment.of(person_id) for moment in moments]
        values = [None if one is None else one.value(name) for one in told]
        numbers = np.array([moment.index for moment in moments], float)
        return numbers, np.array([np.nan if value is None else value for value in values], float)

    def failures(self, kind: str = "") -> list[Failure]:
        """In the order of the source; with the flags of one kind only, if one is given."""
        every = (
            Failure(moment.index, moment.time, person_id, told.flags)
            for moment in self.moments
            for person_id, told in moment.people
            if told.flags
        )
        return [kept for failure in every if (kept := failure.only(kind)) is not None]
