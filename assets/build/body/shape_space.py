"""The body's shapes: principal components of random adults in the T-pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from assets.build.body.adults import Targets, random_adults
from assets.build.body.remesh import Topology
from assets.build.body.tpose import rotations_from_t, to_t_pose
from model.surface import MIRROR

NUM_ADULTS = 3000
SIGNS = (-1, -1, 1, 1, 1, 1, -1, -1, -1, -1)
"""Of each component's largest coordinate: an eigenvector has no sign of its own, so it is fixed here."""


@dataclass(frozen=True)
class Population:
    """Random adults in the T-pose, each with its centroid at the origin."""

    vertices: np.ndarray
    """(N, V, 3) float64."""
    joints: np.ndarray
    """(N, 24, 3) float64: the rig's joint centres."""


def sample_population(
    base: np.ndarray,
    targets: Targets,
    mesh: Topology,
    centres: sp.csr_matrix,
    weights: np.ndarray,
    rng: np.random.Generator,
) -> Population:
    """Draw adults and turn them to the T-pose, all by the rotations of the mean adult.

    base: (19158, 3) base vertices; centres: (24, 19158) joint functionals; weights: (V, 24).
    """
    mix = random_adults(targets, NUM_ADULTS, rng)
    blend = mesh.blend.astype(np.float32)
    skin_offsets = np.stack([blend @ offsets for offsets in targets.offsets])
    joint_offsets = np.stack([centres @ offsets for offsets in targets.offsets])

    def bodies(mean: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        flat = mean.ravel() + mix @ offsets.reshape(len(mix.T), -1)
        return flat.reshape(len(mix), -1, 3)

    skin = bodies(mesh.blend @ base, skin_offsets)
    joints = bodies(centres @ base, joint_offsets)
    skin, joints = to_t_pose(skin, joints, weights, rotations_from_t(joints.mean(axis=0)))
    centroids = skin.mean(axis=1, keepdims=True)
    return Population(skin - centroids, joints - centroids)


def principal_shapes(
    vertices: np.ndarray, mirror: np.ndarray, count: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and principal components of (N, V, 3) bodies, both exactly symmetric.

    Returns (V, 3) and (V, 3, count) float64; one unit of a component is one standard deviation.
    """
    mean = vertices.mean(axis=0)
    mean = (mean + mean[mirror] * MIRROR) / 2
    offsets = (vertices - mean).reshape(len(vertices), -1).astype(np.float32)
    # The N x N Gram matrix has the same eigenvalues as the covariance, and is far smaller.
    _, directions = np.linalg.eigh((offsets @ offsets.T).astype(float))
    strongest = directions[:, ::-1][:, :count].astype(np.float32)
    components = ((offsets.T @ strongest) / np.sqrt(len(vertices))).reshape(*mean.shape, count)
    components = (components + components[mirror] * MIRROR[:, None]) / 2
    flat = components.reshape(-1, count)
    largest = flat[np.abs(flat).argmax(axis=0), np.arange(count)]
    return mean, components * np.sign(largest) * SIGNS[:count]
