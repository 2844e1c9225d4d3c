"""What training minimises. All 3D losses compare bodies moved to the middle of their hips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from model.data.sample import L_HIP, R_HIP, Batch
from model.hierarchy import Hierarchy
from model.lifter import FirstMesh
from model.pointhmr import Features, Mesh

NEAR = 1.3
"""2D joints count while they are within this many half crops of the crop's middle."""


@dataclass(frozen=True)
class LossWeights:
    """Factors of the lite recipe; the first mesh of a lifter gets half of each mesh weight."""

    vertices: float = 30.0
    joints: float = 15.0
    mesh_joints: float = 15.0
    edges: float = 20.0
    lengths: float = 40.0
    joints2d: float = 8.0
    vertices2d: float = 16.0
    heatmaps: float = 0.3
    first: float = 0.5


def project(points: Tensor, camera: Tensor) -> Tensor:
    """Weak perspective (paper, section 3.4): [B, N, 3], [B, 3] -> [B, N, 2] in [-1, 1] of the crop."""
    return camera[:, None, :1] * (points[..., :2] + camera[:, None, 1:])


def centre_hips(points: Tensor, joints: Tensor) -> Tensor:
    """Move [B, N, 3] so that the middle of the hips of [B, 14, 3] is the origin."""
    return points - joints[:, [R_HIP, L_HIP]].mean(1, keepdim=True)


class LiteLoss(nn.Module):
    """L1 losses of the lite recipe over the coarse mesh."""

    joint_regressor: Tensor
    edges: Tensor

    def __init__(
        self, hierarchy: Hierarchy, joint_regressor: np.ndarray, weights: LossWeights | None = None
    ) -> None:
        """joint_regressor: (14, V) from the full mesh."""
        super().__init__()
        self.weights = weights or LossWeights()
        coarse_regressor = np.asarray(hierarchy.fine_from_coarse.T @ joint_regressor.T).T
        faces = hierarchy.faces[2]
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        self.register_buffer("joint_regressor", torch.from_numpy(coarse_regressor.astype(np.float32)))
        self.register_buffer("edges", torch.from_numpy(np.unique(edges, axis=0).astype(np.int64)))

    def mesh_joints(self, coarse: Tensor) -> Tensor:
        """Joints regressed from the coarse mesh: [B, C, 3] -> [B, 14, 3]."""
        return self.joint_regressor @ coarse

    def forward(self, mesh: Mesh, features: Features, batch: Batch) -> dict[str, Tensor]:
        """Weighted terms by name; their sum is the loss."""
        terms = self.mesh_terms(mesh.coarse, mesh.joints, mesh.camera, batch)
        if mesh.first is not None:
            terms["first"] = (
                self.weights.first * torch.stack(list(self.first_terms(mesh.first, batch).values())).sum()
            )
        if features.heatmap_loss is not None:
            inside = (batch.vertices2d.abs().amax(-1) < 1).float()
            mean = (features.heatmap_loss * inside).sum() / inside.sum().clamp(min=1)
            terms["heatmaps"] = self.weights.heatmaps * mean
        return terms

    def first_terms(self, first: FirstMesh, batch: Batch) -> dict[str, Tensor]:
        """The same terms for a lifter's mesh, without the edges: they cost most and are mended later."""
        joints, coarse = first.points.split([14, first.points.shape[1] - 14], dim=1)
        return self.mesh_terms(coarse, joints, first.camera, batch, edges=False)

    def mesh_terms(
        self, coarse: Tensor, joints: Tensor, camera: Tensor, batch: Batch, *, edges: bool = True
    ) -> dict[str, Tensor]:
        """3D terms weighted by each sample's trust, 2D terms by each point's visibility."""
        weights, trust = self.weights, batch.weight3d[:, None, None]
        sure = batch.confidence3d[..., None]
        from_mesh = self.mesh_joints(coarse)
        target2d, confidence = batch.joints2d[..., :2], batch.joints2d[..., 2]
        near = (confidence * (target2d.abs().amax(-1) < NEAR))[..., None]
        inside = (batch.vertices2d.abs().amax(-1) < 1).float()[..., None]
        error2d = (project(joints, camera) - target2d).abs() + (project(from_mesh, camera) - target2d).abs()
        target3d = centre_hips(batch.joints3d, batch.joints3d)
        terms = {
            "vertices": weights.vertices * ((coarse - batch.vertices).abs() * trust).mean(),
            "joints": weights.joints * ((centre_hips(joints, joints) - target3d).abs() * sure).mean(),
            "mesh_joints": weights.mesh_joints
            * ((centre_hips(from_mesh, from_mesh) - target3d).abs() * sure).mean(),
            "joints2d": weights.joints2d * (error2d * near).mean(),
            "vertices2d": weights.vertices2d
            * ((project(coarse, camera) - batch.vertices2d).abs() * inside).mean(),
        }
        if edges:
            own, target = self._edge_vectors(coarse), self._edge_vectors(batch.vertices)
            terms["edges"] = weights.edges * ((own - target).abs() * trust).mean()
            # Of poses that contradict one another the mean is thin; lengths know nothing of the pose.
            lengths = (own.square().sum(-1) + 1e-8).sqrt() - target.norm(dim=-1)
            terms["lengths"] = weights.lengths * (lengths.abs() * trust[..., 0]).mean()
        return terms

    def _edge_vectors(self, coarse: Tensor) -> Tensor:
        """[B, C, 3] -> [B, E, 3]."""
        first, second = self.edges.unbind(1)
        return coarse[:, first] - coarse[:, second]
