"""Pose, shape and place of a body from the vertices of its mesh: many frames at once, one shape for all.

Method: each joint's rotation in the world by Kabsch on the vertices that it moves; then Gauss-Newton on the
body's own blend skinning with pose correctives. The shape is found together with the poses of some frames
spread over the take, and kept for all. Axes are the body's: y up, facing +z at rest; metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from model.body import BodyModel
from model.errors import UserError
from model.fit_rig import Rig, State, rig_of

_SHAPE_FRAMES = 32
_SHAPE_STEPS, _POSE_STEPS = 6, 3
_CHUNK = 32
_DAMPING, _SHAPE_PRIOR = 1e-6, 1e-9
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Fit:
    """`body(rotations, betas, translations)` gives the vertices back, up to `residuals`."""

    rotations: np.ndarray
    """(T, J, 3, 3) float64 of each joint against its parent."""
    betas: np.ndarray
    """(K,) float64 standard deviations: one shape for all frames."""
    translations: np.ndarray
    """(T, 3) float64 metres."""
    residuals: np.ndarray
    """(T,) float64: mean distance in millimetres of the body's vertices from those given."""

    @property
    def pose(self) -> np.ndarray:
        """(T, J, 3) float64 axis-angles without jumps from frame to frame."""
        frames, joints = self.rotations.shape[:2]
        flat = Rotation.from_matrix(self.rotations.reshape(-1, 3, 3)).as_rotvec()
        return unwrapped(flat.reshape(frames, joints, 3))

    @property
    def residual(self) -> float:
        """Millimetres over all frames."""
        return float(self.residuals.mean())


def fit_body(body: BodyModel, vertices: np.ndarray, progress: Progress | None = None) -> Fit:
    """The body's pose and place in each frame, and one shape, that come closest to vertices (T, V, 3).

    progress: told the part that is done, in [0, 1]; what it raises passes through.
    Raises UserError when the vertices are not this body's, not finite or none, or the body is a hand.
    """
    _check(body, vertices)
    rig = rig_of(body)
    tell = progress or (lambda part: None)
    tell(0.0)
    some = np.unique(np.linspace(0, len(vertices) - 1, _SHAPE_FRAMES).round().astype(int))
    betas = _shape(rig.subset, vertices[some][:, rig.chosen].astype(np.float32))
    tell(0.2)
    turns, moves, residuals = [], [], []
    for start in range(0, len(vertices), _CHUNK):
        chunk = vertices[start : start + _CHUNK].astype(np.float32)
        state = _pose(rig.subset, chunk[:, rig.chosen], betas)
        turns.append(state.rotations)
        moves.append(state.translations)
        residuals.append(np.linalg.norm(rig.whole.vertices(state) - chunk, axis=-1).mean(axis=1) * 1000)
        tell(0.2 + 0.8 * min(1.0, (start + _CHUNK) / len(vertices)))
    exact = _orthogonal(np.concatenate(turns).astype(np.float64))
    return Fit(
        exact,
        betas.astype(np.float64),
        np.concatenate(moves).astype(np.float64),
        np.concatenate(residuals).astype(np.float64),
    )


def _check(body: BodyModel, vertices: np.ndarray) -> None:
    if body.kind == "mano":
        raise UserError("A hand cannot be fitted: the skeleton is that of a body.")
    if vertices.ndim != 3 or vertices.shape[1:] != (body.num_vertices, 3) or len(vertices) == 0:
        raise UserError(f"The meshes are not those of the {body.name}: they have another number of vertices.")
    if not np.isfinite(vertices).all():
        raise UserError("The meshes have vertices that are not finite; no pose fits them.")


def _shape(rig: Rig, target: np.ndarray) -> np.ndarray:
    """(K,) float32."""
    state = _start(rig, target, np.zeros(rig.shapes, np.float32))
    for _ in range(_SHAPE_STEPS):
        state = _step(rig, state, target, shape=True)
    return state.betas


def _pose(rig: Rig, target: np.ndarray, betas: np.ndarray) -> State:
    state = _start(rig, target, betas)
    for _ in range(_POSE_STEPS):
        state = _step(rig, state, target, shape=False)
    return state


def _start(rig: Rig, target: np.ndarray, betas: np.ndarray) -> State:
    """Kabsch (1976) a joint: the rotation that takes its vertices at rest to where they are."""
    rest, _ = rig.rest(betas)
    weights = rig.weights**2
    weights /= weights.sum(axis=0)
    middle_rest, middle_seen = weights.T @ rest, np.einsum("vj,tva->tja", weights, target, optimize=True)
    spread = np.einsum("vj,tva,vb->tjab", weights, target, rest, optimize=True)
    spread -= middle_seen[..., :, None] * middle_rest[:, None, :]
    world = _orthogonal(spread)
    local = world.copy()
    for joint, parent in enumerate(rig.parents[1:], start=1):
        local[:, joint] = world[:, parent].swapaxes(1, 2) @ world[:, joint]
    state = State(local, betas, np.zeros((len(target), 3), np.float32))
    shift = (target - rig.vertices(state)).mean(axis=1)
    return State(local, betas, shift)


