"""What heatmaps say about themselves: how sure, how wide, how many places.

All from one pass that makes each heatmap about 16 x 16 cells, over every second vertex: neighbours on the
mesh look at the same place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 2
CELLS = 16
MODE_SHARE = 0.3
"""A second hill counts as a mode when it is at least this high against the peak."""
PLAIN = 1.01
"""What is not higher than this many times the mean is no hill."""
FAR = 0.15
"""Parts of the crop's side beyond which a second peak looks at something else."""


@dataclass(frozen=True)
class HeatMeasures:
    """Averages over the vertices; see the fields of the same names in `Diagnostics`."""

    confidence: float
    spread: float
    modes: float
    ambiguity: float
    middles: np.ndarray
    """(C / STEP, 2) float32 mean position (x, y) of each second heatmap, in [0, 1] of the crop."""
    spreads: np.ndarray
    """(C / STEP,) float32: what `spread` averages."""
    tops: np.ndarray
    """(C / STEP,) float32: what `confidence` averages."""


def measure_heatmaps(heatmaps: np.ndarray) -> HeatMeasures:
    """(C, n, n) non-negative -> its measures; a heatmap that sums to nothing counts as even."""
    small = pooled(heatmaps[::STEP])
    side = small.shape[1]
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    flat = small.reshape(len(small), -1)
    x, y = np.tile(centres, side), np.repeat(centres, side)
    moments = flat @ np.stack([x, y, x * x + y * y], axis=1)
    variance = moments[:, 2] - moments[:, 0] ** 2 - moments[:, 1] ** 2
    spreads = np.sqrt(np.maximum(variance, 0))
    peak = flat.argmax(axis=1)
    top = flat[np.arange(len(flat)), peak]
    far = (x[peak, None] - x) ** 2 + (y[peak, None] - y) ** 2 > FAR**2
    hills = np.where(_local_maxima(small).reshape(flat.shape), flat, 0)
    second = np.where(far, hills, 0).max(axis=1)
    return HeatMeasures(
        confidence=float(top.mean()),
        spread=float(spreads.mean()),
        modes=float((hills > MODE_SHARE * top[:, None]).sum(axis=1).clip(1).mean()),
        ambiguity=float((second / top).mean()),
        middles=moments[:, :2].astype(np.float32),
        spreads=spreads,
        tops=top,
    )


def pooled(heatmaps: np.ndarray) -> np.ndarray:
    """(V, n, n) -> (V, k, k) float32 sums over square blocks, k about CELLS, each map summing to one."""
    count, side = heatmaps.shape[:2]
    block = next(size for size in range(max(1, round(side / CELLS)), 0, -1) if side % size == 0)
    cells = side // block
    lines = np.ascontiguousarray(heatmaps, np.float32).reshape(count * cells, block, side)
    rows = sum(lines[:, k] for k in range(1, block)) + lines[:, 0]
    columns = rows.reshape(count, cells, cells, block)
    sums = sum(columns[..., k] for k in range(1, block)) + columns[..., 0]
    total = sums.sum(axis=(1, 2), keepdims=True)
    even = np.float32(1 / cells**2)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), even)


def _local_maxima(maps: np.ndarray) -> np.ndarray:
    """(V, k, k) -> bool: no neighbour is higher, and it stands out (a plain has no hills)."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])
    result: np.ndarray = (maps >= highest) & (maps > PLAIN * maps.mean(axis=(1, 2), keepdims=True))
    return result
