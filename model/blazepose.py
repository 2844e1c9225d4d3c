"""BlazePose GHUM, the landmark network of MediaPipe Pose: the backbone of the embedded model.

A MobileNetV2-like trunk (Bazarevsky et al. 2020; blocks: Sandler et al. 2018, section 3), a top-down
pyramid in 48 channels and a small head that regresses the landmarks. Batch norms are folded into the
convolutions; the segmentation branch of the original file is left out. Weights and licence:
`assets/weights/blazepose-full.md`. A traced module returns a plain tuple: `BlazePoseOutput(*traced(images))`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from model.errors import UserError

LANDMARKS = 39
BODY_LANDMARKS = 33  # the first ones; the other six are helpers, such as the next crop's
PYRAMID_CHANNELS = 48
HEAD_CHANNELS = 288


class BlazePoseOutput(NamedTuple):
    """What one forward finds out about a batch of crops."""

    fpn64: Tensor
    """[B, 48, 64, 64] finest level of the pyramid, stride 4; at least 0."""
    s32x: Tensor
    """[B, C, 8, 8] last features of the trunk, stride 32, in 0..6; C = 864 (full) or 1632 (heavy)."""
    heatmaps: Tensor
    """[B, 39, 64, 64] logits, one map for each landmark."""
    landmarks: Tensor
    """[B, 39, 5]: x, y in pixels of the crop, z in the same scale, logits of visibility and presence."""
    world: Tensor
    """[B, 39, 3] metres: x right, y down, z forward, origin in the middle of the hips."""
    presence: Tensor
    """[B] probability that the crop shows a person."""
    stride4: Tensor
    """[B, C, 64, 64] the trunk after its first level: 24 channels (full) or 32 (heavy)."""
    stride8: Tensor
    """[B, C, 32, 32] the trunk after its second level: 32 channels (full) or 56 (heavy)."""


@dataclass(frozen=True)
class Stage:
    """A run of inverted residuals with the same width; the first one may shrink the picture."""

    channels: int
    kernel: int
    stride: int
    expansions: tuple[int, ...]
    """How many times wider the inside of each block is than its input."""


@dataclass(frozen=True)
class Variant:
    """The table of one published size of the network."""

    stem: int
    levels: tuple[tuple[Stage, ...], ...]
    """Stages of the levels with stride 4, 8, 16, 32."""
    head: tuple[int, int]
    """Blocks of the head at 4 x 4 and 2 x 2."""
    refiners: tuple[tuple[int, int], ...] = ()
    """(channels, blocks) of the branch that takes the pyramid down to stride 32 again; heavy only."""


VARIANTS = {
    "full": Variant(
        stem=16,
        levels=(
            (Stage(24, 3, 2, (4, 6)),),
            (Stage(32, 5, 2, (6, 6)),),
            (Stage(64, 3, 2, (6,) * 3), Stage(88, 5, 1, (6,) * 3)),
            (Stage(144, 5, 2, (6,) * 4),),
        ),
        head=(4, 5),
    ),
    "heavy": Variant(
        stem=24,
        levels=(
            (Stage(32, 3, 2, (4, 4, 6, 6)),),
            (Stage(56, 5, 2, (6,) * 4),),
            (Stage(112, 3, 2, (6,) * 6), Stage(160, 5, 1, (6,) * 6)),
            (Stage(272, 5, 2, (6,) * 8),),
        ),
        refiners=((96, 6), (192, 7), (HEAD_CHANNELS, 7)),
        head=(7, 7),
    ),
}


def convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the picture's size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel with itself, in float32 under autocast on CPUs.

    oneDNN has no fast gradients of larger or strided depthwise kernels in bfloat16: they were a quarter of a
    training step, up to 14 times as slow as in float32.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, channels, kernel, stride, padding=kernel // 2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, h, w] -> [B, channels, h / stride, w / stride], of the same type."""
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


