"""Hop distances and masks against breadth-first search on graphs whose answer is known."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from model.hierarchy import hop_distances, load_hierarchy
from model.mask_statistics import MaskStatistics, mask_statistics


def breadth_first(faces: np.ndarray, start: int, count: int) -> list[int]:
    neighbours: list[set[int]] = [set() for _ in range(count)]
    for a, b, c in faces.tolist():
        neighbours[a] |= {b, c}
        neighbours[b] |= {a, c}
        neighbours[c] |= {a, b}
    distance = [-1] * count
    distance[start] = 0
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in neighbours[here]:
            if distance[there] < 0:
                distance[there] = distance[here] + 1
                queue.append(there)
    return distance


def test_hops_along_a_strip_of_triangles() -> None:
    faces = np.array([[i, i + 1, i + 2] for i in range(8)])
    hops = hop_distances(faces, 10)
    assert hops[0].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_hops_of_an_octahedron() -> None:
    faces = np.array([[a, b, c] for a in (0, 1) for b, c in ((2, 4), (4, 3), (3, 5), (5, 2))])
    hops = hop_distances(faces, 6)
    assert hops[0].tolist() == [0, 2, 1, 1, 1, 1]
    assert (hops == hops.T).all()


def test_unconnected_vertices_are_as_far_as_can_be() -> None:
    assert hop_distances(np.array([[0, 1, 2], [3, 4, 5]]), 6)[0, 3] == 255


def test_stored_hops_are_those_of_the_coarse_mesh() -> None:
    hierarchy = load_hierarchy()
    for vertex in (0, 100, 430):
        assert hierarchy.hops[vertex].tolist() == breadth_first(hierarchy.faces[2], vertex, 431)
    assert (hop_distances(hierarchy.faces[2], 431) == hierarchy.hops).all()


@pytest.mark.parametrize("threshold", [1, 3, 7])
def test_masks_allow_exactly_the_vertices_within_reach(threshold: int) -> None:
    hierarchy = load_hierarchy()
    allowed = hierarchy.allowed(threshold)
    assert (allowed == (hierarchy.hops <= threshold)).all()
    assert allowed.diagonal().all()


def test_off_and_the_diameter_mask_nothing() -> None:
    hierarchy = load_hierarchy()
    assert hierarchy.allowed(None).all()
    assert hierarchy.allowed(hierarchy.diameter).all()
    assert not hierarchy.allowed(hierarchy.diameter - 1).all()


def test_a_threshold_below_one_hop_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 hop"):
        load_hierarchy().allowed(0)


def test_levels_know_each_other() -> None:
    hierarchy = load_hierarchy()
    coarse = np.arange(hierarchy.num_coarse)
    assert (hierarchy.coarse_of_vertex[hierarchy.vertex_of_coarse] == coarse).mean() > 0.95
    assert hierarchy.fine_from_coarse.shape == (6890, 431)
    assert np.allclose(hierarchy.fine_from_coarse.sum(1), 1, atol=1e-4)


def test_mask_statistics_count_the_allowed_vertices() -> None:
    chain = hop_distances(np.array([[i, i + 1, i + 1] for i in range(4)]), 5)
    near, off, all_of_them = mask_statistics(chain, (1, None, 4))
    assert near == MaskStatistics(mean=13 / 5, least=2, most=3)
    assert off == all_of_them == MaskStatistics(5.0, 5, 5)


def test_mask_statistics_of_the_free_body_are_those_of_the_specification() -> None:
    hierarchy = load_hierarchy()
    statistics = mask_statistics(hierarchy.hops, (1, 3, 5, 7))
    assert [round(s.mean, 1) for s in statistics] == [7.0, 40.8, 99.3, 177.2]
    assert all(s.least < s.mean < s.most < 431 for s in statistics)
    assert mask_statistics(hierarchy.hops, (hierarchy.diameter,))[0].least == 431
