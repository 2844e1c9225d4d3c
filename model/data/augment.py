"""Cut a sample's region into a square crop, with or without random changes; labels follow the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.cv import cv2
from model.data.sample import FLIPPED_JOINTS, Sample, rotation


@dataclass(frozen=True)
class Augmentation:
    """How far a crop may stray. The defaults change nothing."""

    scale: tuple[float, float] = (1.0, 1.0)
    """Least and largest factor on the person's size; with a spread, on the person's box instead."""
    scale_spread: float = 0.0
    """Standard deviation of the box's factor round 1, cut at `scale`; 0: all factors are equally likely."""
    shift: float = 0.0
    """Largest shift as a fraction of the crop's side."""
    roll: float = 0.0
    """Standard deviation of the turn in radians."""
    roll_cut: float = 2.5
    """Deviations at which the turn is cut."""
    roll_chance: float = 1.0
    """Share of the crops that are turned at all."""
    flip: bool = False
    """Where the dataset knows each vertex's mirror image."""
    colour: bool = False
    gain: float = 0.0
    """Largest change of each colour channel's brightness, as a fraction."""
    upright: bool = True
    """Turn the person upright first."""


NO_AUGMENTATION = Augmentation()
PUBLISHED_AUGMENTATION = Augmentation(
    scale=(0.75, 1.25),
    scale_spread=0.25,
    roll=np.radians(30),
    roll_cut=2.0,
    roll_chance=0.4,
    flip=True,
    gain=0.4,
    upright=False,
)
"""As in METRO: its box +-25 %, roll, colours +-40 %, flip."""
HAND_AUGMENTATION = replace(PUBLISHED_AUGMENTATION, roll=np.radians(90), flip=False)
"""As in METRO's hand network: any roll, and a right hand stays a right hand."""
LITE_AUGMENTATION = Augmentation(scale=(0.72, 1.1), shift=0.07, roll=np.radians(11), flip=True, colour=True)
FINE_AUGMENTATION = replace(LITE_AUGMENTATION, scale=(0.74, 0.94), shift=0.05, roll=np.radians(8))
"""Close to what the embedded networks look at, a square 1.2 times the labelled one: for their last stage."""


def crop_sample(
    sample: Sample,
    size: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
    mirrored_vertices: np.ndarray | None,
) -> Sample:
    """The sample turned upright, cropped to size x size and augmented.

    mirrored_vertices: (N,) index of each labelled vertex's mirror image; None: never flipped. 3D labels turn
    with the picture.
    """
    roll = (sample.roll if augmentation.upright else 0.0) + _random_roll(augmentation, rng)
    scale = size / sample.side * _random_scale(augmentation, rng)
    shift = rng.uniform(-augmentation.shift, augmentation.shift, 2) * size
    turn = rotation(roll)
    flip = mirrored_vertices is not None and augmentation.flip and rng.random() < 0.5
    if flip:
        turn = np.diag([-1.0, 1.0]) @ turn
    matrix = turn * scale
    offset = size / 2 + shift - matrix @ sample.centre
    image = warp(sample.image, np.c_[matrix, offset], scale, size)
    if augmentation.colour:
        image = change_colours(image, rng)
    if augmentation.gain:
        gains = rng.uniform(1 - augmentation.gain, 1 + augmentation.gain, 3)
        image = np.clip(image * gains, 0, 255).astype(np.uint8)
    moved = replace(
        sample,
        image=image,
        person=None if sample.person is None else warp_mask(sample.person, np.c_[matrix, offset], size),
        centre=np.full(2, size / 2),
        side=float(size),
        roll=0.0,
        vertices=turn_points(sample.vertices, turn),
        vertices2d=sample.vertices2d @ matrix.T + offset,
        joints3d=turn_points(sample.joints3d, turn),
        joints2d=np.c_[sample.joints2d[:, :2] @ matrix.T + offset, sample.joints2d[:, 2]],
    )
    return swap_sides(moved, mirrored_vertices) if flip and mirrored_vertices is not None else moved


def _random_roll(augmentation: Augmentation, rng: np.random.Generator) -> float:
    spread, cut = augmentation.roll, augmentation.roll * augmentation.roll_cut
    if not spread or (augmentation.roll_chance < 1 and rng.random() >= augmentation.roll_chance):
        return 0.0
    return float(np.clip(rng.normal(0, spread), -cut, cut))


def _random_scale(augmentation: Augmentation, rng: np.random.Generator) -> float:
    if augmentation.scale_spread:
        return 1 / float(np.clip(rng.normal(1, augmentation.scale_spread), *augmentation.scale))
    return float(rng.uniform(*augmentation.scale))


def warp(image: np.ndarray, matrix: np.ndarray, scale: float, size: int) -> np.ndarray:
    """The crop under a (2, 3) picture -> crop transform, in pixels from corners; black outside."""
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    return cv2.warpAffine(image, _from_centres(matrix), (size, size), flags=cv2.INTER_LINEAR)


def warp_mask(mask: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """`warp` for a (H, W) bool mask: the nearest pixel's answer."""
    flat = mask.astype(np.uint8)
    return cv2.warpAffine(flat, _from_centres(matrix), (size, size), flags=cv2.INTER_NEAREST).astype(bool)


def _from_centres(matrix: np.ndarray) -> np.ndarray:
    """The (2, 3) transform for OpenCV, which counts from pixel centres."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return centred


def turn_points(points: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(N, 3) points turned (and mirrored) in the picture's plane by a (2, 2) matrix."""
    return np.c_[points[:, :2] @ turn.T, points[:, 2]]


def swap_sides(sample: Sample, mirrored_vertices: np.ndarray) -> Sample:
    """Left becomes right: after a mirrored picture every label must change its name."""
    return replace(
        sample,
        vertices=sample.vertices[mirrored_vertices],
        vertices2d=sample.vertices2d[mirrored_vertices],
        joints3d=sample.joints3d[FLIPPED_JOINTS],
        joints2d=sample.joints2d[FLIPPED_JOINTS],
        confidence3d=None if sample.confidence3d is None else sample.confidence3d[FLIPPED_JOINTS],
    )


def change_colours(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grey, blur, low resolution, gains, offsets and boxes that hide parts: what cameras and rooms do."""
    size = image.shape[0]
    if rng.random() < 0.12:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if rng.random() < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.6))
    if rng.random() < 0.1:
        small = int(size * rng.uniform(0.35, 0.8))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (size, size))
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3)
    table = np.clip(np.arange(256)[:, None] * gain + rng.uniform(-25, 25), 0, 255).astype(np.uint8)
    image = cv2.LUT(image, table[None])
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 3)):
            width, height = rng.integers(size // 12, size // 3, 2)
            x, y = rng.integers(0, size - size // 12, 2)
            image[y : y + height, x : x + width] = rng.integers(0, 255, 3)
    return image
