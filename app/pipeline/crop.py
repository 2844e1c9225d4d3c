"""From a person's box to the square, upright region that the network sees, and back.

Points are continuous pixels: x right, y down, pixel centres at .5 (so the left edge is 0). A roll is the
angle in radians, clockwise as seen on the screen, by which the body's hips -> shoulders axis is turned away
from straight up. The rules come from shared measurements: webcam bodies that are squeezed into the crop and
bodies that do not stand upright in it are what cost the network most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from app.pipeline.frames import Crop, PersonBox
from model.cv import cv2

MARGIN = 1.25
"""Side of a person's usual square over the longer side of the box."""
CUT = 0.97
"""A box that ends below this part of the picture's height belongs to a body that goes on below it."""
MOST_GROWTH = 1.2
"""Of the side of a square whose body goes on below the picture."""
CROWDED = 0.1
"""Share of a square that others take, from which it is as small as it can be."""
_STILL, _TURNED = math.radians(10.0), math.radians(30.0)
_LONGEST_GROWTH = 1.5


@dataclass(frozen=True)
class Torso:
    """What the crop rules need of a body, in pixels of the full picture."""

    shoulders: np.ndarray
    """(2,) the middle of both."""
    hips: np.ndarray
    """(2,) the middle of both."""
    shoulder_width: float

    @property
    def axis(self) -> np.ndarray:
        """(2,) from the shoulders to the hips."""
        return self.hips - self.shoulders

    @property
    def length(self) -> float:
        """Shoulders to hips in pixels."""
        return float(np.linalg.norm(self.axis))


def torso_of(box: PersonBox) -> Torso | None:
    """The torso in the box's keypoints (COCO: shoulders 5 and 6, hips 11 and 12), if it has usable ones."""
    points = box.keypoints
    if points is None or points.shape != (17, 2) or not np.isfinite(points[[5, 6, 11, 12]]).all():
        return None
    points = points.astype(float)
    width = float(np.linalg.norm(points[5] - points[6]))
    return Torso(points[[5, 6]].mean(0), points[[11, 12]].mean(0), width)


def body_roll(box: PersonBox) -> float:
    """The roll that the crop should undo; 0 where the axis cannot be told.

    Below 10 degrees nothing is turned (the network does not mind, and the axis of the detector's coarse
    joints trembles by that much), from 30 degrees on everything; in between the angle grows evenly, so that
    a body that leans slowly never makes the crop jump.
    """
    torso = torso_of(box)
    if torso is None or torso.length < max(0.4 * torso.shoulder_width, 0.12 * max(box.width, box.height)):
        return 0.0
    along = -torso.axis
    roll = math.atan2(along[0], -along[1])
    ramp = (abs(roll) - _STILL) * _TURNED / (_TURNED - _STILL)
    return math.copysign(min(abs(roll), max(ramp, 0.0)), roll)


def crop_for_box(
    box: PersonBox,
    picture_size: tuple[int, int],
    crop_size: int,
    roll: float = 0.0,
    *,
    scale: float = 1.0,
    webcam: bool = True,
) -> Crop:
    """The square region around a person.

    Args:
        box: the person, with the detector's keypoints if there are any.
        picture_size: (width, height) of the full picture.
        crop_size: side of the crop in pixels.
        roll: turn the crop by this much; usually `body_roll(box)`.
        scale: side of the square over the usual one's, which is MARGIN times the box's longer side.
        webcam: grow the square towards where the whole body would be if the picture's lower edge cuts it.
    """
    centre = np.array([box.x + box.width / 2, box.y + box.height / 2])
    side = scale * MARGIN * max(box.width, box.height, 1.0) * _growth(box, roll)
    torso = torso_of(box)
    if webcam and torso is not None and box.y + box.height >= CUT * picture_size[1]:
        centre, side = _towards_the_whole_body(torso, centre, side)
    return square(centre, side, roll, crop_size)


def scale_beside(box: PersonBox, others: Iterable[PersonBox], scale: float) -> float:
    """`scale` of a square that nobody else would be seen in, down to 1 where others take CROWDED of it.

    A larger square shows more of them: on 200 drawn pairs the PA-MPJPE of body-quality's fifth stage is
    102 mm at 1.2 and 97 mm at 1.
    """
    side = scale * MARGIN * max(box.width, box.height, 1.0)
    middle_x, middle_y = box.x + box.width / 2, box.y + box.height / 2
    shares = [
        _shared(other.x, other.width, middle_x - side / 2, side)
        * _shared(other.y, other.height, middle_y - side / 2, side)
        / side**2
        for other in others
    ]
    return 1.0 + (scale - 1.0) * max(0.0, 1.0 - max(shares, default=0.0) / CROWDED)


def _shared(start: float, length: float, other_start: float, other_length: float) -> float:
    """Length that two stretches of a line have in common."""
    return max(0.0, min(start + length, other_start + other_length) - max(start, other_start))


def square(centre: np.ndarray, side: float, roll: float, crop_size: int) -> Crop:
    """The square about a point (2,) of the picture, `side` pixels of it wide, turned by a roll."""
    scale = crop_size / side
    cos, sin = math.cos(roll) * scale, math.sin(roll) * scale
    linear = np.array([[cos, sin], [-sin, cos]])
    return Crop(np.column_stack([linear, crop_size / 2 - linear @ centre]), crop_size)


