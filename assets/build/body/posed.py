"""Random adults in random poses, for the fit of the upsampling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assets.build.body.correctives import LIMITS
from assets.build.body.skeleton import JOINTS, other_side
from model.surface import MIRROR
from model.upsampling import posed_people


def mirrored_people(body: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(N, V, 3) float32 metres: people in poses within `LIMITS`, then the mirror image of each."""
    limits = np.array([LIMITS.get(name) or LIMITS.get(other_side(name)) or (0, 0, 0) for name in JOINTS])
    people = posed_people(body, limits, rng)
    return np.concatenate([people, people[:, body["sym"].astype(int)] * MIRROR.astype(np.float32)])
