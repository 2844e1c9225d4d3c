"""A captured motion on the ground: sequences hold rotations only, so the feet tell where the body goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation


def load_sequence(path: Path, clip: str, start: int, count: int, *, sigma: float = 1.0) -> np.ndarray:
    """Poses (count, 24, 3) of `clip` at 30 Hz, smoothed over `sigma` frames against their half precision.

    Raises ValueError when the clip is unknown or too short.
    """
    data = np.load(path)
    names = list(data["clips"])
    if clip not in names:
        raise ValueError(f"no sequence is called {clip}")
    poses = data["poses"][data["clip_index"] == names.index(clip)].astype(np.float64)
    if start + count > len(poses):
        raise ValueError(f"{clip} has only {len(poses)} frames")
    return smooth_poses(poses[start : start + count], sigma)


def smooth_poses(poses: np.ndarray, sigma: float) -> np.ndarray:
    """Low-pass rotations (T, J, 3) along time: average the matrices, then take the nearest rotation."""
    if sigma <= 0 or len(poses) < 2:
        return poses
    frames, joints = poses.shape[:2]
    matrices = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(frames, joints, 3, 3)
    left, _, right = np.linalg.svd(gaussian_filter1d(matrices, sigma, axis=0, mode="nearest"))
    sign = np.linalg.det(left @ right)
    left[..., 2] *= sign[..., None]
    return Rotation.from_matrix((left @ right).reshape(-1, 3, 3)).as_rotvec().reshape(frames, joints, 3)


def walk(soles: np.ndarray, *, softness: float = 0.01, sigma: float = 2.0) -> np.ndarray:
    """Translations (T, 3) that keep the lowest sole points (T, N, 3) still on the ground y = 0.

    A point counts as standing by exp(-height / softness); what stands must not slide.
    """
    height = soles[..., 1] - soles[..., 1].min(axis=1, keepdims=True)
    pair = np.maximum(height[1:], height[:-1])
    standing = np.exp(-(pair - pair.min(axis=1, keepdims=True)) / softness)
    standing /= standing.sum(axis=1, keepdims=True)
    step = -np.einsum("tn,tna->ta", standing, np.diff(soles[..., [0, 2]], axis=0))
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(step, axis=0)])
    path = gaussian_filter1d(path, sigma, axis=0, mode="nearest")
    lowest = gaussian_filter1d(soles[..., 1].min(axis=1), sigma / 2, mode="nearest")
    centre = (path.min(axis=0) + path.max(axis=0)) / 2
    return np.column_stack([path[:, 0] - centre[0], -lowest, path[:, 1] - centre[1]])
