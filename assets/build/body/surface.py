"""Questions about meshes that only the generator asks; the others are in model.surface."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from model.surface import edges


def split_quads(quads: np.ndarray) -> np.ndarray:
    """(2Q, 3) triangles of (Q, 4) quads: all first halves, then all second halves."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def neighbour_mean(faces: np.ndarray, count: int) -> sp.csr_matrix:
    """(count, count): takes a value per vertex to the mean over the vertex's neighbours."""
    a, b = edges(faces).T
    ones = np.ones(2 * len(a))
    graph = sp.coo_matrix((ones, (np.r_[a, b], np.r_[b, a])), shape=(count, count)).tocsr()
    return sp.csr_matrix(sp.diags(1 / np.asarray(graph.sum(axis=1)).ravel()) @ graph)
