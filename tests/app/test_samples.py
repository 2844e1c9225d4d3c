"""The bundled sample opens, is small, and its ground truth is a human who stays in the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import assets

SAMPLES = Path(assets.__file__).parent / "samples"
CLIP = SAMPLES / "salsa.mp4"
MEGABYTE = 2**20
# Bones of the skeleton as (joint, its parent), with the shortest and longest plausible length in metres.
BONES = {
    "left thigh": (4, 1, 0.33, 0.50),
    "right thigh": (5, 2, 0.33, 0.50),
    "left shin": (7, 4, 0.33, 0.50),
    "right shin": (8, 5, 0.33, 0.50),
    "left upper arm": (18, 16, 0.20, 0.36),
    "right upper arm": (19, 17, 0.20, 0.36),
    "left forearm": (20, 18, 0.20, 0.33),
    "right forearm": (21, 19, 0.20, 0.33),
}


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    with np.load(CLIP.with_suffix(".npz")) as data:
        return {name: data[name] for name in data.files}


def test_clip_opens_with_opencv_and_matches_its_truth(truth: dict[str, np.ndarray]) -> None:
    video = cv2.VideoCapture(str(CLIP))
    frames = []
    while True:
        good, frame = video.read()
        if not good:
            break
        frames.append(frame)
    rate = video.get(cv2.CAP_PROP_FPS)
    video.release()

    assert len(frames) == len(truth["joints2d"])
    assert 6 <= len(frames) / rate <= 10
    assert rate == pytest.approx(float(truth["fps"]))
    assert (frames[0].shape[1], frames[0].shape[0]) == tuple(truth["size"])
    moved = np.abs(frames[0].astype(int) - frames[len(frames) // 2].astype(int)).max()
    assert moved > 100, "somebody moves"


def test_files_are_small() -> None:
    assert CLIP.stat().st_size < 3 * MEGABYTE
    assert CLIP.with_suffix(".npz").stat().st_size < 1.5 * MEGABYTE
    assert (SAMPLES / "still.jpg").stat().st_size < 300 * 1024


def test_still_opens() -> None:
    image = cv2.imread(str(SAMPLES / "still.jpg"))
    assert image is not None
    assert image.shape == (480, 640, 3)


def test_joints_stay_inside_the_picture(truth: dict[str, np.ndarray]) -> None:
    margin = 10
    assert (truth["joints2d"] > margin).all()
    assert (truth["joints2d"] < truth["size"] - margin).all()


def test_joints_project_onto_themselves(truth: dict[str, np.ndarray]) -> None:
    camera = truth["joints3d"] + truth["mid_hip"][:, None]
    focal, centre = truth["intrinsics"][:2], truth["intrinsics"][2:]
    pixels = focal * camera[..., :2] / camera[..., 2:] + centre
    assert np.abs(pixels - truth["joints2d"]).max() < 0.05


def test_origin_is_the_mid_hip(truth: dict[str, np.ndarray]) -> None:
    assert np.abs(truth["joints3d"][:, [2, 3]].mean(axis=1)).max() < 1e-5


@pytest.mark.parametrize("bone", BONES)
def test_bones_keep_a_human_length(truth: dict[str, np.ndarray], bone: str) -> None:
    joint, parent, shortest, longest = BONES[bone]
    skeleton = truth["skeleton"]
    lengths = np.linalg.norm(skeleton[:, joint] - skeleton[:, parent], axis=1)
    assert np.ptp(lengths) < 1e-3
    assert shortest < lengths.mean() < longest


def test_lsp_joints_follow_the_skeleton(truth: dict[str, np.ndarray]) -> None:
    """The regressed joints slide with the skin, but never far from the joints that it turns about."""
    of_lsp = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20]
    gap = np.linalg.norm(truth["joints3d"][:, :12] - truth["skeleton"][:, of_lsp], axis=2)
    assert gap.max() < 0.05


def test_coarse_mesh_surrounds_the_joints(truth: dict[str, np.ndarray]) -> None:
    vertices = truth["vertices"].astype(np.float32)
    assert vertices.shape[1:] == (431, 3)
    assert np.isfinite(vertices).all()
    joints = truth["joints3d"]
    slack = 0.03
    assert (joints.min(axis=1) > vertices.min(axis=1) - slack).all()
    assert (joints.max(axis=1) < vertices.max(axis=1) + slack).all()


def test_the_person_turns_and_moves(truth: dict[str, np.ndarray]) -> None:
    across = truth["joints3d"][:, 3] - truth["joints3d"][:, 2]
    heading = np.unwrap(np.arctan2(across[:, 2], across[:, 0]))
    assert np.degrees(np.ptp(heading)) > 90
    wrists = truth["joints3d"][:, [6, 11]]
    assert np.ptp(wrists, axis=0).max() > 0.5
