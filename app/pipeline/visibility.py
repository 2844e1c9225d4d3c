"""What of a reconstructed body the picture shows: half bodies get no invented legs.

The network always makes a whole body. What lies outside of the picture, and the parts of which the
backbone's landmarks say that nobody sees them, are invented; views draw them faded. Exports and errors know
nothing of it.
"""

from __future__ import annotations

import numpy as np

from app.pipeline.frames import Person

PARTS = 24
HIDDEN, SHOWN = 0.02, 0.2
"""Visibility of a part's landmarks at and below which it is unseen, and from which on it is seen: measured by
`pointhmr benchmark visibility`. Low, for the landmarks doubt limbs behind the person's own trunk too."""
_HEAD, _TRUNK = (0, 7, 8), (11, 12, 23, 24)
LANDMARKS: tuple[tuple[int, ...], ...] = (
    (23, 24), (23, 25), (24, 26), _TRUNK, (25, 27), (26, 28), _TRUNK, (27, 29), (28, 30), _TRUNK,
    (29, 31), (30, 32), (11, 12), (11, 12), (11, 12), _HEAD, (11, 13), (12, 14), (13, 15), (14, 16),
    (15, 17, 19), (16, 18, 20), (15, 17, 19), (16, 18, 20),
)  # fmt: skip
"""BlazePose's landmarks of each of the 24 parts of the body (in the order of its joints)."""


def inside(person: Person, size: tuple[int, int]) -> np.ndarray:
    """(V,) bool: which vertices fall into the picture of this (width, height)."""
    pixels = person.project(person.vertices)
    return np.asarray(((pixels >= 0) & (pixels <= np.array(size, pixels.dtype))).all(axis=1))


def part_visibility(person: Person) -> np.ndarray | None:
    """(24,) how sure the backbone is, in [0, 1], that each part is seen; None without such landmarks."""
    landmarks = getattr(person.features, "landmarks", None)
    if landmarks is None:
        return None
    visible = landmarks[0, :, 3].float().cpu().numpy()
    return np.array([visible[list(marks)].max() for marks in LANDMARKS], np.float32)


def seen(person: Person, size: tuple[int, int], part_of_vertex: np.ndarray) -> np.ndarray:
    """(V,) float32 in [0, 1]: 0 for what is invented, 1 for what the picture of this (width, height) shows.

    part_of_vertex: (V,) of a body with 24 parts; of another only the picture's edges count.
    """
    share = inside(person, size).astype(np.float32)
    visible = part_visibility(person)
    if visible is not None and part_of_vertex.max(initial=0) < PARTS and len(part_of_vertex) == len(share):
        share *= np.clip((visible - HIDDEN) / (SHOWN - HIDDEN), 0, 1)[part_of_vertex]
    return share
