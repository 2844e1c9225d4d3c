"""The coarser meshes of a body and the matrices between the levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from assets.build.body.simplify import simplify

FACES = (3442, 858)
"""Of the mid and the coarse mesh: 1,723 and 431 vertices, as in the paper."""
LENGTH_WEIGHT = 0.002
FINGERS, TOES, HEAD = 1.5, 1.0, 0.3
"""Wished importance of these parts. Above one still counts as one."""
CANDIDATES = 40
"""How many faces with the nearest centroids are tried for each vertex."""
SIMILAR = 0.25
"""A vertex may hang on a face only if their skinning weights overlap this much: no arm hangs on the trunk."""
NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class SkinnedMesh:
    """A closed body, mirrored exactly."""

    vertices: np.ndarray
    """(N, 3) float64, exactly zero in x on the mid-line."""
    faces: np.ndarray
    """(F, 3) int."""
    mirror: np.ndarray
    """(N,) int: the vertex on the other side."""
    weights: np.ndarray
    """(N, J) skinning weights."""
    importance: np.ndarray
    """(N,) factors for `simplify`."""


@dataclass(frozen=True)
class Level:
    """A mesh made coarser; it keeps some of the finer mesh's vertices."""

    faces: np.ndarray
    """(F, 3) int."""
    kept: np.ndarray
    """(n,) int: the finer vertices that stay."""
    mirror: np.ndarray
    """(n,) int: the vertex on the other side."""
    down: sp.csr_matrix
    """(n, N): selects the kept vertices."""
    up: sp.csr_matrix
    """(N, n): kept vertices stay themselves, the others are barycentric on a coarse face."""


