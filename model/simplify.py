"""Simplify a triangle mesh by half-edge collapses in the order of the quadric error.

Garland and Heckbert, "Surface simplification using quadric error metrics", SIGGRAPH 1997. Vertices are
removed and never moved, so each kept vertex is one of the originals. A boundary only shrinks along itself:
that keeps the mid-line of a half body straight, so that its mirror image fits on.
"""

from __future__ import annotations

import heapq

import numpy as np

from model.surface import MIRROR, boundary_edges, face_normals

MAX_VALENCE = 11
MIN_QUALITY = 0.12
"""Of a face that a collapse leaves: 1 is equilateral, 0 has no area."""
MAX_TURN = 0.3
"""Cosine of the most that a collapse may turn a face."""
EQUILATERAL = 2 * 3**0.5
"""Makes the quality of an equilateral triangle one: 4 sqrt(3) area / sum of squared sides."""


def _edge(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # np.cross is far too slow for one pair of vectors.
    return np.array((a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]))


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4, 4) sums of squared distances to the planes of each vertex's faces, and (n,) areas around it."""
    normals = face_normals(vertices, faces)
    doubled = np.linalg.norm(normals, axis=1) + 1e-20
    unit = normals / doubled[:, None]
    planes = np.c_[unit, -(unit * vertices[faces[:, 0]]).sum(axis=1)]
    squares = np.einsum("ni,nj->nij", planes, planes) * (doubled / 2)[:, None, None]
    quadrics, areas = np.zeros((len(vertices), 4, 4)), np.zeros(len(vertices))
    for corner in faces.T:
        np.add.at(quadrics, corner, squares)
        np.add.at(areas, corner, doubled / 6)
    return quadrics, areas


