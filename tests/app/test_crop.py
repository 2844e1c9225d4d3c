"""Crops: there and back, upright, and with the whole body in them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.pipeline.crop import (
    MARGIN,
    MOST_GROWTH,
    apply,
    body_roll,
    crop_for_box,
    picture_camera,
    roll_of,
    scale_beside,
    to_crop,
    to_picture,
    to_picture_axes,
)
from app.pipeline.frames import Crop, PersonBox
from tests.app.fakes import gradient, standing

PICTURE = (640, 480)


def turned(box: PersonBox, roll: float) -> PersonBox:
    """The same body, rolled clockwise about the middle of its box, in its new box."""
    assert box.keypoints is not None
    middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    points = (box.keypoints - middle) @ turn.T + middle
    low, high = points.min(0), points.max(0)
    return PersonBox(*low, *(high - low), keypoints=points)


@pytest.mark.parametrize("seed", range(40))
def test_points_come_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = PersonBox(*rng.uniform(-50, 600, 2), *rng.uniform(1, 700, 2))
    roll = rng.uniform(-math.pi, math.pi)
    crop = crop_for_box(box, PICTURE, 256, roll)
    points = rng.uniform(-100, 800, (20, 2))
    np.testing.assert_allclose(to_picture(crop, to_crop(crop, points)), points, atol=1e-6)
    middle = np.array([[box.x + box.width / 2, box.y + box.height / 2]])
    np.testing.assert_allclose(to_crop(crop, middle), [[128, 128]], atol=1e-6)
    assert roll_of(crop) == pytest.approx(roll)


@pytest.mark.parametrize("seed", range(40))
def test_the_camera_of_the_picture_projects_as_that_of_the_crop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = PersonBox(*rng.uniform(0, 400, 2), *rng.uniform(20, 400, 2))
    crop = crop_for_box(box, PICTURE, 224, rng.uniform(-math.pi, math.pi))
    camera = (rng.uniform(0.3, 2), *rng.uniform(-0.5, 0.5, 2))
    points = rng.normal(size=(30, 3))
    in_crop = (camera[0] * (points[:, :2] + camera[1:]) + 1) / 2 * crop.size
    s, tx, ty = picture_camera(crop, camera)
    in_picture = s * to_picture_axes(crop, points)[:, :2] + [tx, ty]
    np.testing.assert_allclose(in_picture, to_picture(crop, in_crop), atol=1e-6)
    np.testing.assert_array_equal(to_picture_axes(crop, points)[:, 2], points[:, 2])
    assert s > 0


def test_turning_back_keeps_lengths_and_type() -> None:
    crop = crop_for_box(standing(), PICTURE, 256, 1.0)
    points = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    back = to_picture_axes(crop, points)
    assert back.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), np.linalg.norm(points, axis=1), rtol=1e-5)


@pytest.mark.parametrize("roll", [-3.0, -1.6, -0.6, 0.6, 1.2, 1.6, 3.1])
def test_a_lying_body_stands_in_its_crop(roll: float) -> None:
    box = turned(standing((320, 240), 200), roll)
    assert body_roll(box) == pytest.approx(roll, abs=1e-6)
    crop = crop_for_box(box, PICTURE, 256, body_roll(box))
    assert box.keypoints is not None
    points = to_crop(crop, box.keypoints)
    up = points[[5, 6]].mean(0) - points[[11, 12]].mean(0)
    assert abs(up[0]) < 1e-6 and up[1] < 0
    assert points.min() > 0 and points.max() < 256, "head and feet are in the crop"


def test_small_angles_are_left_alone_and_the_turn_never_jumps() -> None:
    body = standing((320, 240), 200)
    assert body_roll(turned(body, math.radians(9))) == 0.0
    angles = np.radians(np.arange(-179, 180, 1.0))
    rolls = np.array([body_roll(turned(body, angle)) for angle in angles])
    assert np.abs(np.diff(rolls)).max() < math.radians(2)
    assert (np.sign(rolls) * np.sign(angles) >= 0).all()


def test_no_turn_where_the_axis_cannot_be_told() -> None:
    assert body_roll(PersonBox(0, 0, 50, 100)) == 0.0
    body = turned(standing(), 1.2)
    assert body.keypoints is not None
    body.keypoints[[11, 12]] = body.keypoints[[5, 6]] + 0.5
    assert body_roll(body) == 0.0
    body.keypoints[11] = np.nan
    assert body_roll(body) == 0.0


def test_plain_rule() -> None:
    crop = crop_for_box(PersonBox(100, 50, 80, 200), PICTURE, 250)
    np.testing.assert_allclose(crop.matrix, [[1, 0, 125 - 140], [0, 1, 125 - 150]])
    assert MARGIN * 200 == 250
    wide = crop_for_box(PersonBox(100, 50, 80, 200), PICTURE, 250, scale=2.0)
    np.testing.assert_allclose(wide.matrix, [[0.5, 0, 125 - 70], [0, 0.5, 125 - 75]])


def test_the_air_about_a_person_gives_way_to_others() -> None:
    box = PersonBox(200, 100, 100, 200)
    assert scale_beside(box, [], 1.2) == 1.2
    assert scale_beside(box, [PersonBox(500, 100, 100, 200)], 1.2) == 1.2
    assert scale_beside(box, [PersonBox(260, 100, 100, 200)], 1.2) == 1.0
    assert scale_beside(box, [PersonBox(260, 100, 100, 200)], 1.0) == 1.0
    # Somebody who comes nearer from the right, and then a third one far away, who changes nothing.
    coming = [PersonBox(x, 100, 100, 200) for x in range(420, 260, -5)]
    scales = [scale_beside(box, [other], 1.2) for other in coming]
    assert scales == sorted(scales, reverse=True) and scales[0] == 1.2 and scales[-1] == 1.0
    assert np.abs(np.diff(scales)).max() < 0.04
    far = PersonBox(900, 100, 100, 200)
    assert [scale_beside(box, [far, other], 1.2) for other in coming] == scales


def cut_at(y: float, height: float) -> tuple[Crop, Crop]:
    """The plain crop and the webcam's of a body with its head at y = 130, in a picture that ends at y."""
    whole = standing((320, 130 + height / 2), height)
    cut = PersonBox(whole.x, whole.y, whole.width, y - whole.y, keypoints=whole.keypoints)
    size = (PICTURE[0], int(y))
    return crop_for_box(PersonBox(*cut.xywh), size, 256), crop_for_box(cut, size, 256)


