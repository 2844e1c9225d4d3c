"""Errors on offsets known by hand, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from model.metrics import mpjpe, pa_mpjpe, pck, procrustes, pve

RNG = np.random.default_rng(0)


@pytest.fixture
def bodies() -> np.ndarray:
    """(5, 14, 3) joints in metres."""
    return RNG.normal(0, 0.4, (5, 14, 3))


def test_mpjpe_of_one_shifted_joint(bodies: np.ndarray) -> None:
    moved = bodies.copy()
    moved[:, 0, 1] += 0.14
    assert mpjpe(moved, bodies) == pytest.approx(np.full(5, 10.0))


def test_mpjpe_ignores_where_the_body_stands(bodies: np.ndarray) -> None:
    assert mpjpe(bodies + np.array([3.0, -1.0, 2.0]), bodies) == pytest.approx(np.zeros(5), abs=1e-9)


def test_pa_mpjpe_ignores_similarities_but_not_mirrors(bodies: np.ndarray) -> None:
    turned = 1.7 * bodies @ Rotation.from_euler("xyz", [0.3, 2.0, -1.0]).as_matrix().T + [1, 2, 3]
    assert pa_mpjpe(turned, bodies) == pytest.approx(np.zeros(5), abs=1e-6)
    assert (pa_mpjpe(bodies * [-1, 1, 1], bodies) > 50).all()


def test_procrustes_agrees_with_scipy(bodies: np.ndarray) -> None:
    noisy = bodies + RNG.normal(0, 0.05, bodies.shape)
    aligned = procrustes(noisy, bodies)
    for ours, target, moved in zip(aligned, bodies, noisy, strict=True):
        standard, theirs, _ = scipy_procrustes(target, moved)
        scale = np.linalg.norm(target - target.mean(0))
        assert np.allclose((ours - target.mean(0)) / scale, theirs, atol=1e-9)
        assert np.allclose((target - target.mean(0)) / scale, standard, atol=1e-9)


def test_pve_centres_by_the_hips(bodies: np.ndarray) -> None:
    vertices = RNG.normal(0, 0.4, (5, 100, 3))
    assert pve(vertices + 2.0, vertices, bodies + 2.0, bodies) == pytest.approx(np.zeros(5), abs=1e-9)
    assert pve(vertices + np.array([0, 0.03, 0]), vertices, bodies, bodies) == pytest.approx(np.full(5, 30.0))


def test_pck_counts_visible_limbs_within_a_fifth_of_the_torso() -> None:
    target = np.zeros((1, 14, 3))
    target[0, :, 2] = 1
    target[0, 2, :2] = target[0, 3, :2] = [0, 100]
    predicted = target[..., :2].copy()
    assert pck(predicted, target) == 1.0
    predicted[0, 0, 0] += 19.9
    predicted[0, 1, 0] += 20.1
    assert pck(predicted, target) == pytest.approx(11 / 12)
    target[0, 1, 2] = 0
    assert pck(predicted, target) == 1.0
