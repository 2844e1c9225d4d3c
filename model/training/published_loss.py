"""The loss of the released PointHMR (paper, section 3.4; weights as in its training script)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from model.data.sample import Batch
from model.hierarchy import Hierarchy
from model.losses import project
from model.pointhmr import Features, Mesh
from model.training.distributed import shared_mean

HEATMAP_SIDE = 112
"""Cells of a side at which heatmaps are compared: the softmax is enlarged by repeating its cells."""
SMALL = 1e-7


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
    mid_vertices: Tensor
    coarse_vertices: Tensor

    def __init__(
        self,
        hierarchy: Hierarchy,
        joint_regressor: np.ndarray,
        root: tuple[int, ...],
        weights: PublishedWeights | None = None,
    ) -> None:
        """joint_regressor: (P, V) from the full mesh; root: the joints whose middle is the origin."""
        super().__init__()
        self.weights = weights or PublishedWeights()
        self.root = list(root)
        mid = np.asarray(hierarchy.down[0].argmax(axis=1)).ravel()
        self.register_buffer("joint_regressor", torch.from_numpy(joint_regressor.astype(np.float32)))
        self.register_buffer("mid_vertices", torch.from_numpy(mid.astype(np.int64)))
        self.register_buffer("coarse_vertices", torch.from_numpy(hierarchy.vertex_of_coarse))

    def forward(self, mesh: Mesh, features: Features, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms by name; their sum is the loss. The batch holds full meshes [B, V, 3]."""
        assert mesh.fine is not None and mesh.mid is not None
        weights = self.weights
        regressed = self.joint_regressor @ mesh.fine
        return {
            "joints3d": weights.joints3d
            * (self.joints3d(mesh.joints, batch) + self.joints3d(regressed, batch)),
            "vertices": weights.vertices * self.vertices(mesh, regressed, batch),
            "joints2d": weights.joints2d
            * (self.joints2d(mesh.joints, mesh, batch) + self.joints2d(regressed, mesh, batch)),
            "heatmaps": weights.heatmaps * self.heatmaps(features.heatmaps, batch),
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

    def vertices(self, mesh: Mesh, regressed: Tensor, batch: Batch) -> Tensor:
        """L1 at the coarse, mid and full mesh over the samples that have a mesh."""
        assert mesh.fine is not None and mesh.mid is not None
        target = self.centred(batch.vertices, self.joint_regressor @ batch.vertices)
        levels = (
            (mesh.coarse, target[:, self.coarse_vertices]),
            (mesh.mid, target[:, self.mid_vertices]),
            (mesh.fine, target),
        )
        trust = batch.weight3d[:, None, None]
        total = target.new_zeros(())
        for points, wanted in levels:
            error = (self.centred(points, regressed) - wanted).abs() * trust
            total = total + self.weights.level * mean_of_labelled(error, batch.weight3d > 0)
        return total

    def heatmaps(self, heatmaps: Tensor, batch: Batch) -> Tensor:
        """Dice + cross-entropy against one cell a vertex; vertices outside of the picture do not count.

        heatmaps: [B, C, n, n] that sum to one. Neither loss makes the enlarged map: all cells but one of
        the target are zero, and each cell of the map is repeated.
        """
        size = heatmaps.shape[-1]
        repeats = (HEATMAP_SIDE // size) ** 2
        place = batch.vertices2d[:, self.coarse_vertices]
        inside = ((place.abs().amax(-1) < 1) & (batch.weight3d > 0)[:, None]).float()
        cell = ((place + 1) * (size / 2)).floor().long().clamp(0, size - 1)
        flat = heatmaps.flatten(2).float()
        hit = flat.gather(2, (cell[..., 1] * size + cell[..., 0])[..., None])[..., 0]
        dice = 1 - (2 * hit + SMALL) / (repeats * flat.pow(2).sum(-1) + 1 + SMALL)
        kept = flat.clamp(SMALL, 1 - SMALL)
        others = -(1 - kept).log().sum(-1) * repeats
        at = hit.clamp(SMALL, 1 - SMALL)
        entropy = (others + (1 - at).log() - at.log()) / (repeats * size * size)
        each = dice + self.weights.cross_entropy * entropy
        return (each * inside).sum() / shared_mean(inside.sum()).clamp(min=1e-6)


def mean_of_labelled(error: Tensor, labelled: Tensor) -> Tensor:
    """Mean of [B, N, 3] over the samples that have the label; zero, with a gradient, where none has.

    Counted over all processes: the mean of their losses is the loss of the whole batch.
    """
    share = shared_mean(labelled.float().mean())
    return error.mean() / share.clamp(min=1e-6)
