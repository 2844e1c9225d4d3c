"""Upsampling that gives a body its thickness back, fitted to posed people.

Barycentric interpolation leaves every vertex on the flat faces of the coarser mesh: limbs lose what bulges
between them. Here each vertex is a fixed sum of some vertices nearby, weights that add up to 1, which come
from least squares over people of many shapes and poses: whatever turns or moves the coarser mesh turns and
moves the finer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from model.coarsen import Level
from model.fit_rig import State, whole_rig

SHAPES, POSES = 40, 8
"""People for the fit, and poses of each."""
MEASURED = 40
"""Of the meshes, how many tell which coarse vertices are always near."""
NEIGHBOURS = (8, 12)
"""Vertices that a vertex hangs on: of the full mesh, and of the mid mesh."""
_NOTHING = 1e-6
"""Weights below are rounding."""
RIDGE = 1e-5
"""Square metres: what pulls the weights to the barycentric ones."""


class Mirrors(NamedTuple):
    """Which vertex is another's mirror image."""

    fine: np.ndarray
    """(V,) int."""
    coarse: np.ndarray
    """(n,) int."""


def posed_people(
    body: Mapping[str, np.ndarray], limits: np.ndarray | float, rng: np.random.Generator
) -> np.ndarray:
    """(N, V, 3) float32 metres: people of random shapes in random poses.

    body: the arrays of a body file. limits: (J, 3), or one for all: degrees about x, y and z up to which
    a joint is turned, mostly by much less.
    """
    rig = whole_rig(body, body["shapedirs"].shape[2])
    origins = np.zeros((POSES, 3), np.float32)
    people = []
    for _ in range(SHAPES):
        turns = np.radians(limits) * rng.uniform(-1, 1, (POSES, len(rig.parents), 3)) ** 3
        rotations = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(POSES, -1, 3, 3)
        betas = rng.normal(size=rig.shapes).astype(np.float32)
        people.append(rig.vertices(State(rotations.astype(np.float32), betas, origins)))
    return np.concatenate(people).astype(np.float32)


def with_fitted_up(
    levels: Sequence[Level], people: np.ndarray, fine_mirror: np.ndarray | None = None
) -> list[Level]:
    """The levels with upsampling fitted to people (N, V, 3), the coarsest first; each mends the last.

    fine_mirror: (V,) int, for levels that know their mirror images: then the fit is mirrored exactly.
    """
    meshes, mirrors = [people], [fine_mirror]
    for level in levels:
        meshes.append(meshes[-1][:, level.kept])
        mirrors.append(level.mirror)
    made, fitted = meshes[-1], []
    for step in reversed(range(len(levels))):
        fine, coarse = mirrors[step], mirrors[step + 1]
        both = None if fine is None or coarse is None else Mirrors(fine, coarse)
        up = fitted_up(meshes[step], made, levels[step].up, NEIGHBOURS[step], both)
        made = np.stack([(up @ mesh).astype(np.float32) for mesh in made])
        fitted.append(replace(levels[step], up=up))
    return fitted[::-1]


def fitted_up(
    fine: np.ndarray,
    coarse: np.ndarray,
    up: sp.csr_matrix,
    neighbours: int,
    mirrors: Mirrors | None = None,
) -> sp.csr_matrix:
    """Least squares from coarse (N, n, 3) to fine (N, V, 3) around `up` (V, n); exactly as its mirror image.

    Rows that copy a coarse vertex stay as they are.
    """
    start = up.toarray()
    start[np.abs(start) < _NOTHING] = 0
    near = np.argsort(_farthest(fine[:MEASURED], coarse[:MEASURED]), axis=1)[:, :neighbours]
    weights = start.copy()
    for vertex in np.flatnonzero(start.max(axis=1) < 1):
        # What the row hangs on already belongs to it, though another vertex may be nearer.
        some = np.union1d(near[vertex], np.flatnonzero(start[vertex]))
        first, others = some[0], some[1:]
        # In terms of the differences from one of them, weights add up to 1 by themselves.
        axes = (
            (coarse[:, others] - coarse[:, [first]]).transpose(0, 2, 1).reshape(-1, len(others)).astype(float)
        )
        missing = (fine[:, vertex] - np.tensordot(coarse[:, some], start[vertex, some], (1, 0))).ravel()
        normal = axes.T @ axes / len(axes) + RIDGE * np.eye(len(others))
        change = np.linalg.solve(normal, axes.T @ missing / len(axes))
        weights[vertex, others] += change
        weights[vertex, first] -= change.sum()
    if mirrors is not None:
        weights = (weights + weights[mirrors.fine][:, mirrors.coarse]) / 2
    return sp.csr_matrix(weights)


def _farthest(fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """(V, n): over all meshes, the largest distance between a fine and a coarse vertex."""
    largest = np.zeros((fine.shape[1], coarse.shape[1]))
    for one, other in zip(fine, coarse, strict=True):
        np.maximum(largest, cdist(one, other), out=largest)
    return largest