class InvertedResidual(nn.Module):
    """1x1, depthwise, 1x1 without activation; a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        self.expand = convolution(inputs, inside)
        self.filter = DepthwiseConv2d(inside, kernel, stride)
        self.project = convolution(inside, outputs)
        self.shortcut = stride == 1 and inputs == outputs
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] -> [B, outputs, h / stride, w / stride]."""
        y = self.project(self.relu(self.filter(self.relu(self.expand(x)))))
        return y + x if self.shortcut else y


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3x3 and 1x1, both with ReLU6."""
    relu = nn.ReLU6(inplace=True)
    return nn.Sequential(DepthwiseConv2d(inputs, 3), relu, convolution(inputs, outputs), relu)


class Residual(nn.Module):
    """Depthwise 3x3 and 1x1 beside a shortcut; `shrink` halves the size and may add channels of zeros."""

    def __init__(self, inputs: int, outputs: int, shrink: bool = False) -> None:
        super().__init__()
        self.filter = nn.Conv2d(inputs, inputs, 3, 2, groups=inputs) if shrink else DepthwiseConv2d(inputs, 3)
        self.project = convolution(inputs, outputs)
        self.more_channels = outputs - inputs
        self.shrink = shrink
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] -> [B, outputs, h, w], or half of h and w."""
        shortcut = x
        if self.shrink:
            shortcut, x = F.max_pool2d(x, 2), F.pad(x, (0, 1, 0, 1))
        if self.more_channels:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.more_channels))
        return self.relu(shortcut + self.project(self.relu(self.filter(x))))


