"""Which pixels a projected mesh covers."""

from __future__ import annotations

import numpy as np

from model.cv import cv2

_SHIFT = 4
"""Bits of a pixel's fraction that OpenCV's rasteriser reads."""
_FARTHEST = 1 << 14
"""Pixels beyond which points are pulled in: OpenCV counts in 32-bit integers."""


def silhouette(points: np.ndarray, faces: np.ndarray, size: int) -> np.ndarray:
    """(size, size) bool: pixels under the triangles `faces` (F, 3) of points (N, 2) in pixels."""
    mask = np.zeros((size, size), np.uint8)
    centred = np.clip(points - 0.5, -_FARTHEST, _FARTHEST)  # OpenCV's pixel centres are whole numbers
    for triangle in np.round(centred[faces] * (1 << _SHIFT)).astype(np.int32):
        cv2.fillConvexPoly(mask, triangle, 1, shift=_SHIFT)
    return mask.astype(bool)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks in [0, 1]; nan where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else float("nan")
