"""The sample's generator: what its geometry promises, without its large inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import assets
from assets.build.sample.camera import Camera
from assets.build.sample.cover import sunk
from model.data.render.body import Body
from model.data.render.garments import vertex_normals
from model.data.render.motion import smooth_poses, walk


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load(Path(assets.__file__).parent / "body")


def test_rest_pose_is_the_template(body: Body) -> None:
    posed = body.posed(np.zeros((24, 3)), np.zeros(10))
    assert np.abs(posed - body.mesh.vertices).max() < 1e-6


def test_global_turn_is_rigid(body: Body) -> None:
    rng = np.random.default_rng(0)
    pose, betas = rng.normal(0, 0.2, (24, 3)), rng.normal(0, 1, 10)
    pose[0] = 0
    still = body.posed(pose, betas)
    pose[0] = [0, 1.2, 0]
    turned = body.posed(pose, betas)
    pairs = rng.integers(0, len(still), (2, 200))
    before = np.linalg.norm(still[pairs[0]] - still[pairs[1]], axis=1)
    after = np.linalg.norm(turned[pairs[0]] - turned[pairs[1]], axis=1)
    assert np.abs(before - after).max() < 1e-6


def test_a_standing_foot_stays_where_it_is() -> None:
    """A body that slides over its own planted foot is carried the other way."""
    frames = 40
    swing = np.zeros((frames, 2, 3))
    swing[:, 0, 0] = -0.02 * np.arange(frames)  # the planted foot, seen from the body
    swing[:, 0, 1] = -0.9
    swing[:, 1, 1] = -0.5  # the other foot, in the air
    world = swing + walk(swing)[:, None]
    middle = world[8:-8, 0]
    assert np.ptp(middle, axis=0).max() < 1e-3
    assert np.abs(middle[:, 1]).max() < 1e-3


def test_smoothing_keeps_a_steady_turn() -> None:
    """A constant angular speed is not a tremor: away from the ends it passes unchanged."""
    poses = np.zeros((60, 1, 3))
    poses[:, 0, 1] = np.linspace(0, 2, 60)
    assert np.abs(smooth_poses(poses, 1.5)[10:-10] - poses[10:-10]).max() < 1e-6


def test_pixels_and_directions_are_inverse() -> None:
    camera = Camera((0.3, 1.5, 4.0), (0.0, 0.9, 0.0), 40.0, 64, 48)
    pixels = np.array([[3.0, 5.0], [60.5, 40.25], [32.0, 24.0]])
    points = np.array(camera.position) + 2.5 * camera.directions(pixels)
    assert np.abs(camera.project(points) - pixels).max() < 1e-9


def test_hidden_skin_sinks_and_the_rest_stays(body: Body) -> None:
    mesh = body.mesh
    hidden = mesh.vertices[:, 1] > 0.3
    moved = sunk(mesh, hidden, 0.01) - mesh.vertices
    assert np.abs(moved[~hidden]).max() == 0
    inwards = -(moved * vertex_normals(mesh.vertices, mesh.faces)).sum(axis=1)
    assert inwards[hidden].min() >= -1e-12
    assert inwards.max() == pytest.approx(0.01)
