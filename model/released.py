"""Names of the released PointHMR checkpoints (https://github.com/DCVL-3D/PointHMR_release) and of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from model.pointhmr import PointHMR

UNUSED: dict[str, tuple[int, ...]] = {
    "cam_token_embed.weight": (1, 512),
    "vertex_token_embed.weight": (431, 512),
}
"""Stored in every released checkpoint but never read by its network; ours does without them."""

_RULES: tuple[tuple[str, str], ...] = (
    (r"^decoders\.heatmap\.", "heatmap_layer."),
    (r"^decoders\.feature\.", "feature_extract_layer."),
    (r"^decoders\.grid\.", "grid_layer."),
    (r"^camera_token\.", "cam_layer."),
    (r"^joint_tokens$", "joint_token_embed.weight"),
    (r"^token_positions$", "token_position_embed.weight"),
    (r"^encoders\.(\d)\.(.*)\.attention\.qkv\.(.*)$", r"encoders.\1.\2.self_attn.in_proj_\3"),
    (r"^encoders\.(\d)\.(.*)\.attention\.out\.", r"encoders.\1.\2.self_attn.out_proj."),
    (r"^reduce\.", "transformer.dim_reduce."),
    (r"^point_head\.", "transformer.xyz_regressor."),
    (r"^camera_head\.", "transformer.cam_predictor."),
)


def released_name(ours: str) -> str:
    """The name in a released checkpoint of one of our network's tensors."""
    name = ours
    for pattern, replacement in _RULES:
        name = re.sub(pattern, replacement, name)
    return re.sub(r"^encoders\.(\d)\.", lambda match: f"transformer.transformer_{int(match[1]) + 1}.", name)


def released_shapes(network: PointHMR) -> dict[str, tuple[int, ...]]:
    """Every key of a released checkpoint for this network, with its shape: 2,023 for body-hrnet-w32."""
    shapes = {released_name(name): tuple(value.shape) for name, value in network.state_dict().items()}
    return shapes | UNUSED


def released_to_ours(released: Mapping[str, Tensor], network: PointHMR) -> dict[str, Tensor]:
    """A complete released state dict under our names, without the unused tensors.

    Raises KeyError when one is missing: check the keys against `released_shapes` first.
    """
    return {name: released[released_name(name)] for name in network.state_dict()}


def ours_to_released(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `released_to_ours`, but for the unused tensors."""
    return {released_name(name): value for name, value in ours.items()}


def looks_released(keys: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is a PointHMR under the released names, complete or not."""
    return any(key.startswith(("transformer.transformer_", "heatmap_layer.")) for key in keys)
