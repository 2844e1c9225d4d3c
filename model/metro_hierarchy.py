"""The mesh hierarchy that METRO and its successors share: `mesh_downsampling.npz`, `mano_downsampling.npz`.

Such a file holds lists of scipy matrices behind pickle: A (adjacency of each level), U and D (up and down),
some also F (faces). It is read by the allow-list of model.unpickle.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from model.array_files import load_arrays
from model.errors import UserError
from model.hierarchy import Hierarchy, graph_hops

Edge = tuple[int, int]
Triangle = tuple[int, int, int]


def read_metro_hierarchy(
    path: Path, faces: np.ndarray, template: np.ndarray, num_coarse: int = 431
) -> Hierarchy:
    """The file's levels down to `num_coarse` vertices.

    faces: (F, 3) and template: (V, 3) of the body that it is for.
    Where one step leads to the coarse mesh (MANO's 778 to 195), the mid mesh is the coarse one.
    Raises UserError when the file is damaged, hostile, or made for another body.
    """
    content = load_arrays(path)
    missing = [name for name in "AUD" if name not in content]
    if missing:
        raise UserError(f"{path.name} is no mesh hierarchy: it lacks {', '.join(missing)}.")
    try:
        up, down, adjacency = ([sp.csr_matrix(m, dtype=np.float32) for m in content[name]] for name in "UDA")
    except (TypeError, ValueError) as error:
        raise UserError(f"{path.name} is no mesh hierarchy: {error}.") from error
    depth = _check_levels(up, down, adjacency, len(template), num_coarse, path.name)
    positions = [template]
    for matrix in down[:depth]:
        positions.append(matrix @ positions[-1])
    stored = content.get("F")
    coarser = [_level_faces(stored, k, adjacency[k], positions[k]) for k in range(1, depth + 1)]
    levels = [faces.astype(np.int32), *coarser]
    if depth == 1:
        identity = sp.identity(num_coarse, np.float32, "csr")
        up, down, levels = [up[0], identity], [down[0], identity], [*levels, levels[1]]
    return Hierarchy(
        faces=(levels[0], levels[1], levels[2]),
        up=(up[0], up[1]),
        down=(down[0], down[1]),
        hops=adjacency_hops(adjacency[depth]),
    )


def _check_levels(
    up: list[Any], down: list[Any], adjacency: list[Any], num_fine: int, num_coarse: int, label: str
) -> int:
    """How many steps lead from the body to the coarse mesh: 1 or 2."""
    sizes = [num_fine]
    for step, (u, d) in enumerate(zip(up[:2], down[:2], strict=False)):
        fits = u.shape == d.shape[::-1] and u.shape[0] == sizes[-1] and len(adjacency) > step + 1
        if not fits or adjacency[step + 1].shape != (u.shape[1], u.shape[1]):
            break
        sizes.append(u.shape[1])
        if sizes[-1] == num_coarse:
            return step + 1
    raise UserError(
        f"{label} is made for another body: it does not lead from {num_fine} to {num_coarse} vertices in at "
        f"most two steps."
    )


def adjacency_hops(adjacency: sp.csr_matrix) -> np.ndarray:
    """(C, C) uint8 hop distances of an adjacency matrix, whatever its weights; unconnected pairs get 255."""
    return graph_hops(_edges(adjacency))


def _edges(adjacency: sp.csr_matrix) -> sp.csr_matrix:
    """Ones where two different vertices touch."""
    pattern = sp.csr_matrix(adjacency != 0, dtype=np.float64)
    pattern = pattern.maximum(pattern.T).tolil()
    pattern.setdiag(0)
    return sp.csr_matrix(pattern)


def _level_faces(stored: Any, level: int, adjacency: sp.csr_matrix, positions: np.ndarray) -> np.ndarray:
    """The level's faces: the file's own where it has usable ones, else found in the adjacency."""
    try:
        faces = np.asarray(stored[level], dtype=np.int64)
        if faces.ndim == 2 and faces.shape[1] == 3 and faces.min() >= 0 and faces.max() < len(positions):
            return faces.astype(np.int32)
    except (TypeError, ValueError, IndexError):
        pass  # No faces in this file, or none of this level.
    return faces_from_adjacency(adjacency, positions)


def faces_from_adjacency(adjacency: sp.csr_matrix, positions: np.ndarray) -> np.ndarray:
    """(F, 3) int32 triangles of a closed surface, counter-clockwise from outside.

    Every triple of touching vertices is a face, unless an edge then had more than two: rings of three edges
    around a thin limb are no faces.
    """
    triangles = _oriented(_without_rings(_triples(_edges(adjacency))))
    faces = np.array(triangles, np.int32).reshape(-1, 3)
    a, b, c = (positions[faces[:, i]] for i in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return faces if volume >= 0 else faces[:, ::-1].copy()


def _triples(edges: sp.csr_matrix) -> list[Triangle]:
    neighbours = [set(row.tolist()) for row in np.split(edges.indices, edges.indptr[1:-1])]
    return [
        (i, j, k)
        for i, near in enumerate(neighbours)
        for j in near
        if j > i
        for k in near & neighbours[j]
        if k > j
    ]


def _sides(triangle: Triangle) -> tuple[Edge, Edge, Edge]:
    a, b, c = sorted(triangle)
    return (a, b), (b, c), (a, c)


def _by_edge(triangles: list[Triangle]) -> dict[Edge, list[int]]:
    owners: dict[Edge, list[int]] = {}
    for index, triangle in enumerate(triangles):
        for edge in _sides(triangle):
            owners.setdefault(edge, []).append(index)
    return owners


def _without_rings(triangles: list[Triangle]) -> list[Triangle]:
    """Drop the triangle with the most crowded edges until no edge has more than two."""
    kept = list(triangles)
    while True:
        owners = _by_edge(kept)
        crowd = [sum(len(owners[edge]) > 2 for edge in _sides(triangle)) for triangle in kept]
        if not crowd or max(crowd) == 0:
            return kept
        del kept[int(np.argmax(crowd))]


def _oriented(triangles: list[Triangle]) -> list[Triangle]:
    """Turn triangles so that neighbours run through their common edge in opposite directions."""
    owners = _by_edge(triangles)
    turned: dict[int, Triangle] = {}
    for seed in range(len(triangles)):
        if seed in turned:
            continue
        turned[seed] = triangles[seed]
        queue = deque([seed])
        while queue:
            index = queue.popleft()
            a, b, c = turned[index]
            for start, end in ((a, b), (b, c), (c, a)):
                for other in owners[min(start, end), max(start, end)]:
                    if other not in turned:
                        (apex,) = set(triangles[other]) - {start, end}
                        turned[other] = (end, start, apex)
                        queue.append(other)
    return [turned[index] for index in range(len(triangles))]
