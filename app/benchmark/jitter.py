"""How much a reconstruction trembles on clips whose truth is known, raw and smoothed, and how far it lags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.pipeline.frames import PAPER_HOPS, Frame, Record
from app.pipeline.pipeline import Pipeline
from app.pipeline.smoothing import Body, BodySmoother
from app.pipeline.steady import Steadier
from model.metrics import centred, mpjpe, pa_mpjpe

if TYPE_CHECKING:
    from model.data.render.clips import Clip

WARM_UP = 10
"""Frames at a clip's start that do not count: a filter has to settle."""
MOST_DELAY = 6
"""Frames within which a lag is looked for."""
STRENGTHS = (0.25, 0.5, 0.75, 0.95, 1.0)
Filter = Callable[[list[Record]], np.ndarray]


@dataclass(frozen=True)
class Filmed:
    """One clip after the pipeline; joints (T, 14, 3) in metres, camera axes."""

    name: str
    records: list[Record]
    """As the network made them, one person each."""
    truth: np.ndarray
    stored: np.ndarray
    """The truth as the motion's file has it: in half precision and as captured."""
    rounded: np.ndarray
    """The truth after rounding its rotations to half precision, and nothing else."""
    rate: float


@dataclass(frozen=True)
class Jitter:
    """Means over clips; accelerations in mm a frame squared, errors in mm, delay in frames."""

    acceleration: float
    mpjpe: float
    pa_mpjpe: float
    delay: float
    worst_delay: float
    """Of the clips."""


def film(
    pipeline: Pipeline,
    clip: Clip,
    keypoints: Callable[[np.ndarray], np.ndarray],
    rate: float,
    *,
    mirror: bool = False,
) -> Filmed:
    """Run the pipeline over a clip, following one person as in the window.

    For frames without anybody the last person before stands in; frames before the first one are left out.

    keypoints: (V, 3) body vertices -> (14, 3) joints. mirror: look at each picture twice.
    """
    pipeline.reset()
    records: list[Record] = []
    for number, image in enumerate(clip.frames()):
        frame = Frame(image, number, number / rate, clip.motion.name)
        record = pipeline.process(frame, PAPER_HOPS, mirror=mirror)
        if record.people or records:
            records.append(record if record.people else replace(records[-1], frame=record.frame))
    late = len(clip) - len(records)
    truth, stored, rounded = (
        np.stack([keypoints(points) for points in bodies]).astype(np.float64)[late:]
        for bodies in (clip.points, clip.stored_points, clip.rounded_points)
    )
    return Filmed(clip.motion.name, records, truth, stored, rounded, rate)


def acceleration_error(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of the joints' second differences, hips centred: (T, 14, 3) twice -> mm/frame²."""
    apart = np.diff(centred(found, found), 2, axis=0) - np.diff(centred(truth, truth), 2, axis=0)
    return float(1000 * np.linalg.norm(apart, axis=-1).mean())


def delay(found: np.ndarray, truth: np.ndarray) -> float:
    """Frames by which (T, 14, 3) joints lag behind others, from the best correlation of their velocities.

    Between whole frames by the parabola through the three best.
    """
    a, b = (np.diff(centred(joints, joints), axis=0) for joints in (found, truth))
    a, b = a - a.mean(0), b - b.mean(0)
    shifts = range(-2, MOST_DELAY + 1)
    scores = np.array([_correlation(a, b, shift) for shift in shifts])
    best = int(np.argmax(scores))
    if not 0 < best < len(scores) - 1:
        return float(shifts[best])
    left, middle, right = scores[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (left - right) / (left - 2 * middle + right))


def _correlation(a: np.ndarray, b: np.ndarray, shift: int) -> float:
    """Of a, `shift` frames later, with b."""
    a, b = (a[shift:], b[: len(b) - shift]) if shift >= 0 else (a[:shift], b[-shift:])
    return float((a * b).sum() / np.sqrt(np.square(a).sum() * np.square(b).sum()))


def raw(records: list[Record]) -> np.ndarray:
    """(T, 14, 3) joints as the network made them."""
    return np.stack([record.people[0].joints3d for record in records]).astype(np.float64)


def steadied(strength: float) -> Filter:
    """The window's filter."""

    def run(records: list[Record]) -> np.ndarray:
        steady = Steadier()
        return raw([steady(record, strength) for record in records])

    return run


def one_euro(strength: float) -> Filter:
    """One-Euro, forwards only."""

    def run(records: list[Record]) -> np.ndarray:
        smoother, joints = BodySmoother(strength), []
        for record in records:
            person = record.people[0]
            body = Body(person.joints3d[:0], person.joints3d, person.camera)
            joints.append(smoother(record.frame.time, body).joints)
        return np.stack(joints).astype(np.float64)

    return run


def measure(films: Sequence[Filmed], smooth: Filter) -> Jitter:
    """One filter over all clips."""
    rows = []
    for one in films:
        found, truth = smooth(one.records)[WARM_UP:], one.truth[WARM_UP:]
        errors = acceleration_error(found, truth), mpjpe(found, truth).mean(), pa_mpjpe(found, truth).mean()
        rows.append((*errors, delay(found, truth)))
    acceleration, position, aligned, lag = np.array(rows).mean(axis=0).tolist()
    return Jitter(acceleration, position, aligned, lag, max(float(row[3]) for row in rows))


def floors(films: Sequence[Filmed]) -> tuple[float, float]:
    """Acceleration errors of the truth's own numbers against the truth, means over clips.

    First the motion as its file has it (as captured, in half precision) against the low-passed one that is
    drawn: what the truth trembles by itself. Second what half precision alone does to the drawn motion.
    """
    pairs = [
        (
            acceleration_error(one.stored[WARM_UP:], one.truth[WARM_UP:]),
            acceleration_error(one.rounded[WARM_UP:], one.truth[WARM_UP:]),
        )
        for one in films
    ]
    stored, rounded = np.array(pairs).mean(axis=0).tolist()
    return stored, rounded


def truth_acceleration(films: Sequence[Filmed]) -> float:
    """What a body that never accelerates would be wrong by."""
    return float(np.mean([acceleration_error(np.zeros_like(one.truth), one.truth) for one in films]))
