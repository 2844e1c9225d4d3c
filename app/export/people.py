"""Everyone of a frame as meshes that stand where the cameras saw them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.export.mesh import NamedMesh
from app.pipeline.frames import Person, Record

APART = 0.75
"""People at the same distance stand at least this many metres apart."""
DEPTH_LIMIT = 2.5


def meshes_of(
    record: Record, faces: np.ndarray, uv: np.ndarray | None, uv_faces: np.ndarray | None
) -> list[NamedMesh]:
    """Everyone in a record; the first keeps the origin of the hips, others stand beside as in the view."""
    spots = placements(record.people, record.frame.image.shape[1])
    return [
        NamedMesh(
            f"person_{person.box.id}",
            person.vertices + (spot - spots[0]).astype(np.float32),
            faces,
            uv,
            uv_faces,
        )
        for person, spot in zip(record.people, spots, strict=True)
    ]


def placements(people: Sequence[Person], width: int) -> np.ndarray:
    """(P, 3) where the middle of each one's hips stands, from the weak-perspective cameras.

    A pixel is s * X + tx, so at focal length f a person is f / s away and (tx - centre) / s to the side.
    The group is centred; people who would overlap are pushed apart sideways.
    """
    cameras = np.array([p.camera for p in people], dtype=float).reshape(-1, 3)
    scale = np.maximum(cameras[:, 0], 1e-6)
    away = 1.2 * width / scale
    side = (cameras[:, 1] - width / 2) / scale
    spots = np.zeros((len(people), 3))
    if len(people) > 1:
        spots[:, 0] = _spread(side, away)
        spots[:, 2] = np.clip(away - np.median(away), -DEPTH_LIMIT, DEPTH_LIMIT)
        spots[:, 0] -= (spots[:, 0].min() + spots[:, 0].max()) / 2
    return spots


def _spread(side: np.ndarray, away: np.ndarray) -> np.ndarray:
    order = np.argsort(side, kind="stable")
    result = side.copy()
    for place, index in enumerate(order[1:], start=1):
        near = [j for j in order[:place] if abs(away[j] - away[index]) < APART]
        result[index] = max([result[index], *(result[j] + APART for j in near)])
    return result
