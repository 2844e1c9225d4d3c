"""Errors between bodies, in the field's terms. Inputs in metres, results in millimetres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from model.data.sample import L_HIP, L_SHOULDER, R_HIP, R_SHOULDER

LIMBS = tuple(range(12))
"""The 12 limb joints of the LSP order: ankles, knees, hips, wrists, elbows, shoulders."""


def centred(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(N, P, 3) moved so that the middle of the hips of (N, 14, 3) is the origin."""
    return points - joints[:, [R_HIP, L_HIP]].mean(1, keepdims=True)


def mpjpe(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean per-joint position error, hips centred: (N, 14, 3) twice -> (N,) mm."""
    difference = centred(predicted, predicted) - centred(target, target)
    return 1000 * np.linalg.norm(difference, axis=-1).mean(-1)


def procrustes(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Each (P, 3) of `predicted` moved, turned and scaled onto `target` by least squares (Umeyama 1991).

    (N, P, 3) twice -> (N, P, 3). Never mirrors.
    """
    mean_p, mean_t = predicted.mean(1, keepdims=True), target.mean(1, keepdims=True)
    p, t = predicted - mean_p, target - mean_t
    u, s, vt = np.linalg.svd(np.einsum("npi,npj->nij", t, p))
    sign = np.ones_like(s)
    sign[:, -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (s * sign).sum(-1) / np.maximum((p**2).sum((1, 2)), 1e-12)
    return scale[:, None, None] * np.einsum("nij,npj->npi", rotation, p) + mean_t


def pa_mpjpe(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """MPJPE after Procrustes alignment: (N, 14, 3) twice -> (N,) mm."""
    return 1000 * np.linalg.norm(procrustes(predicted, target) - target, axis=-1).mean(-1)


def pve(
    predicted: np.ndarray, target: np.ndarray, predicted_joints: np.ndarray, target_joints: np.ndarray
) -> np.ndarray:
    """Per-vertex error, hips centred: (N, V, 3) and (N, 14, 3) twice -> (N,) mm."""
    difference = centred(predicted, predicted_joints) - centred(target, target_joints)
    return 1000 * np.linalg.norm(difference, axis=-1).mean(-1)


def pck_counts(
    predicted: np.ndarray, target: np.ndarray, threshold: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Limb joints within `threshold` torso lengths (LSP: shoulder to opposite hip), and those that count.

    predicted: (N, 14, 2), target: (N, 14, 3) with confidence, in the same unit. Joints that are not visible
    and pictures without a visible torso do not count. Returns two (N,) counts.
    """
    diagonals = ((L_SHOULDER, R_HIP), (R_SHOULDER, L_HIP))
    lengths = np.stack([np.linalg.norm(target[:, a, :2] - target[:, b, :2], axis=-1) for a, b in diagonals])
    seen = np.stack([(target[:, a, 2] > 0) & (target[:, b, 2] > 0) for a, b in diagonals])
    torso = np.where(seen, lengths, 0).max(0)
    counts = (target[:, LIMBS, 2] > 0) & (torso > 0)[:, None]
    error = np.linalg.norm(predicted[:, LIMBS] - target[:, LIMBS, :2], axis=-1)
    return ((error < threshold * torso[:, None]) & counts).sum(1), counts.sum(1)


def pck(predicted: np.ndarray, target: np.ndarray, threshold: float = 0.2) -> float:
    """Share in [0, 1] of the joints of `pck_counts` that are near enough; nan where nothing counts."""
    near, counted = pck_counts(predicted, target, threshold)
    return float(near.sum() / counted.sum()) if counted.any() else float("nan")


def centred_on(points: np.ndarray, joints: np.ndarray, root: Sequence[int]) -> np.ndarray:
    """(N, 3) moved so that the middle of the root joints of (P, 3) is the origin."""
    moved: np.ndarray = points - joints[list(root)].mean(axis=0)
    return moved


def f_scores(predicted: np.ndarray, target: np.ndarray, thresholds: Sequence[float]) -> list[float]:
    """Harmonic mean of the shares of points that have one of the other set nearby (FreiHAND).

    (N, 3) and (M, 3) in the unit of the thresholds. Each score is in [0, 1].
    """
    forth, back = cKDTree(target).query(predicted)[0], cKDTree(predicted).query(target)[0]
    scores = []
    for threshold in thresholds:
        precision, recall = float((forth <= threshold).mean()), float((back <= threshold).mean())
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return scores


def acceleration_errors(frames: Sequence[tuple[str, int, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Difference of the joints' second differences over time, in mm a frame squared (HMMR, VIBE).

    frames: clip, frame number, predicted and target joints (P, 3) in metres, in any order. Returns one
    number for every frame that has both neighbours in its clip.
    """
    by_place = {(clip, frame): (predicted - target) for clip, frame, predicted, target in frames if clip}
    errors = [
        np.linalg.norm(by_place[clip, frame - 1] - 2 * now + by_place[clip, frame + 1], axis=-1).mean()
        for (clip, frame), now in by_place.items()
        if (clip, frame - 1) in by_place and (clip, frame + 1) in by_place
    ]
    return 1000 * np.array(errors)