class _Simplifier:
    """The mesh while it shrinks, and a heap of the best collapse of each vertex."""

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        importance: np.ndarray,
        length_weight: float,
        mirrored: bool,
    ) -> None:
        self.points = vertices
        self.importance = importance
        self.length_weight = length_weight
        self.faces: list[tuple[int, ...]] = [tuple(face) for face in faces.tolist()]
        self.faces_of: list[set[int]] = [set() for _ in vertices]
        for index, face in enumerate(self.faces):
            for vertex in face:
                self.faces_of[vertex].add(index)
        self.num_faces = len(faces)
        self.num_vertices = sum(map(bool, self.faces_of))
        self.rim = {_edge(a, b) for a, b in boundary_edges(faces)}
        self.on_rim = np.zeros(len(vertices), dtype=bool)
        self.on_rim[list({vertex for edge in self.rim for vertex in edge})] = True
        self.quadrics, self.areas = _quadrics(vertices, faces)
        if mirrored:
            flip = np.diag([*MIRROR, 1.0])
            self.quadrics[self.on_rim] += flip @ self.quadrics[self.on_rim] @ flip
        self.version = [0] * len(vertices)
        self.heap: list[tuple[float, int, int, int]] = []

    def neighbours(self, a: int) -> set[int]:
        return {vertex for index in self.faces_of[a] for vertex in self.faces[index]} - {a}

    def is_rim(self, a: int, b: int) -> bool:
        return _edge(a, b) in self.rim

    def keeps_manifold(self, a: int, b: int) -> bool:
        """Whether the mesh stays a manifold with the same boundary when a moves onto its neighbour b."""
        along_rim = self.is_rim(a, b)
        if self.on_rim[a] and not along_rim:
            return False
        around_a, around_b = self.neighbours(a), self.neighbours(b)
        common, shared = around_a & around_b, self.faces_of[a] & self.faces_of[b]
        if len(shared) != (1 if along_rim else 2) or len(common) != len(shared):
            return False
        reaches_rim = self.on_rim[b] and not self.on_rim[a]
        # A second contact with the rim elsewhere would pinch the mesh there.
        if reaches_rim and any(self.on_rim[w] and w != b and not self.is_rim(w, b) for w in around_a):
            return False
        if len(around_a | around_b) - 2 > MAX_VALENCE:
            return False
        return all(len(self.faces_of[w]) > 3 or self.on_rim[w] for w in common)

    def worst_quality(self, a: int, b: int) -> float | None:
        """Quality of the worst face after moving a onto b; None when one would flip or lie on the rim."""
        worst = 1.0
        for index in self.faces_of[a] - self.faces_of[b]:
            face = self.faces[index]
            if self.on_rim[b] and all(self.on_rim[v] or v == a for v in face):
                return None
            p = [self.points[v] for v in face]
            before = _cross(p[1] - p[0], p[2] - p[0])
            q = [self.points[b] if v == a else self.points[v] for v in face]
            sides = (q[1] - q[0], q[2] - q[1], q[0] - q[2])
            after = _cross(sides[0], -sides[2])
            doubled = np.sqrt(after @ after)
            if doubled < 1e-12 or before @ after < MAX_TURN * np.sqrt(before @ before) * doubled:
                return None
            worst = min(worst, EQUILATERAL * doubled / sum(side @ side for side in sides))
        return worst

    def cost(self, a: int, b: int) -> float | None:
        """The price of moving a onto its neighbour b; None when it is not allowed."""
        if not self.keeps_manifold(a, b):
            return None
        quality = self.worst_quality(a, b)
        if quality is None or quality < MIN_QUALITY:
            return None
        point = np.append(self.points[b], 1.0)
        step = self.points[a] - self.points[b]
        error = point @ (self.quadrics[a] + self.quadrics[b]) @ point
        length = self.length_weight * (step @ step) * (self.areas[a] + self.areas[b])
        return float((max(error, 0.0) + length) * self.importance[a] * (1 + 0.25 / quality))

    def push(self, a: int) -> None:
        """Queue the cheapest collapse of a."""
        prices = [(price, b) for b in self.neighbours(a) if (price := self.cost(a, b)) is not None]
        if prices:
            price, b = min(prices)
            heapq.heappush(self.heap, (price, a, b, self.version[a]))

    def collapse(self, a: int, b: int) -> None:
        """Move a onto b and queue everything around anew."""
        around = self.neighbours(a) | self.neighbours(b)
        if self.is_rim(a, b):
            for w in self.neighbours(a):
                if self.is_rim(a, w):
                    self.rim.discard(_edge(a, w))
                    if w != b:
                        self.rim.add(_edge(b, w))
        for index in list(self.faces_of[a]):
            face = self.faces[index]
            if b in face:
                for vertex in face:
                    self.faces_of[vertex].discard(index)
                self.faces[index] = ()
                self.num_faces -= 1
            else:
                self.faces[index] = tuple(b if v == a else v for v in face)
                self.faces_of[b].add(index)
        self.faces_of[a] = set()
        self.num_vertices -= 1
        self.quadrics[b] += self.quadrics[a]
        self.areas[b] += self.areas[a]
        changed = (around | {b}) - {a}
        for w in changed:
            self.version[w] += 1
        for w in changed:
            if self.faces_of[w]:
                self.push(w)

    def run(self, target: int, least_vertices: int) -> None:
        """Collapse until `target` faces or `least_vertices` are left, or no collapse is allowed."""
        for vertex, around in enumerate(self.faces_of):
            if around:
                self.push(vertex)
        while self.num_faces > target and self.num_vertices > least_vertices and self.heap:
            price, a, b, version = heapq.heappop(self.heap)
            if version != self.version[a] or not self.faces_of[a]:
                continue
            now = self.cost(a, b)
            if now is None or now > price * 1.0001 + 1e-18:
                # Something further away than the neighbours has changed: judge this vertex again.
                self.version[a] += 1
                self.push(a)
            elif self.num_faces - len(self.faces_of[a] & self.faces_of[b]) >= target:
                self.collapse(a, b)


def simplify(
    vertices: np.ndarray,
    faces: np.ndarray,
    target: int,
    *,
    least_vertices: int = 0,
    importance: np.ndarray | None = None,
    length_weight: float = 0.005,
    mirrored: bool = True,
) -> np.ndarray:
    """Remove vertices until `target` faces are left, or fewer than two more than that.

    vertices: (n, 3) float. faces: (F, 3) int, a manifold with or without boundary.
    least_vertices: stop as well when only so many vertices are left.
    importance: (n,) factors on the cost of removing a vertex; below one goes first.
    length_weight: price of long edges against the quadric error: higher spreads vertices more evenly.
    mirrored: the boundary lies on x = 0 and a mirror image continues the surface behind it.
    Returns (F', 3) int faces that index the same vertices, in their first order.
    """
    factors = np.ones(len(vertices)) if importance is None else importance
    simplifier = _Simplifier(vertices.astype(float), faces, factors, length_weight, mirrored)
    simplifier.run(target, least_vertices)
    return np.array([face for face in simplifier.faces if face])
