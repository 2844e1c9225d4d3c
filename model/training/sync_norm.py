"""Batch norms that share their statistics between processes, on graphics cards and on CPUs."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class CpuSyncBatchNorm(nn.BatchNorm2d):
    """torch's own SyncBatchNorm refuses CPU tensors; this one knows plain sums only."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same shape, normalised by all processes' statistics while training."""
        if not (self.training and dist.is_initialized()):
            return super().forward(x)
        count = torch.full((1,), float(x.numel() // x.shape[1]))
        sums = torch.cat([x.sum((0, 2, 3)), (x * x).sum((0, 2, 3)), count])
        total, squares, count = all_reduce(sums).split([x.shape[1], x.shape[1], 1])
        mean = total / count
        variance = (squares / count - mean * mean).clamp(min=0)
        self._remember(mean.detach(), variance.detach(), float(count))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]

    def _remember(self, mean: Tensor, variance: Tensor, count: float) -> None:
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        momentum = 0.1 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / max(count - 1, 1)), momentum)
        self.num_batches_tracked += 1


def synchronise(network: nn.Module, device: torch.device) -> None:
    """Make every batch norm of the network share its statistics, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, _synced(child, device))
        else:
            synchronise(child, device)


def _synced(norm: nn.BatchNorm2d, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    synced = CpuSyncBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine)
    synced.load_state_dict(norm.state_dict())
    for mine, theirs in zip(synced.parameters(), norm.parameters(), strict=True):
        mine.requires_grad_(theirs.requires_grad)
    return synced.train(norm.training)
