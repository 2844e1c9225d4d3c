"""Light on a mesh, a colour a vertex: a studio with a key light, a cool fill, a rim and soft creases.

All of it is float32 and happens for every person of every frame, so nothing here may cost a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_KEY = np.array([-0.45, -0.62, -0.64])
_FILL = np.array([0.80, -0.10, -0.59])
KEY = (_KEY / np.linalg.norm(_KEY)).astype(np.float32)
FILL = (_FILL / np.linalg.norm(_FILL)).astype(np.float32)
KEY_COLOUR = np.array([1.00, 0.965, 0.91], np.float32) * np.float32(0.80)
FILL_COLOUR = np.array([0.72, 0.84, 1.00], np.float32) * np.float32(0.20)
SKY_COLOUR = np.array([0.80, 0.88, 1.00], np.float32) * np.float32(0.26)
RIM_COLOUR = np.array([0.75, 0.87, 1.00], np.float32) * np.float32(0.22)
FLOOR = np.float32(8 / 255)
"""No channel of a lit vertex is darker: 0 is the renderers' sign for background."""


@dataclass(frozen=True)
class Surface:
    """What light needs to know about one mesh, in the axes of its vertices."""

    normals: np.ndarray
    """(V, 3) float32 unit vectors."""
    creases: np.ndarray
    """(V,) float32 in [-1, 1]: above 0 in a hollow, below 0 on a ridge."""


class Topology:
    """Sparse neighbourhoods of one set of faces, made once and used in every frame."""

    def __init__(self, faces: np.ndarray, count: int) -> None:
        """`faces` (F, 3) int into `count` vertices."""
        from scipy import sparse

        self._corners = np.ascontiguousarray(faces.T, dtype=np.intp)
        rows, columns = faces.ravel(), np.repeat(np.arange(len(faces)), 3)
        ones = np.ones(len(rows), np.float32)
        self._faces_of = sparse.csr_matrix((ones, (rows, columns)), shape=(count, len(faces)))
        edges = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        both = np.vstack([edges, edges[:, ::-1]])
        links = sparse.csr_matrix((np.ones(len(both), np.float32), both.T), shape=(count, count))
        links.data[:] = 1.0
        degree = np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1.0)
        self._mean_of_neighbours = (sparse.diags(1.0 / degree) @ links).tocsr().astype(np.float32)

    def surface(self, vertices: np.ndarray) -> Surface:
        """Normals and creases of a mesh (V, 3)."""
        vertices = np.asarray(vertices, np.float32)
        normals = self._normals(vertices)
        return Surface(normals, self._creases(vertices, normals))

    def smooth(self, values: np.ndarray, rounds: int) -> np.ndarray:
        """(V,) or (V, k) values averaged with their neighbours `rounds` times."""
        half = np.float32(0.5)
        for _ in range(rounds):
            values = half * values + half * (self._mean_of_neighbours @ values)
        return values

    def _normals(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) unit normals, weighted by the area of the faces around."""
        a, b, c = (np.take(vertices, corner, axis=0) for corner in self._corners)
        normals = self._faces_of @ _cross(b - a, c - a)
        length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
        return np.asarray(normals / np.maximum(length, np.float32(1e-12))[:, None])

    def _creases(self, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        offset = self._mean_of_neighbours @ vertices - vertices
        length = np.sqrt(np.einsum("ij,ij->i", offset, offset)) + np.float32(1e-4)
        return self.smooth(np.einsum("ij,ij->i", offset, normals) / length, 2)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of rows; several times faster than numpy's own on narrow arrays."""
    result = np.empty_like(a)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        result[:, i] = a[:, j] * b[:, k] - a[:, k] * b[:, j]
    return result


def shade(normals: np.ndarray, albedo: np.ndarray, creases: np.ndarray) -> np.ndarray:
    """Lit colours (V, 3) in (0, 1] of vertices seen along +z.

    `normals` (V, 3) in axes of the view (x right, y down, z away), `albedo` (V, 3), `creases` (V,).
    """
    normals = np.asarray(normals, np.float32)
    albedo = np.asarray(albedo, np.float32)
    up = -normals[:, 1]
    key = np.maximum(normals @ KEY * np.float32(0.82) + np.float32(0.18), 0)
    fill = np.maximum(normals @ FILL * np.float32(0.7) + np.float32(0.3), 0)
    facing = np.clip(-normals[:, 2], 0, 1)
    away = 1 - facing
    rim = away * away * away * np.clip(np.float32(0.35) + np.float32(0.65) * up, 0, 1)
    shine = np.float32(0.07) * key**18
    occlusion = 1 - np.clip(creases, -0.35, 0.9).astype(np.float32) * np.float32(0.42)
    strength = occlusion * (np.float32(0.80) + np.float32(0.20) * facing)
    sky = np.float32(0.5) + np.float32(0.5) * up
    lit = np.empty((len(normals), 3), np.float32)
    for i in range(3):
        light = KEY_COLOUR[i] * key + FILL_COLOUR[i] * fill + SKY_COLOUR[i] * sky + np.float32(0.06)
        lit[:, i] = albedo[:, i] * light * strength + RIM_COLOUR[i] * rim + shine
    return np.clip(lit, FLOOR, 1)
