"""Between the picture's geometry and the crop's: whatever the crop, the person is the same."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.pipeline.crop import crop_for_box
from app.pipeline.frames import Frame, Person, PersonBox
from app.pipeline.reconstructor import Reconstructor, choose_device, load_reconstructor
from model.cv import cv2
from model.errors import UserError

FIGURE = "tests/fixtures/figure.png"
BOX = PersonBox(76, 18, 104, 224)
HOPS = (7, 5, 3, 1)


@pytest.fixture(scope="module")
def reconstructor() -> Reconstructor:
    torch.manual_seed(0)
    return load_reconstructor("body-lite:random")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    picture = cv2.imread(FIGURE)
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def person(reconstructor: Reconstructor, image: np.ndarray, box: PersonBox, roll: float = 0.0) -> Person:
    frame = Frame(image, 0, 0.0, "test")
    size = image.shape[1], image.shape[0]
    crop = crop_for_box(box, size, reconstructor.crop_size, roll)
    (encoded,) = reconstructor.encode(frame, [(box, crop)])
    return reconstructor.regress(encoded, HOPS)


def test_a_person_is_complete_and_hip_centred(reconstructor: Reconstructor, image: np.ndarray) -> None:
    found = person(reconstructor, image, BOX)
    assert found.vertices.shape == (6890, 3) and found.vertices.dtype == np.float32
    assert found.coarse.shape == (431, 3)
    assert found.joints3d[2:4].mean(0) == pytest.approx([0, 0, 0], abs=1e-5)
    assert found.heatmaps.shape == (431, 32, 32)
    assert found.presence > 0.9
    assert np.allclose(found.project(found.joints3d), found.joints2d, atol=0.01)


def test_a_turned_picture_gives_the_turned_person(reconstructor: Reconstructor, image: np.ndarray) -> None:
    upright = person(reconstructor, image, BOX)
    quarter = np.ascontiguousarray(np.rot90(image, -1))
    size = image.shape[0]
    box = PersonBox(size - BOX.y - BOX.height, BOX.x, BOX.height, BOX.width)
    turned = person(reconstructor, quarter, box, roll=math.pi / 2)
    x, y = upright.joints2d.T
    assert np.allclose(turned.joints2d, np.stack([size - y, x], 1), atol=1.0)
    assert np.allclose(
        turned.vertices,
        upright.vertices[:, [1, 0, 2]] * np.array([-1, 1, 1]),
        atol=0.02,
    )


def test_a_shifted_picture_shifts_the_joints(reconstructor: Reconstructor, image: np.ndarray) -> None:
    here = person(reconstructor, image, BOX)
    wide = np.zeros((400, 500, 3), np.uint8)
    wide[100 : 100 + image.shape[0], 150 : 150 + image.shape[1]] = image
    there = person(reconstructor, wide, PersonBox(BOX.x + 150, BOX.y + 100, BOX.width, BOX.height))
    assert np.allclose(there.joints2d - [150, 100], here.joints2d, atol=1.0)
    assert np.allclose(there.vertices, here.vertices, atol=0.02)


def test_other_masks_need_only_the_person(reconstructor: Reconstructor, image: np.ndarray) -> None:
    found = person(reconstructor, image, BOX)
    again = reconstructor.regress(found, (1, 1, 1, 1))
    assert again.features is found.features
    assert not np.allclose(again.vertices, found.vertices)
    assert np.array_equal(reconstructor.regress(again, HOPS).vertices, found.vertices)


def test_attention_is_captured_per_encoder_layer_and_head(
    reconstructor: Reconstructor, image: np.ndarray
) -> None:
    found = person(reconstructor, image, BOX)
    attention = reconstructor.attention(found, HOPS)
    config = reconstructor.network.config
    assert [len(layers) for layers in attention] == list(config.layers)
    for layers, heads in zip(attention, config.heads, strict=True):
        for weights in layers:
            assert weights.shape == (heads, config.num_tokens, config.num_tokens)
            assert np.allclose(weights.sum(-1), 1, atol=1e-5)
    beyond = ~reconstructor.hierarchy.allowed(HOPS[3])
    assert (attention[3][0][:, -431:, -431:][:, beyond] == 0).all()
    assert np.array_equal(reconstructor.regress(found, HOPS).vertices, found.vertices)


def test_a_missing_gpu_is_a_users_error() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(UserError, match="--device cpu"):
        choose_device("cuda")
    assert choose_device("auto") == "cpu"


def seen_twice(
    reconstructor: Reconstructor, image: np.ndarray, weights: np.ndarray | None = None
) -> tuple[Person, tuple[tuple[np.ndarray, ...], ...]]:
    """A person whose box is the middle of the picture, and the attention."""
    side = image.shape[0]
    box = PersonBox(0.2 * side, 0.05 * side, 0.6 * side, 0.9 * side)
    crop = crop_for_box(box, (side, side), reconstructor.crop_size, 0.0)
    (encoded,) = reconstructor.encode(Frame(image, 0, 0.0, "test"), [(box, crop)], [weights], mirror=True)
    return reconstructor.regress(encoded, HOPS), reconstructor.attention(encoded, HOPS)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "isolated"])
def test_seen_twice_a_mirrored_picture_gives_the_mirrored_person(
    reconstructor: Reconstructor, image: np.ndarray, weighted: bool
) -> None:
    rng = np.random.default_rng(0)
    size = reconstructor.heatmap_size
    weights = rng.normal(0, 2, (size, size)).astype(np.float32) if weighted else None
    found, attention = seen_twice(reconstructor, image, weights)
    other, _ = seen_twice(
        reconstructor,
        np.ascontiguousarray(image[:, ::-1]),
        None if weights is None else np.ascontiguousarray(weights[:, ::-1]),
    )
    order = reconstructor.hierarchy.mirrored
    assert order is not None
    assert np.allclose(other.coarse, found.coarse[order] * [-1, 1, 1], atol=2e-3)
    assert np.allclose(other.joints2d.mean(0)[0], image.shape[1] - found.joints2d.mean(0)[0], atol=2.0)
    assert found.heatmaps.shape == (431, size, size), "those of the picture as it is"
    assert attention[0][0].ndim == 3
    once = reconstructor.regress(replace(found, features=found.features.one(0)), HOPS)
    assert np.abs(once.coarse - found.coarse).max() > 1e-4
    assert (found.plain is not None) == weighted
