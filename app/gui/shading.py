"""Light on a mesh, a colour a vertex: a studio with a key light, a cool fill, a rim and soft creases."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import sparse

KEY = np.array([-0.45, -0.62, -0.64])
FILL = np.array([0.80, -0.10, -0.59])
FLOOR = 8 / 255
"""No channel of a lit vertex is darker: 0 is the renderers' sign for background."""


class Topology:
    """Sparse neighbourhoods of one set of faces, made once and used in every frame."""

    def __init__(self, faces: np.ndarray, count: int) -> None:
        """`faces` (F, 3) int into `count` vertices."""
        self.faces = np.ascontiguousarray(faces, dtype=np.int32)
        rows = self.faces.ravel()
        columns = np.repeat(np.arange(len(faces)), 3)
        ones = np.ones(len(rows), np.float32)
        self._faces_of = sparse.csr_matrix((ones, (rows, columns)), shape=(count, len(faces)))
        edges = np.vstack([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        both = np.vstack([edges, edges[:, ::-1]])
        links = sparse.csr_matrix((np.ones(len(both), np.float32), both.T), shape=(count, count))
        links.data[:] = 1.0
        degree = np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1.0)
        self._mean_of_neighbours = (sparse.diags(1.0 / degree) @ links).tocsr().astype(np.float32)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) -> (V, 3) unit normals, weighted by the area of the faces around."""
        a, b, c = (vertices[self.faces[:, i]] for i in range(3))
        normals = self._faces_of @ np.cross(b - a, c - a)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        return normals / np.maximum(length, 1e-12)

    def smooth(self, values: np.ndarray, rounds: int) -> np.ndarray:
        """(V,) or (V, k) values averaged with their neighbours `rounds` times."""
        for _ in range(rounds):
            values = 0.5 * values + 0.5 * (self._mean_of_neighbours @ values)
        return values

    def creases(self, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """(V,) in [-1, 1]: above 0 in a hollow, below 0 on a ridge."""
        offset = self._mean_of_neighbours @ vertices - vertices
        length = np.linalg.norm(offset, axis=1) + 1e-4
        return self.smooth((offset * normals).sum(axis=1) / length, 2)


@lru_cache(maxsize=4)
def _topology(key: tuple[int, bytes, int]) -> Topology:
    faces = np.frombuffer(key[1], np.int32).reshape(-1, 3)
    return Topology(faces, key[2])


def topology_of(faces: np.ndarray, count: int) -> Topology:
    """The shared `Topology` of these faces."""
    flat = np.ascontiguousarray(faces, dtype=np.int32)
    return _topology((len(flat), flat.tobytes(), count))


def shade(normals: np.ndarray, albedo: np.ndarray, creases: np.ndarray) -> np.ndarray:
    """Lit colours (V, 3) in (0, 1] of vertices seen along +z.

    `normals` (V, 3) in axes of the view (x right, y down, z away), `albedo` (V, 3), `creases` (V,).
    """
    normals = normals.astype(np.float32)
    key = np.clip(normals @ (KEY / np.linalg.norm(KEY)) * 0.82 + 0.18, 0.0, None)
    fill = np.clip(normals @ (FILL / np.linalg.norm(FILL)) * 0.7 + 0.3, 0.0, None)
    sky = 0.5 - 0.5 * normals[:, 1]
    facing = np.clip(-normals[:, 2], 0.0, 1.0)
    rim = (1.0 - facing) ** 3 * np.clip(0.35 - 0.65 * normals[:, 1], 0.0, 1.0)
    shine = key**18
    light = (
        0.80 * key[:, None] * np.array([1.00, 0.965, 0.91], np.float32)
        + 0.20 * fill[:, None] * np.array([0.72, 0.84, 1.00], np.float32)
        + 0.26 * sky[:, None] * np.array([0.80, 0.88, 1.00], np.float32)
        + 0.06
    )
    occlusion = 1.0 - np.clip(creases, -0.35, 0.9) * 0.42
    lit = albedo * light * occlusion[:, None] * (0.80 + 0.20 * facing[:, None])
    lit = lit + 0.22 * rim[:, None] * np.array([0.75, 0.87, 1.0]) + 0.07 * shine[:, None]
    return np.clip(lit, FLOOR, 1.0)
