"""The free body posed fast: float32, the heaviest joints of each vertex only, sparse correctives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.spatial.transform import Rotation

import assets
from model.data.render.body import Body
from model.data.render.raster import skin_points, vertex_normals32

HEAVIEST = 6
LEFT_HIP, RIGHT_HIP = 3, 2


@dataclass(frozen=True)
class Rig:
    """How N points hang on the skeleton: weights and joints (N, HEAVIEST)."""

    weights: np.ndarray
    joints: np.ndarray

    @classmethod
    def of(cls, weights: np.ndarray) -> Rig:
        """From dense weights (N, 24); what is dropped is shared among those that stay."""
        joints = np.argsort(-weights, axis=1)[:, :HEAVIEST]
        heaviest = np.take_along_axis(weights, joints, axis=1)
        heaviest = heaviest / np.maximum(heaviest.sum(axis=1, keepdims=True), 1e-9)
        return cls(heaviest.astype(np.float32), joints.astype(np.int32))


@dataclass(frozen=True)
class Figure:
    """A body in one pose, without translation."""

    points: np.ndarray
    """(V, 3) float32."""
    normals: np.ndarray
    """(V, 3) float32."""
    turns: np.ndarray
    """(24, 3, 4) float32 skinning transforms."""
    betas: np.ndarray
    """(10,) float32."""
    thigh_lift: float
    """Degrees between the more raised thigh and the trunk's axis."""

    def carry(self, rest: np.ndarray, shapedirs: np.ndarray, rig: Rig) -> np.ndarray:
        """Points (N, 3) of something that hangs on the resting mean body."""
        shaped = rest + shapedirs @ self.betas
        return skin_points(shaped, rig.weights, rig.joints, self.turns)


class Poser:
    """The free body and what is computed once from it."""

    def __init__(self) -> None:
        self.body = Body.load(assets.BODY)
        with np.load(assets.BODY / "body.npz", allow_pickle=False) as data:
            self.part = data["part"].astype(np.int64)
            self.uv = data["vt"][data["ft"].astype(np.int64)].astype(np.float32)
        mesh = self.body.mesh
        self.rest = mesh.vertices.astype(np.float32)
        self.faces = mesh.faces.astype(np.int32)
        self.rig = Rig.of(mesh.weights)
        self.joints = self.body.joints(np.zeros(10))
        self.neighbours = _neighbours(mesh.faces, len(mesh.vertices))
        self._shapedirs = mesh.shapedirs.astype(np.float32)
        self._correctives = csr_matrix(self.body.posedirs.reshape(-1, 207).astype(np.float32))
        self._joint_shapes = np.einsum("jv,vab->jab", self.body.joint_regressor.toarray(), mesh.shapedirs)

    def pose(self, pose: np.ndarray, betas: np.ndarray) -> Figure:
        """Pose (24, 3) axis-angle, betas (10,)."""
        rotations = Rotation.from_rotvec(pose).as_matrix()
        turns = self._turns(rotations, self.joints + self._joint_shapes @ betas)
        offsets = self._correctives @ (rotations[1:] - np.eye(3)).ravel().astype(np.float32)
        betas = betas.astype(np.float32)
        rest = self.rest + self._shapedirs @ betas + offsets.reshape(-1, 3)
        points = skin_points(rest, self.rig.weights, self.rig.joints, turns)
        lift = float(np.degrees(np.arccos(np.clip(rotations[1:3, 1, 1].min(), -1, 1))))
        return Figure(points, vertex_normals32(points, self.faces), turns, betas, lift)

    def _turns(self, rotations: np.ndarray, joints: np.ndarray) -> np.ndarray:
        parents = self.body.parents
        turns = np.zeros((24, 3, 4))
        places = np.zeros((24, 3))
        for joint, parent in enumerate(parents):
            if parent < 0:
                turns[joint, :, :3], places[joint] = rotations[joint], joints[joint]
            else:
                turns[joint, :, :3] = turns[parent, :, :3] @ rotations[joint]
                places[joint] = places[parent] + turns[parent, :, :3] @ (joints[joint] - joints[parent])
        turns[:, :, 3] = places - np.einsum("jab,jb->ja", turns[:, :, :3], joints)
        return turns.astype(np.float32)

    def keypoints(self, points: np.ndarray) -> np.ndarray:
        """(14, 3) joints in LSP order of body vertices (V, 3)."""
        return self.body.lsp_regressor @ points


@cache
def free_poser() -> Poser:
    """The one poser that all datasets of a process share."""
    return Poser()


def _neighbours(faces: np.ndarray, count: int) -> csr_matrix:
    """(V, V) float32: averages the neighbours of each vertex."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    both = np.concatenate([edges, edges[:, ::-1]])
    graph = coo_matrix((np.ones(len(both)), both.T), shape=(count, count)).tocsr()
    graph.data[:] = 1
    degree = np.asarray(graph.sum(axis=1)).ravel()
    return (diags(1 / degree) @ graph).tocsr().astype(np.float32)
