"""Poses to draw people in: `poses.npz` with poses (N, 24, 3), weight, and where known clip and activity."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from model.data.pictures import read_labels
from model.errors import UserError

LIMITS = {(7, 8): 65.0, (20, 21): 95.0, (12, 15): 70.0}
"""Degrees beyond which a sample is broken: ankles, wrists, neck and head."""
HELD_OUT = 8
"""One clip in so many, by the hash of its name, is for validation; without clips, one pose in so many."""
BLOCK = 40
"""Poses of a `template/…` clip are independent draws: blocks of so many are held out instead of the clip."""
WEBCAM = (
    "sit_chair",
    "directing_traffic",
    "washwindow",
    "basketball_signal",
    "cross_legged",
    "walking",
    "salsa",
)
EVERYDAY = {
    "sit_chair": 2.5,
    "walking": 3.0,
    "directing_traffic": 2.0,
    "washwindow": 1.5,
    "makehuman": 3.0,
    "bend": 1.5,
    "prone": 0.5,
    "supine": 0.6,
    "side": 0.6,
    "plank": 0.5,
    "martial": 0.7,
}
"""Factors on the file's weights: the file is full of sport and dance."""
TREMOR = 0.05


class Posed(NamedTuple):
    """A pose (24, 3) and what its person is doing ('' where unknown)."""

    pose: np.ndarray
    activity: str


class PoseBank:
    """The poses of one part of a motion file."""

    def __init__(self, path: Path, part: Literal["train", "val"]) -> None:
        data = read_labels(path, "poses", "weight")
        poses = data["poses"].astype(np.float32)
        count = len(poses)
        clip = data.get("clip", np.full(count, ""))
        activity = data.get("activity", np.full(count, ""))
        keep = (held_out(clip) == (part == "val")) & sound(poses)
        if not keep.any():
            raise UserError(f"{path} has no sound poses for {part}.")
        factor = np.array([EVERYDAY.get(str(name), 1.0) for name in activity[keep]])
        self._poses, self._activity = poses[keep], activity[keep]
        self._share = _normalised(data["weight"][keep] * factor)
        seated = _normalised(self._share * np.isin(self._activity, WEBCAM))
        self._webcam = seated if np.isfinite(seated).all() else self._share
        self._tremor = TREMOR if part == "train" else 0.0

    def draw(self, rng: np.random.Generator, *, webcam: bool = False) -> Posed:
        """A random pose, in training slightly changed; webcam: one that people take before a screen."""
        number = int(rng.choice(len(self._poses), p=self._webcam if webcam else self._share))
        pose = self._poses[number].astype(np.float64)
        pose[1:22] += rng.normal(0, 1, (21, 3)) * self._tremor
        return Posed(pose, str(self._activity[number]))


def sound(poses: np.ndarray) -> np.ndarray:
    """(N,) whether no joint of poses (N, 24, 3) is turned farther than people can."""
    angle = np.degrees(np.linalg.norm(poses, axis=2))
    return np.all([(angle[:, list(joints)] <= most).all(axis=1) for joints, most in LIMITS.items()], axis=0)


def held_out(clips: np.ndarray) -> np.ndarray:
    """(N,) which poses belong to the validation part."""
    chosen = {name: _hash(name) % HELD_OUT == 0 for name in np.unique(clips).tolist() if name}
    number = np.arange(len(clips))
    result = np.array([chosen.get(name, False) for name in clips.tolist()])
    loose = np.char.startswith(clips.astype(str), "template/") | (clips == "")
    blocks = BLOCK if clips.astype(bool).any() else 1
    return np.where(loose, number // blocks % HELD_OUT == 0, result)


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _normalised(weight: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return weight.astype(np.float64) / weight.astype(np.float64).sum()
