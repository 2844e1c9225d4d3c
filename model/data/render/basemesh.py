"""MakeHuman's base mesh hm08 in the shape and the A-pose from which the free body was made.

Garments are bound to this mesh; a `Carrier` takes them over to the free body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

import assets
from model.data.render.body import Body

# T-pose direction of a left bone: joint, its child, direction, the joint whose turn comes first.
BONE_DIRECTIONS = (
    (16, 18, (1, 0, -0.03), 13),
    (18, 20, (1, 0, 0.02), 16),
    (20, 22, (1, -0.05, 0.05), 18),
    (1, 4, (0.045, -1, 0), None),
    (4, 7, (-0.01, -1, -0.07), 1),
)
COLLAR_DEGREES = 8.0


@dataclass(frozen=True)
class BaseMesh:
    """vertices (19158, 3) and joints (24, 3) of the A-pose in metres; turns (24, 3, 3) lead to the T-pose."""

    vertices: np.ndarray
    joints: np.ndarray
    turns: np.ndarray

    @classmethod
    def of(cls, vertices: np.ndarray, joints: np.ndarray) -> BaseMesh:
        """The mesh with the turns that its skeleton needs."""
        return cls(vertices, joints, _turns(joints))

    @classmethod
    def shipped(cls) -> BaseMesh:
        """What `assets.build.basemesh` stored beside the free body."""
        with np.load(assets.BODY / "hm08.npz", allow_pickle=False) as data:
            return cls.of(data["vertices"].astype(np.float64), data["joints"].astype(np.float64))

    def to_t_pose(self, points: np.ndarray, weights: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Undo the A-pose of points (N, 3) that hang on the skeleton by weights (N, 24)."""
        backward, offset = self._pose(weights, parents)
        return np.linalg.solve(backward, (points - offset)[..., None])[..., 0]

    def to_a_pose(self, points: np.ndarray, weights: np.ndarray, parents: np.ndarray) -> np.ndarray:
        """Put points (N, 3) of the T-pose back into the A-pose."""
        backward, offset = self._pose(weights, parents)
        return np.einsum("vab,vb->va", backward, points) + offset

    def _pose(self, weights: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        back = self.turns.transpose(0, 2, 1)
        resting = self.joints.copy()
        for joint in range(1, 24):
            parent = parents[joint]
            resting[joint] = resting[parent] + self.turns[parent] @ (self.joints[joint] - self.joints[parent])
        offset = self.joints - np.einsum("jab,jb->ja", back, resting)
        return np.einsum("vj,jab->vab", weights, back), weights @ offset


@dataclass(frozen=True)
class Carrier:
    """Carries what is fitted to hm08 over to the free body: skin weights, shape directions, T-pose."""

    base: BaseMesh
    body: Body
    skin: np.ndarray  # (V, 3) the free body in the A-pose
    shift: np.ndarray  # (V, 3) what the free body has beyond the base mesh, in the T-pose
    tree: cKDTree

    @classmethod
    def build(cls, base: BaseMesh, body: Body) -> Carrier:
        """Find the base vertex of every body vertex, and what remains between the two."""
        mesh = body.mesh
        origin = base.joints[0] - body.joints(np.zeros(10))[0]
        skin = base.to_a_pose(mesh.vertices + origin, mesh.weights, body.parents)
        _, nearest = cKDTree(base.vertices).query(skin)
        rest = base.to_t_pose(base.vertices[nearest], mesh.weights, body.parents)
        return cls(base, body, skin, mesh.vertices - rest, cKDTree(skin))

    def nearest_base(self) -> np.ndarray:
        """Base vertex (V,) of every body vertex."""
        return cKDTree(self.base.vertices).query(self.skin)[1]

    def carry(
        self, points: np.ndarray, *, rigid_to: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A-pose points (N, 3) to T-pose vertices, weights (N, 24), shapedirs (N, 3, 10).

        rigid_to: a joint that alone moves the points (hair on the head).
        """
        distance, index = self.tree.query(points, k=8)
        share = 1 / (distance + 2e-3) ** 2
        share /= share.sum(axis=1, keepdims=True)
        mesh = self.body.mesh
        weights = np.einsum("nk,nkj->nj", share, mesh.weights[index])
        shapedirs = np.einsum("nk,nkab->nab", share, mesh.shapedirs[index])
        shift = np.einsum("nk,nka->na", share, self.shift[index])
        if rigid_to is not None:
            weights = np.zeros_like(weights)
            weights[:, rigid_to] = 1
            shapedirs = 0.3 * shapedirs.mean(axis=0) + 0.7 * shapedirs
        return self.base.to_t_pose(points, weights, self.body.parents) + shift, weights, shapedirs


def _turns(joints: np.ndarray) -> np.ndarray:
    """World rotations (24, 3, 3) from the A-pose to the T-pose."""
    turns = np.tile(np.eye(3), (24, 1, 1))
    turns[13] = Rotation.from_euler("z", COLLAR_DEGREES, degrees=True).as_matrix()
    for joint, child, direction, parent in BONE_DIRECTIONS:
        before = turns[parent] if parent is not None else np.eye(3)
        turns[joint] = _align(before @ (joints[child] - joints[joint]), np.array(direction, float)) @ before
    foot = (joints[10] - joints[7]) * [1, 0, 1]
    turns[7] = turns[10] = _align(foot, np.array([0.12, 0.0, 1.0]))
    turns[22] = turns[20]
    mirror = np.diag([-1.0, 1.0, 1.0])
    for left in (1, 4, 7, 10, 13, 16, 18, 20, 22):
        turns[left + 1] = mirror @ turns[left] @ mirror
    return turns


def _align(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that takes one direction to another."""
    axis = np.cross(source, target)
    length = np.linalg.norm(axis)
    if length < 1e-12:
        return np.eye(3)
    return Rotation.from_rotvec(axis / length * np.arctan2(length, source @ target)).as_matrix()
