"""A clip has one beginning and one end for everybody in it, whenever they are seen."""

from __future__ import annotations

import numpy as np


def held(times: np.ndarray, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Keys from `start` to `end` of somebody who is seen at `times` (T,) within, in seconds.

    Returns the keys' times (K,), and which of the T frames each shows: before the first one and after the
    last one the body holds still, for programs take length and beginning from the keys.
    """
    rows = np.arange(len(times))
    before, after = rows[: int(times[0] > start)], rows[len(rows) - int(times[-1] < end) :]
    keys = np.concatenate([[start] * len(before), times, [end] * len(after)])
    return keys, np.concatenate([before, rows, after])
