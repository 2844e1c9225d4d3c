"""Texture coordinates of the simplified mesh, from the base mesh's."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from assets.build.body.makehuman import BaseMesh
from assets.build.body.remesh import Topology


def texture_coordinates(base: BaseMesh, mesh: Topology) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, 2) float64 coordinates, (F, 3) int rows of them for each face, and (V,) bool: caps of the eyes.

    A vertex on a seam has several coordinates; each face takes those that make it smallest. A cap has none:
    it borrows those of the nearest vertex of the skin.
    """
    skin = base.faces["body"]
    known: dict[int, set[int]] = {}
    for vertex, uv in zip(skin.ravel().tolist(), base.face_uvs["body"].ravel().tolist(), strict=True):
        known.setdefault(vertex, set()).add(uv)

    first = mesh.blend.indices[mesh.blend.indptr[:-1]]
    eye = ~np.isin(first, skin)
    points = mesh.blend @ base.vertices
    real = np.flatnonzero(~eye)
    owner = first[real[cKDTree(points[real]).query(points)[1]]]
    corners = np.zeros(mesh.faces.shape, dtype=int)
    for row, face in enumerate(mesh.faces):
        options = np.array(list(product(*(sorted(known[v]) for v in owner[face].tolist()))))
        at = base.uvs[options]
        perimeter = np.linalg.norm(at - np.roll(at, -1, axis=1), axis=2).sum(axis=1)
        corners[row] = options[perimeter.argmin()]
    used, inverse = np.unique(corners, return_inverse=True)
    return base.uvs[used], inverse.reshape(corners.shape), eye