def test_a_body_cut_by_the_frame_is_not_squeezed() -> None:
    """Knees in the picture, feet below it: the crop keeps the scale of a whole body."""
    plain, crop = cut_at(530, 500)
    assert crop.matrix[0, 0] < plain.matrix[0, 0]
    head, feet = to_crop(crop, np.array([[320.0, 130.0], [320.0, 630.0]]))
    assert 0 < head[1] < feet[1] < 256


def test_a_body_of_which_little_is_seen_stays_large() -> None:
    """Hips and legs below the picture: the square grows only so far, downwards, the head within it."""
    plain, crop = cut_at(350, 500)
    assert plain.matrix[0, 0] / crop.matrix[0, 0] == pytest.approx(MOST_GROWTH)
    head, edge = to_crop(crop, np.array([[320.0, 130.0], [320.0, 350.0]]))
    assert 0 < head[1] < edge[1] < to_crop(plain, np.array([[320.0, 350.0]]))[0, 1]


def test_the_square_of_a_cut_body_never_jumps() -> None:
    """Somebody who walks towards the camera: from edge to edge the square changes little by little."""
    crops = [cut_at(y, 500)[1] for y in range(340, 660)]
    sides = np.array([256 / crop.matrix[0, 0] for crop in crops])
    middles = np.array([to_picture(crop, np.array([[128.0, 128.0]]))[0, 1] for crop in crops])
    assert np.abs(np.diff(sides)).max() < 3 and np.abs(np.diff(middles)).max() < 3


def test_without_length_the_body_is_straight_below_the_shoulders() -> None:
    whole = standing((320, 380), 500)
    cut = PersonBox(whole.x, whole.y, whole.width, 530 - whole.y, keypoints=whole.keypoints)
    # Hips and shoulders at one height: straight down, 1.3 shoulder widths.
    assert whole.keypoints is not None
    flat = whole.keypoints.copy()
    flat[[11, 12]] = flat[[5, 6]]
    width = abs(flat[5, 0] - flat[6, 0])
    crop = crop_for_box(PersonBox(*cut.xywh, keypoints=flat), PICTURE, 256)
    middle = to_picture(crop, np.array([[128.0, 128.0]]))[0]
    np.testing.assert_allclose(middle, [flat[5:7, 0].mean(), flat[5, 1] + 1.3 * width])


def test_a_crop_at_scale_one_is_the_picture_itself() -> None:
    image = gradient((200, 200))
    crop = crop_for_box(PersonBox(60, 60, 80, 80), (200, 200), 100)
    np.testing.assert_array_equal(apply(crop, image), image[50:150, 50:150])


def test_outside_is_black_and_pixels_land_where_points_do() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    crop = crop_for_box(PersonBox(0, 0, 100, 100), (100, 100), 250)
    seen = apply(crop, image)
    edge = to_crop(crop, np.array([[0.0, 0.0], [100.0, 100.0]]))
    assert seen[: int(edge[0, 1]) - 2].max() == 0 and seen[:, int(edge[1, 0]) + 3 :].max() == 0
    mass = seen[..., 0].sum() / 255
    assert mass == pytest.approx(200 * 200, rel=0.01)


@pytest.mark.parametrize("roll", [0.0, 0.7, math.pi / 2])
@pytest.mark.parametrize("side", [60, 500, 2000])
def test_a_dot_lands_within_half_a_pixel(side: int, roll: float) -> None:
    size = (2400, 1800)
    centre = np.array([1203.0, 905.0])
    image = np.zeros((size[1], size[0], 3), np.uint8)
    reach = max(2, side // 40)
    image[905 - reach : 905 + reach, 1203 - reach : 1203 + reach] = 255
    box = PersonBox(1190 - side / 2, 915 - side / 2, side, side)
    crop = crop_for_box(box, size, 256, roll)
    seen = apply(crop, image)[..., 0].astype(float)
    y, x = np.mgrid[0:256, 0:256] + 0.5
    found = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
    assert np.abs(found - to_crop(crop, centre[None])[0]).max() < 0.5


def test_shrinking_averages() -> None:
    """A fine checkerboard becomes grey, not sparkle."""
    image = np.zeros((2000, 2000, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 255
    seen = apply(crop_for_box(PersonBox(200, 200, 1600, 1600), (2000, 2000), 128, 0.4), image)
    inner = seen[20:-20, 20:-20].astype(int)
    assert abs(inner.mean() - 127) < 2 and inner.std() < 25


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000)])
def test_slivers(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 200, np.uint8)
    seen = apply(crop_for_box(PersonBox(0, 0, *size), size, 64), image)
    assert seen.shape == (64, 64, 3) and seen.max() > 0


def test_a_box_outside_the_picture_gives_black() -> None:
    seen = apply(crop_for_box(PersonBox(5000, 5000, 900, 900), PICTURE, 64), gradient(PICTURE))
    assert seen.max() == 0
