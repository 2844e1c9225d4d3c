"""MoveNet multipose lightning: finds up to a few people, with a box and 17 coarse joints each.

MobileNetV2 of width 1.5 (Sandler et al. 2018, table 2), a top-down pyramid to stride 4 and CenterNet heads
(Zhou et al. 2019, "Objects as points", sections 3 and 4). Batch norms are folded into the convolutions. The
heatmaps that the original uses to refine the joints are left out: hands may be some pixels off. Weights and
licence: `assets/weights/movenet-multipose.md`.

What a caller does with a picture:

1. Scale it, keeping its shape, so that the long side is `LONG_SIDE` = 256 pixels.
2. Pad it with black (0, before step 3) so that both sides are divisible by `SIZE_MULTIPLE` = 32.
3. RGB, uint8 value v -> v * 2 / 255 - 1 (`normalise`), as float32 [B, 3, H, W].
4. `decode(network(images))`: boxes and joints in pixels of this padded input; undo 2 and 1 to go back.

Scores of people in plain sight are mostly above 0.5; spectators in the background get 0.2 to 0.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from model.errors import UserError

LONG_SIDE = 256
SIZE_MULTIPLE = 32
STRIDE = 4
"""Input pixels to a cell of the outputs."""
JOINTS = 17
JOINT_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""COCO's order."""
HEAD_CHANNELS = 96


class MoveNetOutput(NamedTuple):
    """Dense predictions of a batch, h = H / 4 and w = W / 4; lengths are in cells, pairs are (y, x)."""

    center: Tensor
    """[B, 1, h, w] score in 0..1 that a person's box has its middle in this cell."""
    scale: Tensor
    """[B, 2, h, w] height and width of the box."""
    offset: Tensor
    """[B, 2, h, w] from the cell to the exact middle of the box."""
    keypoints: Tensor
    """[B, 34, h, w] from the cell to each of the 17 joints: y0, x0, y1, x1, ..."""


@dataclass(frozen=True)
class Detections:
    """The people of one picture, best first; pixels of the network's input, x right and y down."""

    boxes: np.ndarray
    """(N, 4) float32: left, top, right, bottom; may reach over the picture's edge."""
    scores: np.ndarray
    """(N,) float32 in 0..1."""
    keypoints: np.ndarray
    """(N, 17, 2) float32: x, y of each joint in the order of `JOINT_NAMES`."""


# (channels, blocks, stride of the first block, expansion) of each run of inverted residuals, by level of the
# pyramid: strides 4, 8, 16, 32
LEVELS = (
    ((24, 1, 1, 1), (40, 2, 2, 6)),
    ((48, 3, 2, 6),),
    ((96, 4, 2, 6),),
    ((144, 3, 1, 6), (240, 3, 2, 6), (480, 1, 1, 6)),
)
STEM_CHANNELS = 48
TOP_CHANNELS = 1280
PYRAMID_CHANNELS = (24, 32, 64)
"""Channels of the laterals at strides 4, 8, 16; the top one, at stride 32, is as wide as the third."""


def pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(inputs, outputs, 1)


def convolution(inputs: int, outputs: int, *, stride: int, groups: int = 1) -> nn.Module:
    """A 3x3 convolution; with stride 2 it pads below and right, as TensorFlow does for even sizes."""
    if stride == 1:
        return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)
    return nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(inputs, outputs, 3, stride, groups=groups))


class InvertedResidual(nn.Module):
    """1x1, depthwise, 1x1 without activation; a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        relu = nn.ReLU6(inplace=True)
        expand = [pointwise(inputs, inside), relu] if expansion > 1 else []
        filter_ = convolution(inside, inside, stride=stride, groups=inside)
        self.layers = nn.Sequential(*expand, filter_, relu, pointwise(inside, outputs))
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] -> [B, outputs, h / stride, w / stride]."""
        return x + self.layers(x) if self.shortcut else self.layers(x)


def level_blocks(inputs: int, stages: tuple[tuple[int, int, int, int], ...]) -> nn.Sequential:
    """The inverted residuals of one level."""
    blocks = []
    for channels, count, stride, expansion in stages:
        for i in range(count):
            blocks.append(InvertedResidual(inputs, channels, 1 if i else stride, expansion))
            inputs = channels
    return nn.Sequential(*blocks)


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3x3 without bias, 1x1 and ReLU."""
    filter_ = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
    return nn.Sequential(filter_, pointwise(inputs, outputs), nn.ReLU(inplace=True))


def head(outputs: int) -> nn.Sequential:
    """One of CenterNet's heads on the finest level of the pyramid."""
    return nn.Sequential(separable(PYRAMID_CHANNELS[0], HEAD_CHANNELS), pointwise(HEAD_CHANNELS, outputs))


