"""The frozen part of a lite network: one BlazePose, or the start of one beside a larger one that guides.

The larger one knows better where landmarks are; the trained copy of the smaller one's deeper levels
(`model.blazepose.DeepLevels`) costs a third of what a copy of the larger one's would.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.blazepose import VARIANTS, BlazePose, BlazePoseOutput, load_blazepose
from model.config import NetworkConfig


class ShallowLevels(nn.Module):
    """BlazePose's stem and first two levels, called as in `BlazePose`."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        whole = BlazePose(variant)
        self.stem, self.levels = whole.stem, whole.levels[:2]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3, H, W] RGB in 0..1 -> the trunk's features at strides 4 and 8."""
        stride4 = self.levels[0](self.stem(images))
        return stride4, self.levels[1](stride4)


class GuidedBlazePose(nn.Module):
    """The guide's outputs, but for the features at strides 4 and 8, from which the tuned levels start."""

    def __init__(self, variant: str, guide: str) -> None:
        super().__init__()
        self.shallow = ShallowLevels(variant)
        self.guide = BlazePose(guide)

    def forward(self, images: Tensor) -> BlazePoseOutput:
        """[B, 3, 256, 256] RGB in 0..1 -> features, heatmaps and landmarks."""
        stride4, stride8 = self.shallow(images)
        output: BlazePoseOutput = self.guide(images)
        return output._replace(stride4=stride4, stride8=stride8)


FrozenNetwork = BlazePose | GuidedBlazePose


def frozen_network(config: NetworkConfig) -> FrozenNetwork:
    """The module that a config names, with random weights."""
    variant = variant_of(config.backbone)
    return BlazePose(variant) if config.guide is None else GuidedBlazePose(variant, variant_of(config.guide))


def shipped_state(config: NetworkConfig) -> dict[str, Tensor]:
    """Weights for `frozen_network` from the files that ship; raises UserError when one is missing."""
    whole = load_blazepose(variant_of(config.backbone)).state_dict()
    if config.guide is None:
        return whole
    with torch.device("meta"):
        wanted = ShallowLevels(variant_of(config.backbone)).state_dict()
    state = {f"shallow.{name}": whole[name] for name in wanted}
    guide = load_blazepose(variant_of(config.guide)).state_dict()
    return state | {f"guide.{name}": value for name, value in guide.items()}


def variant_of(backbone: str) -> str:
    """BlazePose's variant in the name of a backbone."""
    variant = backbone.removeprefix("blazepose-")
    if variant not in VARIANTS:
        raise ValueError(f"{backbone} is no BlazePose")
    return variant
