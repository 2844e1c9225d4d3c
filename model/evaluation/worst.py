"""The pictures with the largest errors on one sheet, each beside itself with the predicted mesh over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.cv import cv2
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.pictures import write_picture
from model.data.sample import Dataset
from model.evaluation.picture import Measured, thinned

PREDICTED, LABELLED = (70, 200, 110), (250, 190, 60)
CAPTION = 18


def worst(pictures: Sequence[Measured], count: int, metric: str = "mpjpe") -> list[Measured]:
    """The `count` pictures with the largest error, the largest first."""
    known = [picture for picture in pictures if metric in picture.errors]
    return sorted(known, key=lambda picture: -picture.errors[metric])[:count]


def write_sheet(
    path: Path,
    dataset: Dataset,
    pictures: Sequence[Measured],
    size: int,
    metric: str = "mpjpe",
    *,
    upright: bool,
) -> np.ndarray | None:
    """Two pairs a row: the crop, and the crop with the predicted (green) and labelled (amber) vertices.

    Returns the sheet (H, W, 3), or None where there is nothing to show.
    """
    tiles = [_tile(dataset, picture, size, metric, upright) for picture in pictures]
    if not tiles:
        return None
    tiles += [np.zeros_like(tiles[0])] * (len(tiles) % 2)
    sheet = np.vstack([np.hstack(tiles[start : start + 2]) for start in range(0, len(tiles), 2)])
    write_picture(path, sheet)
    return sheet


def _tile(dataset: Dataset, picture: Measured, size: int, metric: str, upright: bool) -> np.ndarray:
    plain = replace(NO_AUGMENTATION, upright=upright)
    crop = crop_sample(dataset[picture.index], size, plain, np.random.default_rng(0), None)
    drawn = crop.image.copy()
    _dots(drawn, crop.vertices2d, LABELLED)
    _dots(drawn, (picture.vertices2d + 1) * (size / 2), PREDICTED)
    strip = np.zeros((CAPTION, 2 * size, 3), np.uint8)
    text = f"{picture.errors[metric]:.1f} mm  {picture.key}"
    cv2.putText(strip, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (220, 220, 220), 1, cv2.LINE_AA)
    return np.vstack([np.hstack([crop.image, drawn]), strip])


def _dots(image: np.ndarray, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    for x, y in thinned(points):
        if abs(x) < 1e4 and abs(y) < 1e4:
            cv2.circle(image, (round(float(x)), round(float(y))), 1, colour, -1)
