"""Pose, shape and place come back from the meshes that they make."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.body import BodyModel, load_body
from model.errors import UserError
from model.fit import fit_body, unwrapped

FRAMES = 40


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


def motion() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pose (T, 24, 3) that swings every joint while the body turns round once, betas, translations."""
    rng, times = np.random.default_rng(5), np.arange(FRAMES)[:, None, None] / 15
    pose = rng.uniform(0.1, 0.6, (1, 24, 3)) * np.sin(2 * times + rng.uniform(0, 6, (1, 24, 3)))
    pose[:, 0] = times[:, 0] * [0.0, 2.2, 0.0] + [0.3, 0, 0]
    moves = np.concatenate([times[:, 0], 0.1 * np.sin(times[:, 0]), -times[:, 0]], axis=1)
    return pose.astype(np.float32), rng.normal(size=10).astype(np.float32), moves.astype(np.float32)


def vertices_of(body: BodyModel, pose: np.ndarray, betas: np.ndarray, moves: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return body(torch.from_numpy(pose), torch.from_numpy(betas)[None], torch.from_numpy(moves))[0].numpy()


def test_own_meshes_are_met_to_a_fraction_of_a_millimetre(body: BodyModel) -> None:
    pose, betas, moves = motion()
    seen = vertices_of(body, pose, betas, moves)
    parts: list[float] = []
    fit = fit_body(body, seen, parts.append)
    assert fit.residual < 0.2 and fit.residuals.max() < 1
    assert np.abs(fit.betas - betas).max() < 0.1
    assert np.abs(fit.translations - moves).max() < 1e-3
    assert np.abs(np.diff(fit.pose, axis=0)).max() < 0.3, "turns of more than a half do not jump"
    again = vertices_of(body, *(x.astype(np.float32) for x in (fit.pose, fit.betas, fit.translations)))
    assert np.linalg.norm(again - seen, axis=-1).mean() * 1000 == pytest.approx(fit.residual, abs=0.01)
    assert parts == sorted(parts) and parts[-1] == 1


def test_a_mesh_that_is_no_body_is_told_by_its_residual(body: BodyModel) -> None:
    pose, betas, moves = motion()
    seen = vertices_of(body, pose, betas, moves)[:3]
    assert fit_body(body, seen * np.float32([1, 1, 1.5])).residual > 5


def test_one_frame_is_enough(body: BodyModel) -> None:
    pose, betas, moves = (motion()[0][7:8], motion()[1], motion()[2][7:8])
    assert fit_body(body, vertices_of(body, pose, betas, moves)).residual < 1


def test_axis_angles_go_on_through_half_turns() -> None:
    angles = np.linspace(0, 6, 30)
    inside = np.where(angles > np.pi, angles - 2 * np.pi, angles)
    axis = np.array([0.6, 0.0, 0.8])
    assert np.allclose(unwrapped(inside[:, None, None] * axis), angles[:, None, None] * axis)


def test_other_meshes_are_refused(body: BodyModel) -> None:
    with pytest.raises(UserError, match="number of vertices"):
        fit_body(body, np.zeros((2, 778, 3)))
    with pytest.raises(UserError, match="number of vertices"):
        fit_body(body, np.zeros((0, 6890, 3)))
    with pytest.raises(UserError, match="not finite"):
        fit_body(body, np.full((1, 6890, 3), np.nan))
