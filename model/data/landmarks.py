"""Endless landmarks without pictures: posed bodies seen by random cameras, for pretraining the lifter.

Only as good as the motion file: `poses.npz` with poses (N, 24, 3) axis-angle (column 0 global, y up) and
weight (N,), or the mixture of poses that ships.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from model.body import BodyModel
from model.data.pictures import read_labels
from model.data.render.pose_mixture import PoseMixture, is_mixture
from model.data.sample import Batch
from model.hierarchy import Hierarchy

# BlazePose's 33 landmarks as named vertices of the body, or joints in LSP order.
EYES = ("leye", "leye", "leye", "reye", "reye", "reye")
LANDMARK_POINTS: tuple[str | int, ...] = (
    *("nose", *EYES, "lear", "rear", "nose", "nose"),
    *(9, 8, 10, 7, 11, 6),
    *("lpinky", "rpinky", "lindex", "rindex", "lthumb", "rthumb"),
    *(3, 2, 4, 1, 5, 0),
    *("LHeel", "RHeel", "LBigToe", "RBigToe"),
)
CHUNK = 64
MARGIN = 1.25


class LandmarkGenerator:
    """A bank of posed bodies; every batch turns, frames and disturbs some of them anew."""

    def __init__(
        self, motion: Path, body: BodyModel, hierarchy: Hierarchy, *, bodies: int = 12000, seed: int = 0
    ) -> None:
        self._rng = np.random.default_rng(seed)
        poses = drawn_poses(motion, bodies, self._rng)
        poses[:, 1:22] += self._rng.normal(0, 0.06, (bodies, 21, 3)).astype(np.float32)
        betas = self._rng.normal(0, 1, (bodies, 10)).astype(np.float32)
        self._coarse, self._joints, self._landmarks = self._bank(body, hierarchy, poses, betas)

    @staticmethod
    @torch.no_grad()
    def _bank(
        body: BodyModel, hierarchy: Hierarchy, poses: np.ndarray, betas: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pick = torch.from_numpy(hierarchy.vertex_of_coarse)
        arrays = body.data.arrays
        named = dict(zip(arrays["vertex_id_names"].tolist(), arrays["vertex_ids"].tolist(), strict=True))
        coarse, joints, landmarks = [], [], []
        for start in range(0, len(poses), CHUNK):
            part = slice(start, start + CHUNK)
            vertices, _ = body(torch.from_numpy(poses[part]), torch.from_numpy(betas[part]))
            regressed = body.keypoints(vertices)
            origin = regressed[:, 2:4].mean(1, keepdim=True)
            points = [
                regressed[:, p] if isinstance(p, int) else vertices[:, named[p]] for p in LANDMARK_POINTS
            ]
            coarse.append((vertices[:, pick] - origin).half().numpy())
            joints.append((regressed - origin).half().numpy())
            landmarks.append((torch.stack(points, 1) - origin).half().numpy())
        return np.concatenate(coarse), np.concatenate(joints), np.concatenate(landmarks)

    def batch(self, size: int) -> tuple[Tensor, Batch]:
        """Landmarks [size, 33, 8] as model.lifter wants them, and the bodies they belong to (no pictures)."""
        rng = self._rng
        chosen = rng.integers(0, len(self._coarse), size)
        turn = np.swapaxes(self._cameras(chosen), 1, 2).astype(np.float32)
        coarse, joints, landmarks = (
            bank[chosen].astype(np.float32) @ turn for bank in (self._coarse, self._joints, self._landmarks)
        )
        scale, shift = self._framing(coarse)
        image = landmarks[..., :2] * scale + shift
        features = self._disturb(image, landmarks, scale)
        joints2d = np.concatenate([joints[..., :2] * scale + shift, np.ones((size, 14, 1))], axis=-1)
        tensors = (coarse, coarse[..., :2] * scale + shift, joints, joints2d, np.ones(size))
        return torch.from_numpy(features), Batch(
            torch.empty(0), *(torch.from_numpy(t.astype(np.float32)) for t in tensors)
        )

    def _cameras(self, chosen: np.ndarray) -> np.ndarray:
        """(n, 3, 3) from the bodies' world (y up) to camera axes (y down), the torso near upright."""
        rng, n = self._rng, len(chosen)
        yaw, pitch = rng.uniform(-180, 180, n), rng.normal(0, 18, n)
        y_down = np.diag([1.0, -1.0, -1.0])
        turn = Rotation.from_euler("yx", np.c_[yaw, pitch], degrees=True).as_matrix()
        turn = y_down @ turn
        joints = np.einsum("nij,npj->npi", turn, self._joints[chosen].astype(np.float64))
        axis = joints[:, [8, 9]].mean(1) - joints[:, [2, 3]].mean(1)
        roll = -np.arctan2(axis[:, 0], -axis[:, 1]) + np.radians(rng.normal(0, 11, n))
        return Rotation.from_euler("z", roll[:, None]).as_matrix() @ turn

    def _framing(self, coarse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale (n, 1, 1) and shift (n, 1, 2) to [-1, 1] of a crop round the body or its upper half."""
        rng, n = self._rng, len(coarse)
        low, high = coarse[..., :2].min(1), coarse[..., :2].max(1)
        cut = rng.random(n) < 0.3
        high[cut, 1] = low[cut, 1] + (high - low)[cut, 1] * rng.uniform(0.3, 0.8, cut.sum())
        side = (high - low).max(1) * MARGIN / rng.uniform(0.72, 1.1, n)
        scale = (2 / side)[:, None, None].astype(np.float32)
        jitter = rng.uniform(-0.14, 0.14, (n, 1, 2))
        return scale, (jitter - ((low + high) / 2)[:, None] * scale).astype(np.float32)

    def _disturb(self, image: np.ndarray, landmarks: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """What a landmark network adds: jitter, worse in depth, and wild guesses where it does not see."""
        rng, (n, count, _) = self._rng, landmarks.shape
        outside = np.abs(image).max(-1) > 1
        blind = outside | (rng.random((n, count)) < rng.uniform(0, 0.25, (n, 1)))
        sigma = np.where(blind, 0.12, 0.025)[..., None] * rng.lognormal(0, 0.5, (n, 1, 1))
        noisy = image + rng.normal(0, 1, image.shape) * sigma
        noise3d = rng.normal(0, 1, landmarks.shape) * sigma * [1.0, 1.0, 2.5]
        depth = landmarks[..., 2:] * scale + rng.normal(0, 3, (n, count, 1)) * sigma
        sure = np.where(blind, rng.beta(1, 3, (n, count)), rng.beta(12, 1, (n, count)))[..., None]
        inside = np.where(outside, rng.beta(1, 6, (n, count)), rng.beta(20, 1, (n, count)))[..., None]
        parts = [noisy.clip(-3, 3), depth.clip(-3, 3), sure, inside, (landmarks + noise3d).clip(-2, 2)]
        return np.concatenate(parts, axis=-1).astype(np.float32)


def drawn_poses(motion: Path, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 24, 3) float32 poses of a motion file, by their weights. Raises UserError."""
    if is_mixture(motion):
        mixture = PoseMixture(motion)
        return np.stack([mixture.draw(rng).pose for _ in range(count)]).astype(np.float32)
    data = read_labels(motion, "poses", "weight")
    weight = data["weight"].astype(np.float64)
    chosen = rng.choice(len(weight), count, p=weight / weight.sum())
    poses: np.ndarray = data["poses"][chosen].astype(np.float32)
    return poses
