"""The errors of one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model.body import BodyModel
from model.data.people import origin_of, root_of
from model.data.sample import Sample, joint_weights
from model.evaluation.predict import Prediction
from model.hierarchy import Hierarchy
from model.metrics import centred_on, f_scores, pck_counts, procrustes
from model.silhouette import overlap, silhouette

F_DISTANCES = (0.005, 0.015)
"""Metres of F@5 and F@15 (FreiHAND)."""
DOTS = 400
"""Vertices of each mesh that are kept to be drawn, about: those of a whole set would fill the memory."""


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
    """(about DOTS, 2) every so many-th vertex of the predicted mesh, in [-1, 1] of the crop."""
    hits: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Limb joints near enough and limb joints that count (PCK@0.2 of the torso), by the names of metrics."""
    kinds: tuple[str, ...] = ()
    """As in `Sample.kinds`."""


def errors_of(index: int, prediction: Prediction, body: BodyModel, hierarchy: Hierarchy) -> Measured:
    """Everything that the picture's labels allow to measure."""
    crop, root = prediction.crop, root_of(body)
    joints = centred_on(prediction.joints, prediction.joints, root)
    target = centred_on(crop.joints3d, crop.joints3d, root)
    errors = _joint_errors(joints, target, joint_weights(crop) > 0)
    if crop.has_mesh:
        errors |= _mesh_errors(prediction.mesh, crop, body, hierarchy.vertex_of_coarse)
    if crop.person is not None and crop.person.any():
        errors |= _overlaps(prediction, body.faces, hierarchy.faces[2], crop.person)
    hits = {} if body.kind == "mano" or not crop.has_2d else _hits(prediction)
    return Measured(
        index,
        crop.key,
        errors,
        crop.sequence,
        crop.frame,
        joints,
        target,
        thinned(prediction.vertices2d).copy(),
        hits,
        crop.kinds,
    )


def thinned(points: np.ndarray) -> np.ndarray:
    """Every so many-th of (V, 2) points, about DOTS: a view."""
    return points[:: max(1, len(points) // DOTS)]


def _joint_errors(joints: np.ndarray, target: np.ndarray, confident: np.ndarray) -> dict[str, float]:
    """Over the joints that have a label; four of them fix an alignment."""
    errors: dict[str, float] = {}
    if confident.any():
        errors["mpjpe"] = 1000 * float(np.linalg.norm(joints - target, axis=1)[confident].mean())
    if confident.sum() >= 4:
        aligned = procrustes(joints[None, confident], target[None, confident])[0]
        errors["pa_mpjpe"] = 1000 * float(np.linalg.norm(aligned - target[confident], axis=1).mean())
    return errors


def _mesh_errors(mesh: np.ndarray, crop: Sample, body: BodyModel, coarse: np.ndarray) -> dict[str, float]:
    """Each mesh about its own origin (METRO: the pelvis), or aligned; F-scores of hands."""
    origin = origin_of(body)
    mesh, wanted = mesh - origin @ mesh, crop.vertices - origin @ crop.vertices
    fitted = procrustes(mesh[None], wanted[None])[0]
    apart = 1000 * np.linalg.norm(mesh - wanted, axis=1)
    errors = {
        "pve": float(apart.mean()),
        "pve_coarse": float(apart[coarse].mean()),
        "pa_pve": 1000 * float(np.linalg.norm(fitted - wanted, axis=1).mean()),
    }
    if body.kind == "mano":
        errors["f5"], errors["f15"] = f_scores(fitted, wanted, F_DISTANCES)
    return errors


def _overlaps(
    prediction: Prediction, faces: np.ndarray, coarse_faces: np.ndarray, person: np.ndarray
) -> dict[str, float]:
    """IoU of the mesh with the dressed person, and of the true naked body: the most that can be expected."""
    points, truth = (prediction.vertices2d + 1) * (len(person) / 2), prediction.crop.vertices2d
    errors = {"iou": overlap(silhouette(points, faces, len(person)), person)}
    if prediction.crop.has_mesh:
        true_faces = faces if len(truth) == len(points) else coarse_faces
        errors["true_iou"] = overlap(silhouette(truth, true_faces, len(person)), person)
    return errors


def _hits(prediction: Prediction) -> dict[str, tuple[int, int]]:
    """Of the network's joints ("pck"), and of each yardstick's ("NAME_pck")."""
    crop = prediction.crop
    half = len(crop.image) / 2
    target = np.c_[crop.joints2d[:, :2] / half - 1, crop.joints2d[:, 2]][None]
    found: Mapping[str, np.ndarray] = {
        "pck": prediction.joints2d,
        **{f"{name}_pck": points for name, points in prediction.landmarks.items()},
    }
    counts = {name: pck_counts(points[None], target) for name, points in found.items()}
    return {name: (int(near[0]), int(counted[0])) for name, (near, counted) in counts.items()}
