"""Blend skinning of many frames at once, and how it changes with pose, place and shape.

Source of the skinning: Loper et al., SMPL (2015), section 3: shape and pose correctives added to the
template, then each vertex moved by its joints' rigid motions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.body import BodyModel

_PER_PART = 24
"""Vertices of each body part that the fit looks at."""


@dataclass(frozen=True)
class State:
    """A body in T frames."""

    rotations: np.ndarray
    """(T, J, 3, 3) float32 of each joint against its parent."""
    betas: np.ndarray
    """(K,) float32."""
    translations: np.ndarray
    """(T, 3) float32."""


@dataclass(frozen=True)
class Linear:
    """A body in T frames, and how its vertices move when it changes a little."""

    points: np.ndarray
    """(T, V, 3)."""
    arms: np.ndarray
    """(T, 3 J, V): a small turn d, in the world, of a joint with all that hangs under it moves a vertex by
    d x its arm (3,) of that joint."""
    slopes: np.ndarray | None
    """(T, V, 3, K) by shape; None when it was not asked for."""
    world: np.ndarray
    """(T, J, 3, 3) the joints' rotations in the world."""


@dataclass(frozen=True)
class Rig:
    """A body, or some of its vertices, as plain arrays, all float32."""

    template: np.ndarray
    """(V, 3)."""
    shape_dirs: np.ndarray
    """(V, 3, K)."""
    pose_dirs: np.ndarray
    """(9 (J - 1), 3 V)."""
    weights: np.ndarray
    """(V, J)."""
    joints: np.ndarray
    """(J, 3) of the template."""
    joint_dirs: np.ndarray
    """(J, 3, K)."""
    parents: np.ndarray
    """(J,) int, -1 at the root."""

    @property
    def shapes(self) -> int:
        """K."""
        return self.shape_dirs.shape[2]

    @property
    def under(self) -> np.ndarray:
        """(J, J) float32: 1 where the column's joint hangs under the row's, or is it."""
        under = np.eye(len(self.parents), dtype=np.float32)
        for joint, parent in enumerate(self.parents[1:], start=1):
            under[:, joint] += under[:, parent]
        return under

    def rest(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) and joints (J, 3) of this shape."""
        return self.template + self.shape_dirs @ betas, self.joints + self.joint_dirs @ betas

    def corrected(self, state: State) -> np.ndarray:
        """(T, V, 3) at rest with pose correctives."""
        rest, _ = self.rest(state.betas)
        features = (state.rotations[:, 1:] - np.eye(3, dtype=np.float32)).reshape(len(state.rotations), -1)
        return rest + (features @ self.pose_dirs).reshape(len(features), -1, 3)

    def world(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (T, J, 3, 3) and places (T, J, 3) of the joints in the world."""
        _, joints = self.rest(state.betas)
        turns = state.rotations.copy()
        places = np.empty(turns.shape[:3], np.float32)
        places[:, 0] = joints[0] + state.translations
        for joint, parent in enumerate(self.parents[1:], start=1):
            turns[:, joint] = turns[:, parent] @ state.rotations[:, joint]
            places[:, joint] = places[:, parent] + turns[:, parent] @ (joints[joint] - joints[parent])
        return turns, places

    def vertices(self, state: State) -> np.ndarray:
        """(T, V, 3)."""
        _, joints = self.rest(state.betas)
        turns, places = self.world(state)
        moves = places - np.einsum("tjab,jb->tja", turns, joints)
        motion = np.concatenate([turns, moves[..., None]], axis=-1).reshape(len(turns), len(joints), 12)
        blended = (self.weights @ motion).reshape(len(turns), -1, 3, 4)
        rest = self.corrected(state)
        return np.einsum("tvab,tvb->tva", blended[..., :3], rest) + blended[..., 3]

    def linearised(self, state: State, *, shape: bool) -> Linear:
        """What a Gauss-Newton step needs; how the correctives change with the pose is left out."""
        _, joints = self.rest(state.betas)
        turns, places = self.world(state)
        frames, count = len(turns), len(joints)
        moves = places - np.einsum("tjab,jb->tja", turns, joints)
        # Where each joint alone would put each vertex, times its weight.
        alone = turns.reshape(frames, 3 * count, 3) @ self.corrected(state).swapaxes(1, 2)
        alone += moves.reshape(frames, -1, 1)
        alone = alone.reshape(frames, count, 3, -1)
        alone *= self.weights.T[:, None]
        arms = (self.under @ alone.reshape(frames, count, -1)).reshape(alone.shape)
        points = arms[:, 0].swapaxes(1, 2).copy()
        arms -= places[..., None] * (self.weights @ self.under.T).T[:, None]
        slopes = self._slopes(turns) if shape else None
        return Linear(points, arms.reshape(frames, 3 * count, -1), slopes, turns)

    def _slopes(self, turns: np.ndarray) -> np.ndarray:
        """(T, V, 3, K)."""
        places = np.empty((*turns.shape[:3], self.shapes), np.float32)
        places[:, 0] = self.joint_dirs[0]
        for joint, parent in enumerate(self.parents[1:], start=1):
            offset = self.joint_dirs[joint] - self.joint_dirs[parent]
            places[:, joint] = places[:, parent] + turns[:, parent] @ offset
        places -= turns @ self.joint_dirs
        frames, count = turns.shape[:2]
        blended = (self.weights @ turns.reshape(frames, count, 9)).reshape(frames, -1, 3, 3)
        moved = (self.weights @ places.reshape(frames, count, -1)).reshape(frames, -1, 3, self.shapes)
        return blended @ self.shape_dirs + moved


@dataclass(frozen=True)
class Rigs:
    """The whole body, and those of its vertices that the fit looks at."""

    whole: Rig
    subset: Rig
    chosen: np.ndarray
    """(W,) int: the vertices of the subset."""


def whole_rig(arrays: Mapping[str, np.ndarray], num_betas: int) -> Rig:
    """The arrays of a body file (`BodyData.arrays`), with so many of its shape directions."""
    template = arrays["v_template"].astype(np.float32)
    shape_dirs = arrays["shapedirs"][:, :, :num_betas].astype(np.float32)
    regressor = arrays["J_regressor"].astype(np.float32)
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    return Rig(
        template,
        shape_dirs,
        np.ascontiguousarray(arrays["posedirs"].astype(np.float32).reshape(template.size, -1).T),
        arrays["weights"].astype(np.float32),
        regressor @ template,
        np.einsum("jv,vak->jak", regressor, shape_dirs),
        parents,
    )


def rig_of(body: BodyModel) -> Rigs:
    """The arrays of a body model; the subset is spread evenly over the vertices of each part."""
    whole = whole_rig(body.data.arrays, body.num_betas)
    chosen = _spread(body.part_of_vertex)
    columns = (3 * chosen[:, None] + np.arange(3)).ravel()
    subset = Rig(
        whole.template[chosen],
        whole.shape_dirs[chosen],
        np.ascontiguousarray(whole.pose_dirs[:, columns]),
        whole.weights[chosen],
        whole.joints,
        whole.joint_dirs,
        whole.parents,
    )
    return Rigs(whole, subset, chosen)


def _spread(part_of_vertex: np.ndarray) -> np.ndarray:
    """(W,) vertices, as many of each part, sorted."""
    parts = [np.flatnonzero(part_of_vertex == part) for part in np.unique(part_of_vertex)]
    chosen = [part[np.linspace(0, len(part) - 1, min(_PER_PART, len(part))).astype(int)] for part in parts]
    return np.unique(np.concatenate(chosen))
