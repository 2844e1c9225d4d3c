"""Measure a network on labelled crops: errors of each picture, and their means over kinds of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from model.blazepose import BlazePoseOutput
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.sample import Batch, Dataset, Sample, collate
from model.lifter import landmark_tokens
from model.losses import LiteLoss, project
from model.metrics import mpjpe, pa_mpjpe, pck_counts, pve
from model.pointhmr import BackboneMaps, PointHMR
from model.silhouette import overlap, silhouette

LANDMARK_OF_LIMB = (28, 26, 24, 23, 25, 27, 16, 14, 12, 11, 13, 15)
"""BlazePose's landmark of each of the 12 limb joints in LSP order."""
BACKBONE = "backbone"
"""The yardstick that comes with a network over BlazePose: its own landmarks."""

Yardsticks = Mapping[str, Callable[[Tensor], BlazePoseOutput]]
"""Landmark networks by name: images [B, 3, 256, 256] in 0..1 -> landmarks on the same crops."""


class Hits(NamedTuple):
    """Of each picture (N,): limb joints that were near enough, and limb joints that count."""

    near: np.ndarray
    counted: np.ndarray

    def share(self, chosen: np.ndarray) -> float:
        """PCK over some pictures; nan where no joint counts."""
        counted = self.counted[chosen].sum()
        return float(self.near[chosen].sum() / counted) if counted else float("nan")


@dataclass(frozen=True)
class Errors:
    """What was measured on each of N pictures."""

    millimetres: dict[str, np.ndarray]
    """mpjpe, pa_mpjpe and pve, each (N,)."""
    pck: dict[str, Hits]
    """PCK@0.2 of the torso: "pck" of the network, "NAME_pck" of each yardstick."""
    iou: np.ndarray
    """(N,) overlap of the mesh's silhouette with the person; nan where the person's pixels are not known."""
    kinds: list[tuple[str, ...]]
    """As in `Sample.kinds`."""

    def mean(self, kind: str | None = None) -> dict[str, float]:
        """Means over the pictures of a kind (None: all), by name; what is not known is left out."""
        chosen = np.array([kind is None or kind in kinds for kinds in self.kinds], bool)
        result = {name: float(values[chosen].mean()) for name, values in self.millimetres.items()}
        result |= {name: hits.share(chosen) for name, hits in self.pck.items()}
        known = chosen & ~np.isnan(self.iou)
        if known.any():
            result["iou"] = float(self.iou[known].mean())
        return result | {"samples": float(chosen.sum())}

    def all_kinds(self) -> list[str]:
        """Every kind that occurs, in the order of its first picture."""
        return list(dict.fromkeys(kind for kinds in self.kinds for kind in kinds))


@torch.no_grad()
def evaluate_crops(
    network: PointHMR,
    joints: LiteLoss,
    dataset: Dataset,
    indices: Sequence[int],
    mirrored_vertices: np.ndarray,
    *,
    backbone: Callable[[Tensor], BackboneMaps] | None = None,
    yardsticks: Yardsticks | None = None,
    batch_size: int = 16,
) -> Errors:
    """Errors over upright, unchanged crops.

    joints: regresses the 14 joints from the coarse mesh. backbone: a faster one for full batches.
    yardsticks: landmark networks to measure on the same crops; the backbone's own come by themselves.
    """
    predicted: dict[str, list[np.ndarray]] = {"coarse": [], "joints3d": [], "joints2d": []}
    others: dict[str, list[np.ndarray]] = {}
    targets: list[Batch] = []
    ious: list[float] = []
    kinds: list[tuple[str, ...]] = []
    size, faces = network.config.image_size, network.hierarchy.faces[2]
    training = network.training
    network.eval()
    for start in range(0, len(indices), batch_size):
        part = indices[start : start + batch_size]
        crops = plain_crops(dataset, part, size, mirrored_vertices)
        batch = collate(crops)
        run = backbone if backbone is not None and len(part) == batch_size else network.backbone
        features = network.sample(run(network.normalize(batch.images)))
        mesh = network.regress(features, upsample=False)
        from_mesh = joints.mesh_joints(mesh.coarse)
        predicted["coarse"].append(mesh.coarse.numpy())
        predicted["joints3d"].append(from_mesh.numpy())
        predicted["joints2d"].append(project(from_mesh, mesh.camera).numpy())
        if features.landmarks is not None:
            others.setdefault(BACKBONE, []).append(lsp_from_landmarks(features.landmarks.numpy()))
        for name, landmarks_of in (yardsticks or {}).items():
            found = landmark_tokens(landmarks_of(batch.images.permute(0, 3, 1, 2).float() / 255), size)
            others.setdefault(name, []).append(lsp_from_landmarks(found.numpy()))
        pixels = (project(mesh.coarse, mesh.camera).numpy() + 1) * (size / 2)
        ious += [_overlap(points, faces, crop) for points, crop in zip(pixels, crops, strict=True)]
        kinds += [crop.kinds for crop in crops]
        targets.append(batch)
    network.train(training)
    stacked = {name: np.concatenate(parts) for name, parts in predicted.items()}
    landmarks = {name: np.concatenate(parts) for name, parts in others.items()}
    return _errors(stacked, landmarks, targets, np.array(ious), kinds)


def plain_crops(
    dataset: Dataset, indices: Sequence[int], size: int, mirrored_vertices: np.ndarray
) -> list[Sample]:
    """These samples as upright crops without any random change."""
    rng = np.random.default_rng(0)
    return [crop_sample(dataset[i], size, NO_AUGMENTATION, rng, mirrored_vertices) for i in indices]


def _overlap(points: np.ndarray, faces: np.ndarray, crop: Sample) -> float:
    """Of the silhouette of points (C, 2) in pixels of the crop with the person in it."""
    if crop.person is None:
        return float("nan")
    return overlap(silhouette(points, faces, len(crop.person)), crop.person)


def _errors(
    predicted: dict[str, np.ndarray],
    landmarks: dict[str, np.ndarray],
    targets: list[Batch],
    iou: np.ndarray,
    kinds: list[tuple[str, ...]],
) -> Errors:
    joints3d = torch.cat([b.joints3d for b in targets]).numpy()
    vertices = torch.cat([b.vertices for b in targets]).numpy()
    joints2d = torch.cat([b.joints2d for b in targets]).numpy()
    millimetres = {
        "mpjpe": mpjpe(predicted["joints3d"], joints3d),
        "pa_mpjpe": pa_mpjpe(predicted["joints3d"], joints3d),
        "pve": pve(predicted["coarse"], vertices, predicted["joints3d"], joints3d),
    }
    hits = {"pck": Hits(*pck_counts(predicted["joints2d"], joints2d))}
    hits |= {f"{name}_pck": Hits(*pck_counts(found, joints2d)) for name, found in landmarks.items()}
    return Errors(millimetres, hits, iou, kinds)


def lsp_from_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """(N, 33, 8) BlazePose landmarks -> (N, 14, 2) in [-1, 1]; neck and head top (not limbs) stay 0."""
    joints = np.zeros((len(landmarks), 14, 2), landmarks.dtype)
    joints[:, :12] = landmarks[:, LANDMARK_OF_LIMB, :2]
    return joints
