"""Which cells of a crop belong to the chosen person, when others are near.

A person is a set of capsules about the joints in the box: the last reconstruction's while the person is
followed, else the detector's. Cells that lie nearer to somebody else's capsules, or outside of the person's
box, lose weight; cells within the person's own capsules lose none, so that what others cover stays readable.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.pipeline.crop import to_crop
from app.pipeline.frames import Crop, PersonBox

PUSH = 4.0
"""How much a cell that is wholly somebody else's loses, in units of the logits."""
BOX_MARGIN = 0.15
"""The box is this part of its longer side larger on each side: limbs hang out."""
# COCO keypoints: nose 0, shoulders 5 6, elbows 7 8, wrists 9 10, hips 11 12, knees 13 14, ankles 15 16.
_BONES = (
    *((5, 6), (11, 12), (5, 11), (6, 12), (5, 12), (6, 11)),
    *((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16)),
    *((0, 5), (0, 6), (0, 0)),
)
_THICKNESS = 0.09
"""Half of a limb's width in parts of the body's longer side."""


def log_weights(crop: Crop, cells: int, own: PersonBox, others: Sequence[PersonBox]) -> np.ndarray | None:
    """(cells, cells) float32 <= 0 to be added to the logits of all heatmaps of a person.

    None where nobody else is in the crop: then nothing needs to be done.
    """
    grid = _grid(crop, cells)
    near = [box for box in others if _reaches(crop, box)]
    if not near:
        return None
    mine = _distance(crop, own, grid)
    theirs = np.min([_distance(crop, box, grid) for box in near], axis=0)
    scale = _THICKNESS * _extent(crop, own)
    foreign = np.clip((mine - theirs) / scale, 0.0, 1.0)
    outside = np.clip(_box_distance(crop, own, grid) / scale, 0.0, 1.0)
    result: np.ndarray = (-PUSH * np.maximum(foreign, outside)).astype(np.float32)
    return result.reshape(cells, cells)


def _grid(crop: Crop, cells: int) -> np.ndarray:
    """(cells * cells, 2) centres in pixels of the crop, row by row."""
    centres = (np.arange(cells) + 0.5) * crop.size / cells
    return np.stack([np.tile(centres, cells), np.repeat(centres, cells)], axis=1)


def _scale(crop: Crop) -> float:
    return float(np.hypot(crop.matrix[0, 0], crop.matrix[0, 1]))


def _extent(crop: Crop, box: PersonBox) -> float:
    return max(box.width, box.height) * _scale(crop)


def _corners(crop: Crop, box: PersonBox) -> np.ndarray:
    x, y, width, height = box.xywh
    return to_crop(crop, np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]))


def _reaches(crop: Crop, box: PersonBox) -> bool:
    """Whether a box may show in the crop."""
    corners = _corners(crop, box)
    return bool((corners.max(0) > 0).all() and (corners.min(0) < crop.size).all())


def _distance(crop: Crop, box: PersonBox, grid: np.ndarray) -> np.ndarray:
    """(P,) pixels of the crop from a person's capsules, 0 within; from the box where there are no joints."""
    points = box.keypoints
    if points is None or points.shape != (17, 2) or not np.isfinite(points).all():
        return _box_distance(crop, box, grid)
    joints = to_crop(crop, points.astype(np.float64))
    starts, ends = joints[[a for a, _ in _BONES]], joints[[b for _, b in _BONES]]
    along = ends - starts
    length = np.maximum((along**2).sum(axis=1), 1e-9)
    offset = grid[:, None] - starts
    share = np.clip((offset * along).sum(axis=2) / length, 0.0, 1.0)
    gap = np.linalg.norm(offset - share[..., None] * along, axis=2).min(axis=1)
    return np.maximum(gap - _THICKNESS * _extent(crop, box) / 2, 0.0)


def _box_distance(crop: Crop, box: PersonBox, grid: np.ndarray) -> np.ndarray:
    """(P,) pixels of the crop from the box with its margin, 0 within."""
    linear, shift = crop.matrix[:, :2], crop.matrix[:, 2]
    picture = (grid - shift) @ np.linalg.inv(linear).T
    margin = BOX_MARGIN * max(box.width, box.height)
    low = np.array([box.x - margin, box.y - margin])
    high = np.array([box.x + box.width + margin, box.y + box.height + margin])
    gap = np.maximum(np.maximum(low - picture, picture - high), 0.0)
    result: np.ndarray = np.linalg.norm(gap, axis=1) * _scale(crop)
    return result
