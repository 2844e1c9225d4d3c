"""Teach a lifter landmarks without pictures, thousands of bodies a second, before a run begins."""

from __future__ import annotations

from pathlib import Path

import torch
from tqdm import tqdm

from model.body import BodyModel
from model.data.landmarks import LandmarkGenerator
from model.hierarchy import Hierarchy
from model.lifter import Lifter
from model.losses import LiteLoss
from model.training.curves import Curves

BATCH = 128
RATE = 1e-3
REPORT_STEPS = 250


def pretrain(
    lifter: Lifter,
    loss: LiteLoss,
    motion: Path,
    body: BodyModel,
    hierarchy: Hierarchy,
    curves: Curves,
    *,
    steps: int,
    bodies: int,
    seed: int,
) -> None:
    """In place, over landmarks of the poses in `motion`. Raises UserError when the file is unusable."""
    generator = LandmarkGenerator(motion, body, hierarchy, bodies=bodies, seed=seed)
    optimizer = torch.optim.AdamW(lifter.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    for step in tqdm(range(steps), desc="lifter", mininterval=5, disable=not curves.active):
        landmarks, batch = generator.batch(BATCH)
        terms = loss.first_terms(lifter(landmarks), batch)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        schedule.step()
        if step % REPORT_STEPS == 0 or step == steps - 1:
            curves.numbers(step, "lifter", {name: value.item() for name, value in terms.items()})
