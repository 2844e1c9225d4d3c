"""What the terms of the lite loss see and what they do not: on the body itself, thinner, turned."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from model.body import load_body
from model.data.sample import Batch
from model.hierarchy import load_hierarchy
from model.losses import LiteLoss, project

CAMERA = torch.tensor([[0.9, 0.0, 0.1]])


@pytest.fixture(scope="module")
def loss() -> LiteLoss:
    return LiteLoss(load_hierarchy(), load_body().keypoint_regressor.numpy())


@pytest.fixture(scope="module")
def body() -> Tensor:
    """[1, C, 3] the standing free body as a coarse mesh, metres."""
    model, hierarchy = load_body(), load_hierarchy()
    vertices = torch.from_numpy(model.data.arrays["v_template"]).float()
    return vertices[torch.from_numpy(hierarchy.vertex_of_coarse)][None]


def batch_of(loss: LiteLoss, target: Tensor) -> Batch:
    """A sample with every label, seen by CAMERA."""
    joints = loss.mesh_joints(target)
    joints2d = torch.cat([project(joints, CAMERA), torch.ones(1, 14, 1)], dim=-1)
    sure = torch.ones(1), torch.ones(1, 14)
    return Batch(torch.empty(0), target, project(target, CAMERA), joints, joints2d, *sure)


def terms(loss: LiteLoss, coarse: Tensor, target: Tensor) -> dict[str, float]:
    """Of a mesh whose own joints are those of its vertices."""
    found = loss.mesh_terms(coarse, loss.mesh_joints(coarse), CAMERA, batch_of(loss, target))
    return {name: value.item() for name, value in found.items()}


def test_the_right_mesh_costs_nothing(loss: LiteLoss, body: Tensor) -> None:
    assert all(value == pytest.approx(0, abs=2e-3) for value in terms(loss, body, body).values())


def test_a_turned_body_has_the_right_lengths_and_a_thin_one_has_not(loss: LiteLoss, body: Tensor) -> None:
    quarter = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    turned, thin = terms(loss, body @ quarter, body), terms(loss, body * torch.tensor([0.7, 1, 0.7]), body)
    assert turned["vertices"] > thin["vertices"] and turned["edges"] > thin["edges"]
    assert turned["lengths"] == pytest.approx(0, abs=2e-3)
    assert thin["lengths"] > 0.05


def test_the_mean_of_two_turned_bodies_is_found_too_thin(loss: LiteLoss, body: Tensor) -> None:
    """Turned a quarter to the left and to the right: the mean lies flat in one plane."""
    quarter = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    left, right = body @ quarter, body @ quarter.T
    assert terms(loss, (left + right) / 2, left)["lengths"] > terms(loss, right, left)["lengths"] + 0.1


def test_every_length_has_a_gradient_even_where_two_vertices_meet(loss: LiteLoss, body: Tensor) -> None:
    coarse = torch.zeros_like(body).requires_grad_()
    found = loss.mesh_terms(coarse, loss.mesh_joints(coarse), CAMERA, batch_of(loss, body))
    found["lengths"].backward()
    assert coarse.grad is not None and torch.isfinite(coarse.grad).all()
