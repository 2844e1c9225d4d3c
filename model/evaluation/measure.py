"""Errors of every picture of a set, under one or more mask settings, on one process or shared by many.

The backbone runs once a picture whatever the number of mask settings. Every process measures every n-th
picture; what they found is put in the set's order before means are taken, so that sharing changes nothing.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.body import BodyModel
from model.config import Hops
from model.data.augment import NO_AUGMENTATION, Augmentation, crop_sample
from model.data.people import root_of
from model.data.sample import Dataset, Sample, collate, joint_weights, rotation
from model.errors import UserError
from model.losses import project
from model.metrics import acceleration_errors, centred_on, f_scores, procrustes
from model.pointhmr import Mesh, PointHMR
from model.training.distributed import Ranks, gather

logger = logging.getLogger(__name__)

TURNS = (0.0, *(sign * degrees for degrees in range(10, 100, 10) for sign in (1.0, -1.0)))
SCALES = (0.7, 0.8, 0.9, 1.0, 1.1)
"""METRO's test-time augmentation of hands: 95 views of each picture (degrees; factors on the box's side)."""
ONE_VIEW = ((0.0, 1.0),)
ALL_VIEWS = (*ONE_VIEW, *itertools.product(TURNS, SCALES))
"""The plain view, to which the others are aligned, counts twice, as in METRO's script."""
Views = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Measured:
    """One picture under one mask setting."""

    index: int
    """In the dataset."""
    key: str
    errors: dict[str, float]
    """Of this picture, by the names of metrics; millimetres or shares."""
    sequence: str
    frame: int
    joints: np.ndarray
    """(P, 3) predicted, centred, metres."""
    target: np.ndarray
    """(P, 3)."""
    vertices2d: np.ndarray
    """(C, 2) predicted coarse mesh in [-1, 1] of the crop."""


@dataclass(frozen=True)
class Row:
    """A set under one mask setting."""

    hops: Hops
    pictures: list[Measured]
    left_out: int

    def means(self) -> dict[str, float]:
        """Means by metric over the pictures that have it; acceleration over all clips."""
        names = list(dict.fromkeys(name for picture in self.pictures for name in picture.errors))
        result = {
            name: float(np.mean([p.errors[name] for p in self.pictures if name in p.errors]))
            for name in names
        }
        moving = acceleration_errors(
            [(p.sequence, p.frame, p.joints, p.target) for p in self.pictures if "mpjpe" in p.errors]
        )
        if len(moving):
            result["acceleration"] = float(moving.mean())
        return result


@torch.no_grad()
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
    ranks: Ranks | None = None,
) -> list[Row]:
    """One row a mask setting. A picture that its dataset refuses is reported, counted and left out.

    upright: turn people upright first, as the embedded model wants it. views: test-time augmentation.
    """
    ranks = ranks or Ranks()
    count = min(len(dataset), limit or len(dataset))
    mine = range(ranks.rank, count, ranks.world)
    device = network.image_mean.device
    regressor = body.keypoint_regressor.to(device)
    training = network.training
    network.eval()
    found: list[list[Measured]] = [[] for _ in masks]
    left_out = 0
    bar = tqdm(
        total=len(mine), desc=dataset.name, unit=" pictures", disable=not ranks.first or len(mine) < 500
    )
    for start in range(0, len(mine), batch_size):
        chosen = mine[start : start + batch_size]
        samples = [(index, sample) for index in chosen for sample in _readable(dataset, index)]
        left_out += len(chosen) - len(samples)
        if samples:
            for row, predictions in zip(
                found, _predict(network, regressor, samples, masks, views, upright), strict=True
            ):
                row += [
                    _errors(index, crop, mesh, joints, points, body)
                    for (index, _), (crop, mesh, joints, points) in zip(samples, predictions, strict=True)
                ]
        bar.update(len(chosen))
    bar.close()
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


Prediction = tuple[Sample, np.ndarray, np.ndarray, np.ndarray]
"""The plain crop, (V, 3) mesh and (P, 3) joints in its axes, (C, 2) coarse mesh in its [-1, 1]."""


