"""Find the skin that nobody sees: the inside of the mouth and the eye sockets."""

from __future__ import annotations

import numpy as np
import open3d as o3d

from assets.build.body.makehuman import BaseMesh
from assets.build.body.surface import split_quads
from model.surface import face_normals

HEAD_HEIGHT = 0.6
"""Metres in the base mesh: hidden skin below (armpits, between toes) stays."""
HIDDEN = 0.02
"""A quad is inside a cavity when it sees less than this share of the sky."""


def ray_scene(vertices: np.ndarray, triangles: np.ndarray) -> o3d.t.geometry.RaycastingScene:
    """A scene of one mesh to cast rays at."""
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(
        o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(triangles.astype(np.uint32))
    )
    return scene


def sphere_directions(count: int) -> np.ndarray:
    """(count, 3) unit vectors spread evenly (the golden spiral)."""
    i = np.arange(count) + 0.5
    polar, azimuth = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=1)


def open_sky(base: BaseMesh, count: int = 256) -> np.ndarray:
    """(Q,) float64: the share of directions in which each quad of the skin sees nothing of the body.

    The eyeballs, which are helpers of the base mesh, stop the view into the sockets.
    """
    skin = split_quads(base.faces["body"])
    eyes = [split_quads(base.faces[f"helper-{side}-eye"]) for side in "lr"]
    scene = ray_scene(base.vertices, np.concatenate([skin, *eyes]))
    normals = face_normals(base.vertices, skin)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20
    directions = sphere_directions(count)
    # Rays start a little above the skin, or they would hit the face they leave.
    origins = np.repeat(base.vertices[skin].mean(axis=1) + 2e-4 * normals, count, axis=0)
    rays = np.concatenate([origins, np.tile(directions, (len(skin), 1))], axis=1).astype(np.float32)
    blocked = scene.test_occlusions(o3d.core.Tensor(rays)).numpy().reshape(-1, count)
    ahead = (normals @ directions.T) > 0.05
    share = (~blocked & ahead).sum(axis=1) / ahead.sum(axis=1)
    first, second = share.reshape(2, -1)
    return np.maximum(first, second)


def visible_skin(base: BaseMesh) -> np.ndarray:
    """(Q, 4) int: the quads of the skin without those inside the head's cavities."""
    quads = base.faces["body"]
    hidden = (open_sky(base) <= HIDDEN) & (base.vertices[quads].mean(axis=1)[:, 1] > HEAD_HEIGHT)
    return quads[~hidden]
