"""The masked transformer: pre-norm layers whose vertex-to-vertex attention stops at a hop distance."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from model.config import Hops
from model.hierarchy import Hierarchy


class SelfAttention(nn.Module):
    """Multi-head self-attention by plain matrix products.

    On CPUs this is faster backwards than torch's fused attention, and the weights can be looked at.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{width} features cannot be shared by {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """x: [B, N, width]; mask: [N, N], added to the logits. Returns x's shape, weights [B, h, N, N]."""
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        logits = (q * (width // self.heads) ** -0.5) @ k.transpose(2, 3)
        if mask is not None:
            logits += mask.to(logits.dtype)
        weights = torch.softmax(logits, dim=-1)
        mixed = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(batch, tokens, width)
        return self.out(mixed), weights


class EncoderLayer(nn.Module):
    """Pre-norm: attention, then a two-layer feed-forward, each around a skip."""

    def __init__(
        self, width: int, heads: int, feedforward: int, activation: Literal["relu", "gelu"], dropout: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, feedforward)
        self.linear2 = nn.Linear(feedforward, width)
        self.activation: nn.Module = nn.ReLU() if activation == "relu" else nn.GELU(approximate="tanh")
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """[B, N, width] -> the same shape, and the attention weights [B, heads, N, N]."""
        mixed, weights = self.attention(self.norm1(x), mask)
        x = x + self.dropout(mixed)
        hidden = self.dropout(self.activation(self.linear1(self.norm2(x))))
        return x + self.dropout(self.linear2(hidden)), weights


class Encoder(nn.Module):
    """Layers that share one mask, with a norm at the end where the paper has one."""

    def __init__(
        self,
        width: int,
        heads: int,
        feedforward: int,
        layers: int,
        *,
        activation: Literal["relu", "gelu"] = "relu",
        dropout: float = 0.1,
        norm: bool,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, feedforward, activation, dropout) for _ in range(layers)
        )
        self.norm: nn.Module = nn.LayerNorm(width) if norm else nn.Identity()

    def forward(
        self, x: Tensor, mask: Tensor | None, *, attention: bool = False
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """[B, N, width] -> the same shape, and each layer's attention weights [B, heads, N, N] if asked for.

        Unless asked for, the weights of a layer are let go before the next one starts.
        """
        captured: tuple[Tensor, ...] = ()
        for layer in self.layers:
            x, weights = layer(x, mask)
            if attention:
                captured += (weights,)
            del weights
        return self.norm(x), captured


class HopMasks:
    """Additive masks by hop threshold, each made once and kept.

    Vertices are the last tokens. Only vertex-to-vertex pairs are masked: camera, grid, landmark and joint
    tokens see everything and are seen by all (paper, section 3.3).
    """

    def __init__(self, hierarchy: Hierarchy, num_tokens: int) -> None:
        self._hierarchy = hierarchy
        self._num_tokens = num_tokens
        self._masks: dict[tuple[int, torch.device], Tensor] = {}

    def get(self, threshold: int | None, device: torch.device) -> Tensor | None:
        """[N, N] float32: 0 where attention is allowed, -inf elsewhere; None when nothing is masked."""
        if threshold is None or threshold >= self._hierarchy.diameter:
            return None
        key = (threshold, device)
        if key not in self._masks:
            vertices = self._hierarchy.num_coarse
            mask = torch.zeros(self._num_tokens, self._num_tokens)
            mask[-vertices:, -vertices:][~torch.from_numpy(self._hierarchy.allowed(threshold))] = -math.inf
            self._masks[key] = mask.to(device)
        return self._masks[key]

    def for_hops(self, hops: Hops, device: torch.device) -> list[Tensor | None]:
        """One mask per encoder."""
        return [self.get(threshold, device) for threshold in hops]


def scaled_linear(linear: nn.Linear, std: float) -> nn.Linear:
    """Re-initialise a linear layer with small normal weights and no bias."""
    nn.init.normal_(linear.weight, std=std)
    nn.init.zeros_(linear.bias)
    return linear
