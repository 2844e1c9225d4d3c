"""How much of the body a vertex may attend to under a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MaskStatistics:
    """How many vertices a vertex may attend to under one threshold, itself included."""

    mean: float
    least: int
    most: int


def mask_statistics(hops: np.ndarray, thresholds: Sequence[int | None]) -> tuple[MaskStatistics, ...]:
    """Allowed vertices per vertex in each encoder.

    hops: (C, C) int distances on the coarse mesh; thresholds: one per encoder, None is off.
    """
    return tuple(_allowed_counts(hops, threshold) for threshold in thresholds)


def _allowed_counts(hops: np.ndarray, threshold: int | None) -> MaskStatistics:
    if threshold is None:
        return MaskStatistics(float(len(hops)), len(hops), len(hops))
    counts = (hops <= threshold).sum(axis=1)
    return MaskStatistics(float(counts.mean()), int(counts.min()), int(counts.max()))
