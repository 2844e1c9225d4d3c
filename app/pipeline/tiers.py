"""Which of the two embedded models suits this machine, judged by the time that frames really take."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median

LITE, QUALITY = "body-lite", "body-quality"
TIERS = (LITE, QUALITY)
BUDGET_MS = 40.0
"""A frame may take this long: 25 a second."""
COST = 1.7
"""How many times longer a frame takes with the better model: `pointhmr benchmark --only lite` measures it."""
FRAMES = 50
"""Frames of one model before anything is decided."""
WORK = ("detect", "encode", "regress", "examine")
"""The stages that count: the others wait for the source or are asked for by the person."""


class TierJudge:
    """Hears of every frame and says when the other model would do better."""

    def __init__(self) -> None:
        self._model = ""
        self._times: deque[float] = deque(maxlen=FRAMES)
        self._tried = False

    def hear(self, model: str, timings: Mapping[str, float], *, final: bool) -> str | None:
        """The model to go over to after this frame, or None.

        timings: milliseconds by stage. final: whether the model's fastest engine works already; until then
        the better model is given time. It is tried once: where it turns out too slow, the lighter one stays.
        """
        if model != self._model:
            self._model = model
            self._times.clear()
        if model == QUALITY and not final:
            return None
        self._times.append(sum(timings.get(stage, 0.0) for stage in WORK))
        if len(self._times) < FRAMES:
            return None
        time = median(self._times)
        if model == LITE and not self._tried and COST * time <= BUDGET_MS:
            self._tried = True
            return QUALITY
        if model == QUALITY and time > BUDGET_MS:
            self._tried = True
            return LITE
        return None
