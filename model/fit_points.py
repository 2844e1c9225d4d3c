"""The points of a body that annotations and landmarks name, posed fast and differentiably.

Only the vertices that a joint is regressed from are skinned (Loper et al., SMPL (2015), section 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.body import BodyModel

NAMED = ("nose", "lear", "rear", "LHeel", "RHeel", "LBigToe", "RBigToe")


class Points(NamedTuple):
    """Of B bodies, in metres and the axes of the given rotations."""

    joints: Tensor
    """[B, 24, 3] the joints that the skin turns about."""
    keypoints: Tensor
    """[B, 14, 3] LSP joints, regressed from vertices."""
    named: Tensor
    """[B, 7, 3] the vertices in `NAMED`."""


class PointBody:
    """The skinned part of a free body."""

    def __init__(self, body: BodyModel) -> None:
        arrays = body.data.arrays
        vertices = dict(zip(arrays["vertex_id_names"].tolist(), arrays["vertex_ids"].tolist(), strict=True))
        regressor = body.keypoint_regressor.numpy()
        named = np.array([vertices[name] for name in NAMED])
        chosen = np.union1d(np.flatnonzero(np.abs(regressor).sum(axis=0) > 1e-6), named)
        columns = (3 * chosen[:, None] + np.arange(3)).ravel()
        shapes, template = arrays["shapedirs"][:, :, :10], arrays["v_template"]
        tensor = lambda array: torch.from_numpy(np.ascontiguousarray(array, np.float32))  # noqa: E731
        self._template, self._shapes = tensor(template[chosen]), tensor(shapes[chosen])
        posedirs = arrays["posedirs"].reshape(len(template) * 3, -1)
        self._poses = tensor(posedirs[columns].T)
        self._weights = tensor(arrays["weights"][chosen])
        self._joints = tensor(arrays["J_regressor"] @ template)
        self._joint_shapes = tensor(np.einsum("jv,vak->jak", arrays["J_regressor"], shapes))
        self._regressor = tensor(regressor[:, chosen])
        self._named = torch.from_numpy(np.searchsorted(chosen, named))
        self._parents = [int(parent) for parent in body.parents]

    def __call__(self, rotations: Tensor, betas: Tensor) -> Points:
        """rotations [B, 24, 3, 3] of each joint against its parent, betas [B, 10]."""
        rest = self._joints + torch.einsum("jak,bk->bja", self._joint_shapes, betas)
        turns, places = [rotations[:, 0]], [rest[:, 0]]
        for joint, parent in enumerate(self._parents[1:], start=1):
            turns.append(turns[parent] @ rotations[:, joint])
            offset = (rest[:, joint] - rest[:, parent])[..., None]
            places.append(places[parent] + (turns[parent] @ offset)[..., 0])
        turn, place = torch.stack(turns, 1), torch.stack(places, 1)
        move = place - (turn @ rest[..., None])[..., 0]
        eye = torch.eye(3, dtype=rotations.dtype)
        bent = ((rotations[:, 1:] - eye).flatten(1) @ self._poses).reshape(len(rotations), -1, 3)
        skin = self._template + torch.einsum("vak,bk->bva", self._shapes, betas) + bent
        blended = torch.einsum("vj,bjac->bvac", self._weights, torch.cat([turn, move[..., None]], -1))
        vertices = (blended[..., :3] @ skin[..., None])[..., 0] + blended[..., 3]
        return Points(place, self._regressor @ vertices, vertices[:, self._named])


def rotations_of(root: Tensor, pose: Tensor) -> Tensor:
    """[B, 24, 3, 3] from the whole body's turn as two columns [B, 6] and axis-angles [B, 21, 3]."""
    first = torch.nn.functional.normalize(root[:, :3], dim=-1)
    second = root[:, 3:] - (first * root[:, 3:]).sum(-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1)
    whole = torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)
    angle = (pose.square().sum(-1, keepdim=True) + 1e-12).sqrt()[..., None]
    x, y, z = (pose / angle[..., 0]).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    eye = torch.eye(3, dtype=pose.dtype)
    limbs = eye + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)
    return torch.cat([whole[:, None], limbs, eye.expand(len(pose), 2, 3, 3)], dim=1)
