"""The left half of the skin, with eye and mouth closed, as combinations of base vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import open3d as o3d
import scipy.sparse as sp

from assets.build.body.cavities import ray_scene, visible_skin
from assets.build.body.makehuman import BaseMesh
from assets.build.body.surface import split_quads
from model.surface import boundary_edges, directed_edges

ON_MIDDLE = 1e-9
"""A vertex with |x| below this (metres) lies on the mid-line."""
EYE_CORNER = 7783
"""Vertex of the base mesh at the outer corner of the left eyelids, where the ring of the eye opens."""
EYE_RINGS = (0.4, 0.8)
"""The eye's cap has rings this far from the eyelid to the eye's centre, then a pole."""

Blend = tuple[np.ndarray, np.ndarray]
"""(3,) vertices of the base mesh and their weights."""


@dataclass(frozen=True)
class HalfMesh:
    """x >= 0; its only boundary is the mid-line."""

    faces: np.ndarray
    """(F, 3) int."""
    blend: sp.csr_matrix
    """(N, 19158): each vertex as a combination of base vertices, so that any shape carries over."""


def _left_triangles(quads: np.ndarray, base: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Triangles of the quads with x >= 0, cut along the diagonal that is shorter on the mean adult."""
    quads = quads[(base[quads][:, :, 0] > -ON_MIDDLE).all(axis=1)]
    a, b, c, d = quads.T
    shorter = np.linalg.norm(mean[a] - mean[c], axis=1) <= np.linalg.norm(mean[b] - mean[d], axis=1)
    shorter = shorter[:, None]
    first = np.where(shorter, quads[:, [0, 1, 2]], quads[:, [0, 1, 3]])
    second = np.where(shorter, quads[:, [0, 2, 3]], quads[:, [1, 2, 3]])
    return np.concatenate([first, second])


def boundary_loops(faces: np.ndarray) -> list[list[int]]:
    """Closed loops of boundary vertices, in the direction of the faces.

    Raises ValueError where two loops touch in one vertex.
    """
    rim = boundary_edges(faces)
    follow = dict(rim)
    if len(follow) < len(rim):
        raise ValueError("the boundary of the mesh touches itself")
    loops = []
    while follow:
        loop = [min(follow)]
        while (following := follow.pop(loop[-1])) != loop[0]:
            loop.append(following)
        loops.append(loop)
    return loops


def _start_at(loop: list[int], k: int) -> list[int]:
    return loop[k:] + loop[:k]


def cap_mouth(loop: list[int], vertices: np.ndarray, faces: np.ndarray) -> list[tuple[int, int, int]]:
    """Faces that close the lips: a strip across the one arc of `loop` that leaves the mid-line.

    Always takes the shorter of the two next bridges, and none that the mesh already has.
    """
    middle = np.abs(vertices[loop, 0]) < ON_MIDDLE
    leaves = [k for k in range(len(loop)) if not middle[k] and middle[k - 1]]
    loop = _start_at(loop, leaves[0] - 1)
    end = next(k for k in range(2, len(loop)) if abs(vertices[loop[k], 0]) < ON_MIDDLE)
    arc = loop[: end + 1]
    known = {frozenset(edge) for edge in directed_edges(faces).tolist()}

    def bridge(a: int, b: int, last: bool) -> float:
        taken = 9.0 if not last and frozenset((a, b)) in known else 0.0
        return float(np.linalg.norm(vertices[a] - vertices[b])) + taken

    strip, i, j = [], 0, len(arc) - 1
    while j - i > 1:
        last = j - i == 2
        if bridge(arc[i + 1], arc[j], last) <= bridge(arc[i], arc[j - 1], last):
            strip.append((arc[i + 1], arc[i], arc[j]))
            i += 1
        else:
            strip.append((arc[j], arc[j - 1], arc[i]))
            j -= 1
    return strip


class _Eyeball:
    """The left eyeball of the base mesh, to put points on."""

    def __init__(self, base: BaseMesh) -> None:
        quads = base.faces["helper-l-eye"]
        self.triangles = split_quads(quads)
        self.centre = base.vertices[np.unique(quads)].mean(axis=0)
        self._scene = ray_scene(base.vertices, self.triangles)

    def project(self, point: np.ndarray) -> Blend:
        """The eyeball's point in the direction of `point` (3,), from its centre."""
        ray = point - self.centre
        outside = self.centre + ray / np.linalg.norm(ray) * 0.05
        nearest = self._scene.compute_closest_points(o3d.core.Tensor(outside[None].astype(np.float32)))
        u, v = nearest["primitive_uvs"].numpy()[0].astype(float)
        return self.triangles[int(nearest["primitive_ids"].numpy()[0])], np.array([1 - u - v, u, v])


def cap_eye(loop: list[int], base: BaseMesh) -> tuple[list[tuple[int, int, int]], list[Blend]]:
    """Faces that close the left eye along its ball, and the blends of the vertices they add."""
    loop = _start_at(loop, loop.index(EYE_CORNER))
    ball, count, first = _Eyeball(base), len(loop), len(base.vertices)
    centre = base.vertices[loop].mean(axis=0)
    rings = [[(1 - t) * base.vertices[v] + t * centre for v in loop] for t in EYE_RINGS]
    blends = [ball.project(point) for ring in rings for point in ring] + [ball.project(centre)]
    faces, outer = [], loop
    for number in range(len(rings)):
        inner = [first + number * count + k for k in range(count)]
        for k in range(count):
            after = (k + 1) % count
            faces += [(outer[after], outer[k], inner[k]), (outer[after], inner[k], inner[after])]
        outer = inner
    pole = first + len(rings) * count
    faces += [(outer[(k + 1) % count], outer[k], pole) for k in range(count)]
    return faces, blends


def build_half(base: BaseMesh, mean: np.ndarray) -> HalfMesh:
    """Cut, triangulate and close the left half. mean: (19158, 3) mean adult."""
    faces = _left_triangles(visible_skin(base), base.vertices, mean)
    caps: list[tuple[int, int, int]] = []
    blends: list[Blend] = []
    for loop in boundary_loops(faces):
        if EYE_CORNER in loop:
            lid_faces, blends = cap_eye(loop, base)
            caps += lid_faces
        else:
            caps += cap_mouth(loop, base.vertices, faces)
    count = len(base.vertices)
    rows = np.repeat(np.arange(len(blends)), 3)
    columns = np.concatenate([vertices for vertices, _ in blends])
    values = np.concatenate([weights for _, weights in blends])
    extra = sp.csr_matrix((values, (rows, columns)), shape=(len(blends), count))
    blend = sp.vstack([sp.identity(count, format="csr"), extra]).tocsr()
    used, inverse = np.unique(np.concatenate([faces, np.array(caps)]), return_inverse=True)
    return HalfMesh(inverse.reshape(-1, 3), blend[used])
