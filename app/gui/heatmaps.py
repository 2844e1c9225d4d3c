"""Numbers and pictures made from one heatmap; no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from model.cv import cv2

MODE_SHARE = 0.3
"""A second hill counts as a mode when it is at least this high against the peak."""


@dataclass(frozen=True)
class HeatmapStats:
    """What a person reads off a heatmap."""

    peak: float
    """Largest probability of a cell."""
    spread: float
    """Root mean square distance from the mean position, in pixels of the crop."""
    modes: int
    """Separate hills of at least `MODE_SHARE` of the peak."""


def heatmap_stats(heatmap: np.ndarray, crop_size: int) -> HeatmapStats:
    """Peak, spread and modes of an (n, n) heatmap over a crop of `crop_size` pixels."""
    n = len(heatmap)
    total = float(heatmap.sum())
    peak = float(heatmap.max())
    if not np.isfinite(total) or total <= 0:
        return HeatmapStats(0.0, 0.0, 0)
    cells = np.arange(n)
    columns, rows = heatmap.sum(axis=0) / total, heatmap.sum(axis=1) / total
    variance = sum(float((p * cells**2).sum() - (p * cells).sum() ** 2) for p in (columns, rows))
    smooth = cv2.GaussianBlur(heatmap.astype(np.float32), (0, 0), n / 64)
    hills = (smooth > MODE_SHARE * smooth.max()).astype(np.uint8)
    modes = cv2.connectedComponents(hills, connectivity=8)[0] - 1
    return HeatmapStats(peak, np.sqrt(max(variance, 0.0)) * crop_size / n, int(modes))


def enlarge(heatmap: np.ndarray, side: int, top: float | None = None) -> np.ndarray:
    """(n, n) -> (side, side) float32 in [0, 1] relative to `top` (None: the peak), smoothly interpolated."""
    relative = heatmap.astype(np.float32) / max(float(heatmap.max()) if top is None else top, 1e-12)
    return np.clip(cv2.resize(relative, (side, side), interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def extent_of(hill: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the cells of `hill` (h, w) in [0, 1] that `tint` would colour at all."""
    left, top, width, height = cv2.boundingRect((hill >= 1 / 255).astype(np.uint8))
    return left, top, left + width, top + height


def tint(intensity: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """Intensity (h, w) in [0, 1] -> (h, w, 4) uint8 premultiplied RGBA.

    `ramp` (3,) is one colour, or (256, 3) the colours from no intensity to full. The square root lifts
    faint hills so that a second mode can be seen beside a strong one.
    """
    ramp = np.ascontiguousarray(ramp, np.float64)
    table = _tints(ramp.tobytes())
    return table[(intensity * 255).astype(np.uint8)].view(np.uint8).reshape(*intensity.shape, 4)


@lru_cache(maxsize=32)
def _tints(ramp: bytes) -> np.ndarray:
    """(256,) premultiplied RGBA of each intensity, as one number of four bytes: one look-up a pixel."""
    alpha = np.sqrt(np.linspace(0.0, 1.0, 256))[:, None]
    colours = np.broadcast_to(np.frombuffer(ramp).reshape(-1, 3), (256, 3))
    table = (np.hstack([colours * alpha, alpha]) * 255).astype(np.uint8)
    return np.ascontiguousarray(table).view(np.uint32).ravel()


def heatmap_to_picture(matrix: np.ndarray, crop_size: int, side: int) -> np.ndarray:
    """(2, 3) affine from pixels of a `side`-pixel heatmap picture to pixels of the full picture.

    `matrix` is `Crop.matrix`, picture -> crop; both grids have their corner at (0, 0).
    """
    full = np.vstack([matrix, [0.0, 0.0, 1.0]])
    scale = np.diag([crop_size / side, crop_size / side, 1.0])
    result: np.ndarray = (np.linalg.inv(full) @ scale)[:2]
    return result
