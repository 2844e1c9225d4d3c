"""Which skin the clothes of a person hide, found by rays (Open3D's Embree)."""

from __future__ import annotations

import numpy as np
import open3d as o3d

from model.data.render.body import Mesh
from model.data.render.garments import Garment, vertex_normals

COVER_DISTANCE = 0.05  # metres: cloth farther away does not hide the skin


def beneath(body: Mesh, garments: list[Garment]) -> np.ndarray:
    """Body vertices (V,) with cloth or hair straight above them."""
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    for garment in garments:
        scene.add_triangles(
            o3d.core.Tensor(garment.mesh.vertices.astype(np.float32)),
            o3d.core.Tensor(garment.mesh.faces.astype(np.uint32)),
        )
    normals = vertex_normals(body.vertices, body.faces)
    rays = np.hstack([body.vertices - 0.01 * normals, normals]).astype(np.float32)
    return scene.cast_rays(o3d.core.Tensor(rays), nthreads=1)["t_hit"].numpy() < COVER_DISTANCE


def covered(body: Mesh, garments: list[Garment]) -> np.ndarray:
    """Body vertices (V,) that cloth hides: marked by its author, or beneath it.

    A rim of one ring stays, so that the skin reaches under the hems.
    """
    inside = beneath(body, garments)
    bare_faces = ~inside[body.faces].all(axis=1)
    inside[body.faces[bare_faces]] = False
    for garment in garments:
        inside |= garment.hidden
    return inside


def sunk(body: Mesh, hidden: np.ndarray, depth: float) -> np.ndarray:
    """Body vertices (V, 3) moved inwards by `depth` metres where `hidden` (V,), softly at the rim."""
    amount = hidden.astype(np.float64)
    sums = np.bincount(
        body.faces.ravel(), np.repeat(amount[body.faces].mean(axis=1), 3), minlength=len(amount)
    )
    amount = np.minimum(amount, sums / np.bincount(body.faces.ravel(), minlength=len(amount)))
    return body.vertices - depth * amount[:, None] * vertex_normals(body.vertices, body.faces)
