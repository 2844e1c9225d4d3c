"""Everyone of a frame as meshes that stand where the cameras saw them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.export.camera import Camera
from app.export.mesh import NamedMesh
from app.pipeline.frames import Person, Record

APART = 0.75
"""People at the same distance stand at least this many metres apart."""
DEPTH_LIMIT = 2.5
FOCAL = 1.2
"""Focal length of the camera that is assumed, in widths of the picture."""


def meshes_of(
    record: Record,
    faces: np.ndarray,
    uv: np.ndarray | None,
    uv_faces: np.ndarray | None,
    camera: bool = False,
    colours: np.ndarray | None = None,
) -> list[NamedMesh]:
    """Everyone in a record; the first keeps the origin of the hips, others stand beside as in the view.

    camera: everyone stands before the camera in the origin instead, over the picture (see `over_picture`).
    colours: (V, 3) of the vertices.
    """
    height, width = record.frame.image.shape[:2]
    spots = placements(record.people, width)
    if camera:
        cameras = np.array([person.camera for person in record.people], float).reshape(-1, 3)
        spots = over_picture(cameras, np.tile([float(width), float(height)], (len(cameras), 1)))
    return [
        NamedMesh(
            f"person_{person.box.id}",
            person.vertices + (spot if camera else spot - spots[0]).astype(np.float32),
            faces,
            uv,
            uv_faces,
            colours,
        )
        for person, spot in zip(record.people, spots, strict=True)
    ]


def placements(people: Sequence[Person], width: int) -> np.ndarray:
    """(P, 3) where the middle of each one's hips stands, from the weak-perspective cameras.

    A pixel is s * X + tx, so at focal length f a person is f / s away and (tx - centre) / s to the side.
    The group is centred; people who would overlap are pushed apart sideways.
    """
    return spots_of(np.array([p.camera for p in people], dtype=float).reshape(-1, 3), width)


def spots_of(cameras: np.ndarray, width: int) -> np.ndarray:
    """The same from cameras (P, 3) in a picture that is `width` pixels wide."""
    scale = np.maximum(cameras[:, 0], 1e-6)
    away = FOCAL * width / scale
    side = (cameras[:, 1] - width / 2) / scale
    spots = np.zeros((len(cameras), 3))
    if len(cameras) > 1:
        spots[:, 0] = _spread(side, away)
        spots[:, 2] = np.clip(away - np.median(away), -DEPTH_LIMIT, DEPTH_LIMIT)
        spots[:, 0] -= (spots[:, 0].min() + spots[:, 0].max()) / 2
    return spots


def over_picture(cameras: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(N, 3) metres in camera axes where hips stand so that the mesh lies over the picture.

    cameras: (N, 3) weak perspective. sizes: (N, 2) width and height of the pictures. Seen by a pinhole in the
    origin with a focal length of `FOCAL` widths and the picture's middle as its centre, the hips' plane is
    where it was; what is nearer or further differs by perspective.
    """
    scale = np.maximum(cameras[:, :1], 1e-6)
    aside = (cameras[:, 1:] - sizes / 2) / scale
    return np.concatenate([aside, FOCAL * sizes[:, :1] / scale], axis=1)


def camera_of(width: float, height: float) -> Camera:
    """The camera before which `over_picture` puts people."""
    return Camera(width, height, FOCAL * width)


def _spread(side: np.ndarray, away: np.ndarray) -> np.ndarray:
    order = np.argsort(side, kind="stable")
    result = side.copy()
    for place, index in enumerate(order[1:], start=1):
        near = [j for j in order[:place] if abs(away[j] - away[index]) < APART]
        result[index] = max([result[index], *(result[j] + APART for j in near)])
    return result
