"""The skeleton of a take: rest pose, skinning, continuous rotations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from app.export.skeleton import (
    MAX_INFLUENCES,
    Motion,
    SkinnedTake,
    euler_angles,
    limit,
    posed,
    quaternions,
    resampled,
    skeleton_of,
    start_of,
)
from model.body import load_body
from model.errors import UserError
from tests.app.takes import dance


@pytest.fixture(scope="module")
def take() -> SkinnedTake:
    return dance("dancer")


def test_the_rest_pose_is_the_body_of_that_shape() -> None:
    body = load_body()
    betas = np.array([1.5, -1.0])
    skeleton = skeleton_of(body, "somebody", betas)
    vertices, joints = body(torch.zeros(1, 24, 3), torch.from_numpy(betas).float()[None])
    assert np.allclose(skeleton.mesh.vertices * [1, -1, -1], vertices[0].numpy(), atol=1e-6)
    assert np.allclose(skeleton.joints, joints[0].numpy(), atol=1e-6)
    still = Motion(np.zeros(1), np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)))
    assert np.allclose(posed(SkinnedTake(skeleton, still))[0], vertices[0].numpy(), atol=1e-6)


def test_skinning_is_the_body_s_own_but_for_its_correctives(take: SkinnedTake) -> None:
    body, motion = load_body(), take.motion
    body.layer.posedirs.zero_()
    vertices, _ = body(
        torch.from_numpy(motion.rotations).float(),
        torch.zeros(1, 10),
        torch.from_numpy(motion.translations).float(),
    )
    distance = np.linalg.norm(posed(take) - vertices.numpy(), axis=-1)
    assert np.median(distance) < 1e-5
    assert (distance > 1e-4).mean() < 0.01, "only few vertices lose a fifth joint"
    assert distance.max() < 0.01


def test_few_joints_move_a_vertex(take: SkinnedTake) -> None:
    weights = take.skeleton.weights
    assert np.allclose(weights.sum(axis=1), 1)
    assert (weights > 0).sum(axis=1).max() <= MAX_INFLUENCES
    assert np.allclose(limit(np.array([[5, 1, 1, 2, 1, 0.5]]) / 10.5)[0, [0, 3]], [5 / 9, 2 / 9])


def test_angles_say_the_rotations_and_never_jump(take: SkinnedTake) -> None:
    rotations = take.motion.rotations
    angles = euler_angles(rotations)
    again = Rotation.from_euler("xyz", angles.reshape(-1, 3), degrees=True).as_matrix()
    assert np.allclose(again.reshape(rotations.shape), rotations, atol=1e-9)
    steps = np.abs(np.diff(angles, axis=0))
    assert steps[:, 1:].max() < 60
    assert steps[:, 0].max() < 180, "the body turns through the poles of its angles"


def test_two_somersaults_stay_two() -> None:
    degrees = np.linspace(0, 720, 49)
    turns = Rotation.from_euler("zx", np.stack([degrees, 20 * np.sin(degrees)], axis=1), degrees=True)
    angles = euler_angles(turns.as_matrix()[:, None])
    assert angles[-1, 0, 2] == pytest.approx(720)
    assert np.abs(np.diff(angles, axis=0)).max() < 60


def test_quaternions_never_jump(take: SkinnedTake) -> None:
    numbers = quaternions(take.motion.rotations)
    again = Rotation.from_quat(numbers.reshape(-1, 4)).as_matrix()
    assert np.allclose(again.reshape(take.motion.rotations.shape), take.motion.rotations, atol=1e-9)
    assert (numbers[1:] * numbers[:-1]).sum(axis=-1).min() > 0.9


def test_resampling_meets_the_frames_that_both_have(take: SkinnedTake) -> None:
    motion = take.motion
    double = resampled(motion, 60)
    assert len(double.times) == 2 * len(motion.times) - 1
    assert np.allclose(double.times[::2], motion.times)
    assert np.allclose(double.rotations[::2], motion.rotations, atol=1e-9)
    assert np.allclose(double.translations[::2], motion.translations)
    assert np.allclose(np.linalg.det(double.rotations), 1)


def test_a_take_of_nothing_or_of_no_numbers_is_refused(take: SkinnedTake) -> None:
    motion = take.motion
    assert start_of([take, replace(take, motion=replace(motion, times=motion.times + 3))]) == 0
    with pytest.raises(UserError, match="no person"):
        start_of([])
    empty = Motion(motion.times[:0], motion.rotations[:0], motion.translations[:0])
    with pytest.raises(UserError, match="dancer has no frames"):
        start_of([replace(take, motion=empty)])
    broken = motion.translations.copy()
    broken[1, 2] = np.inf
    with pytest.raises(UserError, match="dancer is not finite"):
        start_of([take, replace(take, motion=replace(motion, translations=broken))])
