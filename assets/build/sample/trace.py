"""The posed person as triangles, and rays against them (Open3D's Embree)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import open3d as o3d

from assets.build.sample.person import Person
from model.data.render.garments import vertex_normals
from model.data.render.lighting import fibonacci_sphere

THREADS = 1
CUTOUT_LAYERS = 8  # transparent sheets of hair that a ray may pass
LIFT = 0.004  # metres between a surface and the rays that leave it, to spare coarse meshes their own facets


@dataclass(frozen=True)
class Hits:
    """Where rays meet the person: index of the ray (H,), face (H,), weights of its corners bary (H, 3)."""

    ray: np.ndarray
    face: np.ndarray
    bary: np.ndarray


class Geometry:
    """All parts of a person in one frame, in world axes."""

    def __init__(self, person: Person, pose: np.ndarray, translation: np.ndarray) -> None:
        posed = [vertices + translation for vertices in person.posed(pose)]
        starts = np.cumsum([0] + [len(vertices) for vertices in posed])
        parts = person.parts
        self.parts = parts
        self.vertices = np.concatenate(posed)
        pairs = zip(parts, starts[:-1], strict=True)
        self.faces = np.concatenate([part.mesh.faces + start for part, start in pairs])
        self.part = np.repeat(np.arange(len(parts)), [len(part.mesh.faces) for part in parts])
        self.rest = np.concatenate([part.mesh.vertices for part in parts])
        self.uv = np.concatenate([part.uv for part in parts])
        whole = [person.body.mesh.faces if part.is_body else part.mesh.faces for part in parts]
        self.normals = np.concatenate([vertex_normals(*pair) for pair in zip(posed, whole, strict=True)])
        self._scene = o3d.t.geometry.RaycastingScene(nthreads=THREADS)
        self._scene.add_triangles(
            o3d.core.Tensor(self.vertices.astype(np.float32)), o3d.core.Tensor(self.faces.astype(np.uint32))
        )

    def trace(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """First opaque hits of rays (N, 3) from one origin (3,); texture alpha cuts holes."""
        found: list[Hits] = []
        ray = np.arange(len(directions))
        start = np.zeros(len(directions))
        for _ in range(CUTOUT_LAYERS):
            origins = origin + start[:, None] * directions[ray]
            result = self._scene.cast_rays(_rays(origins, directions[ray]), nthreads=THREADS)
            distance = result["t_hit"].numpy()
            met = np.isfinite(distance)
            u, v = result["primitive_uvs"].numpy()[met].T.astype(np.float64)
            face = result["primitive_ids"].numpy()[met].astype(np.int64)
            ray, start = ray[met], start[met] + distance[met] + 1e-4
            hits = Hits(ray, face, np.stack([1 - u - v, u, v], axis=1))
            opaque = self.texels(hits)[:, 3] > 0.5
            found.append(Hits(ray[opaque], face[opaque], hits.bary[opaque]))
            ray, start = ray[~opaque], start[~opaque]
            if not len(ray):
                break
        return Hits(
            *(np.concatenate([getattr(hit, name) for hit in found]) for name in ("ray", "face", "bary"))
        )

    def blocked(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Which rays (N, 3) meet anything (N,); one direction (3,) may serve all."""
        directions = np.broadcast_to(directions, origins.shape)
        return self._scene.test_occlusions(_rays(origins, directions), nthreads=THREADS).numpy()

    def texels(self, hits: Hits) -> np.ndarray:
        """Linear texture colour and alpha (H, 4); white where a part has no texture."""
        colour = np.ones((len(hits.face), 4), dtype=np.float32)
        part = self.part[hits.face]
        uv = np.einsum("hc,hca->ha", hits.bary, self.uv[hits.face])
        for number in np.unique(part):
            texture = self.parts[number].texture
            if texture is not None:
                here = part == number
                colour[here] = _bilinear(texture, uv[here])
        return colour

    def at(self, hits: Hits, values: np.ndarray) -> np.ndarray:
        """Vertex values (V, k) at the hits (H, k)."""
        return np.einsum("hc,hck->hk", hits.bary, values[self.faces[hits.face]])


def open_directions(
    geometry: Geometry, points: np.ndarray, normals: np.ndarray, count: int = 96
) -> tuple[np.ndarray, np.ndarray]:
    """Which of `count` fixed directions each point sees: directions (D, 3), cosine-weighted openness (N, D).

    The directions never change, so the shading does not flicker. A point that sees everything sums to pi.
    """
    directions = fibonacci_sphere(count)
    cosine = normals @ directions.T
    point, direction = np.nonzero(cosine > 0.02)
    blocked = geometry.blocked(points[point] + LIFT * normals[point], directions[direction])
    weight = np.zeros_like(cosine)
    weight[point, direction] = np.where(blocked, 0, cosine[point, direction])
    whole = np.maximum(cosine, 0).sum(axis=1, keepdims=True)
    return directions, weight * (np.pi / np.maximum(whole, 1e-9))


def _rays(origins: np.ndarray, directions: np.ndarray) -> o3d.core.Tensor:
    return o3d.core.Tensor(np.hstack([origins, directions]).astype(np.float32))


def _bilinear(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Texture (h, w, 4) at (N, 2) coordinates with v upwards, wrapping."""
    height, width = texture.shape[:2]
    rows = -(-len(uv) // 1024)
    padded = np.zeros((rows * 1024, 2), dtype=np.float32)
    padded[: len(uv), 0] = uv[:, 0] % 1 * width - 0.5
    padded[: len(uv), 1] = (1 - uv[:, 1]) % 1 * height - 0.5
    grid = padded.reshape(rows, 1024, 2)
    mapped = cv2.remap(texture, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return mapped.reshape(-1, 4)[: len(uv)]
