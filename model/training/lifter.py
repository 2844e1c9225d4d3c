"""Teach a lifter landmarks, a hundred bodies a step, before a run begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.data.sample import Batch
from model.lifter import Lifter
from model.losses import LiteLoss
from model.training.curves import Curves

Source = Callable[[int], tuple[Tensor, Batch]]
"""So many landmarks [B, L, 8] with the bodies that they belong to, such as `LandmarkGenerator.batch`."""

BATCH = 128
RATE = 1e-3
REPORT_STEPS = 250


def pretrain(lifter: Lifter, loss: LiteLoss, source: Source, curves: Curves, steps: int) -> None:
    """In place, over what the source gives."""
    optimizer = torch.optim.AdamW(lifter.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    for step in tqdm(range(steps), desc="lifter", mininterval=5, disable=not curves.active):
        landmarks, batch = source(BATCH)
        terms = loss.first_terms(lifter(landmarks), batch)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        schedule.step()
        if step % REPORT_STEPS == 0 or step == steps - 1:
            curves.numbers(step, "lifter", {name: value.item() for name, value in terms.items()})


def source_of_pictures(landmarks: Tensor, bodies: Batch, seed: int) -> Source:
    """Draws from the landmarks [N, L, 8] that were found in labelled pictures."""
    rng = np.random.default_rng(seed)

    def draw(size: int) -> tuple[Tensor, Batch]:
        chosen = torch.from_numpy(rng.integers(0, len(landmarks), size))
        rows = [tensor[chosen] for tensor in bodies[1:]]
        return landmarks[chosen], Batch(torch.empty(0), *rows)

    return draw
