"""The one trainer: one process or many, resumable exactly, whatever the recipe.

Sample number k is the same in every run; process r of R takes its share of each step's samples. Random
numbers inside the network are seeded by step, so that a run that was killed goes on as if it had not been.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from model.data.catalogue import distinct
from model.data.sample import Batch, Dataset
from model.data.stream import errors_of_workers
from model.errors import UserError
from model.evaluation.measure import measure
from model.evaluation.worst import worst, write_sheet
from model.machine import cpu_has_bfloat16
from model.paths import write_atomically
from model.pointhmr import PointHMR
from model.training.checkpoints import BEST, WEIGHTS, load_checkpoint_of, save_checkpoint, save_network
from model.training.curves import Curves
from model.training.distributed import Ranks, gather, mean_over, process_group, ranks_of_environment
from model.training.recipe import AUGMENTATIONS, Recipe
from model.training.setup import (
    Scene,
    begin,
    load_scene,
    make_optimizer,
    make_step,
    make_stream,
    open_sets,
    run_manifest,
)
from model.training.sync_norm import synchronise

logger = logging.getLogger(__name__)

REPORT_STEPS = 10
WORST = 8


class Run:
    """One run from its first step, or from its last checkpoint, to its end."""

    def __init__(
        self, recipe: Recipe, output: Path, ranks: Ranks, device: torch.device, scene: Scene | None = None
    ) -> None:
        self.recipe, self.output, self.ranks, self.device = recipe, output, ranks, device
        self.scene = scene or load_scene(recipe)
        self.step_module = make_step(recipe, self.scene)
        self.network = self.step_module.network
        self.stream, samples = make_stream(recipe, self.scene, self.network.config.image_size)
        sets = open_sets(recipe.validation, self.scene, recipe.seed)
        self.validation = dict(zip(distinct([dataset.name for dataset in sets]), sets, strict=True))
        self.epoch_steps = max(1, (recipe.epoch_samples or samples) // (recipe.batch_size * ranks.world))
        self.steps = self.epoch_steps * recipe.epochs
        self.curves = Curves(output, active=ranks.first)
        self.best = float("inf")
        state = self._resume()
        self.start = int(state["step"]) if state is not None else 0
        if ranks.world > 1 and recipe.sync_bn:
            synchronise(self.network, device)
        self.step_module.to(device)
        self.step_module.accelerate(
            recipe.batch_size // recipe.accumulate, compiled=recipe.compile and ranks.world == 1
        )
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False) if recipe.ema else None
        self.optimizer = make_optimizer(recipe, self.network)
        self.half = recipe.amp and (device.type == "cuda" or cpu_has_bfloat16())
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.half and device.type == "cuda")
        if state is not None:
            self._restore(state)
        self.parallel: torch.nn.Module = self.step_module
        if ranks.world > 1:
            cards = [ranks.local] if device.type == "cuda" else None
            self.parallel = DistributedDataParallel(
                self.step_module, device_ids=cards, find_unused_parameters=True
            )

    def _resume(self) -> dict[str, Any] | None:
        """What the last checkpoint holds beside the weights; a new run is prepared and described.

        Raises UserError where the processes found different ones.
        """
        state = load_checkpoint_of(self.output, self.network)
        starts = gather(0 if state is None else int(state["step"]), self.ranks)
        if len(set(starts)) > 1:
            raise UserError(f"The run folder {self.output} must be one that all machines see.")
        if state is not None:
            logger.info("resumed at step %d", state["step"])
            return state
        begin(self.step_module, self.recipe, self.scene, self.stream, self.curves)
        if self.ranks.first:
            text = json.dumps(run_manifest(self.recipe, self.scene, self.ranks.world), indent=1)
            write_atomically(self.output / "run.json", lambda file: file.write_text(text + "\n"))
        return None

    def _restore(self, state: dict[str, Any]) -> None:
        """Raises UserError for a state of another recipe."""
        try:
            self.best = float(state["best"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"])
            if self.averaged is not None:
                self.averaged.load_state_dict(state["averaged"])
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise UserError(
                f"The run in {self.output} cannot be resumed: it was made with other settings."
            ) from error

    @property
    def result(self) -> PointHMR:
        """The network that is evaluated and kept: the average where the recipe averages."""
        return self.network if self.averaged is None else self.averaged

    def run(self) -> list[float]:
        """Train to the end (or to `stop_after`), evaluating and saving on the way; each step's loss."""
        recipe = self.recipe
        end = min(self.steps, recipe.stop_after or self.steps)
        batches = self._batches()
        losses: list[float] = []
        shown = self.ranks.first and sys.stderr.isatty()
        bar = tqdm(total=self.steps, initial=self.start, unit=" steps", disable=not shown, mininterval=2)
        for step in range(self.start, end):
            terms = self.train_step(step, [next(batches) for _ in range(recipe.accumulate)])
            losses.append(sum(terms.values()))
            bar.update()
            bar.set_postfix(loss=f"{losses[-1]:.3f}")
            done = step + 1
            if done % REPORT_STEPS == 0 or done == end:
                self.curves.numbers(done, "loss", terms | {"all": losses[-1], "rate": self.rate(step)})
            if done % (self.epoch_steps * recipe.evaluate_epochs) == 0 or done == self.steps:
                self.evaluate(done)
            if done % recipe.checkpoint_steps == 0 or done == end:
                self.save(done)
        bar.close()
        self.curves.close()
        return losses

    def _batches(self) -> Iterator[Batch]:
        """This process's parts of each step's samples, one after the other."""
        recipe, ranks = self.recipe, self.ranks
        part = recipe.batch_size // recipe.accumulate
        first = self.start * recipe.accumulate
        return self.stream.shared_batches(first, part, ranks.rank, ranks.world, recipe.workers)

    def rate(self, step: int) -> float:
        """The learning rate of a step: constant and then lower, or along half a cosine."""
        recipe = self.recipe
        done = step / self.steps
        if recipe.schedule == "cosine":
            factor = recipe.drop_to + (1 - recipe.drop_to) / 2 * (1 + math.cos(math.pi * done))
        else:
            factor = recipe.drop_to if done >= recipe.drop_at else 1.0
        warm = min(1.0, (step + 1) / recipe.warm_up) if recipe.warm_up else 1.0
        return recipe.learning_rate * factor * warm

    def train_step(self, step: int, parts: list[Batch]) -> dict[str, float]:
        """One step of the optimizer over the parts of a batch; the mean terms over all processes."""
        self.parallel.train()
        torch.manual_seed(hash((self.recipe.seed, step, self.ranks.rank)) & 0x7FFFFFFF)
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self.rate(step)
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for number, batch in enumerate(parts):
            last = number == len(parts) - 1
            with self._unshared(last):
                terms = self._terms(batch)
                loss = torch.stack(list(terms.values())).sum() / len(parts)
                self.scaler.scale(loss).backward()
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(parts)
        self._update(step)
        self._average(step)
        return mean_over(sums, self.ranks)

    def _unshared(self, last: bool) -> contextlib.AbstractContextManager[object]:
        """Gradients are exchanged once a step, with the last part."""
        if last or not isinstance(self.parallel, DistributedDataParallel):
            return contextlib.nullcontext()
        return self.parallel.no_sync()

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        moved = Batch(*(tensor.to(self.device, non_blocking=True) for tensor in batch))
        kind = torch.bfloat16 if self.device.type == "cpu" else torch.float16
        with torch.autocast(self.device.type, kind, enabled=self.half):
            terms: dict[str, Tensor] = self.parallel(moved)
        return terms

    def _update(self, step: int) -> None:
        self.scaler.unscale_(self.optimizer)
        trained = [p for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(trained, self.recipe.clip or float("inf"))
        if bool(torch.isfinite(norm)) or self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
        else:
            logger.warning("step %d left out: its gradient is not finite", step)
        self.scaler.update()

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Move the averaged network towards the trained one, faster at the beginning.

        So do the statistics of batch normalisation: those of the trained one tell of its last ten batches.
        """
        if self.averaged is None or self.recipe.ema is None:
            return
        decay = min(self.recipe.ema, (2 + step) / (11 + step))
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        trained = [(mine, theirs) for mine, theirs in pairs if theirs.requires_grad]
        torch._foreach_lerp_([mine for mine, _ in trained], [theirs for _, theirs in trained], 1 - decay)
        for mine, theirs in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)

    def evaluate(self, step: int) -> dict[str, float]:
        """Errors on each validation set, the curves, the worst pictures; keeps the best network."""
        errors = {name: self._evaluate_on(name, dataset, step) for name, dataset in self.validation.items()}
        known = [error for error in errors.values() if np.isfinite(error)]  # A set may be without 3D.
        mean = float(np.mean(known)) if known else float("nan")
        if self.ranks.first and mean < self.best:
            save_network(self.output / BEST, self.result, self.scene.body_name)
        self.best = min(self.best, mean) if np.isfinite(mean) else self.best
        return errors

    def _evaluate_on(self, name: str, dataset: Dataset, step: int) -> float:
        """Mean MPJPE over (a part of) a set."""
        recipe = self.recipe
        upright = AUGMENTATIONS[recipe.augmentation].upright
        (row,) = measure(
            self.result,
            self.scene.bodies.neutral,
            dataset,
            [self.network.config.hops],
            limit=recipe.evaluate_limit,
            batch_size=recipe.batch_size // recipe.accumulate,
            upright=upright,
            ranks=self.ranks,
            backbone=self.step_module.maps if recipe.freeze_backbone else None,
        )
        means = row.means()
        self.curves.numbers(step, name, means)
        if self.ranks.first:
            path = self.output / f"worst-{name}.png"
            size = self.network.config.image_size
            sheet = write_sheet(path, dataset, worst(row.pictures, WORST), size, upright=upright)
            if sheet is not None:
                self.curves.picture(step, f"worst/{name}", sheet)
        return means.get("mpjpe", float("nan"))

    def save(self, step: int) -> None:
        """The last checkpoint, by the first process; an average also as a file to use and to ship."""
        if not self.ranks.first:
            return
        state = {
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best": self.best,
        }
        if self.averaged is not None:
            state["averaged"] = self.averaged.state_dict()
            save_network(self.output / WEIGHTS, self.averaged, self.scene.body_name, compact=True)
        save_checkpoint(self.output, step, self.network, self.scene.body_name, state)


def train_recipe(
    recipe: Recipe, output: Path, device: torch.device | None = None, scene: Scene | None = None
) -> list[float]:
    """Run or resume a recipe in a folder, on all processes that torchrun started; each step's loss."""
    ranks = ranks_of_environment()
    if device is None:
        device = torch.device("cuda", ranks.local) if torch.cuda.is_available() else torch.device("cpu")
    with process_group(ranks, device), errors_of_workers():
        return Run(recipe, output, ranks, device, scene).run()
