"""From backbone maps to what the sampling needs: heatmap logits, point features, grid tokens."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blazepose import LANDMARKS, PYRAMID_CHANNELS, BlazePoseOutput, DeepLevels
from model.config import NetworkConfig
from model.hrnet import BasicBlock, HRNet
from model.layers import ShuffledTrunk, Standardize
from model.lifter import landmark_tokens

HRNetMaps = tuple[Tensor, Tensor]
"""[B, 32, 56, 56] and [B, 256, 7, 7]."""
BackboneMaps = HRNetMaps | BlazePoseOutput
TRUNK_CHANNELS = {"blazepose-full": 864, "blazepose-heavy": 1632}


class Decoded(NamedTuple):
    """One picture's maps, flattened: P heatmap positions, G grid cells, D features."""

    logits: Tensor
    """[B, C, P] heatmap logits, one map per coarse vertex."""
    features: Tensor
    """[B, P, D] what a vertex samples from."""
    grid: Tensor
    """[B, G, D] global tokens."""
    landmarks: Tensor | None = None
    """[B, L, 8] the backbone's own landmarks, as model.lifter describes them."""
    presence: Tensor | None = None
    """[B] probability that there is a person at all."""


def positions_first(x: Tensor) -> Tensor:
    """[B, D, H, W] -> [B, H * W, D]."""
    return x.flatten(2).transpose(1, 2)


class PublishedDecoders(nn.Module):
    """As released: residual blocks first, the 1x1 convolution last.

    The supplement's table 1 lists the 1x1 convolution first, but only this order has 59.1 M parameters and
    takes the released weights.
    """

    def __init__(
        self, config: NetworkConfig, high: int = HRNet.high_channels, low: int = HRNet.low_channels
    ) -> None:
        super().__init__()
        vertices, width = config.num_vertices, config.token_width
        self.heatmap = nn.Sequential(
            BasicBlock(high, vertices),
            BasicBlock(vertices, vertices),
            nn.Conv2d(vertices, vertices, 1, bias=False),
        )
        self.feature = nn.Sequential(
            BasicBlock(high, width), BasicBlock(width, width), nn.Conv2d(width, width, 1, bias=False)
        )
        self.grid = nn.Sequential(BasicBlock(low, width), nn.Conv2d(width, width, 1, bias=False))

    def forward(self, maps: HRNetMaps) -> Decoded:
        """HRNet's 32x56x56 and 256x7x7 maps -> logits, features and grid."""
        high, low = maps
        return Decoded(
            self.heatmap(high).flatten(2),
            positions_first(self.feature(high)),
            positions_first(self.grid(low)),
        )


class GuideFeatures(nn.Module):
    """What the decoders take from the guide's features, added to what they see of the trained copy's."""

    def __init__(self, low_channels: int, width: int) -> None:
        super().__init__()
        self.standardize_high = Standardize(PYRAMID_CHANNELS)
        self.standardize_low = Standardize(low_channels)
        self.high = nn.Conv2d(PYRAMID_CHANNELS, PYRAMID_CHANNELS, 1, bias=False)
        self.low = nn.Conv2d(low_channels, width, 1, bias=False)
        # Begins with zeros: a network that was trained without a guide's features goes on as it was.
        nn.init.zeros_(self.high.weight)
        nn.init.zeros_(self.low.weight)

    @torch.no_grad()
    def measure(self, maps: BlazePoseOutput) -> None:
        """Fit the standardisation to a batch of the guide's maps, once before training."""
        self.standardize_high.measure(maps.fpn64)
        self.standardize_low.measure(maps.s32x, floor=0.1)

    def forward(self, maps: BlazePoseOutput) -> tuple[Tensor, Tensor]:
        """The guide's maps -> [B, 48, 64, 64] for the pyramid, [B, width, 8, 8] for the grid."""
        return (
            self.high(self.standardize_high(maps.fpn64)),
            self.low(self.standardize_low(maps.s32x)),
        )


class LiteDecoders(nn.Module):
    """Cheap decoders over BlazePose features, frozen ones or (config.tuned_levels) those of a trained copy.

    The backbone's own landmark heatmaps join the features from which vertex heatmaps are mixed: a vertex
    near a landmark starts from an answer instead of from noise.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.image_size = config.image_size
        self.num_landmarks = config.num_landmarks
        self.gain = config.heatmap_gain
        low_channels = TRUNK_CHANNELS[config.backbone]
        trunk = (PYRAMID_CHANNELS, config.trunk_channels, config.bottleneck_channels)
        finer = config.heatmap_size * 8 // config.image_size
        self.coarser = 2 // finer
        self.deep: DeepLevels | None = None
        if config.tuned_levels:
            self.deep = DeepLevels(config.backbone.removeprefix("blazepose-"))
        self.guide: GuideFeatures | None = None
        if config.guide is not None and config.guide_features:
            self.guide = GuideFeatures(TRUNK_CHANNELS[config.guide], config.token_width)
        self.standardize_high = Standardize(PYRAMID_CHANNELS)
        self.standardize_low = Standardize(low_channels)
        self.standardize_maps = Standardize(LANDMARKS)
        self.heatmap = ShuffledTrunk(*trunk, 2, config.heatmap_channels, finer)
        self.mix = nn.Parameter(0.02 * torch.randn(config.num_vertices, config.heatmap_channels + LANDMARKS))
        self.feature = ShuffledTrunk(*trunk, 1, config.token_width, finer)
        self.grid = nn.Sequential(
            nn.Conv2d(low_channels, config.token_width, 1, bias=False),
            nn.BatchNorm2d(config.token_width),
            nn.ReLU(),
            nn.Conv2d(config.token_width, config.token_width, 1),
        )

    @torch.no_grad()
    def measure(self, maps: BlazePoseOutput) -> None:
        """Fit the standardisation to a batch of backbone maps, once before training."""
        self.standardize_high.measure(maps.fpn64)
        self.standardize_low.measure(maps.s32x, floor=0.1)
        self.standardize_maps.measure(maps.heatmaps)

    def forward(self, maps: BlazePoseOutput) -> Decoded:
        """BlazePose's maps -> logits, features, grid and landmarks."""
        fpn64, s32x = maps.fpn64, maps.s32x
        if self.deep is not None:
            fpn64, s32x = self.deep(maps.stride4, maps.stride8)
        high = self.standardize_high(fpn64)
        low = self.grid[0](self.standardize_low(s32x))
        if self.guide is not None:
            more_high, more_low = self.guide(maps)
            high, low = high + more_high, low + more_low
        known = self.standardize_maps(maps.heatmaps)
        if self.coarser > 1:
            known = F.avg_pool2d(known, self.coarser)
        columns = torch.cat([self.heatmap(high), known], dim=1).flatten(2)
        mix = (self.mix * self.gain).to(columns.dtype).expand(len(columns), -1, -1)
        return Decoded(
            torch.bmm(mix, columns),
            positions_first(self.feature(high)),
            positions_first(self.grid[1:](low)),
            landmark_tokens(maps, self.image_size, self.num_landmarks),
            maps.presence,
        )
