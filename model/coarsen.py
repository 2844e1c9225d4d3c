"""The coarser meshes of a body and the matrices between the levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from model.simplify import simplify

SIZES = (1723, 431)
"""Vertices of a body's mid and coarse mesh, as in the paper."""
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
    """A body, or a hand that is open at the wrist."""

    vertices: np.ndarray
    """(N, 3) float64; with a mirror, exactly zero in x on the mid-line."""
    faces: np.ndarray
    """(F, 3) int."""
    mirror: np.ndarray | None
    """(N,) int: the vertex on the other side, where the mesh is its own mirror image exactly."""
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
    mirror: np.ndarray | None
    """(n,) int: the vertex on the other side, where there is one."""
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
        inner_v, inner_w = over_b * scale, over_c * scale
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
    v = np.select(tests, [v for _, v, _ in regions], inner_v)
    w = np.select(tests, [w for _, _, w in regions], inner_w)
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
    """(N, n) matrix from the kept vertices, and their faces, back to all; half by mirroring."""
    place = _places(kept, len(fine.vertices))
    lost = np.flatnonzero(place < 0)
    if fine.mirror is not None:
        lost = lost[fine.vertices[lost, 0] >= 0]
    face, barycentric = attach(
        fine.vertices[lost], fine.weights[lost], fine.vertices[kept], fine.weights[kept], faces
    )
    columns = faces[face]
    rows = [kept, np.repeat(lost, 3)]
    cols = [place[kept], columns.ravel()]
    values = [np.ones(len(kept)), barycentric.ravel()]
    if fine.mirror is not None:
        off = fine.mirror[lost] != lost
        rows.append(np.repeat(fine.mirror[lost[off]], 3))
        cols.append(place[fine.mirror[kept]][columns[off]].ravel())
        values.append(barycentric[off].ravel())
    shares = np.concatenate(values)
    real = shares > NEGLIGIBLE
    index = np.concatenate(rows)[real], np.concatenate(cols)[real]
    return sp.csr_matrix((shares[real], index), shape=(len(place), len(kept)))


def _places(kept: np.ndarray, count: int) -> np.ndarray:
    """(count,) int: where each vertex is among the kept ones; -1 for the others."""
    place = np.full(count, -1)
    place[kept] = np.arange(len(kept))
    return place


def coarsen(fine: SkinnedMesh, num_vertices: int) -> Level:
    """Simplify to `num_vertices`; of a closed mirrored mesh the left half alone, which is then mirrored."""
    faces = _simplified(fine, num_vertices) if fine.mirror is None else _half(fine, 2 * num_vertices - 4)
    stay = np.unique(faces)
    if fine.mirror is None:
        kept, mirror = stay, None
        place = _places(kept, len(fine.vertices))
        level_faces = place[faces]
    else:
        kept = np.r_[stay, fine.mirror[stay[fine.mirror[stay] != stay]]]
        place = _places(kept, len(fine.vertices))
        level_faces = np.concatenate([place[faces], place[fine.mirror[faces]][:, ::-1]])
        mirror = place[fine.mirror[kept]]
    shape = (len(kept), len(fine.vertices))
    down = sp.csr_matrix((np.ones(len(kept)), (np.arange(len(kept)), kept)), shape=shape)
    return Level(level_faces, kept, mirror, down, _interpolation(fine, kept, level_faces))


def _half(fine: SkinnedMesh, num_faces: int) -> np.ndarray:
    """(F, 3) faces over the fine vertices: the left half, simplified to half of `num_faces`."""
    left = (fine.vertices[fine.faces, 0] >= 0).all(axis=1)
    used, inverse = np.unique(fine.faces[left], return_inverse=True)
    half = simplify(
        fine.vertices[used],
        inverse.reshape(-1, 3),
        num_faces // 2,
        importance=fine.importance[used],
        length_weight=LENGTH_WEIGHT,
    )
    return np.asarray(used[half])


def _simplified(fine: SkinnedMesh, num_vertices: int) -> np.ndarray:
    """(F, 3) faces over the fine vertices that use just `num_vertices` of them, if the mesh allows it."""
    return simplify(
        fine.vertices,
        fine.faces,
        0,
        least_vertices=num_vertices,
        importance=fine.importance,
        length_weight=LENGTH_WEIGHT,
        mirrored=False,
    )


def part_importance(fingers: np.ndarray, toes: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(V,) factors for `simplify` from each vertex's skinning weights to these parts."""
    wished = 1 - (1 - FINGERS) * fingers - (1 - TOES) * toes - (1 - HEAD) * head
    return np.clip(wished, 0.02, 1)


def build_levels(body: SkinnedMesh, sizes: Sequence[int] = SIZES) -> list[Level]:
    """Ever coarser levels of a body, of so many vertices each."""
    levels = []
    for num_vertices in sizes:
        level = coarsen(body, num_vertices)
        levels.append(level)
        body = SkinnedMesh(
            body.vertices[level.kept],
            level.faces,
            level.mirror,
            body.weights[level.kept],
            body.importance[level.kept],
        )
    return levels
