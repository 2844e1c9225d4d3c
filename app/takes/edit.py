"""Edits of takes: each makes a new take from one, and says so in its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.pipeline.smoothing import FORGET_AFTER, Body, BodySmoother
from app.takes.take import Performer, Take
from model.errors import UserError

SHORT_GAP = 0.5
"""Seconds without a result that may be filled by what lies before and after."""
RATES = (24.0, 25.0, 30.0, 60.0)
_EDGE = 1e-6


@dataclass(frozen=True)
class Edit:
    """What is done to every frame of a take; the same for what is looked at and for what is exported."""

    smoothing: float = 0.0
    """Strength in [0, 1]."""
    fill: bool = True
    """Whether gaps of up to `SHORT_GAP` are filled."""


def edited(take: Take, edit: Edit, step: Callable[[float], None] = lambda part: None) -> Take:
    """Filled, then smoothed. step: told the part that is done, in [0, 1]; what it raises passes through."""
    if edit.fill:
        take = filled(take)
    total = max(2 * sum(len(person.frames) for person in take.people), 1)
    done = iter(range(1, total + 1))
    return smoothed(take, edit.smoothing, lambda: step(next(done) / total))


def trimmed(take: Take, start: float, end: float) -> Take:
    """Only the frames from `start` to `end`, in seconds after the take's first frame, both included.

    People who are not in them are left out. Raises UserError when no frame is left.
    """
    after = take.times - take.times[0]
    kept = np.flatnonzero((after >= start - _EDGE) & (after <= end + _EDGE))
    if len(kept) == 0:
        raise UserError(f"The take has no frame between {start:.2f} s and {end:.2f} s.")
    if len(kept) == len(take):
        return take
    first, last = kept[0], kept[-1]
    people = []
    for person in take.people:
        rows = (person.frames >= first) & (person.frames <= last)
        if rows.any():
            inside = person.rows(rows)
            people.append(replace(inside, frames=inside.frames - first))
    part = slice(first, last + 1)
    whole = take.with_people(tuple(people), f"trimmed to {start:.3f} - {end:.3f} s")
    return replace(
        whole,
        times=take.times[part],
        indices=take.indices[part],
        sizes=take.sizes[part],
        hops=take.hops[part],
    )


def only(take: Take, ids: Sequence[int]) -> Take:
    """Only these people. Raises UserError when one of them is not there."""
    missing = [number for number in ids if take.person(number) is None]
    if missing:
        there = ", ".join(str(person.id) for person in take.people) or "nobody"
        raise UserError(f"There is no person {missing[0]} in the take; there are: {there}.")
    return take.with_people(tuple(person for person in take.people if person.id in ids))


def gaps(take: Take, person: Performer) -> list[tuple[int, int]]:
    """Frames without a result between frames with one: (first, last) missing, in order."""
    left, right = person.frames[:-1], person.frames[1:]
    return [(int(a) + 1, int(b) - 1) for a, b in zip(left, right, strict=True) if b - a > 1]


def filled(take: Take, longest: float = SHORT_GAP) -> Take:
    """Gaps of at most `longest` seconds between two results are filled along straight lines."""
    people, count = [], 0
    for person in take.people:
        times, wanted = take.times_of(person), [person.frames]
        for a, b in gaps(take, person):
            if take.times[b + 1] - take.times[a - 1] <= longest + _EDGE:
                wanted.append(np.arange(a, b + 1))
        if len(wanted) == 1:
            people.append(person)
            continue
        frames = np.unique(np.concatenate(wanted))
        count += len(frames) - len(person.frames)
        people.append(replace(_between(person, times, take.times[frames]), frames=frames))
    return take.with_people(tuple(people), f"{count} missing results filled in") if count else take


def _between(person: Performer, times: np.ndarray, wanted: np.ndarray) -> Performer:
    """The performer at other times within `times` (T,), along straight lines; frames are the caller's."""
    right = np.clip(np.searchsorted(times, wanted - _EDGE), 0, len(times) - 1)
    left = np.where(np.abs(times[right] - wanted) <= _EDGE, right, np.maximum(right - 1, 0))
    span = np.maximum(times[right] - times[left], _EDGE)
    part = np.where(left == right, 0.0, (wanted - times[left]) / span)

    def mix(values: np.ndarray) -> np.ndarray:
        weight = part.reshape(-1, *([1] * (values.ndim - 1))).astype(values.dtype)
        return values[left] + weight * (values[right] - values[left])

    exact = left == right
    told = {name: np.where(exact, values[left], np.nan) for name, values in person.diagnostics.items()}
    return Performer(
        person.id,
        np.zeros(len(wanted), np.int64),
        mix(person.vertices),
        mix(person.joints),
        mix(person.cameras),
        mix(person.boxes),
        np.where(exact, person.filled[left], True),
        {name: values.astype(np.float32) for name, values in told.items()},
    )