def closest_barycentric(point: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each triangle is nearest to a point (Ericson, Real-Time Collision Detection, section 5.1.5).

    point: (3,); triangles: (n, 3, 3). Returns (n, 3) barycentric weights and (n,) squared distances.
    """
    a, b, c = np.moveaxis(triangles, 1, 0)
    ab, ac = b - a, c - a
    # Along ab and ac, from each corner to the point.
    (ab_a, ac_a), (ab_b, ac_b), (ab_c, ac_c) = (
        ((ab * (point - corner)).sum(axis=1), (ac * (point - corner)).sum(axis=1)) for corner in (a, b, c)
    )
    over_c, over_b = ab_a * ac_b - ab_b * ac_a, ab_c * ac_a - ab_a * ac_c
    over_a = ab_b * ac_c - ab_c * ac_b
    past_b, past_c = ac_b - ab_b, ab_c - ac_c
    with np.errstate(divide="ignore", invalid="ignore"):
        on_ab, on_ac, on_bc = ab_a / (ab_a - ab_b), ac_a / (ac_a - ac_c), past_b / (past_b + past_c)
        scale = 1 / (over_a + over_b + over_c)
    zero, one = np.zeros(len(a)), np.ones(len(a))
    regions = [
        ((ab_a <= 0) & (ac_a <= 0), zero, zero),
        ((ab_b >= 0) & (ac_b <= ab_b), one, zero),
        ((over_c <= 0) & (ab_a >= 0) & (ab_b <= 0), on_ab, zero),
        ((ac_c >= 0) & (ab_c <= ac_c), zero, one),
        ((over_b <= 0) & (ac_a >= 0) & (ac_c <= 0), zero, on_ac),
        ((over_a <= 0) & (past_b >= 0) & (past_c >= 0), 1 - on_bc, on_bc),
    ]
    tests = [test for test, _, _ in regions]
    v = np.select(tests, [v for _, v, _ in regions], over_b * scale)
    w = np.select(tests, [w for _, _, w in regions], over_c * scale)
    nearest = a + ab * v[:, None] + ac * w[:, None]
    return np.stack([1 - v - w, v, w], axis=1), ((nearest - point) ** 2).sum(axis=1)


def attach(
    points: np.ndarray, weights: np.ndarray, coarse: np.ndarray, coarse_weights: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Hang each point on the nearest of those coarse faces that have similar skinning weights.

    points: (n, 3) and their weights (n, J); coarse: (m, 3) vertices and weights (m, J); faces: (F, 3).
    Returns (n,) faces and (n, 3) barycentric weights there.
    """
    triangles = coarse[faces]
    face_weights = coarse_weights[faces].mean(axis=1)
    _, near = cKDTree(triangles.mean(axis=1)).query(points, k=min(CANDIDATES, len(faces)))
    chosen, barycentric = np.zeros(len(points), dtype=int), np.zeros((len(points), 3))
    for i, point in enumerate(points):
        similar = np.minimum(face_weights[near[i]], weights[i]).sum(axis=1) > SIMILAR
        options = near[i][similar] if similar.any() else near[i]
        found, distance = closest_barycentric(point, triangles[options])
        best = distance.argmin()
        chosen[i], barycentric[i] = options[best], found[best]
    return chosen, barycentric


def _interpolation(fine: SkinnedMesh, kept: np.ndarray, faces: np.ndarray) -> sp.csr_matrix:
    """(N, n) matrix from the kept vertices, and their faces, back to all; made on the left and mirrored."""
    place = np.full(len(fine.mirror), -1)
    place[kept] = np.arange(len(kept))
    partner = place[fine.mirror[kept]]
    lost = np.flatnonzero((place < 0) & (fine.vertices[:, 0] >= 0))
    face, barycentric = attach(
        fine.vertices[lost], fine.weights[lost], fine.vertices[kept], fine.weights[kept], faces
    )
    columns = faces[face]
    off = fine.mirror[lost] != lost
    rows = np.r_[kept, np.repeat(lost, 3), np.repeat(fine.mirror[lost[off]], 3)]
    cols = np.r_[place[kept], columns.ravel(), partner[columns[off]].ravel()]
    values = np.r_[np.ones(len(kept)), barycentric.ravel(), barycentric[off].ravel()]
    real = values > NEGLIGIBLE
    return sp.csr_matrix((values[real], (rows[real], cols[real])), shape=(len(place), len(kept)))


def coarsen(fine: SkinnedMesh, num_faces: int) -> Level:
    """Simplify the left half to half of `num_faces` and mirror it."""
    count = len(fine.vertices)
    left = (fine.vertices[fine.faces, 0] >= 0).all(axis=1)
    used, inverse = np.unique(fine.faces[left], return_inverse=True)
    half = used[
        simplify(
            fine.vertices[used],
            inverse.reshape(-1, 3),
            num_faces // 2,
            importance=fine.importance[used],
            length_weight=LENGTH_WEIGHT,
        )
    ]
    stay = np.unique(half)
    kept = np.r_[stay, fine.mirror[stay[fine.mirror[stay] != stay]]]
    place = np.full(count, -1)
    place[kept] = np.arange(len(kept))
    faces = np.concatenate([place[half], place[fine.mirror[half]][:, ::-1]])
    down = sp.csr_matrix((np.ones(len(kept)), (np.arange(len(kept)), kept)), shape=(len(kept), count))
    return Level(faces, kept, place[fine.mirror[kept]], down, _interpolation(fine, kept, faces))


def part_importance(fingers: np.ndarray, toes: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(V,) factors for `simplify` from each vertex's skinning weights to these parts."""
    wished = 1 - (1 - FINGERS) * fingers - (1 - TOES) * toes - (1 - HEAD) * head
    return np.clip(wished, 0.02, 1)


def build_levels(body: SkinnedMesh) -> list[Level]:
    """The mid and the coarse level of a body."""
    levels = []
    for num_faces in FACES:
        level = coarsen(body, num_faces)
        levels.append(level)
        body = SkinnedMesh(
            body.vertices[level.kept],
            level.faces,
            level.mirror,
            body.weights[level.kept],
            body.importance[level.kept],
        )
    return levels
