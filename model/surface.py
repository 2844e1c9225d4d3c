"""Small questions about triangle meshes."""

from __future__ import annotations

import numpy as np

MIRROR = np.array([-1.0, 1.0, 1.0])
"""Reflects a point in the plane between left and right."""


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """(3F, 2) int: every face's edges in its own direction."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) int: every edge once, smaller vertex first, sorted."""
    return np.unique(np.sort(directed_edges(faces), axis=1), axis=0)


def boundary_edges(faces: np.ndarray) -> list[tuple[int, int]]:
    """Directed edges that no other face uses the other way round, in the order of the faces."""
    every = [(int(a), int(b)) for a, b in directed_edges(faces)]
    known = set(every)
    return [(a, b) for a, b in every if (b, a) not in known]


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3) float64 normals, twice the face's area long."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return np.cross(b - a, c - a)