def _step(rig: Rig, state: State, target: np.ndarray, *, shape: bool) -> State:
    """One damped Gauss-Newton step; the shape is eliminated last, by the Schur complement."""
    linear = rig.linearised(state, shape=shape)
    frames, count = len(target), linear.points.shape[1]
    wanted = target - linear.points
    normal = _normal(linear.arms, count)
    normal += _DAMPING * 3 * count * np.eye(normal.shape[-1], dtype=np.float32)
    right = _pulled(linear.arms, wanted)
    betas, change = state.betas, np.zeros(len(state.betas), np.float32)
    if linear.slopes is not None:
        mixed = _pulled(linear.arms, linear.slopes)
        slopes = linear.slopes.reshape(frames, -1, len(betas))
        solved = np.linalg.solve(normal, np.concatenate([mixed, right], axis=-1))
        prior = _SHAPE_PRIOR * slopes.shape[1] * frames
        left = (slopes.swapaxes(1, 2) @ slopes).sum(axis=0) + prior * np.eye(len(betas))
        left -= np.einsum("tuk,tul->kl", mixed, solved[..., :-1])
        pull = (wanted.reshape(frames, 1, -1) @ slopes).sum(axis=(0, 1)) - prior * betas
        pull -= np.einsum("tuk,tu->k", mixed, solved[..., -1])
        change = np.linalg.solve(left, pull).astype(np.float32)
        right = right - mixed @ change[:, None]
    steps = np.linalg.solve(normal, right)[..., 0]
    turns = steps[:, :-3].reshape(-1, 3)
    exact = Rotation.from_rotvec(turns).as_matrix().astype(np.float32)
    turned = exact.reshape(frames, -1, 3, 3) @ linear.world
    local = turned.copy()
    for joint, parent in enumerate(rig.parents[1:], start=1):
        local[:, joint] = linear.world[:, parent].swapaxes(1, 2) @ turned[:, joint]
    return State(local, betas + change, state.translations + steps[:, -3:])


def _normal(arms: np.ndarray, count: int) -> np.ndarray:
    """(T, 3 J + 3, 3 J + 3): the turns and the translation against each other, summed over `count` vertices.

    The derivative by a turn is the cross product with the arm a, and (d x a) . (e x b), summed, is
    d . (trace(G) I - G^T) e with G the sum of a b^T: the derivatives themselves are never written down.
    """
    frames, size = arms.shape[:2]
    joints = size // 3
    blocks = (arms @ arms.swapaxes(1, 2)).reshape(frames, joints, 3, joints, 3)
    turned = -blocks.transpose(0, 1, 4, 3, 2)
    traces = np.einsum("tjaka->tjk", blocks)
    for axis in range(3):
        turned[:, :, axis, :, axis] += traces
    normal = np.zeros((frames, size + 3, size + 3), np.float32)
    normal[:, :size, :size] = turned.reshape(frames, size, size)
    x, y, z = arms.sum(axis=2).reshape(frames, joints, 3).transpose(2, 0, 1)
    by_place = np.zeros((frames, joints, 3, 3), np.float32)
    by_place[:, :, 0, 1], by_place[:, :, 0, 2], by_place[:, :, 1, 2] = -z, y, -x
    by_place -= by_place.swapaxes(2, 3)
    normal[:, :size, size:] = by_place.reshape(frames, size, 3)
    normal[:, size:, :size] = normal[:, :size, size:].swapaxes(1, 2)
    normal[:, size:, size:] = count * np.eye(3)
    return normal


def _pulled(arms: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(T, 3 J + 3, K): vectors (T, V, 3) or (T, V, 3, K) times the derivatives, summed over the vertices."""
    frames, count = vectors.shape[:2]
    spun = (arms @ vectors.reshape(frames, count, -1)).reshape(
        frames, -1, 3, 3, vectors.size // (frames * count * 3)
    )
    cross = np.stack(
        [spun[:, :, a, b] - spun[:, :, b, a] for a, b in ((1, 2), (2, 0), (0, 1))],
        axis=2,
    )
    moved = vectors.sum(axis=1).reshape(frames, 3, -1)
    return np.concatenate([cross.reshape(frames, -1, cross.shape[-1]), moved], axis=1)


def _orthogonal(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) -> the nearest rotations."""
    left, _, right = np.linalg.svd(matrices)
    left[..., -1] *= np.sign(np.linalg.det(left @ right))[..., None]
    return left @ right


def unwrapped(pose: np.ndarray) -> np.ndarray:
    """(T, J, 3) axis-angles -> the same rotations, each nearest to the one before, by full turns."""
    result = pose.copy()
    for before, now in pairwise(result):
        angle = np.linalg.norm(now, axis=-1, keepdims=True)
        axis = np.where(angle > 1e-9, now / np.maximum(angle, 1e-9), _axis(before))
        turns = np.round(((before * axis).sum(-1, keepdims=True) - angle) / (2 * np.pi))
        now[:] = axis * (angle + 2 * np.pi * turns)
    return result


def _axis(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), [1.0, 0.0, 0.0])
