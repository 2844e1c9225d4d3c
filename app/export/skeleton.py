"""A body that moves by its skeleton: what skinned files hold of a take.

Axes here are the body's own: x to the viewer's right when it faces the viewer, y up, z to the viewer; metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp

from app.export.mesh import NamedMesh
from model.body import BodyModel
from model.errors import UserError

MAX_INFLUENCES = 4
"""Joints that may move one vertex: all that glTF readers must support, and game engines by default."""


@dataclass(frozen=True)
class Skeleton:
    """The rest pose; every joint's axes are the world's there."""

    mesh: NamedMesh
    names: tuple[str, ...]
    parents: np.ndarray
    """(J,) int, -1 at the root, which is the first; parents come before children."""
    joints: np.ndarray
    """(J, 3) float64 positions at rest."""
    weights: np.ndarray
    """(V, J) float64: rows sum to 1, at most `MAX_INFLUENCES` are not zero."""

    @property
    def offsets(self) -> np.ndarray:
        """(J, 3) from each joint's parent; the root's from the origin."""
        start = np.where(self.parents[:, None] < 0, 0, self.joints[self.parents])
        return self.joints - start


@dataclass(frozen=True)
class Motion:
    """How the joints of a skeleton turn over time."""

    times: np.ndarray
    """(T,) seconds, increasing."""
    rotations: np.ndarray
    """(T, J, 3, 3) of each joint against its parent."""
    translations: np.ndarray
    """(T, 3) metres added to the whole body."""


@dataclass(frozen=True)
class SkinnedTake:
    """One person of a take."""

    skeleton: Skeleton
    motion: Motion


def start_of(takes: Sequence[SkinnedTake]) -> float:
    """The time of the earliest frame, in seconds.

    Raises UserError when there is nobody, somebody has no frames, or a number is not finite.
    """
    if not takes:
        raise UserError("There is no person to export.")
    for take in takes:
        name, motion = take.skeleton.mesh.name, take.motion
        if len(motion.times) == 0:
            raise UserError(f"{name} has no frames to export.")
        if not all(np.isfinite(x).all() for x in (motion.times, motion.rotations, motion.translations)):
            raise UserError(f"The motion of {name} is not finite; nothing was exported.")
    return min(float(take.motion.times[0]) for take in takes)


def skeleton_of(
    body: BodyModel, name: str, betas: np.ndarray | None = None, colours: np.ndarray | None = None
) -> Skeleton:
    """The rest pose of a body of this shape; betas (K,) standard deviations, zeros when None.

    colours: (V, 3) of the vertices.

    Skinned files know no pose correctives: between joints they differ a little from `BodyModel.forward`.
    """
    shape = None if betas is None else torch.from_numpy(np.asarray(betas, np.float32))[None]
    with torch.no_grad():
        vertices, joints = body(torch.zeros(1, body.num_joints, 3), shape)
    arrays = body.data.arrays
    rest = vertices[0].numpy().astype(np.float64) * [1, -1, -1]
    mesh = NamedMesh(name, rest, body.faces, arrays.get("vt"), arrays.get("ft"), colours)
    parents = body.parents.astype(np.int64).copy()
    parents[0] = -1
    names = tuple(joint.replace(" ", "_") for joint in body.joint_names)
    return Skeleton(mesh, names, parents, joints[0].numpy().astype(np.float64), limit(arrays["weights"]))


def limit(weights: np.ndarray) -> np.ndarray:
    """(V, J) with only the largest `MAX_INFLUENCES` of each row, which sum to 1 again."""
    kept = weights.astype(np.float64)
    smallest = np.argsort(kept, axis=1)[:, :-MAX_INFLUENCES]
    np.put_along_axis(kept, smallest, 0, axis=1)
    return kept / kept.sum(axis=1, keepdims=True)


def posed(take: SkinnedTake) -> np.ndarray:
    """(T, V, 3) vertices by linear blend skinning, as every reader of a skinned file computes them."""
    skeleton, motion = take.skeleton, take.motion
    turns, places = np.empty_like(motion.rotations), np.empty((len(motion.times), len(skeleton.joints), 3))
    for joint, (parent, offset) in enumerate(zip(skeleton.parents, skeleton.offsets, strict=True)):
        if parent < 0:
            turns[:, joint], places[:, joint] = motion.rotations[:, joint], offset + motion.translations
            continue
        turns[:, joint] = turns[:, parent] @ motion.rotations[:, joint]
        places[:, joint] = places[:, parent] + turns[:, parent] @ offset
    moves = places - np.einsum("tjab,jb->tja", turns, skeleton.joints)
    rest = skeleton.mesh.vertices * [1, -1, -1]
    rigid = np.concatenate([turns, moves[..., None]], axis=-1).reshape(len(turns), len(skeleton.joints), 12)
    result = np.empty((len(turns), *rest.shape))
    for frame, motions in enumerate(rigid):
        blended = (skeleton.weights @ motions).reshape(-1, 3, 4)
        result[frame] = np.einsum("vab,vb->va", blended[..., :3], rest) + blended[..., 3]
    return result


def resampled(motion: Motion, rate: float) -> Motion:
    """The same motion with `rate` frames a second, from its first time on: great circles between frames."""
    if len(motion.times) == 1:
        return motion
    steps = int(np.floor((motion.times[-1] - motion.times[0]) * rate + 1e-4)) + 1
    times = np.minimum(motion.times[0] + np.arange(steps) / rate, motion.times[-1])
    joints = [
        Slerp(motion.times, Rotation.from_matrix(turns))(times).as_matrix()
        for turns in motion.rotations.swapaxes(0, 1)
    ]
    moves = [np.interp(times, motion.times, column) for column in motion.translations.T]
    return Motion(times, np.stack(joints, axis=1), np.stack(moves, axis=1))


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """(T, J, 3, 3) -> (T, J, 4) x, y, z, w, each in the half space of the one before."""
    flat = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat().reshape(*rotations.shape[:2], 4)
    turned = (flat[1:] * flat[:-1]).sum(axis=-1) < 0
    signs = np.where(np.cumsum(turned, axis=0) % 2 == 1, -1.0, 1.0)
    flat[1:] *= signs[..., None]
    return flat


def euler_angles(rotations: np.ndarray) -> np.ndarray:
    """(T, J, 3, 3) -> (T, J, 3) degrees about x, then y, then z, without jumps: readers interpolate them.

    Of the two triples for a rotation, and of their full turns, the one nearest to the frame before. Where y
    passes a quarter turn, x and z still swing fast: between the keys there a reader is less exact.
    """
    flat = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_euler("xyz", degrees=True)
    angles = flat.reshape(*rotations.shape[:2], 3)
    for before, now in pairwise(angles):
        other = now * [1, -1, 1] + 180
        both = np.stack([now, other])
        both += 360 * np.round((before - both) / 360)
        nearest = np.abs(both - before).sum(axis=-1).argmin(axis=0)
        now[:] = np.take_along_axis(both, nearest[None, :, None], axis=0)[0]
    return angles
