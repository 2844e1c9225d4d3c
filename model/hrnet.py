"""HRNet-W32 without its classification head: the backbone of the published PointHMR.

Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition" (TPAMI 2020). Module names
are those of the official release, so that released weights load strictly. 29,305,536 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

BN_MOMENTUM = 0.1
WIDTH = 32
BLOCKS_PER_BRANCH = 4
MODULES_OF_STAGE = {2: 1, 3: 4, 4: 3}


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution without bias that keeps the size (at stride 1), and its batch norm."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, momentum=BN_MOMENTUM),
    ]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a skip; a 1x1 convolution on the skip where the channels change."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(inputs, outputs)
        self.conv2, self.bn2 = conv_bn(outputs, outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(*conv_bn(inputs, outputs, 1)) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H, W]."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions (the last four times as wide) beside a skip."""

    expansion = 4

    def __init__(self, inputs: int, planes: int) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1, self.bn1 = conv_bn(inputs, planes, 1)
        self.conv2, self.bn2 = conv_bn(planes, planes)
        self.conv3, self.bn3 = conv_bn(planes, outputs, 1)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(*conv_bn(inputs, outputs, 1)) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, 4 * planes, H, W]."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + self.downsample(x))


class HighResolutionModule(nn.Module):
    """Four basic blocks on each branch, then every branch becomes a sum of all branches."""

    def __init__(self, channels: Sequence[int]) -> None:
        """`channels` of each branch; branch i has 1/2^i of the first branch's side."""
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(c, c) for _ in range(BLOCKS_PER_BRANCH))) for c in channels
        )
        count = range(len(channels))
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_exchange(channels, source=j, target=i) for j in count) for i in count
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """Branches [B, C_i, H / 2^i, W / 2^i] in, the same shapes out."""
        inner = [branch(x) for branch, x in zip(self.branches, branches, strict=True)]
        fused = []
        for row in self.fuse_layers:
            assert isinstance(row, nn.ModuleList)
            terms = [layer(x) for layer, x in zip(row, inner, strict=True)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            fused.append(self.relu(total))
        return fused


def _exchange(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """What carries branch `source` to the channels and the size of branch `target`."""
    if source == target:
        return nn.Identity()
    if source > target:
        upsample = nn.Upsample(scale_factor=2.0 ** (source - target), mode="nearest")
        return nn.Sequential(*conv_bn(channels[source], channels[target], 1), upsample)
    steps: list[nn.Module] = []
    for branch in range(source + 1, target + 1):
        if branch < target:
            layers = [*conv_bn(channels[source], channels[source], stride=2), nn.ReLU(inplace=True)]
        else:
            layers = conv_bn(channels[source], channels[target], stride=2)
        steps.append(nn.Sequential(*layers))
    return nn.Sequential(*steps)


def _transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """Layers from the branches of one stage to those of the next, which has one more at half the side."""
    layers = nn.ModuleList()
    for old, new in zip(before, after, strict=False):
        same = nn.Identity()
        layers.append(same if old == new else nn.Sequential(*conv_bn(old, new), nn.ReLU(inplace=True)))
    halve = nn.Sequential(*conv_bn(before[-1], after[-1], stride=2), nn.ReLU(inplace=True))
    layers.append(nn.Sequential(halve))
    return layers


def _enter(transition: nn.ModuleList, branches: list[Tensor]) -> list[Tensor]:
    """Applies a transition; the new, last branch grows out of the lowest one there is."""
    return [layer(branches[min(i, len(branches) - 1)]) for i, layer in enumerate(transition)]


class HRNet(nn.Module):
    """HRNet-W32; every module of every stage keeps all its branches, as in the released PointHMR."""

    high_channels = WIDTH
    low_channels = WIDTH * 8

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, stride=2)
        self.conv2, self.bn2 = conv_bn(64, 64, stride=2)
        self.relu = nn.ReLU(inplace=True)
        wide = 64 * Bottleneck.expansion
        self.layer1 = nn.Sequential(Bottleneck(64, 64), *(Bottleneck(wide, 64) for _ in range(3)))
        channels = [WIDTH * 2**i for i in range(4)]
        self.transition1 = _transition([wide], channels[:2])
        self.stage2 = self._stage(2, channels[:2])
        self.transition2 = _transition(channels[:2], channels[:3])
        self.stage3 = self._stage(3, channels[:3])
        self.transition3 = _transition(channels[:3], channels)
        self.stage4 = self._stage(4, channels)

    @staticmethod
    def _stage(number: int, channels: Sequence[int]) -> nn.Sequential:
        return nn.Sequential(*(HighResolutionModule(channels) for _ in range(MODULES_OF_STAGE[number])))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 3, H, W], normalised -> first and last branch, [B, 32, H/4, W/4] and [B, 256, H/32, W/32]."""
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.relu(self.bn2(self.conv2(x)))
        branches = [self.layer1(x)]
        branches = self.stage2(_enter(self.transition1, branches))
        branches = self.stage3(_enter(self.transition2, branches))
        branches = self.stage4(_enter(self.transition3, branches))
        return branches[0], branches[-1]
