"""Errors of every picture of a set, under one or more mask settings, on one process or shared by many.

The backbone runs once a picture whatever the number of mask settings. Every process measures every n-th
picture; what they found is put in the set's order before means are taken, so that sharing changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from tqdm import tqdm

from model.body import BodyModel
from model.config import Hops
from model.data.sample import Dataset, Sample
from model.decoders import BackboneMaps
from model.errors import UserError
from model.evaluation.picture import Measured, errors_of
from model.evaluation.predict import ONE_VIEW, Predictor, Views, Yardsticks
from model.metrics import acceleration_errors
from model.pointhmr import PointHMR
from model.training.distributed import Ranks, gather

logger = logging.getLogger(__name__)

LONG = 500
"""Pictures from which a progress bar is shown."""


@dataclass(frozen=True)
class Row:
    """A set under one mask setting."""

    hops: Hops
    pictures: list[Measured]
    left_out: int

    def means(self, kind: str | None = None) -> dict[str, float]:
        """By metric, over the pictures of a kind (None: all) that have it.

        PCK is over all joints, acceleration over all clips.
        """
        chosen = [picture for picture in self.pictures if kind is None or kind in picture.kinds]
        result = {}
        for name in dict.fromkeys(name for picture in chosen for name in picture.errors):
            known = [picture.errors[name] for picture in chosen if name in picture.errors]
            result[name] = float(np.mean(known))
        for name in dict.fromkeys(name for picture in chosen for name in picture.hits):
            near, counted = np.sum([picture.hits.get(name, (0, 0)) for picture in chosen], axis=0)
            if counted:
                result[name] = float(near / counted)
        moving = acceleration_errors(
            [(p.sequence, p.frame, p.joints, p.target) for p in chosen if "mpjpe" in p.errors]
        )
        if len(moving):
            result["acceleration"] = float(moving.mean())
        return result

    def kinds(self) -> dict[str, int]:
        """How many pictures there are of each kind, in the order of its first picture."""
        found: dict[str, int] = {}
        for picture in self.pictures:
            for kind in picture.kinds:
                found[kind] = found.get(kind, 0) + 1
        return found


def measure(
    network: PointHMR,
    body: BodyModel,
    dataset: Dataset,
    masks: Sequence[Hops],
    *,
    limit: int | None = None,
    batch_size: int = 16,
    upright: bool = False,
    views: Views = ONE_VIEW,
    mirror: bool = False,
    ranks: Ranks | None = None,
    backbone: Callable[[Tensor], BackboneMaps] | None = None,
    yardsticks: Yardsticks | None = None,
) -> list[Row]:
    """One row a mask setting. A picture that its dataset refuses is reported, counted and left out.

    upright: turn people upright first, as the embedded model wants it. views: test-time augmentation.
    mirror: answer the mean of each view and its mirror image.
    backbone: a faster one for full batches. yardsticks: landmark networks, measured on the same crops.
    """
    ranks = ranks or Ranks()
    count = min(len(dataset), limit or len(dataset))
    mine = range(ranks.rank, count, ranks.world)
    predict = Predictor(
        network,
        body,
        upright=upright,
        views=views,
        mirror=mirror,
        backbone=backbone,
        full_batch=batch_size,
        yardsticks=yardsticks,
    )
    training = network.training
    network.eval()
    found: list[list[Measured]] = [[] for _ in masks]
    left_out = 0
    quiet = not ranks.first or len(mine) < LONG
    for start in tqdm(range(0, len(mine), batch_size), desc=dataset.name, unit=" batches", disable=quiet):
        chosen = mine[start : start + batch_size]
        samples = {index: sample for index in chosen for sample in _readable(dataset, index)}
        left_out += len(chosen) - len(samples)
        if samples:
            rows = predict(list(samples.values()), masks)
            for row, predictions in zip(found, rows, strict=True):
                pairs = zip(samples, predictions, strict=True)
                row += [errors_of(index, prediction, body, network.hierarchy) for index, prediction in pairs]
    network.train(training)
    parts = gather((found, left_out), ranks)
    total = sum(part[1] for part in parts)
    merged = [
        sorted((each for part in parts for each in part[0][number]), key=lambda m: m.index)
        for number in range(len(masks))
    ]
    return [Row(hops, pictures, total) for hops, pictures in zip(masks, merged, strict=True)]


def _readable(dataset: Dataset, index: int) -> list[Sample]:
    try:
        return [dataset[index]]
    except UserError as error:
        logger.warning("left out: %s", error)
        return []
