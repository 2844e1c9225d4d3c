"""Poses without a captured file: a mixture of Gaussians for each activity, from which poses are drawn.

What is described is 66 numbers: where up lies in the body's axes (3: how the whole body is tilted; it may
face anywhere), and the axis-angles of 21 joints. Each Gaussian keeps its mean, the few directions in which
its poses differ most, and what remains as one number. The mixture ships (`assets/body/pose_mixture.npz`,
made by `python -m assets.build.pose_mixture`): statistics only, no captured pose.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from model.data.pictures import read_labels
from model.data.render.poses import EVERYDAY, WEBCAM, PoseBank, Posed, sound
from model.pose_prior import JOINTS, beyond_limits

ARRAYS = ("means", "directions", "rest", "weight", "activity")
MEMBERS = 60
"""Poses behind one Gaussian, at least and on average."""
MOST = 8
"""Gaussians of one activity."""
DIRECTIONS = 14
ROUNDS = 20
NARROWER = 0.8
"""Factor on the deviations: the far ends of Gaussians are no poses."""
FARTHEST = 2.0
"""Deviations beyond which none is drawn in any direction."""
BENT = 0.02
"""Squared radians by which knees and elbows may be beyond their limits."""
ATTEMPTS = 20


class Poses(Protocol):
    """Where people's poses come from."""

    def draw(self, rng: np.random.Generator, *, webcam: bool = False) -> Posed:
        """A random pose; webcam: one that people take before a screen."""


def open_poses(path: Path, part: Literal["train", "val"]) -> Poses:
    """The captured poses of one part of a file, or a mixture, which has no parts. Raises UserError."""
    return PoseMixture(path) if is_mixture(path) else PoseBank(path, part)


def is_mixture(path: Path) -> bool:
    """Whether a motion file holds a mixture rather than poses."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "means.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # whoever reads it says what is wrong


class PoseMixture:
    """K Gaussians over D = 66 numbers, each of one activity. Raises UserError for a damaged file."""

    def __init__(self, path: Path) -> None:
        data = read_labels(path, *ARRAYS)
        self._means, self._directions, self._rest = (
            data[name].astype(np.float64) for name in ("means", "directions", "rest")
        )
        self._activity = data["activity"].astype(str)
        factor = np.array([EVERYDAY.get(name, 1.0) for name in self._activity])
        share = data["weight"].astype(np.float64) * factor
        self._share = share / share.sum()
        seated = self._share * np.isin(self._activity, WEBCAM)
        self._webcam = seated / seated.sum() if seated.any() else self._share

    def draw(self, rng: np.random.Generator, *, webcam: bool = False) -> Posed:
        """A random pose (24, 3) that people can take, facing anywhere."""
        for _ in range(ATTEMPTS):
            number = int(rng.choice(len(self._share), p=self._webcam if webcam else self._share))
            pose = self._pose(number, rng)
            if possible(pose):
                break
        return Posed(pose, str(self._activity[number]))

    def _pose(self, number: int, rng: np.random.Generator) -> np.ndarray:
        directions = self._directions[number]
        along = NARROWER * rng.normal(0, 1, len(directions)).clip(-FARTHEST, FARTHEST)
        rest = NARROWER * self._rest[number] * rng.normal(0, 1, len(self._means[number]))
        return posed_from(self._means[number] + along @ directions + rest)


def possible(pose: np.ndarray) -> bool:
    """Whether no joint of a pose (24, 3) is turned farther than people can."""
    bent = beyond_limits(torch.from_numpy(pose[None, 1 : JOINTS + 1]))
    return bool(sound(pose[None])[0]) and float(bent[0]) < BENT


def described(poses: np.ndarray) -> np.ndarray:
    """(N, 66) numbers of poses (N, 24, 3)."""
    up = Rotation.from_rotvec(poses[:, 0]).inv().apply([0.0, 1.0, 0.0])
    return np.concatenate([up, poses[:, 1 : JOINTS + 1].reshape(len(poses), -1)], axis=1)


def posed_from(numbers: np.ndarray) -> np.ndarray:
    """The pose (24, 3) of (66,) numbers, turned about the vertical as little as its tilt allows."""
    pose = np.zeros((24, 3))
    up = numbers[:3] / max(float(np.linalg.norm(numbers[:3])), 1e-6)
    axis = np.cross(up, [0.0, 1.0, 0.0])
    sine = float(np.linalg.norm(axis))
    # Upside down there is no least turn: any axis across does.
    axis = axis / sine if sine > 1e-6 else np.array([1.0, 0.0, 0.0])
    pose[0] = axis * np.arctan2(sine, up[1])
    pose[1 : JOINTS + 1] = numbers[3:].reshape(JOINTS, 3)
    return pose


def learn_pose_mixture(
    poses: np.ndarray, weight: np.ndarray, activity: np.ndarray, seed: int = 0
) -> dict[str, np.ndarray]:
    """The file's arrays, from poses (N, 24, 3) with weight (N,) and activity (N,): clusters, by k-means."""
    rng = np.random.default_rng(seed)
    found: list[tuple[np.ndarray, np.ndarray, float, float, str]] = []
    for name in np.unique(activity).tolist():
        chosen = activity == name
        rows, shares = described(poses[chosen].astype(np.float64)), weight[chosen].astype(np.float64)
        count = int(np.clip(len(rows) // MEMBERS, 1, MOST))
        nearest = _clusters(rows, count, rng)
        for number in range(count):
            own = nearest == number
            if own.sum() >= min(MEMBERS // 2, len(rows)):
                found.append((*_gaussian(rows[own], shares[own]), float(shares[own].sum()), name))
    means, directions, rest, weights, names = zip(*found, strict=True)
    return {
        "means": np.stack(means).astype(np.float32),
        "directions": np.stack(directions).astype(np.float16),
        "rest": np.array(rest, np.float32),
        "weight": np.array(weights, np.float32),
        "activity": np.array(names),
    }


def _clusters(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(N,) the cluster of each row, by k-means."""
    centres = rows[rng.choice(len(rows), count, replace=False)]
    for _ in range(ROUNDS):
        nearest = np.square(rows[:, None] - centres[None]).sum(axis=2).argmin(axis=1)
        for number in np.unique(nearest):
            centres[number] = rows[nearest == number].mean(axis=0)
    return nearest


def _gaussian(rows: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (D,), DIRECTIONS deviations (R, D), and the mean deviation of what remains."""
    mean = shares @ rows / shares.sum()
    apart = (rows - mean) * np.sqrt(shares / shares.sum())[:, None]
    values, vectors = np.linalg.eigh(apart.T @ apart)
    values = values.clip(0)[::-1]
    directions = vectors[:, ::-1].T[:DIRECTIONS] * np.sqrt(values[:DIRECTIONS, None])
    return mean, directions, float(np.sqrt(values[DIRECTIONS:].mean()))
