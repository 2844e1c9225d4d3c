"""From a dataset's labels, in whichever form, to a Sample: one way for all datasets with full meshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from model.body import BodyModel
from model.data.sample import HIPS, OUTSIDE, WRIST, Gender, Sample
from model.errors import UserError

BOX_SCALE = 1.2
"""Side of a person's square over the extent of the joints (SPIN's convention for 3DPW)."""
SYMMETRIC = 0.02
"""Metres by which a body may miss its mirror image, on average, and still be flipped."""


@dataclass(frozen=True)
class Bodies:
    """The body that a network regresses, and its gendered variants where ground truth uses them."""

    neutral: BodyModel
    gendered: Mapping[Gender, BodyModel] = field(default_factory=dict)

    def of(self, gender: Gender) -> BodyModel:
        """The variant; raises UserError when its file was not given."""
        if gender == "neutral":
            return self.neutral
        if gender not in self.gendered:
            raise UserError(f"The labels are of a {gender} SMPL body: give its file.")
        return self.gendered[gender]

    def mesh(self, pose: np.ndarray, betas: np.ndarray, gender: Gender = "neutral") -> np.ndarray:
        """(V, 3) float32 of one posed body. pose: (3 J,) or (J, 3) axis-angle; betas: (at most 10,)."""
        body = self.of(gender)
        shape = np.asarray(betas, np.float32).reshape(1, -1)[:, : body.num_betas]
        with torch.no_grad():
            vertices, _ = body(
                torch.from_numpy(np.asarray(pose, np.float32).reshape(1, -1, 3)), torch.from_numpy(shape)
            )
        return np.asarray(vertices[0].numpy())


@dataclass(frozen=True)
class Labels:
    """What a dataset knows of one person; 2D in pixels, 3D in metres and camera axes, anywhere."""

    joints2d: np.ndarray | None = None
    """(P, 3) with confidence."""
    joints3d: np.ndarray | None = None
    """(P, 3) or, with confidence, (P, 4); regressed from the mesh when None."""
    mesh: np.ndarray | None = None
    """(V, 3) full mesh."""
    mesh2d: np.ndarray | None = None
    """(V, 2) where the camera is known; else a weak-perspective camera is fitted to the joints."""
    gender: Gender = "neutral"
    pose: np.ndarray | None = None
    betas: np.ndarray | None = None
    key: str = ""
    sequence: str = ""
    frame: int = 0


def root_of(body: BodyModel) -> tuple[int, ...]:
    """The keypoints whose middle is the origin: a body's hips, a hand's wrist."""
    return WRIST if body.kind == "mano" else HIPS


def origin_of(body: BodyModel) -> np.ndarray:
    """(V,) weights of the point that meshes are centred on (METRO): Human3.6M's pelvis, else the root."""
    if body.pelvis_regressor is not None:
        return np.asarray(body.pelvis_regressor.numpy())
    root: np.ndarray = body.keypoint_regressor.numpy()[list(root_of(body))].mean(axis=0)
    return root


def make_sample(
    body: BodyModel, image: np.ndarray, centre: np.ndarray, side: float, labels: Labels
) -> Sample:
    """A sample with a full mesh. Raises UserError when a label has another size or is not finite."""
    joints, vertices = len(body.keypoint_names), body.num_vertices
    given3d = None if labels.joints3d is None else _checked(labels.joints3d, joints, (3, 4), labels.key)
    joints2d = None if labels.joints2d is None else _checked(labels.joints2d, joints, (3,), labels.key)
    mesh = None if labels.mesh is None else _checked(labels.mesh, vertices, (3,), labels.key)
    if not (np.isfinite([*centre, side]).all() and side > 1):
        raise UserError(f"The box of {labels.key} is no region of a picture.")
    root = list(root_of(body))
    regressor = body.keypoint_regressor.numpy()
    centred, mesh_joints = np.zeros((vertices, 3), np.float32), None
    if mesh is not None:
        mesh_joints = regressor @ mesh
        centred = mesh - mesh_joints[root].mean(axis=0)
    joints3d = mesh_joints if given3d is None else given3d[:, :3]
    confidence = given3d[:, 3] if given3d is not None and given3d.shape[1] == 4 else None
    if joints3d is not None:
        joints3d = joints3d - joints3d[root].mean(axis=0)
    mesh2d = labels.mesh2d
    if mesh2d is None and mesh is not None and joints2d is not None and mesh_joints is not None:
        mesh2d = _fitted(mesh, mesh_joints, joints2d)
    return Sample(
        image=image,
        centre=np.asarray(centre, float),
        side=float(side),
        roll=0.0,
        vertices=centred.astype(np.float32),
        vertices2d=np.full((vertices, 2), OUTSIDE, np.float32) if mesh2d is None else mesh2d,
        joints3d=np.zeros((joints, 3), np.float32) if joints3d is None else joints3d.astype(np.float32),
        joints2d=np.zeros((joints, 3), np.float32) if joints2d is None else joints2d,
        confidence3d=confidence,
        has_mesh=mesh is not None,
        has_3d=joints3d is not None,
        has_2d=joints2d is not None,
        gender=labels.gender,
        pose=None if labels.pose is None else np.asarray(labels.pose, np.float32).reshape(-1, 3),
        betas=None if labels.betas is None else np.asarray(labels.betas, np.float32).ravel(),
        key=labels.key,
        sequence=labels.sequence,
        frame=labels.frame,
    )


