"""One process or many: what torchrun (or a cluster) says of this process, and the few exchanges needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is."""

    rank: int = 0
    world: int = 1
    local: int = 0
    """Number of the process on its machine: its graphics card."""

    @property
    def first(self) -> bool:
        """Whether this one writes files and talks."""
        return self.rank == 0


def ranks_of_environment() -> Ranks:
    """From RANK, WORLD_SIZE and LOCAL_RANK, as torchrun sets them; one process without them."""
    values = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
    if not (values[0].isdecimal() and values[1].isdecimal()):
        return Ranks()
    return Ranks(int(values[0]), int(values[1]), int(values[2]) if values[2].isdecimal() else 0)


@contextmanager
def process_group(ranks: Ranks, device: torch.device, patience: timedelta | None = None) -> Iterator[None]:
    """The connection between the processes while it is open; nothing for one process.

    device: this process's own; a graphics card also becomes what torch calls "cuda" here. patience: how long
    one process waits for another; torch's own half an hour if left out.
    """
    if ranks.world == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # Objects are gathered over the current card, the first one if not set.
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=patience)
    try:
        yield
    finally:
        dist.destroy_process_group()


def gather(value: T, ranks: Ranks) -> list[T]:
    """Every process's value, in the order of their ranks, on every process."""
    if ranks.world == 1:
        return [value]
    values: list[T | None] = [None] * ranks.world
    dist.all_gather_object(values, value)
    return [each for each in values if each is not None]


def mean_over(values: dict[str, float], ranks: Ranks) -> dict[str, float]:
    """The mean of every process's numbers, by name."""
    if ranks.world == 1:
        return values
    gathered = gather(values, ranks)
    return {name: sum(each[name] for each in gathered) / ranks.world for name in values}


def shared_mean(value: torch.Tensor) -> torch.Tensor:
    """The mean of a plain number over all processes, without a gradient."""
    value = value.detach().clone()
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(value)
        value /= dist.get_world_size()
    return value
