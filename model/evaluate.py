"""Measure a network on labelled crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.sample import Batch, Dataset, collate
from model.losses import LiteLoss, project
from model.metrics import mpjpe, pa_mpjpe, pck, pve
from model.pointhmr import BackboneMaps, PointHMR

LANDMARK_OF_LIMB = (28, 26, 24, 23, 25, 27, 16, 14, 12, 11, 13, 15)
"""BlazePose's landmark of each of the 12 limb joints in LSP order."""


@torch.no_grad()
def evaluate_crops(
    network: PointHMR,
    joints: LiteLoss,
    dataset: Dataset,
    indices: Sequence[int],
    mirrored_vertices: np.ndarray,
    *,
    backbone: Callable[[Tensor], BackboneMaps] | None = None,
    batch_size: int = 16,
) -> dict[str, float]:
    """Errors over upright, unchanged crops: MPJPE, PA-MPJPE, PVE in mm, PCK@0.2 of the torso.

    `backbone_pck` is the yardstick: the backbone's own landmarks on the same crops, where it has some.

    joints: regresses the 14 joints from the coarse mesh. backbone: a faster one for full batches.
    """
    predicted: dict[str, list[np.ndarray]] = {"coarse": [], "joints3d": [], "joints2d": [], "landmarks": []}
    targets: list[Batch] = []
    training = network.training
    network.eval()
    for start in range(0, len(indices), batch_size):
        part = indices[start : start + batch_size]
        batch = plain_batch(dataset, part, network.config.image_size, mirrored_vertices)
        run = backbone if backbone is not None and len(part) == batch_size else network.backbone
        features = network.sample(run(network.normalize(batch.images)))
        mesh = network.regress(features, upsample=False)
        from_mesh = joints.mesh_joints(mesh.coarse)
        predicted["coarse"].append(mesh.coarse.numpy())
        predicted["joints3d"].append(from_mesh.numpy())
        predicted["joints2d"].append(project(from_mesh, mesh.camera).numpy())
        if features.landmarks is not None:
            predicted["landmarks"].append(lsp_from_landmarks(features.landmarks.numpy()))
        targets.append(batch)
    network.train(training)
    stacked = {name: np.concatenate(parts) for name, parts in predicted.items() if parts}
    return errors(stacked, targets)


def plain_batch(dataset: Dataset, indices: Sequence[int], size: int, mirrored_vertices: np.ndarray) -> Batch:
    """These samples as upright crops without any random change."""
    rng = np.random.default_rng(0)
    crops = [crop_sample(dataset[i], size, NO_AUGMENTATION, rng, mirrored_vertices) for i in indices]
    return collate(crops)


def errors(predicted: dict[str, np.ndarray], targets: list[Batch]) -> dict[str, float]:
    """Mean errors of stacked predictions against their batches."""
    joints3d = torch.cat([b.joints3d for b in targets]).numpy()
    vertices = torch.cat([b.vertices for b in targets]).numpy()
    joints2d = torch.cat([b.joints2d for b in targets]).numpy()
    result = {
        "mpjpe": float(mpjpe(predicted["joints3d"], joints3d).mean()),
        "pa_mpjpe": float(pa_mpjpe(predicted["joints3d"], joints3d).mean()),
        "pve": float(pve(predicted["coarse"], vertices, predicted["joints3d"], joints3d).mean()),
        "pck": pck(predicted["joints2d"], joints2d),
        "samples": float(len(joints3d)),
    }
    if "landmarks" in predicted:
        result["backbone_pck"] = pck(predicted["landmarks"], joints2d)
    return result


def lsp_from_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """(N, 33, 8) BlazePose landmarks -> (N, 14, 2) in [-1, 1]; neck and head top (not limbs) stay 0."""
    joints = np.zeros((len(landmarks), 14, 2), landmarks.dtype)
    joints[:, :12] = landmarks[:, LANDMARK_OF_LIMB, :2]
    return joints
