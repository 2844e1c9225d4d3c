"""Bodies of known pose come back from their projected joints and the directions of their bones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model.body import load_body
from model.data.landmarks import LANDMARK_POINTS
from model.fit_keypoints import Evidence, fit_people
from model.fit_points import PointBody, rotations_of
from model.metrics import pa_mpjpe
from model.pose_prior import beyond_limits, load_pose_prior

PEOPLE = 8
UPRIGHT = Rotation.from_euler("x", 180, degrees=True)
"""From the body's axes (y up) to the camera's (y down)."""


@pytest.fixture(scope="module")
def body():
    return load_body()


def people(body, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Evidence]:
    """Joints (N, 14, 3), their pixels, and evidence with every joint annotated."""
    rng = np.random.default_rng(seed)
    prior = load_pose_prior()
    chosen = rng.integers(0, len(prior.means), PEOPLE)
    pose = np.zeros((PEOPLE, 24, 3), np.float32)
    pose[:, 1:22] = prior.means[chosen].reshape(-1, 21, 3).numpy() + rng.normal(0, 0.08, (PEOPLE, 21, 3))
    turns = Rotation.from_euler("y", rng.uniform(-180, 180, (PEOPLE, 1)), degrees=True)
    pose[:, 0] = (UPRIGHT * turns).as_rotvec()
    betas = rng.normal(0, 0.7, (PEOPLE, 10)).astype(np.float32)
    vertices, _ = body(torch.from_numpy(pose), torch.from_numpy(betas))
    joints = body.keypoints(vertices).numpy()
    arrays = body.data.arrays
    named = dict(zip(arrays["vertex_id_names"].tolist(), arrays["vertex_ids"].tolist(), strict=True))
    world = np.stack(
        [joints[:, p] if isinstance(p, int) else vertices[:, named[p]].numpy() for p in LANDMARK_POINTS],
        axis=1,
    )
    scale, place = 120.0, np.array([200.0, 150.0])
    pixels = joints[..., :2] * scale + place
    evidence = Evidence(
        np.concatenate([pixels, np.ones((PEOPLE, 14, 1))], axis=2),
        world[..., :2] * scale + place,
        world,
        np.ones((PEOPLE, 33)),
        np.ones(PEOPLE),
    )
    return joints, pixels, evidence


def refitted(body, fitted) -> tuple[np.ndarray, np.ndarray]:
    """Joints and their pixels of what came out."""
    vertices, _ = body(torch.from_numpy(fitted.pose), torch.from_numpy(fitted.betas))
    joints = body.keypoints(vertices).numpy()
    centred = joints - joints[:, 2:4].mean(axis=1, keepdims=True)
    return joints, centred[..., :2] * fitted.camera[:, None, :1] + fitted.camera[:, None, 1:]


def test_known_bodies_are_recovered(body) -> None:
    joints, pixels, evidence = people(body)
    fitted = fit_people(body, load_pose_prior(), evidence)
    found, found_pixels = refitted(body, fitted)
    reprojection = np.linalg.norm(found_pixels - pixels, axis=-1)
    error = pa_mpjpe(found, joints)
    assert reprojection.mean() < 3.0, "pixels of people some 200 high"
    assert np.median(error) < 40 and error.mean() < 60, error
    assert (fitted.residual < 0.03).all() and (fitted.confidence > 0.6).all()
    assert np.nanmedian(fitted.bones) < 12


def test_without_landmarks_the_annotation_is_met_all_the_same(body) -> None:
    _, pixels, evidence = people(body, seed=1)
    blind = Evidence(
        evidence.joints2d, evidence.landmarks, evidence.world, evidence.visibility, np.zeros(PEOPLE)
    )
    fitted = fit_people(body, load_pose_prior(), blind)
    _, found = refitted(body, fitted)
    assert np.linalg.norm(found - pixels, axis=-1).mean() < 5.0
    assert fitted.confidence.max() == 0 and np.isnan(fitted.bones).all()


def test_a_joint_that_is_not_annotated_pulls_nothing(body) -> None:
    _, pixels, evidence = people(body, seed=2)
    joints2d = evidence.joints2d.copy()
    joints2d[:, 0] = (-5000, 9000, 0)
    fitted = fit_people(
        body, load_pose_prior(), Evidence(joints2d, *list(vars(evidence).values())[1:]), steps=120
    )
    _, found = refitted(body, fitted)
    assert np.linalg.norm(found - pixels, axis=-1)[:, 1:].mean() < 8.0


def test_the_points_are_those_of_the_whole_body(body) -> None:
    rng = np.random.default_rng(0)
    root = torch.from_numpy(rng.normal(0, 1, (3, 6)).astype(np.float32))
    pose = torch.from_numpy(rng.normal(0, 0.3, (3, 21, 3)).astype(np.float32))
    betas = torch.from_numpy(rng.normal(0, 1, (3, 10)).astype(np.float32))
    rotations = rotations_of(root, pose)
    points = PointBody(body)(rotations, betas)
    vertices, joints = body(rotations, betas)
    assert (points.joints - joints).abs().max() < 1e-4
    assert (points.keypoints - body.keypoints(vertices)).abs().max() < 1e-4


def test_limits_know_the_wrong_way() -> None:
    pose = torch.zeros(3, 21, 3)
    pose[1, 3, 0] = -0.5
    pose[2, 17, 1] = 0.6
    assert beyond_limits(pose).tolist() == pytest.approx([0.0, 0.25, 0.25])
