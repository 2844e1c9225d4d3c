"""Detector: the way into the network's pixels and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.pipeline.crop import body_roll
from app.pipeline.detector import Detector, letterbox
from app.pipeline.frames import PersonBox
from app.pipeline.pictures import read_picture
from app.pipeline.tracker import iou

FIGURE = Path(__file__).parents[1] / "fixtures" / "figure.png"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 90), (1, 1), (5000, 3), (1920, 1080)])
def test_letterbox(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    small, scale = letterbox(image)
    assert small.shape[0] % 32 == small.shape[1] % 32 == 0 and max(small.shape) == 256
    inner = np.round(np.array(size) * scale).astype(int)
    assert (small[: inner[1], : inner[0]] == 255).all()
    assert small[inner[1] :].max(initial=0) == small[:, inner[0] :].max(initial=0) == 0


def test_nobody_in_noise(detector: Detector) -> None:
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []
    assert detector.detect(np.full((300, 200, 3), 90, np.uint8)) == []


def test_a_figure_is_found_wherever_it_stands_and_however_large_the_picture(detector: Detector) -> None:
    figure = read_picture(FIGURE)
    height, width = figure.shape[:2]
    (first, *_) = detector.detect(figure)
    assert first.keypoints is not None and first.keypoints.shape == (17, 2)
    assert first.keypoints[[5, 6], 1].mean() < first.keypoints[[11, 12], 1].mean(), "shoulders above the hips"
    double = np.repeat(np.repeat(figure, 2, 0), 2, 1)
    (second, *_) = detector.detect(double)
    halved = PersonBox(*(value / 2 for value in second.xywh))
    assert iou(first, halved) > 0.9
    for box, size in ((first, (width, height)), (second, (2 * width, 2 * height))):
        assert 0 <= box.x < box.x + box.width <= size[0] and 0 <= box.y < box.y + box.height <= size[1]


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_given_box_learns_how_its_body_lies(detector: Detector, turns: int) -> None:
    figure = np.ascontiguousarray(np.rot90(read_picture(FIGURE), -turns))
    height, width = figure.shape[:2]
    scene = np.full((4 * height, 4 * width, 3), 90, np.uint8)
    scene[height : 2 * height, 2 * width : 3 * width] = figure
    box = PersonBox(2 * width, height, width, height, id=4)
    seen = detector.look_at(scene, box)
    assert seen.xywh == box.xywh and seen.id == 4 and seen.keypoints is not None
    truth = (turns * np.pi / 2 + np.pi) % (2 * np.pi) - np.pi
    assert abs((body_roll(seen) - truth + np.pi) % (2 * np.pi) - np.pi) < np.radians(25)


def test_a_given_box_with_nobody_in_it_stays_as_it_is(detector: Detector) -> None:
    box = PersonBox(10, 10, 50, 100)
    assert detector.look_at(np.full((300, 200, 3), 90, np.uint8), box) is box
