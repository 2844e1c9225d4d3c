"""Simplify the half mesh to half of the body's faces and mirror it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from assets.build.body.half_mesh import ON_MIDDLE, HalfMesh
from assets.build.body.makehuman import MakeHuman
from model.simplify import simplify

HALF_FACES = 6888
"""Mirrored: 6,890 vertices, 13,776 faces, as SMPL has, so that the network's shapes equal the paper's."""
HAND, TOE, HEAD, EAR = 0.5, 0.35, 0.8, 0.12
"""Factors on the cost of removing a vertex there; MakeHuman spends most of its vertices on these."""


@dataclass(frozen=True)
class Topology:
    """The body's mesh, and where each vertex comes from."""

    faces: np.ndarray
    """(13776, 3) int."""
    mirror: np.ndarray
    """(6890,) int: the vertex on the other side."""
    blend: sp.csr_matrix
    """(6890, 19158): each vertex as a combination of base vertices."""


def _importance(source: MakeHuman, half: HalfMesh) -> np.ndarray:
    """(n,) factors for `simplify`, by the region of the body."""
    bones, weights = source.bone_weights
    first = half.blend.indices[half.blend.indptr[:-1]]
    bound = weights[first].max(axis=1) > 0
    strongest = [
        bones[k] if known else "head" for k, known in zip(weights[first].argmax(axis=1), bound, strict=True)
    ]
    hand = np.array([bone.startswith(("finger", "metacarpal", "wrist")) for bone in strongest])
    toe = np.array([bone.startswith("toe") for bone in strongest])
    x, y, z = (half.blend @ source.base.vertices).T
    head = (y > 0.62) & ~hand
    ear = head & (np.abs(x) > 0.062) & (z < 0.09) & (y < 0.77) & (y > 0.66)
    factors = np.ones(len(first))
    for region, factor in ((hand, HAND), (toe, TOE), (head, HEAD), (ear, EAR)):
        factors[region] = factor
    return factors


def remesh(source: MakeHuman, half: HalfMesh, mean: np.ndarray) -> Topology:
    """The whole body: the kept left vertices first, then the mirror images of those off the mid-line."""
    faces = simplify(half.blend @ mean, half.faces, HALF_FACES, importance=_importance(source, half))
    kept, inverse = np.unique(faces, return_inverse=True)
    left_faces = inverse.reshape(-1, 3)
    left = half.blend[kept]
    off_middle = np.abs((left @ source.base.vertices)[:, 0]) >= ON_MIDDLE
    right = left[off_middle].tocoo()
    right = sp.coo_matrix((right.data, (right.row, source.mirror[right.col])), shape=right.shape)

    partner = np.arange(len(kept))
    partner[off_middle] = len(kept) + np.arange(off_middle.sum())
    mirror = np.concatenate([partner, np.flatnonzero(off_middle)])
    both = np.concatenate([left_faces, partner[left_faces][:, ::-1]])
    return Topology(both, mirror, sp.vstack([left, right]).tocsr())
