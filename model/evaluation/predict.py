"""What a network says of pictures: one view of each, or the aligned mean of many, under several masks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from model.blazepose import BlazePoseOutput
from model.body import BodyModel
from model.config import Hops
from model.data.augment import NO_AUGMENTATION, Augmentation, crop_sample
from model.data.sample import Sample, collate, rotation
from model.decoders import BackboneMaps
from model.evaluation.landmarks import BACKBONE, lsp_from_landmarks
from model.lifter import landmark_tokens
from model.losses import project
from model.metrics import procrustes
from model.mirror import mean_with_mirror, with_mirror
from model.pointhmr import Features, Mesh, PointHMR

TURNS = (0.0, *(sign * degrees for degrees in range(10, 100, 10) for sign in (1.0, -1.0)))
SCALES = (0.7, 0.8, 0.9, 1.0, 1.1)
"""METRO's test-time augmentation of hands: 95 views of each picture (degrees; factors on the box's side)."""
ONE_VIEW = ((0.0, 1.0),)
ALL_VIEWS = (*ONE_VIEW, *itertools.product(TURNS, SCALES))
"""The plain view, to which the others are aligned, counts twice, as in METRO's script."""
Views = tuple[tuple[float, float], ...]
Yardsticks = Mapping[str, Callable[[Tensor], BlazePoseOutput]]
"""Landmark networks by name: images [B, 3, 256, 256] in 0..1 -> landmarks on the same crops."""


@dataclass(frozen=True)
class Prediction:
    """Of one picture, under one mask setting.

    2D is told in the person's square, however much around it the network looks at (`crop_scale`).
    """

    crop: Sample
    """The person's square and its labels."""
    mesh: np.ndarray
    """(V, 3) in the crop's axes, metres."""
    joints: np.ndarray
    """(P, 3) regressed from the full mesh."""
    joints2d: np.ndarray
    """(P, 2) in [-1, 1] of the crop."""
    vertices2d: np.ndarray
    """(V, 2) in [-1, 1] of the crop."""
    landmarks: dict[str, np.ndarray] = field(default_factory=dict)
    """(14, 2) in [-1, 1], of the backbone and of other landmark networks."""


class Predictor:
    """A network with what its pictures are looked at through."""

    def __init__(
        self,
        network: PointHMR,
        body: BodyModel,
        *,
        upright: bool,
        views: Views = ONE_VIEW,
        mirror: bool = False,
        backbone: Callable[[Tensor], BackboneMaps] | None = None,
        full_batch: int = 0,
        yardsticks: Yardsticks | None = None,
    ) -> None:
        """mirror: answer the mean of each view and its mirror image.

        backbone: a faster one, for batches of `full_batch` pictures only.
        """
        self._network = network
        self._mirror = mirror
        self._views = views
        self._plain = replace(NO_AUGMENTATION, upright=upright)
        self._scale = network.config.crop_scale
        self._backbone, self._full_batch = backbone, full_batch
        self._yardsticks = yardsticks or {}
        self._device = network.image_mean.device
        self._regressor = body.keypoint_regressor.to(self._device)

    @torch.no_grad()
    def __call__(self, samples: Sequence[Sample], masks: Sequence[Hops]) -> list[list[Prediction]]:
        """Of each mask setting, a prediction for each sample; the backbone runs once a view."""
        firsts: list[list[Prediction]] = []
        crops = [self._view(sample, 0.0, 1.0) for sample in samples]
        aligned: list[list[np.ndarray]] = [[] for _ in masks]
        for number, (degrees, factor) in enumerate(self._views):
            factor *= self._scale
            plain = (degrees, factor) == (0.0, 1.0)
            views = crops if plain else [self._view(sample, degrees, factor) for sample in samples]
            images = collate(views).images.to(self._device)
            features = self._encode(images)
            landmarks = self._landmarks(images, features) if number == 0 else []
            for row, hops in enumerate(masks):
                mesh = self._network.regress(features, hops, upsample=not self._mirror)
                if self._mirror:
                    mesh = mean_with_mirror(self._network, mesh)
                turned = turned_back(mesh, degrees)
                if number == 0:
                    firsts.append(self._first(crops, mesh, landmarks))
                    aligned[row] = [turned]
                else:
                    aligned[row].append(procrustes(turned, aligned[row][0]))
        if len(self._views) == 1:
            return firsts
        matrix = self._regressor.cpu().numpy()
        means = [np.mean(meshes, axis=0) for meshes in aligned]
        return [
            [replace(p, mesh=m, joints=matrix @ m) for p, m in zip(first, mean, strict=True)]
            for first, mean in zip(firsts, means, strict=True)
        ]

    def _encode(self, images: Tensor) -> Features:
        normal = self._network.normalize(images)
        if self._mirror:
            normal = with_mirror(normal)
        if self._backbone is None or len(normal) != self._full_batch:
            return self._network.encode(normal)
        return self._network.sample(self._backbone(normal))

    def _view(self, sample: Sample, degrees: float, factor: float) -> Sample:
        roll = (sample.roll if self._plain.upright else 0.0) + np.radians(degrees)
        turned = replace(sample, roll=roll, side=sample.side * factor)
        return plain_crop(turned, self._network.config.image_size, replace(self._plain, upright=True))

    def _first(
        self, crops: list[Sample], mesh: Mesh, landmarks: list[dict[str, np.ndarray]]
    ) -> list[Prediction]:
        assert mesh.fine is not None
        joints = self._regressor @ mesh.fine
        arrays = (
            mesh.fine,
            joints,
            project(joints, mesh.camera) * self._scale,
            project(mesh.fine, mesh.camera) * self._scale,
        )
        rows = zip(crops, *(array.float().cpu().numpy() for array in arrays), landmarks, strict=True)
        return [Prediction(*row) for row in rows]

    def _landmarks(self, images: Tensor, features: Features) -> list[dict[str, np.ndarray]]:
        """Of each picture, what landmark networks say of the same image, told in the person's square."""
        size = self._network.config.image_size
        found: dict[str, np.ndarray] = {}
        if features.landmarks is not None:
            found[BACKBONE] = lsp_from_landmarks(features.landmarks.float().cpu().numpy())
        for name, network in self._yardsticks.items():
            tokens = landmark_tokens(network(images.permute(0, 3, 1, 2).float() / 255), size)
            found[name] = lsp_from_landmarks(tokens.cpu().numpy())
        return [{name: rows[i] * self._scale for name, rows in found.items()} for i in range(len(images))]


def plain_crop(sample: Sample, size: int, plain: Augmentation) -> Sample:
    """The sample's crop without any random change."""
    return crop_sample(sample, size, plain, np.random.default_rng(0), None)


def turned_back(mesh: Mesh, degrees: float) -> np.ndarray:
    """(B, V, 3) full meshes of a view turned by so many degrees, in the axes of the plain one."""
    assert mesh.fine is not None
    fine: np.ndarray = mesh.fine.float().cpu().numpy()
    if not degrees:
        return fine
    turn = np.eye(3, dtype=np.float32)
    turn[:2, :2] = rotation(-np.radians(degrees))
    return fine @ turn.T
