"""What is computed on top of a record: its people under other masks, and attention weights."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Protocol

from app.pipeline.frames import NO_STUDY, Attention, Hops, Person, Record, Study
from app.pipeline.pipeline import fault_of


class Studies(Protocol):
    """The part of `app.pipeline.reconstructor.Reconstructor` that is used here."""

    def regress(self, encoded: Any, hops: Hops) -> Person:
        """The mesh under these masks."""

    def attention(self, encoded: Any, hops: Hops) -> Any:
        """Per encoder and layer (heads, N, N)."""


def unstudied(record: Record) -> Record:
    """The record without any answers."""
    timings = {stage: ms for stage, ms in record.timings.items() if stage != "study"}
    return replace(record, study=NO_STUDY, baseline=(), attention=None, timings=timings)


def studied(
    reconstructor: Studies, record: Record, wanted: Study, known: Record | None, chosen: int | None
) -> Record:
    """The record with what is wanted, and without what is not any more.

    `known` is an older record of the same frame, whose answers are taken over where they still hold;
    `chosen` the person whose attention is wanted. Only the regressor runs.
    A person whose other mesh cannot be drawn has none.
    """
    start = time.perf_counter()
    baseline: tuple[Person, ...] = ()
    if wanted.baseline is not None:
        same = known is not None and known.study.baseline == wanted.baseline
        done = {id(p.features): p for p in known.baseline} if known is not None and same else {}
        plain = wanted.baseline_plain
        people = [replace(p, features=p.plain, plain=None) if plain and p.plain else p for p in record.people]
        everyone = (done.get(id(p.features)) or reconstructor.regress(p, wanted.baseline) for p in people)
        baseline = tuple(person for person in everyone if fault_of(person) is None)
    attention = _attention(reconstructor, record, known, chosen) if wanted.attention else None
    timings = {**record.timings, "study": (time.perf_counter() - start) * 1000.0}
    return replace(record, study=wanted, baseline=baseline, attention=attention, timings=timings)


def _attention(
    reconstructor: Studies, record: Record, known: Record | None, chosen: int | None
) -> Attention | None:
    person = record.person(chosen)
    if person is None:
        return None
    before = known.attention if known is not None and known.hops == record.hops else None
    if before is not None and before.person_id == person.box.id:
        return before
    return Attention(person.box.id, reconstructor.attention(person, record.hops))
