"""The One-Euro filter on whole bodies: still parts hardly tremble, fast parts hardly lag.

Source: Casiez, Roussel, Vogel, "1 Euro Filter" (CHI 2012): an exponential filter whose cut-off frequency
rises with the speed. The speed here is a point's, not a coordinate's, so that a motion is smoothed alike in
every direction. One number, the strength, chooses the filter of vertices, joints and camera together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_LOOSE, _TIGHT = 12.0, 0.6
"""Hertz of the least cut-off at strength 0 and 1."""
_QUICK, _SLOW = 20.0, 4.0
"""Hertz that a speed of one metre a second adds, at strength 0 and 1."""
_SPEED_CUTOFF = 1.0
FORGET_AFTER = 0.5
"""Seconds without a result after which a body starts afresh."""


def cutoffs(strength: float) -> tuple[float, float]:
    """Strength in (0, 1] -> least cut-off in hertz, and hertz for each metre a second."""
    part = min(max(strength, 0.0), 1.0)
    return _LOOSE * (_TIGHT / _LOOSE) ** part, _QUICK * (_SLOW / _QUICK) ** part


class OneEuro:
    """Filters (..., D) arrays of points that come one after the other."""

    def __init__(self, least: float, gain: float) -> None:
        """least: cut-off at rest in hertz. gain: hertz for each unit a second."""
        self.least, self.gain = least, gain
        self.last: np.ndarray | None = None
        """What was given back last."""
        self._speed = np.zeros(0)

    def __call__(self, values: np.ndarray, seconds: float) -> np.ndarray:
        """values (..., D), `seconds` after those before (> 0; of no matter for the first)."""
        if self.last is None:
            self.last, self._speed = values, np.zeros_like(values)
            return values
        speed = (values - self.last) / seconds
        self._speed = self._speed + _part(_SPEED_CUTOFF, seconds) * (speed - self._speed)
        size = np.sqrt(np.square(self._speed).sum(axis=-1, keepdims=True))
        self.last = self.last + _part(self.least + self.gain * size, seconds) * (values - self.last)
        return self.last


def _part(cutoff: np.ndarray | float, seconds: float) -> np.ndarray | float:
    """How much of a new value is taken over."""
    step = 2 * math.pi * cutoff * seconds
    return step / (step + 1)


@dataclass(frozen=True)
class Body:
    """What is smoothed of one person."""

    vertices: np.ndarray
    """(V, 3) metres."""
    joints: np.ndarray
    """(P, 3) metres."""
    camera: tuple[float, float, float]
    """pixel = s * (X, Y) + (tx, ty)."""


class BodySmoother:
    """One person's filter, live or over a take."""

    def __init__(self, strength: float) -> None:
        """strength: in [0, 1]; 0 changes nothing."""
        self.strength = strength
        self._time: float | None = None
        self._scale = 1.0
        self._start()

    def _start(self) -> None:
        least, gain = cutoffs(self.strength)
        self._points, self._place, self._size = (OneEuro(least, gain) for _ in range(3))

    def __call__(self, time: float, body: Body) -> Body:
        """The body at this time in seconds. Starts afresh after a long gap, a jump back, or another mesh."""
        if self.strength <= 0:
            return body
        points = np.concatenate([body.vertices, body.joints])
        known = self._points.last
        if (
            self._time is None
            or known is None
            or known.shape != points.shape
            or not 0 < time - self._time <= FORGET_AFTER
        ):
            self._start()
            self._scale = body.camera[0]
        seconds = 0.0 if self._time is None else time - self._time
        self._time = time
        smooth = self._points(points, seconds)
        # In metres, as the gain wants it: places at one scale for all frames, and the scale's logarithm.
        place = self._place(np.array(body.camera[1:]) / self._scale, seconds) * self._scale
        size = math.exp(self._size(np.array([math.log(body.camera[0])]), seconds)[0])
        split = len(body.vertices)
        return Body(smooth[:split], smooth[split:], (size, float(place[0]), float(place[1])))
