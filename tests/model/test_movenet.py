"""The MoveNet module against the original (tests/fixtures), and its decoder on made-up maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from model.cv import cv2
from model.errors import UserError
from model.movenet import JOINTS, STRIDE, MoveNet, MoveNetOutput, decode, load_movenet, normalise

FIXTURES = Path(__file__).parents[1] / "fixtures"
HEIGHT, WIDTH = 256, 160


@pytest.fixture(scope="module")
def network() -> MoveNet:
    return load_movenet()


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return cv2.imread(str(FIXTURES / "figure.png"))[:, 48:208, ::-1].copy()


@pytest.fixture(scope="module")
def original() -> dict[str, np.ndarray]:
    return dict(np.load(FIXTURES / "movenet.npz"))


def run(network: MoveNet, picture: np.ndarray) -> MoveNetOutput:
    return network(normalise(torch.from_numpy(picture).permute(2, 0, 1)[None]))


def empty_output(height: int = 24, width: int = 40, batch: int = 1) -> MoveNetOutput:
    return MoveNetOutput(*(torch.zeros(batch, channels, height, width) for channels in (1, 2, 2, 34)))


def put_person(
    output: MoveNetOutput, box: np.ndarray, joints: np.ndarray, score: float, picture: int = 0
) -> None:
    """Write (4,) left, top, right, bottom and (17, 2) x, y pixels into the maps, the reverse of `decode`."""
    middle, size = (box[:2] + box[2:])[::-1] / 2 / STRIDE, (box[2:] - box[:2])[::-1] / STRIDE
    y, x = np.floor(middle).astype(int)
    output.center[picture, 0, y, x] = score
    output.offset[picture, :, y, x] = torch.from_numpy(middle - [y, x])
    output.scale[picture, :, y, x] = torch.from_numpy(size.copy())
    output.keypoints[picture, :, y, x] = torch.from_numpy((joints[:, ::-1] / STRIDE - [y, x]).ravel())


def test_agrees_with_the_original_runtime(
    network: MoveNet, picture: np.ndarray, original: dict[str, np.ndarray]
) -> None:
    output = run(network, picture)
    for name, tensor in output._asdict().items():
        own = tensor.permute(0, 2, 3, 1)[:, ::4, ::4].numpy()
        assert own.shape == original[name].shape
        np.testing.assert_allclose(
            own, original[name], atol=1e-4 * np.abs(original[name]).max(), err_msg=name
        )


def test_decodes_as_the_original(
    network: MoveNet, picture: np.ndarray, original: dict[str, np.ndarray]
) -> None:
    (found,) = decode(run(network, picture))
    best = original["people"][0, 0]
    top, left, bottom, right = best[51:55]
    assert len(found.scores) == 1
    assert found.scores[0] > 0.9
    box = np.array([left * WIDTH, top * HEIGHT, right * WIDTH, bottom * HEIGHT])
    np.testing.assert_allclose(found.boxes[0], box, atol=0.05)
    refined = best[:51].reshape(JOINTS, 3)[:, [1, 0]] * [WIDTH, HEIGHT]
    assert np.linalg.norm(found.keypoints[0] - refined, axis=1).max() < 12


def test_finds_two_people_side_by_side(network: MoveNet, picture: np.ndarray) -> None:
    person = picture[:, 16:144]
    (found,) = decode(run(network, np.hstack([person, person])))
    boxes = found.boxes[found.boxes[:, 0].argsort()]
    assert len(boxes) == 2
    assert np.abs(boxes[0] + [128, 0, 128, 0] - boxes[1]).max() < 8


def test_finds_nobody_in_a_flat_picture(network: MoveNet) -> None:
    (found,) = decode(run(network, np.full((96, 256, 3), 128, np.uint8)))
    assert found.boxes.shape == (0, 4)
    assert found.keypoints.shape == (0, JOINTS, 2)


def test_decode_gives_back_what_was_put_in() -> None:
    rng = np.random.default_rng(0)
    output = empty_output(batch=2)
    boxes = np.array([[10.0, 8.5, 60.25, 90.0], [80.0, 4.0, 120.0, 70.0]])
    joints = rng.uniform(0, 96, (2, JOINTS, 2))
    put_person(output, boxes[0], joints[0], 0.5, picture=1)
    put_person(output, boxes[1], joints[1], 0.9, picture=1)
    nobody, found = decode(output)
    assert len(nobody.scores) == 0
    np.testing.assert_allclose(found.scores, [0.9, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.boxes, boxes[::-1], atol=1e-3)
    np.testing.assert_allclose(found.keypoints, joints[::-1], atol=1e-3)


def test_decode_drops_weak_and_neighbouring_and_overlapping_peaks() -> None:
    output = empty_output()
    joints = np.zeros((JOINTS, 2))
    put_person(output, np.array([10.0, 10.0, 50.0, 90.0]), joints, 0.8)
    put_person(output, np.array([14.0, 10.0, 54.0, 90.0]), joints, 0.7)
    put_person(output, np.array([18.0, 10.0, 58.0, 90.0]), joints, 0.75)
    put_person(output, np.array([90.0, 10.0, 130.0, 90.0]), joints, 0.1)
    (found,) = decode(output)
    np.testing.assert_allclose(found.scores, [0.8])
    (loose,) = decode(output, overlap=1.0, threshold=0.05)
    np.testing.assert_allclose(loose.scores, [0.8, 0.75, 0.1])


def test_decode_keeps_at_most_the_limit() -> None:
    output = empty_output()
    for i in range(8):
        left = 4.0 + 19 * i
        put_person(output, np.array([left, 10, left + 16, 90]), np.zeros((JOINTS, 2)), 0.9 - 0.05 * i)
    assert len(decode(output)[0].scores) == 6
    assert len(decode(output, limit=2)[0].scores) == 2


def test_normalise_spans_minus_one_to_one() -> None:
    values = normalise(torch.tensor([0, 255], dtype=torch.uint8))
    torch.testing.assert_close(values, torch.tensor([-1.0, 1.0]))


def test_missing_weights_are_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        load_movenet(tmp_path / "none.safetensors")
