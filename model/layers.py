"""Building blocks: residual blocks, position encodings, point-guided sampling."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up around a skip; starts close to the identity."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        self.body = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1, bias=False),
            last,
        )
        nn.init.constant_(last.weight, 0.3)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, H, W] -> the same shape."""
        return F.relu(x + self.body(x))


class ShuffledTrunk(nn.Module):
    """A decoder that works at half its input's resolution: 3x3 convolutions there cost a quarter."""

    def __init__(
        self, channels_in: int, channels: int, hidden: int, blocks: int, channels_out: int, finer: int = 2
    ) -> None:
        """finer: how many times finer than the decoder works its output is; 2 is the input's resolution."""
        super().__init__()
        self.finer = finer
        self.stem = nn.Sequential(
            nn.Conv2d(4 * channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.blocks = nn.Sequential(*[Bottleneck(channels, hidden) for _ in range(blocks)])
        self.head = nn.Conv2d(channels, finer**2 * channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] -> [B, channels_out, H / 2 * finer, W / 2 * finer]; H and W even."""
        y = self.head(self.blocks(self.stem(F.pixel_unshuffle(x, 2))))
        return F.pixel_shuffle(y, self.finer)


class Standardize(nn.Module):
    """Fixed per-channel standardisation of frozen features."""

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, limit: float = 6.0) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))

    @torch.no_grad()
    def measure(self, x: Tensor, floor: float = 0.05) -> None:
        """Take mean and deviation from a batch [B, channels, H, W]."""
        self.mean.copy_(x.mean((0, 2, 3))[:, None, None])
        self.std.copy_(x.std((0, 2, 3))[:, None, None] + floor)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, H, W] -> the same shape, within +-limit deviations."""
        return ((x - self.mean) / self.std).clamp(-self.limit, self.limit)


class Interpolation(nn.Module):
    """A fixed sparse matrix times a mesh, as a weighted gather: few entries a row, no beta features."""

    index: Tensor
    weight: Tensor

    def __init__(self, matrix: sp.csr_matrix) -> None:
        super().__init__()
        counts = np.diff(matrix.indptr)
        row = np.repeat(np.arange(len(counts)), counts)
        column = np.arange(matrix.nnz) - matrix.indptr[row]
        index = np.zeros((len(counts), counts.max()), np.int64)
        weight = np.zeros(index.shape, np.float32)
        index[row, column] = matrix.indices
        weight[row, column] = matrix.data
        self.register_buffer("index", torch.from_numpy(index), persistent=False)
        self.register_buffer("weight", torch.from_numpy(weight), persistent=False)

    def forward(self, points: Tensor) -> Tensor:
        """[B, columns, 3] -> [B, rows, 3]."""
        batch, columns, _ = points.shape
        table = points.transpose(0, 1).reshape(columns, 3 * batch)
        rows = F.embedding_bag(self.index, table, mode="sum", per_sample_weights=self.weight.to(table.dtype))
        return rows.view(-1, batch, 3).transpose(0, 1)


def sine_positions(
    size: int, width: int, *, scale: float = 2 * math.pi, temperature: float = 10000.0
) -> Tensor:
    """DETR's normalised sine position encoding of a square grid: [size * size, width].

    Half of the features for y, then half for x; sine and cosine alternate. Positions run over (0, scale].
    """
    position = torch.arange(1, size + 1, dtype=torch.float32) / (size + 1e-6) * scale
    feature = torch.arange(width // 2, dtype=torch.float32)
    frequency = temperature ** (2 * (feature // 2) / (width // 2))
    angle = position[:, None] / frequency
    code = torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], dim=2).flatten(1)
    y = code[:, None].expand(size, size, -1)
    x = code[None].expand(size, size, -1)
    return torch.cat([y, x], dim=2).reshape(size * size, width)


def sample_points(logits: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Point-guided sampling (paper, section 3.2): the mean feature under each vertex's heatmap.

    logits: [B, V, P] over P positions; features: [B, P, D].
    Returns heatmaps [B, V, P] that sum to one, and vertex tokens [B, V, D].
    """
    heatmaps = torch.softmax(logits, dim=-1)
    return heatmaps, torch.bmm(heatmaps, features)


class SamplePointsWithLoss(torch.autograd.Function):
    """`sample_points` and the cross-entropy of the heatmaps in one node.

    Softmax, sampling and loss share one [B, V, P] array forwards and backwards, which saves several
    passes over the largest tensor of the network.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        logits: Tensor,
        features: Tensor,
        cells: Tensor,
        mass: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """cells, mass: [B, V, K] int64 target positions and their shares. Returns tokens, loss [B, V]."""
        heatmaps, tokens = sample_points(logits, features)
        loss = -(mass * torch.log(heatmaps.gather(2, cells).float() + 1e-12)).sum(-1)
        ctx.save_for_backward(heatmaps, features, cells, mass, tokens)
        return tokens, loss

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, d_tokens: Tensor, d_loss: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        """Softmax backward with both gradients gathered in place."""
        heatmaps, features, cells, mass, tokens = ctx.saved_tensors  # type: ignore[attr-defined]
        d_tokens = d_tokens.to(heatmaps.dtype)
        d_heatmaps = torch.bmm(d_tokens, features.transpose(1, 2))
        centre = (d_tokens.float() * tokens.float()).sum(-1) - d_loss * mass.sum(-1)
        d_heatmaps.sub_(centre[..., None].to(d_heatmaps.dtype)).mul_(heatmaps)
        d_heatmaps.scatter_add_(2, cells, (-d_loss[..., None] * mass).to(d_heatmaps.dtype))
        return d_heatmaps, torch.bmm(heatmaps.transpose(1, 2), d_tokens), None, None
