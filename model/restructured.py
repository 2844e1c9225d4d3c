"""The first stage with the same results for less arithmetic, and plain tensors in and out, for export.

Three identities: a batch norm in eval mode is part of the convolution before it; the mean under a heatmap is
linear, so the last 1x1 convolution of the published feature decoder acts on 431 sampled tokens instead of
3,136 cells; and the sine code is a sum of a part of y and a part of x, so sampling it needs the heatmap's two
marginals only.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.decoders import LiteDecoders, PublishedDecoders, positions_first
from model.layers import sample_points
from model.pointhmr import Features, PointHMR


def fold_batch_norms(module: nn.Module) -> None:
    """Move every batch norm that follows a convolution among its siblings into that convolution, in place."""
    for parent in module.modules():
        children = list(parent.named_children())
        for (name, first), (norm_name, norm) in pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(first, norm))
                setattr(parent, norm_name, nn.Identity())


def _scale_guide(network: PointHMR) -> None:
    """What a guide adds before the grid's batch norm is scaled by it too, in place."""
    decoders = network.decoders
    if not isinstance(decoders, LiteDecoders) or decoders.guide is None:
        return
    norm = decoders.grid[1]
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    decoders.guide.low.weight.mul_(scale[:, None, None, None])


class RestructuredEncode(nn.Module):
    """`PointHMR.encode`, cheaper. The network given to it stays as it is."""

    points_y: Tensor
    points_x: Tensor

    def __init__(self, network: PointHMR) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        _scale_guide(self.network)
        fold_batch_norms(self.network)
        size, half = network.config.heatmap_size, network.config.token_width // 2
        code = network.point_positions.view(size, size, -1)
        self.register_buffer("points_y", code[:, 0, :half].clone(), persistent=False)
        self.register_buffer("points_x", code[0, :, half:].clone(), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Normalised images -> heatmaps [B, C, n, n], vertex tokens, grid tokens, raw points (see `points`).

        A lite network adds landmarks and presence.
        """
        network = self.network
        maps = network.backbone(images)
        if isinstance(network.decoders, PublishedDecoders):
            return self._published(maps[0], maps[1], network.decoders)
        assert isinstance(network.decoders, LiteDecoders)
        decoded = network.decoders(maps)
        features = decoded.features + network.point_positions
        heatmaps, tokens = sample_points(decoded.logits, features)
        assert decoded.landmarks is not None and decoded.presence is not None
        grid = decoded.grid + network.grid_positions
        return self._square(heatmaps), tokens, grid, features, decoded.landmarks, decoded.presence

    def _published(self, high: Tensor, low: Tensor, decoders: PublishedDecoders) -> tuple[Tensor, ...]:
        logits = decoders.heatmap(high).flatten(2)
        below = decoders.feature[1](decoders.feature[0](high)).flatten(2)
        heatmaps, sampled = sample_points(logits, below.transpose(1, 2))
        square = self._square(heatmaps)
        code = torch.cat([square.sum(3) @ self.points_y, square.sum(2) @ self.points_x], dim=2)
        tokens = sampled @ self._last(decoders).T + code
        grid = positions_first(decoders.grid(low)) + self.network.grid_positions
        return square, tokens, grid, below

    def _square(self, heatmaps: Tensor) -> Tensor:
        size = self.network.config.heatmap_size
        return heatmaps.unflatten(2, (size, size))

    @staticmethod
    def _last(decoders: PublishedDecoders) -> Tensor:
        weight: Tensor = decoders.feature[2].weight[:, :, 0, 0]  # type: ignore[index]
        return weight

    def points(self, raw: Tensor) -> Tensor:
        """What the tokens are sampled from, [B, n * n, D], of the fourth output of `forward`."""
        decoders = self.network.decoders
        if not isinstance(decoders, PublishedDecoders):
            return raw
        return raw.transpose(1, 2) @ self._last(decoders).T + self.network.point_positions


def as_features(outputs: tuple[Tensor, ...]) -> Features:
    """The outputs of `RestructuredEncode` as a record."""
    heatmaps, tokens, grid, _, *rest = outputs
    landmarks, presence = rest or (None, None)
    return Features(heatmaps, tokens, grid, landmarks, presence)
