"""A take that exercises every joint."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from app.export.skeleton import Motion, SkinnedTake, skeleton_of
from model.body import load_body

FRAMES, RATE = 31, 30


def dance(name: str, aside: float = 0.0) -> SkinnedTake:
    """A second in which the body turns twice about itself, leans, steps aside, and swings all its limbs."""
    skeleton = skeleton_of(load_body(), name)
    times = np.arange(FRAMES) / RATE
    rng = np.random.default_rng(7)
    swing = 0.5 * np.sin(2 * np.pi * times[:, None, None] + rng.uniform(0, 6, (1, 24, 3)))
    rotations = Rotation.from_rotvec(swing.reshape(-1, 3)).as_matrix().reshape(FRAMES, 24, 3, 3)
    rotations[:, 0] = Rotation.from_euler(
        "yx", np.stack([4 * np.pi * times, 0.3 * np.sin(5 * times)], axis=1)
    ).as_matrix()
    translations = np.stack([aside + times, 0.1 * np.cos(6 * times), -0.5 * times], axis=1)
    return SkinnedTake(skeleton, Motion(times, rotations, translations))
