"""How many parameters a network has, part by part, as the paper's supplement and the model cards count."""

from __future__ import annotations

import math
from functools import lru_cache

from model.config import NetworkConfig
from model.pointhmr import PointHMR
from model.released import UNUSED

_PARTS = {
    "backbone": "backbone",
    "decoders.feature": "feature decoder",
    "decoders.heatmap": "heatmap decoder",
    "decoders.grid": "grid decoder",
    "decoders": "shared by the decoders",
    "encoders": "encoders",
    "reduce": "encoders",
    "point_head": "encoders",
    "camera_head": "encoders",
    "camera_token": "camera linear",
    "joint_tokens": "joint embedding",
    "token_positions": "position embedding",
    "lifter": "lifter",
    "point_embedding": "lifter",
    "landmark_embedding": "landmark embedding",
}
"""The part that each module or parameter belongs to; the longest name that fits decides."""


@lru_cache(maxsize=8)
def parameter_counts(config: NetworkConfig) -> dict[str, int]:
    """Part -> parameters of the network of this config. Makes the network: a second for the published one."""
    counts: dict[str, int] = {}
    for name, parameter in PointHMR(config).named_parameters():
        part = _part(name)
        counts[part] = counts.get(part, 0) + parameter.numel()
    return counts


def unused_count() -> int:
    """Parameters that a released checkpoint stores and its network never reads (`model.released.UNUSED`)."""
    return sum(math.prod(shape) for shape in UNUSED.values())


def _part(name: str) -> str:
    words = name.split(".")
    prefixes = (".".join(words[:length]) for length in (2, 1))
    return next(_PARTS[prefix] for prefix in prefixes if prefix in _PARTS)