def _predict(
    network: PointHMR,
    regressor: Tensor,
    samples: list[tuple[int, Sample]],
    masks: Sequence[Hops],
    views: Views,
    upright: bool,
) -> list[list[Prediction]]:
    """Of each mask setting, a prediction for each sample: of the first view, or all views' aligned mean."""
    size = network.config.image_size
    plain = replace(NO_AUGMENTATION, upright=upright)
    rng = np.random.default_rng(0)
    results: list[list[Prediction]] = [[] for _ in masks]
    sums: list[list[np.ndarray]] = [[] for _ in masks]
    for number, (degrees, factor) in enumerate(views):
        crops = [_view(sample, degrees, factor, size, plain, rng) for _, sample in samples]
        images = collate(crops).images.to(network.image_mean.device)
        features = network.encode(network.normalize(images))
        for row, hops in enumerate(masks):
            mesh = network.regress(features, hops)
            turned = _turned_back(mesh, degrees)
            if number == 0:
                joints = (regressor @ mesh.fine).cpu().numpy() if mesh.fine is not None else turned
                points = project(mesh.coarse, mesh.camera).cpu().numpy()
                results[row] = list(zip(crops, turned, joints, points, strict=True))
                sums[row] = [turned]
            else:
                sums[row].append(procrustes(turned, sums[row][0]))
    if len(views) == 1:
        return results
    matrix = regressor.cpu().numpy()
    for row in range(len(masks)):
        mean = np.mean(sums[row], axis=0)
        results[row] = [(p[0], m, matrix @ m, p[3]) for p, m in zip(results[row], mean, strict=True)]
    return results


def _view(
    sample: Sample, degrees: float, factor: float, size: int, plain: Augmentation, rng: np.random.Generator
) -> Sample:
    turned = replace(sample, roll=(sample.roll if plain.upright else 0.0) + np.radians(degrees))
    return crop_sample(
        replace(turned, side=sample.side * factor), size, replace(plain, upright=True), rng, None
    )


def _turned_back(mesh: Mesh, degrees: float) -> np.ndarray:
    """(B, V, 3) in the axes of the first view."""
    assert mesh.fine is not None
    fine: np.ndarray = mesh.fine.cpu().numpy()
    if not degrees:
        return fine
    turn = np.eye(3, dtype=np.float32)
    turn[:2, :2] = rotation(-np.radians(degrees))
    return fine @ turn.T


def _errors(
    index: int, crop: Sample, mesh: np.ndarray, joints: np.ndarray, points: np.ndarray, body: BodyModel
) -> Measured:
    root = root_of(body)
    confident = joint_weights(crop) > 0
    joints, mesh = centred_on(joints, joints, root), centred_on(mesh, joints, root)
    target = centred_on(crop.joints3d, crop.joints3d, root)
    errors: dict[str, float] = {}
    if confident.any():
        errors["mpjpe"] = 1000 * float(np.linalg.norm(joints - target, axis=1)[confident].mean())
        if confident.sum() >= 4:
            aligned = procrustes(joints[None, confident], target[None, confident])[0]
            errors["pa_mpjpe"] = 1000 * float(np.linalg.norm(aligned - target[confident], axis=1).mean())
    if crop.has_mesh:
        mesh_joints = body.keypoint_regressor.numpy() @ crop.vertices
        wanted = centred_on(crop.vertices, mesh_joints, root)
        errors["pve"] = 1000 * float(np.linalg.norm(mesh - wanted, axis=1).mean())
        fitted = procrustes(mesh[None], wanted[None])[0]
        errors["pa_pve"] = 1000 * float(np.linalg.norm(fitted - wanted, axis=1).mean())
        if body.kind == "mano":
            errors["f5"], errors["f15"] = f_scores(fitted, wanted, (0.005, 0.015))
    return Measured(index, crop.key, errors, crop.sequence, crop.frame, joints, target, points)