class MoveNet(nn.Module):
    """The convolutional part of MoveNet multipose lightning, without the joints' heatmaps."""

    def __init__(self) -> None:
        super().__init__()
        relu = nn.ReLU6(inplace=True)
        self.stem = nn.Sequential(convolution(3, STEM_CHANNELS, stride=2), relu)
        widths = [stages[-1][0] for stages in LEVELS]
        self.levels = nn.ModuleList(map(level_blocks, [STEM_CHANNELS, *widths], LEVELS))
        self.top = nn.Sequential(
            pointwise(widths[-1], TOP_CHANNELS), relu, pointwise(TOP_CHANNELS, PYRAMID_CHANNELS[-1])
        )
        self.laterals = nn.ModuleList(map(pointwise, widths[:-1], PYRAMID_CHANNELS))
        narrower = (PYRAMID_CHANNELS[0], *PYRAMID_CHANNELS[:-1])
        self.mergers = nn.ModuleList(map(separable, PYRAMID_CHANNELS, narrower))
        self.center, self.scale, self.offset = head(1), head(2), head(2)
        self.keypoints = head(2 * JOINTS)

    def forward(self, images: Tensor) -> MoveNetOutput:
        """[B, 3, H, W] RGB in -1..1, sides divisible by 32 -> dense predictions at a quarter of the size."""
        x = self.stem(images)
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        x = self.top(x)
        for i in reversed(range(len(self.laterals))):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.mergers[i](x + self.laterals[i](features[i]))
        return MoveNetOutput(
            center=torch.sigmoid(self.center(x)),
            scale=self.scale(x),
            offset=self.offset(x),
            keypoints=self.keypoints(x),
        )


def normalise(images: Tensor) -> Tensor:
    """uint8 RGB values of any shape -> float32 in -1..1."""
    return images.float() * (2 / 255) - 1


def decode(
    output: MoveNetOutput, *, threshold: float = 0.2, limit: int = 6, overlap: float = 0.6
) -> list[Detections]:
    """The people of each picture in the batch.

    A person is a cell whose center score is the highest of its 3 x 3 neighbours and at least `threshold`. At
    most `limit` are kept, and of two boxes whose intersection over union is above `overlap` only the better.
    """
    center = output.center.float()
    peaks = torch.where(F.max_pool2d(center, 3, stride=1, padding=1) == center, center, 0)
    maps = torch.cat([output.offset, output.scale.clamp(min=0), output.keypoints], dim=1).float()
    width = center.shape[3]
    found = []
    for peak, values in zip(peaks.flatten(1), maps.flatten(2), strict=True):
        scores, cells = peak.topk(min(2 * limit, peak.numel()))
        cells = cells[scores >= threshold]
        yx = torch.stack([cells // width, cells % width], dim=1)
        person = values[:, cells].T
        middle, size = yx + person[:, :2], person[:, 2:4]
        boxes = torch.cat([middle - size / 2, middle + size / 2], dim=1)[:, [1, 0, 3, 2]] * STRIDE
        joints = (yx[:, None] + person[:, 4:].view(-1, JOINTS, 2)).flip(2) * STRIDE
        arrays = boxes.numpy(), scores[: len(cells)].numpy(), joints.numpy()
        kept = without_overlaps(arrays[0], overlap)[:limit]
        found.append(Detections(*(array[kept] for array in arrays)))
    return found


def without_overlaps(boxes: np.ndarray, overlap: float) -> list[int]:
    """Indices of (N, 4) boxes, best first, that meet no better kept one with a higher IoU than `overlap`."""
    kept: list[int] = []
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    for i, box in enumerate(boxes):
        others = boxes[kept]
        sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
        common = np.prod(sides.clip(min=0), axis=1)
        if (common <= overlap * (areas[i] + areas[kept] - common)).all():
            kept.append(i)
    return kept


def load_movenet(path: Path | None = None) -> MoveNet:
    """The network in float32, frozen, in eval mode and channels_last (a third faster on CPUs).

    `path` defaults to the shipped `assets/weights/movenet-multipose.safetensors`. Raises UserError when the
    file is missing or does not hold exactly these weights.
    """
    if path is None:
        path = Path(str(resources.files("assets"))) / "weights" / "movenet-multipose.safetensors"
    network = MoveNet()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(f"The weights of MoveNet multipose cannot be read from {path}.") from error
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)
