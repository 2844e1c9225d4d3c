"""The mesh at three resolutions: faces, hop distances, and the matrices between the levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import shortest_path

import assets

MAX_HOPS = 255


@dataclass(frozen=True)
class Hierarchy:
    """Fine, mid and coarse mesh of one body; for the free body 6890, 1723 and 431 vertices."""

    faces: tuple[np.ndarray, np.ndarray, np.ndarray]
    """(F, 3) int32 of the fine, mid and coarse mesh."""
    up: tuple[sp.csr_matrix, sp.csr_matrix]
    """(fine, mid) and (mid, coarse): interpolate a level from the next coarser one."""
    down: tuple[sp.csr_matrix, sp.csr_matrix]
    """(mid, fine) and (coarse, mid)."""
    hops: np.ndarray
    """(C, C) uint8: edges on the shortest path between two coarse vertices."""
    mirrored: np.ndarray | None = None
    """(C,) int: the coarse vertex on the other side of the body, where that is known."""

    @property
    def num_fine(self) -> int:
        """Vertices of the full mesh."""
        return int(self.up[0].shape[0])

    @property
    def num_coarse(self) -> int:
        """Vertices of the mesh that the network regresses."""
        return int(self.up[1].shape[1])

    @property
    def diameter(self) -> int:
        """The largest hop distance: a threshold of this many hops masks nothing."""
        return int(self.hops.max())

    @cached_property
    def fine_from_coarse(self) -> sp.csr_matrix:
        """(fine, coarse): both upsampling steps in one."""
        return sp.csr_matrix(self.up[0] @ self.up[1])

    @cached_property
    def coarse_from_fine(self) -> sp.csr_matrix:
        """(coarse, fine): both downsampling steps in one."""
        return sp.csr_matrix(self.down[1] @ self.down[0])

    @cached_property
    def coarse_of_vertex(self) -> np.ndarray:
        """(fine,) int: the coarse vertex that moves each fine vertex most."""
        return np.asarray(self.fine_from_coarse.argmax(axis=1)).ravel().astype(np.int64)

    @cached_property
    def vertex_of_coarse(self) -> np.ndarray:
        """(coarse,) int: the fine vertex that each coarse vertex is, or is nearest to."""
        return np.asarray(self.coarse_from_fine.argmax(axis=1)).ravel().astype(np.int64)

    def allowed(self, threshold: int | None) -> np.ndarray:
        """(C, C) bool: which vertices may attend to which (paper, section 3.3). None is off.

        Raises ValueError below 1: a vertex always sees its neighbours.
        """
        if threshold is None:
            return np.ones_like(self.hops, dtype=bool)
        if threshold < 1:
            raise ValueError(f"a mask threshold is at least 1 hop, not {threshold}")
        return self.hops <= threshold


def hop_distances(faces: np.ndarray, num_vertices: int) -> np.ndarray:
    """Hop distance between all pairs of vertices of a mesh.

    faces: (F, 3) int. Returns (V, V) uint8; unconnected pairs get 255.
    """
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    graph = sp.coo_matrix((np.ones(len(edges)), edges.T), shape=(num_vertices, num_vertices)).tocsr()
    return graph_hops(graph)


def graph_hops(graph: sp.csr_matrix) -> np.ndarray:
    """(V, V) uint8 hop distances of a graph, one nonzero an edge; unconnected pairs get 255."""
    distance = shortest_path(graph, directed=False, unweighted=True)
    return np.minimum(distance, MAX_HOPS).astype(np.uint8)


def load_hierarchy(folder: Path | None = None, *, flat: bool = False) -> Hierarchy:
    """The hierarchy of the free body (`assets/body`), or one of the same layout in `folder`.

    flat: interpolate on the faces of the coarser mesh, as METRO's matrices for SMPL do; else by sums that
    were fitted to posed people and keep the body's volume.
    """
    folder, up = folder or assets.BODY, "U" if flat else "P"
    body_faces = np.load(folder / "body.npz", allow_pickle=False)["f"]
    with np.load(folder / "hierarchy.npz", allow_pickle=False) as data:
        levels = (len(data["hops"]), len(data["sel1"]), int(data["D1_col"].max()) + 1)
        coarse, mid, fine = levels[0], levels[1], max(levels[2], int(body_faces.max()) + 1)

        def matrix(name: str, rows: int, columns: int) -> sp.csr_matrix:
            index = (data[f"{name}_row"].astype(np.int64), data[f"{name}_col"].astype(np.int64))
            return sp.csr_matrix((data[f"{name}_val"], index), shape=(rows, columns))

        return Hierarchy(
            faces=(
                body_faces.astype(np.int32),
                data["F1"].astype(np.int32),
                data["F2"].astype(np.int32),
            ),
            up=(matrix(f"{up}1", fine, mid), matrix(f"{up}2", mid, coarse)),
            down=(matrix("D1", mid, fine), matrix("D2", coarse, mid)),
            hops=data["hops"],
            mirrored=data["sym2"].astype(np.int64),
        )
