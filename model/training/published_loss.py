"""The loss of the released PointHMR (paper, section 3.4; as its training script computes it)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.body import BodyModel
from model.data.people import origin_of, root_of
from model.data.sample import Batch
from model.hierarchy import Hierarchy
from model.losses import project
from model.pointhmr import Features, Mesh
from model.training.distributed import shared_mean

HEATMAP_SIDE = 112
"""Cells of a side at which heatmaps are compared: the softmax is taken of logits whose cells are repeated."""
SMOOTH = 1e-5
"""Keeps the Dice loss off 0/0."""


@dataclass(frozen=True)
class PublishedWeights:
    """Factors of the terms."""

    joints3d: float = 1000.0
    vertices: float = 100.0
    level: float = 0.33
    """Of each of the three meshes."""
    joints2d: float = 100.0
    heatmaps: float = 100.0
    cross_entropy: float = 1000.0
    """Of the heatmaps' binary cross-entropy beside their Dice loss."""


class PublishedLoss(nn.Module):
    """Joints in 3D and 2D (own tokens and regressed), vertices at three resolutions, heatmaps."""

    joint_regressor: Tensor
    origin: Tensor
    mid_vertices: Tensor
    coarse_vertices: Tensor

    def __init__(
        self, hierarchy: Hierarchy, body: BodyModel, weights: PublishedWeights | None = None
    ) -> None:
        super().__init__()
        self.weights = weights or PublishedWeights()
        self.root = list(root_of(body))
        mid = np.asarray(hierarchy.down[0].argmax(axis=1)).ravel()
        self.register_buffer("joint_regressor", body.keypoint_regressor.detach().clone())
        self.register_buffer("origin", torch.from_numpy(origin_of(body)))
        self.register_buffer("mid_vertices", torch.from_numpy(mid.astype(np.int64)))
        self.register_buffer("coarse_vertices", torch.from_numpy(hierarchy.vertex_of_coarse))

    def forward(self, mesh: Mesh, features: Features, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms by name; their sum is the loss. The batch holds full meshes [B, V, 3]."""
        assert mesh.fine is not None and mesh.mid is not None
        weights = self.weights
        regressed = self.joint_regressor @ mesh.fine
        target = batch.vertices - (self.origin @ batch.vertices)[:, None]
        place = project(target[:, self.coarse_vertices], mesh.camera.detach())
        return {
            "joints3d": weights.joints3d
            * (self.joints3d(mesh.joints, batch) + self.joints3d(regressed, batch)),
            "vertices": weights.vertices * self.vertices(mesh, target, batch),
            "joints2d": weights.joints2d
            * (self.joints2d(mesh.joints, mesh, batch) + self.joints2d(regressed, mesh, batch)),
            "heatmaps": weights.heatmaps * self.heatmaps(features.heatmaps, place, batch),
        }

    def centred(self, points: Tensor, joints: Tensor) -> Tensor:
        """[B, N, 3] moved so that the root of joints [B, P, 3] is the origin."""
        return points - joints[:, self.root].mean(1, keepdim=True)

    def joints3d(self, joints: Tensor, batch: Batch) -> Tensor:
        """Mean squared error over the samples that have 3D joints."""
        target = self.centred(batch.joints3d, batch.joints3d)
        confidence = batch.confidence3d.expand(target.shape[:2])
        error = (self.centred(joints, joints) - target) ** 2 * confidence[..., None]
        return mean_of_labelled(error, confidence.amax(1) > 0)

    def joints2d(self, joints: Tensor, mesh: Mesh, batch: Batch) -> Tensor:
        """Mean squared error of the projections, weighted by each joint's confidence."""
        error = (project(joints, mesh.camera) - batch.joints2d[..., :2]) ** 2 * batch.joints2d[..., 2:]
        return error.mean()

    def vertices(self, mesh: Mesh, target: Tensor, batch: Batch) -> Tensor:
        """L1 at the coarse, mid and full mesh over the samples that have a mesh.

        target: [B, V, 3] about the body's origin, where the network has to put it.
        """
        assert mesh.fine is not None and mesh.mid is not None
        levels = (
            (mesh.coarse, target[:, self.coarse_vertices]),
            (mesh.mid, target[:, self.mid_vertices]),
            (mesh.fine, target),
        )
        trust = batch.weight3d[:, None, None]
        total = target.new_zeros(())
        for points, wanted in levels:
            error = (points - wanted).abs() * trust
            total = total + self.weights.level * mean_of_labelled(error, batch.weight3d > 0)
        return total

    def heatmaps(self, heatmaps: Tensor, place: Tensor, batch: Batch) -> Tensor:
        """Dice + cross-entropy against one cell a vertex; vertices outside of the picture do not count.

        heatmaps: [B, C, n, n] that sum to one. place: [B, C, 2] of the true vertices in [-1, 1] of the crop,
        by the network's own camera. The enlarged map is never made: its softmax is this one with each
        cell's probability shared by its repeats.
        """
        size = heatmaps.shape[-1]
        repeats = (HEATMAP_SIDE // size) ** 2
        inside = ((place.abs().amax(-1) < 1) & (batch.weight3d > 0)[:, None]).float()
        cell = ((place + 1) * (size / 2)).floor().long().clamp(0, size - 1)
        enlarged = heatmaps.flatten(2).float() / repeats
        hit = enlarged.gather(2, (cell[..., 1] * size + cell[..., 0])[..., None])[..., 0]
        union = repeats * enlarged.sum(-1) + 1
        dice = 1 - 2 * (hit + SMOOTH) / (union + 2 * SMOOTH)
        others = repeats * entropy(enlarged, 0.0).sum(-1)
        mean = (others - entropy(hit, 0.0) + entropy(hit, 1.0)) / HEATMAP_SIDE**2
        each = dice + self.weights.cross_entropy * mean
        return (each * inside).sum() / shared_mean(inside.sum()).clamp(min=1e-6)


def entropy(probability: Tensor, target: float) -> Tensor:
    """Binary cross-entropy of each cell; torch's own keeps the logarithm of nothing finite."""
    wanted = torch.full_like(probability, target)
    return F.binary_cross_entropy(probability.clamp(0, 1), wanted, reduction="none")


def mean_of_labelled(error: Tensor, labelled: Tensor) -> Tensor:
    """Mean of [B, N, 3] over the samples that have the label; zero, with a gradient, where none has.

    Counted over all processes: the mean of their losses is the loss of the whole batch.
    """
    share = shared_mean(labelled.float().mean())
    return error.mean() / share.clamp(min=1e-6)