def residuals(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """A shrinking block and `blocks` more at the smaller size."""
    more = (Residual(outputs, outputs) for _ in range(blocks))
    return nn.Sequential(Residual(inputs, outputs, shrink=True), *more)


def stage_blocks(inputs: int, stages: tuple[Stage, ...]) -> nn.Sequential:
    """The inverted residuals of one level."""
    blocks = []
    for stage in stages:
        for i, expansion in enumerate(stage.expansions):
            shape = inputs, stage.channels, stage.kernel
            blocks.append(InvertedResidual(*shape, 1 if i else stage.stride, expansion))
            inputs = stage.channels
    return nn.Sequential(*blocks)


def widened(channels: int) -> tuple[int, nn.Sequential]:
    """The last step of the trunk, to six times the channels; returns their number and the step."""
    wide, relu = 6 * channels, nn.ReLU6(inplace=True)
    return wide, nn.Sequential(convolution(channels, wide), relu, DepthwiseConv2d(wide, 3), relu)


def top_down(laterals: nn.ModuleList, trunk: list[Tensor]) -> Tensor:
    """The finest level of the pyramid over the trunk's features at strides 4, 8, 16 and (wide) 32."""
    top: Tensor = laterals[-1](trunk[-1])
    for lateral, features in zip(reversed(laterals[:-1]), reversed(trunk[:-1]), strict=True):
        top = F.interpolate(top, scale_factor=2.0, mode="bilinear", align_corners=False)
        top = top + lateral(features)
    return top


class DeepLevels(nn.Module):
    """A second copy of the trunk's deeper half and of the pyramid, to be trained beside the frozen original.

    The original keeps its landmarks and its presence, which other parts rely on; the copy learns what the
    vertex heatmaps need. Its last level is called as in `BlazePose`.
    """

    def __init__(self, variant: str = "full") -> None:
        super().__init__()
        table = VARIANTS[variant]
        widths = [stages[-1].channels for stages in table.levels]
        self.levels = nn.ModuleList(map(stage_blocks, widths[1:-1], table.levels[2:]))
        wide, self.widen = widened(widths[-1])
        self.laterals = nn.ModuleList(separable(c, PYRAMID_CHANNELS) for c in [*widths[:-1], wide])

    def start_from(self, backbone: BlazePose) -> None:
        """Take the weights of the original, so that the first answers are the original's."""
        self.levels.load_state_dict(backbone.levels[2:].state_dict())
        self.widen.load_state_dict(backbone.widen.state_dict())
        self.laterals.load_state_dict(backbone.laterals.state_dict())

    def forward(self, stride4: Tensor, stride8: Tensor) -> tuple[Tensor, Tensor]:
        """The trunk's features at strides 4 and 8 -> fpn64 and s32x, as in `BlazePoseOutput`."""
        trunk = [stride4, stride8]
        for level in self.levels:
            trunk.append(level(trunk[-1]))
        trunk[-1] = self.widen(trunk[-1])
        return top_down(self.laterals, trunk), trunk[-1]


class BlazePose(nn.Module):
    """pose_landmark_full or pose_landmark_heavy of MediaPipe, without the segmentation branch."""

    def __init__(self, variant: str = "full") -> None:
        super().__init__()
        table = VARIANTS[variant]
        relu = nn.ReLU6(inplace=True)
        self.stem = nn.Sequential(
            convolution(3, 24, 3, stride=2), relu, DepthwiseConv2d(24, 3), relu, convolution(24, table.stem)
        )
        widths = [stages[-1].channels for stages in table.levels]
        self.levels = nn.ModuleList(map(stage_blocks, [table.stem, *widths], table.levels))
        wide, self.widen = widened(widths[-1])
        self.laterals = nn.ModuleList(separable(c, PYRAMID_CHANNELS) for c in [*widths[:-1], wide])
        self.heatmaps = convolution(PYRAMID_CHANNELS, LANDMARKS)

        sizes, counts = [c for c, _ in table.refiners], [n for _, n in table.refiners]
        self.refiners = nn.ModuleList(map(residuals, [PYRAMID_CHANNELS, *sizes], sizes, counts))
        self.refiner_laterals = nn.ModuleList(map(separable, [*widths[1:-1], wide], sizes))
        self.gather = None if table.refiners else separable(wide, HEAD_CHANNELS)
        self.head = nn.Sequential(*(residuals(HEAD_CHANNELS, HEAD_CHANNELS, blocks) for blocks in table.head))
        self.landmarks = nn.Conv2d(HEAD_CHANNELS, LANDMARKS * 5, 2)
        self.world = nn.Conv2d(HEAD_CHANNELS, LANDMARKS * 3, 2)
        self.presence = nn.Conv2d(HEAD_CHANNELS, 1, 2)

    def taps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3, H, W] RGB in 0..1, sides divisible by 32 -> fpn64 and s32x, without the landmark head."""
        pyramid, trunk = self._pyramid(images)
        return pyramid, trunk[-1]

    def forward(self, images: Tensor) -> BlazePoseOutput:
        """[B, 3, 256, 256] RGB in 0..1 -> features, heatmaps and landmarks."""
        fpn64, trunk = self._pyramid(images)
        head = self.head(self._head_input(fpn64, trunk))
        return BlazePoseOutput(
            fpn64=fpn64,
            s32x=trunk[-1],
            heatmaps=self.heatmaps(fpn64),
            landmarks=self.landmarks(head).view(-1, LANDMARKS, 5),
            world=self.world(head).view(-1, LANDMARKS, 3),
            presence=torch.sigmoid(self.presence(head)).view(-1),
            stride4=trunk[0],
            stride8=trunk[1],
        )

    def _pyramid(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The finest pyramid level, and the trunk's features at strides 4, 8, 16 and (wide) 32."""
        x = self.stem(images)
        trunk = []
        for level in self.levels:
            x = level(x)
            trunk.append(x)
        trunk[-1] = self.widen(x)
        return top_down(self.laterals, trunk), trunk

    def _head_input(self, x: Tensor, trunk: list[Tensor]) -> Tensor:
        """[B, 288, 8, 8]; heavy takes the pyramid `x` down again, full uses the trunk alone."""
        if self.gather is not None:
            return self.gather(trunk[-1])
        for refiner, lateral, features in zip(self.refiners, self.refiner_laterals, trunk[1:], strict=True):
            x = refiner(x) + lateral(features)
        return x


def load_blazepose(variant: str = "full", *paths: Path) -> BlazePose:
    """The network with its weights in float32, frozen and in eval mode.

    paths: the files that hold them together; none: those that ship, `assets/weights/blazepose-<variant>*`.
    Raises UserError when a file is missing or they do not hold exactly this variant's weights.
    """
    folder = Path(str(resources.files("assets"))) / "weights"
    paths = paths or tuple(sorted(folder.glob(f"blazepose-{variant}*.safetensors")))
    network = BlazePose(variant)
    try:
        network.load_state_dict({name: value for each in paths for name, value in load_file(each).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        source = ", ".join(map(str, paths)) or folder
        raise UserError(f"The weights of BlazePose {variant} cannot be read from {source}.") from error
    return network.eval().requires_grad_(False)