def smoothed(take: Take, strength: float, step: Callable[[], None] = lambda: None) -> Take:
    """One-Euro smoothing of vertices, joints and cameras; strength in [0, 1], 0 changes nothing.

    Each body is filtered forwards and backwards and the two are averaged, so that it does not lag.
    step: called after every frame of each person; what it raises passes through.
    """
    if strength <= 0:
        return take
    people = tuple(_smooth(person, take.times_of(person), strength, step) for person in take.people)
    return take.with_people(people, f"smoothed with strength {min(strength, 1.0):.2f}")


def _smooth(person: Performer, times: np.ndarray, strength: float, step: Callable[[], None]) -> Performer:
    vertices, joints = np.zeros_like(person.vertices), np.zeros_like(person.joints)
    cameras, rows = np.zeros_like(person.cameras), range(len(times))
    for sign, order in ((1, rows), (-1, reversed(rows))):
        smoother = BodySmoother(strength)
        for row in order:
            s, tx, ty = person.cameras[row].tolist()
            body = smoother(sign * times[row], Body(person.vertices[row], person.joints[row], (s, tx, ty)))
            vertices[row] += body.vertices / 2
            joints[row] += body.joints / 2
            cameras[row] += np.array(body.camera) / 2
            step()
    return replace(person, vertices=vertices, joints=joints, cameras=cameras)


def accelerations(take: Take, person: Performer) -> np.ndarray:
    """(T,) mean acceleration of the joints in metres a second squared; NaN at ends and beside gaps.

    Trembling is almost all acceleration, so that of a smoothed take against the raw one tells what smoothing
    took away.
    """
    times, result = take.times_of(person), np.full(len(person.frames), np.nan)
    if len(times) < 3:
        return result
    steps = np.diff(times)[:, None, None]
    speeds = np.diff(person.joints.astype(np.float64), axis=0) / steps
    turns = np.diff(speeds, axis=0) / ((steps[:-1] + steps[1:]) / 2)
    in_a_row = person.frames[2:] - person.frames[:-2] == 2
    result[1:-1] = np.where(in_a_row, np.linalg.norm(turns, axis=-1).mean(axis=1), np.nan)
    return result


def acceleration(take: Take, person: Performer) -> float:
    """The mean of `accelerations` over the take; not a number for fewer than three frames in a row."""
    return mean_known(accelerations(take, person))


def mean_known(values: np.ndarray) -> float:
    """Over what is finite; not a number where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def resampled(take: Take, rate: float | None) -> Take:
    """`rate` frames a second from the first frame on, along straight lines; None: the take's own times.

    People are where both neighbours of a new frame are, at most `FORGET_AFTER` seconds apart.
    Raises UserError for a rate that is not above 0.
    """
    if rate is None:
        return take
    if not 0 < rate <= 1000:
        raise UserError(f"{rate:g} frames a second is not possible.")
    count = int(np.floor(take.duration * rate + 1e-4)) + 1
    times = np.minimum(take.times[0] + np.arange(count) / rate, take.times[-1])
    nearest = np.searchsorted((take.times[1:] + take.times[:-1]) / 2, times)
    people = []
    for person in take.people:
        own = take.times_of(person)
        right = np.clip(np.searchsorted(own, times - _EDGE), 0, len(own) - 1)
        left = np.maximum(np.where(np.abs(own[right] - times) <= _EDGE, right, right - 1), 0)
        apart = person.frames[right] - person.frames[left] <= 1
        inside = (times >= own[0] - _EDGE) & (times <= own[-1] + _EDGE) & apart
        inside &= own[right] - own[left] <= FORGET_AFTER
        if inside.any():
            frames = np.flatnonzero(inside)
            moved = _between(person, own, times[frames])
            people.append(replace(moved, frames=frames))
    whole = take.with_people(tuple(people), f"resampled to {rate:g} frames a second")
    return replace(
        whole, times=times, indices=take.indices[nearest], sizes=take.sizes[nearest], hops=take.hops[nearest]
    )
