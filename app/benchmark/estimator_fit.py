"""Trains the estimate of the error, and finds the threshold on crops that it has not seen."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from app.pipeline.error_estimate import CUT, UNIT, ErrorEstimator

MEMBERS, FOLDS, FOLD_MEMBERS = 4, 4, 2
HIDDEN = (64, 32)
DROPOUT, DECAY, RATE = 0.3, 0.02, 3e-3
EPOCHS, BATCH = 25, 128
RANGE = (30.0, 300.0)
"""Millimetres between which errors are told apart."""
CONSTANT = 1e-3
"""An input that varies by less is left out: its last digits differ from engine to engine."""
BROKEN_WEIGHT = 0.5
"""Of the second thing that is learnt beside the error: whether it is over the limit."""


def train_estimator(
    inputs: np.ndarray, errors: np.ndarray, broken_mm: float, sha256: str, members: int = MEMBERS
) -> ErrorEstimator:
    """inputs: (M, N), NaN where unknown; errors: (M,) mm. The same rows give the same estimator."""
    mean = np.nanmean(inputs, axis=0)
    deviation = np.nanstd(inputs, axis=0)
    deviation = np.where(deviation < CONSTANT, np.inf, deviation)
    scores = np.clip(np.nan_to_num((inputs - mean) / deviation), -CUT, CUT).astype(np.float32)
    logs = np.log(np.clip(errors, *RANGE) / UNIT).astype(np.float32)
    trained = [_train(scores, logs, errors > broken_mm, seed) for seed in range(members)]
    layers = tuple(np.stack(parts) for parts in zip(*trained, strict=True))
    return ErrorEstimator(sha256, mean.astype(np.float32), deviation.astype(np.float32), layers)


def held_out_estimates(
    inputs: np.ndarray, errors: np.ndarray, groups: np.ndarray, broken_mm: float
) -> np.ndarray:
    """(M,) mm, each by an estimator that has not seen its group.

    groups: (M,) int, crops of one picture stay together.
    """
    result = np.zeros(len(errors))
    for fold in range(FOLDS):
        mine = groups % FOLDS == fold
        if mine.any():
            other = train_estimator(inputs[~mine], errors[~mine], broken_mm, "", FOLD_MEMBERS)
            result[mine] = other.millimetres(inputs[mine])
    return result


def _train(scores: np.ndarray, logs: np.ndarray, broken: np.ndarray, seed: int) -> list[np.ndarray]:
    """One member: weight (in, out) and bias of each layer, the last one for the error alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = HIDDEN
        linear = [nn.Linear(scores.shape[1], first), nn.Linear(first, second), nn.Linear(second, 2)]
        network = nn.Sequential(
            nn.Dropout(DROPOUT / 2), linear[0], nn.GELU(approximate="tanh"),
            nn.Dropout(DROPOUT), linear[1], nn.GELU(approximate="tanh"),
            nn.Dropout(DROPOUT), linear[2],
        )  # fmt: skip
        x, y, over = (torch.from_numpy(array) for array in (scores, logs, broken.astype(np.float32)))
        _optimise(network, x, y, over, seed)
    arrays = [array.detach().numpy() for one in linear for array in (one.weight.T.contiguous(), one.bias)]
    return [*arrays[:4], arrays[4][:, :1], arrays[5][:1]]


def _optimise(
    network: nn.Module, x: torch.Tensor, logs: torch.Tensor, broken: torch.Tensor, seed: int
) -> None:
    """Squared error of the logarithm, and cross-entropy of being broken."""
    batches = max(1, len(x) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * batches)
    order = torch.Generator().manual_seed(seed)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=order)[: batches * BATCH].chunk(batches):
            told = network(x[rows])
            loss = 4 * ((told[:, 0] - logs[rows]) ** 2).mean()
            loss = loss + BROKEN_WEIGHT * nn.functional.binary_cross_entropy_with_logits(
                told[:, 1], broken[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