def apply(crop: Crop, image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 picture -> (size, size, 3) uint8 crop, bilinear, black outside the picture.

    A picture that shrinks by more than two is first averaged down, else the few pixels that bilinear
    sampling looks at would sparkle.
    """
    linear, shift = crop.matrix[:, :2], crop.matrix[:, 2]
    factor = int(1.0 / _scale(crop))
    if factor >= 2:
        left, top, right, bottom = _footprint(crop, image.shape[1], image.shape[0], factor)
        image = image[top:bottom, left:right]
        width, height = math.ceil(image.shape[1] / factor), math.ceil(image.shape[0] / factor)
        pad = (0, height * factor - image.shape[0], 0, width * factor - image.shape[1])
        image = cv2.copyMakeBorder(image, *pad, cv2.BORDER_REPLICATE)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        shift = linear @ np.array([left, top], float) + shift
        linear = linear * factor
    # OpenCV puts the centre of a pixel on the whole number; here it is at .5.
    matrix = np.column_stack([linear, linear @ np.array([0.5, 0.5]) + shift - 0.5])
    return cv2.warpAffine(image, matrix, (crop.size, crop.size), flags=cv2.INTER_LINEAR, borderValue=0)


def to_crop(crop: Crop, points: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of the full picture -> (N, 2) pixels of the crop."""
    return points @ crop.matrix[:, :2].T + crop.matrix[:, 2]


def to_picture(crop: Crop, points: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of the crop -> (N, 2) pixels of the full picture."""
    return (points - crop.matrix[:, 2]) @ np.linalg.inv(crop.matrix[:, :2]).T


def roll_of(crop: Crop) -> float:
    """The roll that the crop undoes, in radians."""
    return math.atan2(crop.matrix[0, 1], crop.matrix[0, 0])


def to_picture_axes(crop: Crop, points: np.ndarray) -> np.ndarray:
    """(N, 3) in the crop's camera axes -> (N, 3) in the picture's: turned back about the viewing axis."""
    roll = roll_of(crop)
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    turned = np.array(points, copy=True)
    turned[:, :2] = points[:, :2] @ turn.T.astype(points.dtype)
    return turned


def picture_camera(crop: Crop, camera: tuple[float, float, float]) -> tuple[float, float, float]:
    """The network's camera in the crop -> the camera of the full picture.

    Args:
        crop: where the network looked.
        camera: (s, tx, ty) with x2d = s * (X + t) in [-1, 1] across the crop.

    Returns:
        (s, tx, ty) with pixel = s * (X, Y) + (tx, ty), X and Y in the axes of `to_picture_axes`.
    """
    half = crop.size / 2
    s, tx, ty = camera
    origin = to_picture(crop, np.array([[s * half * tx + half, s * half * ty + half]]))[0]
    return s * half / _scale(crop), float(origin[0]), float(origin[1])


def _scale(crop: Crop) -> float:
    """Crop pixels per picture pixel."""
    return float(np.hypot(crop.matrix[0, 0], crop.matrix[0, 1]))


def _towards_the_whole_body(torso: Torso, centre: np.ndarray, side: float) -> tuple[np.ndarray, float]:
    """Centre and side of a square that grew towards that of the whole body, by MOST_GROWTH at most.

    PA-MPJPE of body-quality on drawn people of the training part, cut below (150 close to a webcam, 110
    farther off): 91 and 89 mm without growth, 94 and 85 in the whole body's square, 90 and 86 so.
    """
    size = max(torso.length, 1.3 * torso.shoulder_width)
    down = np.array([0.0, 1.0])
    if torso.length >= 0.4 * torso.shoulder_width and torso.length > 0:
        down = torso.axis / torso.length
    whole = max(4.5 * size, side)
    grown = min(whole, MOST_GROWTH * side)
    share = (grown - side) / (whole - side) if whole > side else 0.0
    return centre + share * (torso.shoulders + size * down - centre), grown


def _growth(box: PersonBox, roll: float) -> float:
    """How much longer the body is along its own axes than along the picture's.

    The box of somebody who leans by 45 degrees has only 0.7 of the body's length as its sides; a turned
    crop of that size would cut head and feet off.
    """
    if roll == 0.0 or box.keypoints is None or not np.isfinite(box.keypoints).all():
        return 1.0
    cos, sin = math.cos(roll), math.sin(roll)
    turned = box.keypoints @ np.array([[cos, sin], [-sin, cos]]).T
    straight = float(np.ptp(box.keypoints, axis=0).max())
    return float(np.clip(np.ptp(turned, axis=0).max() / max(straight, 1.0), 1.0, _LONGEST_GROWTH))


def _footprint(crop: Crop, width: int, height: int, margin: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the picture's part that the crop can touch, never empty."""
    corners = to_picture(
        crop, np.array([[0, 0], [0, crop.size], [crop.size, 0], [crop.size, crop.size]], float)
    )
    low = np.floor(corners.min(0)).astype(int) - margin
    high = np.ceil(corners.max(0)).astype(int) + margin
    left, top = min(max(low[0], 0), width - 1), min(max(low[1], 0), height - 1)
    return left, top, max(min(high[0], width), left + 1), max(min(high[1], height), top + 1)
