"""How people bend: a mixture of Gaussians over captured poses, and the limits of knees and elbows.

The mixture ships (`assets/body/pose_prior.npz`, made by `python -m assets.build.pose_prior`); it judges 21
joints in axis-angle, without the whole body's turn and without hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import assets
from model.array_files import load_arrays
from model.errors import UserError

JOINTS = 21
FILE = "pose_prior.npz"
_GAUSSIANS, _ROUNDS, _STARTS = 24, 12, 15
_TREMOR, _FLOOR = 0.02, 0.008
_KNEES, _LEFT_ELBOW, _RIGHT_ELBOW = (3, 4), 17, 18
_MOST_BENT = 2.5


@dataclass(frozen=True)
class PosePrior:
    """K Gaussians over D = 63 numbers."""

    means: Tensor
    """[K, D]."""
    factors: Tensor
    """[K, D, D] lower Cholesky factors of the inverse covariances."""
    log_weights: Tensor
    """[K] logarithms of weight and of the density at the mean."""

    @torch.no_grad()
    def nearest(self, pose: Tensor) -> Tensor:
        """[B] the likeliest Gaussian of poses [B, 21, 3]."""
        flat = pose.flatten(1)
        apart = torch.einsum("bkd,kde->bke", flat[:, None] - self.means, self.factors)
        return (self.log_weights - 0.5 * apart.square().sum(-1)).argmax(1)

    def distance(self, pose: Tensor, chosen: Tensor) -> Tensor:
        """[B] squared Mahalanobis distance of poses [B, 21, 3] from the chosen Gaussians [B]."""
        apart = (pose.flatten(1) - self.means[chosen])[:, None] @ self.factors[chosen]
        return apart.square().sum((1, 2))

    @property
    def middle(self) -> Tensor:
        """[21, 3] the mean of the likeliest Gaussian."""
        return self.means[self.log_weights.argmax()].reshape(JOINTS, 3)


def load_pose_prior(path: Path | None = None) -> PosePrior:
    """The prior that ships, or a file's. Raises UserError when it cannot be read."""
    path = path or assets.BODY / FILE
    arrays = load_arrays(path)
    if not {"means", "factors", "log_weights"} <= set(arrays):
        raise UserError(f"{path} holds no pose prior.")
    return PosePrior(
        *(torch.from_numpy(arrays[n].astype(np.float32)) for n in ("means", "factors", "log_weights"))
    )


def beyond_limits(pose: Tensor) -> Tensor:
    """[B] squared radians by which knees and elbows of poses [B, 21, 3] are bent the wrong way or too far."""
    knees = pose[:, _KNEES, 0]
    wrong = (-knees).clamp_min(0).square().sum(1) + (knees - _MOST_BENT).clamp_min(0).square().sum(1)
    left, right = pose[:, _LEFT_ELBOW, 1], pose[:, _RIGHT_ELBOW, 1]
    return wrong + (left - 0.1).clamp_min(0).square() + (-right - 0.1).clamp_min(0).square()


def learn_pose_prior(
    poses: np.ndarray, weight: np.ndarray, count: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Expectation-maximisation over `count` poses drawn from (N, 24, 3) by weight (N,): the file's arrays."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(poses), count, p=weight.astype(float) / weight.astype(float).sum())
    data = poses[chosen, 1 : JOINTS + 1].reshape(count, -1).astype(np.float64)
    data += rng.normal(0, _TREMOR, data.shape)
    shares = np.eye(_GAUSSIANS)[_clustered(data, rng)]
    for _ in range(_ROUNDS):
        means, factors, log_weights = _maximised(data, shares)
        scores = np.stack(
            [
                one - 0.5 * np.square((data - mean) @ factor).sum(1)
                for mean, factor, one in zip(means, factors, log_weights, strict=True)
            ],
            axis=1,
        )
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    return {
        "means": means.astype(np.float32),
        "factors": factors.astype(np.float16),
        "log_weights": log_weights.astype(np.float32),
    }


def _clustered(data: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N,) the cluster of each row, by k-means."""
    centres = data[rng.choice(len(data), _GAUSSIANS, replace=False)]
    for _ in range(_STARTS):
        apart = np.square(data).sum(1)[:, None] - 2 * data @ centres.T + np.square(centres).sum(1)
        nearest = apart.argmin(axis=1)
        for k in np.unique(nearest):
            centres[k] = data[nearest == k].mean(axis=0)
    return nearest


def _maximised(data: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, factors of the inverse covariances and log weights, from the rows' shares (N, K)."""
    counts = shares.sum(axis=0) + 1e-3
    means = shares.T @ data / counts[:, None]
    factors, log_weights = [], []
    for k, mean in enumerate(means):
        apart = data - mean
        covariance = (apart * shares[:, k : k + 1]).T @ apart / counts[k] + _FLOOR * np.eye(data.shape[1])
        factor = np.linalg.cholesky(np.linalg.inv(covariance))
        factors.append(factor)
        log_weights.append(np.log(counts[k] / counts.sum()) + np.log(np.diag(factor)).sum())
    return means, np.stack(factors), np.array(log_weights)