def _checked(values: np.ndarray, rows: int, widths: tuple[int, ...], key: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != 2 or len(array) != rows or array.shape[1] not in widths:
        raise UserError(f"A label of {key} has the size {array.shape}, not {rows} x {widths[0]}.")
    if not np.isfinite(array).all():
        raise UserError(f"A label of {key} is not finite.")
    return array


def fit_camera(points: np.ndarray, joints2d: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Weak perspective by least squares: pixels = scale * (X, Y) + offset.

    points: (P, 3); joints2d: (P, 3) with confidence. Returns the scale and (2,), or None when fewer than two
    joints are seen or the fit would turn the body over.
    """
    weight = joints2d[:, 2:3].clip(0)
    total = float(weight.sum())
    if (weight > 0).sum() < 2 or total <= 0:
        return None
    mean3d = (weight * points[:, :2]).sum(axis=0) / total
    mean2d = (weight * joints2d[:, :2]).sum(axis=0) / total
    offset3d, offset2d = points[:, :2] - mean3d, joints2d[:, :2] - mean2d
    spread = float((weight * offset3d**2).sum())
    scale = float((weight * offset3d * offset2d).sum()) / max(spread, 1e-9)
    return (scale, mean2d - scale * mean3d) if scale > 0 else None


def _fitted(mesh: np.ndarray, mesh_joints: np.ndarray, joints2d: np.ndarray) -> np.ndarray | None:
    camera = fit_camera(mesh_joints, joints2d)
    return None if camera is None else (camera[0] * mesh[:, :2] + camera[1]).astype(np.float32)


def joint_box(joints2d: np.ndarray, scale: float = BOX_SCALE) -> tuple[np.ndarray, float]:
    """Middle (2,) and side of the square round the seen joints of (P, 3); raises UserError without two."""
    seen = joints2d[joints2d[:, 2] > 0, :2]
    if len(seen) < 2:
        raise UserError("A person with fewer than two seen joints has no box.")
    low, high = seen.min(axis=0), seen.max(axis=0)
    return (low + high) / 2, float((high - low).max() * scale)


def project_pinhole(points: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """(N, 3) in camera axes -> (N, 2) pixels; OUTSIDE for what is behind the camera."""
    ahead = points[:, 2] > 1e-3
    depth = np.where(ahead, points[:, 2], 1.0)[:, None]
    pixels = (points @ np.asarray(intrinsics, float).T)[:, :2] / depth
    return np.where(ahead[:, None], pixels, OUTSIDE).astype(np.float32)


def turn_root(pose: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(J, 3) axis-angles whose first joint is turned further by a (3, 3) rotation."""
    turned = np.array(pose, dtype=np.float64).reshape(-1, 3)
    turned[0] = (Rotation.from_matrix(turn) * Rotation.from_rotvec(turned[0])).as_rotvec()
    return turned


def mirror_map(body: BodyModel) -> np.ndarray | None:
    """(V,) the vertex on the other side of a body; None for a hand, which has none.

    The free body knows its own; for SMPL, whose template is nearly symmetric, it is the nearest one.
    """
    if "sym" in body.data.arrays:
        return body.data.arrays["sym"].astype(np.int64)
    if body.kind == "mano":
        return None
    template = body.data.arrays["v_template"]
    distance, nearest = cKDTree(template).query(template * np.array([-1, 1, 1], template.dtype))
    return nearest.astype(np.int64) if distance.mean() < SYMMETRIC else None
