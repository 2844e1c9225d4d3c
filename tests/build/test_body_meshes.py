"""Simplifying, closing and coarsening meshes, on spheres small enough to check by hand."""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from assets.build.body.half_mesh import boundary_loops, cap_mouth
from assets.build.body.surface import neighbour_mean
from model.coarsen import SkinnedMesh, attach, closest_barycentric, coarsen
from model.simplify import simplify
from model.surface import MIRROR, boundary_edges, directed_edges, edges, face_normals

OCTAHEDRON = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)
OCTAHEDRON_FACES = np.array(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
)


def sphere(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere whose faces never cross x = 0: an octahedron split `steps` times."""
    vertices, faces = list(OCTAHEDRON), OCTAHEDRON_FACES.tolist()
    for _ in range(steps):
        middle: dict[tuple[int, int], int] = {}
        for a, b in edges(np.array(faces)).tolist():
            point = vertices[a] + vertices[b]
            middle[a, b] = middle[b, a] = len(vertices)
            vertices.append(point / np.linalg.norm(point))
        split = []
        for a, b, c in faces:
            ab, bc, ca = middle[a, b], middle[b, c], middle[c, a]
            split += [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
        faces = split
    return np.array(vertices), np.array(faces)


def half_sphere(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """x >= 0 of that sphere, with only the vertices it uses."""
    vertices, faces = sphere(steps)
    faces = faces[(vertices[faces][:, :, 0] >= 0).all(axis=1)]
    used, inverse = np.unique(faces, return_inverse=True)
    return vertices[used], inverse.reshape(-1, 3)


def grid(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat sheet over x and z, one unit between vertices."""
    x, z = np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij")
    corner = (np.arange(columns - 1)[:, None] * rows + np.arange(rows - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + rows], axis=1)
    upper = np.stack([corner + 1, corner + rows + 1, corner + rows], axis=1)
    return np.stack([x, 0 * x, z], axis=-1).reshape(-1, 3).astype(float), np.concatenate([lower, upper])


def mirrored_sphere(steps: int) -> SkinnedMesh:
    vertices, faces = half_sphere(steps)
    off = np.flatnonzero(vertices[:, 0] > 0)
    partner = np.arange(len(vertices))
    partner[off] = len(vertices) + np.arange(len(off))
    every = np.concatenate([vertices, vertices[off] * MIRROR])
    both = np.concatenate([faces, partner[faces][:, ::-1]])
    ones = np.ones(len(every))
    return SkinnedMesh(every, both, np.concatenate([partner, off]), ones[:, None], ones)


def euler(faces: np.ndarray) -> int:
    return len(np.unique(faces)) - len(edges(faces)) + len(faces)


@pytest.mark.parametrize("target", [60, 20])
def test_a_closed_mesh_stays_closed(target: int) -> None:
    vertices, faces = sphere(2)
    result = simplify(vertices, faces, target, mirrored=False)
    assert len(result) == target
    assert boundary_edges(result) == []
    assert euler(result) == 2
    assert (face_normals(vertices, result) * vertices[result].mean(axis=1)).sum(axis=1).min() > 0


def test_a_boundary_only_shrinks_along_itself() -> None:
    vertices, faces = half_sphere(3)
    result = simplify(vertices, faces, 60)
    rim = np.unique(boundary_edges(result))
    assert len(result) == 60
    assert euler(result) == 1
    assert (vertices[rim, 0] == 0).all()
    # Nothing else touches the mid-line, or the mirror image would meet it there.
    assert set(np.flatnonzero(vertices[:, 0] == 0)) & set(np.unique(result)) == set(rim.tolist())


def test_unimportant_vertices_go_first() -> None:
    vertices, faces = sphere(2)
    above = vertices[:, 1] > 0
    result = simplify(vertices, faces, 60, importance=np.where(above, 0.05, 1.0), mirrored=False)
    kept = np.unique(result)
    assert above[kept].sum() < 0.5 * (~above[kept]).sum()


def test_a_crease_keeps_its_shape() -> None:
    vertices, faces = grid(9, 9)
    vertices[:, 1] = 2.0 * (vertices[:, 0] == 4)
    normals = face_normals(vertices, simplify(vertices, faces, 60, length_weight=1e-6, mirrored=False))
    slopes = np.abs(normals[:, 0] / normals[:, 1])
    assert len(normals) == 60
    assert (np.isclose(slopes, 0) | np.isclose(slopes, 2)).all()


@pytest.mark.parametrize("seed", [4, 5])
def test_no_face_flips(seed: int) -> None:
    plane = np.random.default_rng(seed).uniform(size=(150, 2))
    faces = Delaunay(plane).simplices
    vertices = np.c_[plane, np.zeros(150)]
    upwards = face_normals(vertices, faces)[:, 2] > 0
    faces = np.where(upwards[:, None], faces, faces[:, ::-1])
    left = simplify(vertices, faces, 60, mirrored=False)
    assert face_normals(vertices, left)[:, 2].min() > 0


def test_a_thin_neck_is_not_pinched_off() -> None:
    angle = np.arange(3) * 2 * np.pi / 3
    ring = np.stack([np.cos(angle), np.zeros(3), np.sin(angle)], axis=1)
    radii = [1, 0.8, 0.5, 0.1, 0.1, 0.5, 0.8, 1]
    vertices = np.concatenate([ring * radius + np.array([0, 0.3 * k, 0]) for k, radius in enumerate(radii)])
    sides = [
        face
        for k in range(7)
        for i in range(3)
        for a, b in [(3 * k + i, 3 * k + (i + 1) % 3)]
        for face in ([a, a + 3, b], [b, a + 3, b + 3])
    ]
    faces = np.array([*sides, [0, 1, 2], [23, 22, 21]])
    assert boundary_edges(faces) == []
    left = simplify(vertices, faces, 4, mirrored=False)
    directed = directed_edges(left)
    assert len(np.unique(directed, axis=0)) == len(directed)
    assert boundary_edges(left) == []
    assert euler(left) == 2


def test_no_inner_edge_joins_two_vertices_of_the_rim() -> None:
    vertices, faces = grid(4, 8)
    # Without this face one vertex of the third column is on the rim, two steps from the first column.
    notched = faces[(faces != [20, 28, 27]).any(axis=1)]
    assert len(notched) == len(faces) - 1
    inner = np.isin(np.arange(32), [9, 10, 11, 12, 13, 14])
    left = simplify(vertices, notched, 24, importance=np.where(inner, 1e-9, 1.0), mirrored=False)
    rim = {tuple(sorted(edge)) for edge in boundary_edges(left)}
    on_rim = set(np.unique(list(rim)).tolist())
    assert all((a, b) in rim for a, b in edges(left).tolist() if {a, b} <= on_rim)


def test_what_cannot_shrink_stays() -> None:
    vertices, faces = (
        np.vstack([np.zeros(3), np.eye(3)]),
        np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
    )
    np.testing.assert_array_equal(simplify(vertices, faces, 2, mirrored=False), faces)


def test_loops_follow_the_boundary() -> None:
    vertices, faces = half_sphere(2)
    (loop,) = boundary_loops(faces)
    assert sorted(loop) == np.flatnonzero(vertices[:, 0] == 0).tolist()
    assert set(zip(loop, loop[1:] + loop[:1], strict=True)) == set(boundary_edges(faces))


def test_a_boundary_that_touches_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="touches itself"):
        boundary_loops(np.array([[0, 1, 2], [0, 3, 4]]))


def test_a_mouth_on_the_mid_line_is_closed() -> None:
    vertices, faces = half_sphere(3)
    torn = faces[vertices[faces].mean(axis=1)[:, 2] < 0.95]
    (loop,) = boundary_loops(torn)
    assert (vertices[loop, 0] > 0).any()
    whole = np.concatenate([torn, cap_mouth(loop, vertices, torn)])
    assert (vertices[np.array(boundary_edges(whole)), 0] == 0).all()
    assert euler(whole) == 1
    assert np.unique(np.sort(whole, axis=1), axis=0).shape == whole.shape


def test_a_mouth_is_closed_without_doubling_an_edge() -> None:
    vertices, faces = half_sphere(3)
    inside = vertices[faces].mean(axis=1)[:, 2] > 0.95
    torn = faces[~inside]
    known = {frozenset(edge) for edge in edges(torn).tolist()}
    ears = [
        face
        for face in faces[inside]
        if sum(frozenset((face[k], face[k - 1])) in known for k in range(3)) == 1
    ]
    assert ears
    for ear in ears:
        eared = np.concatenate([torn, ear[None]])
        (loop,) = boundary_loops(eared)
        whole = np.concatenate([eared, cap_mouth(loop, vertices, eared)])
        directed = directed_edges(whole)
        assert len(np.unique(directed, axis=0)) == len(directed)


def test_nearest_point_of_a_triangle_beats_every_other_point_of_it() -> None:
    rng = np.random.default_rng(0)
    triangles = rng.normal(size=(40, 3, 3))
    grid = np.array([(1 - (i + j) / 30, i / 30, j / 30) for i in range(31) for j in range(31 - i)])
    for point in rng.normal(size=(40, 3)) * 1.5:
        weights, squared = closest_barycentric(point, triangles)
        assert weights.min() >= -1e-12
        np.testing.assert_allclose(weights.sum(axis=1), 1)
        nearest = np.einsum("nk,nkx->nx", weights, triangles)
        np.testing.assert_allclose(((nearest - point) ** 2).sum(axis=1), squared, atol=1e-12)
        tried = ((np.einsum("gk,nkx->ngx", grid, triangles) - point) ** 2).sum(axis=2).min(axis=1)
        assert (squared <= tried + 1e-12).all()
        assert (np.sqrt(tried) - np.sqrt(squared) < 0.2).all()


def test_a_vertex_hangs_on_a_face_of_its_own_limb() -> None:
    flat = np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 1]])
    coarse = np.concatenate([flat, flat + np.array([0, 1, 0])])
    trunk_and_arm = np.repeat(np.eye(2), 3, axis=0)
    point = np.array([[0.2, 0.1, 0.2]])
    faces = np.arange(6).reshape(2, 3)
    for limb in (0, 1):
        face, weights = attach(point, np.eye(2)[[limb]], coarse, trunk_and_arm, faces)
        assert face.tolist() == [limb]
        np.testing.assert_allclose(weights, [[0.6, 0.2, 0.2]])


def test_a_coarser_level_is_closed_mirrored_and_interpolates() -> None:
    fine = mirrored_sphere(3)
    level = coarsen(fine, 62)
    coarse = fine.vertices[level.kept]
    assert len(level.faces) == 120
    assert boundary_edges(level.faces) == []
    assert euler(level.faces) == 2
    np.testing.assert_array_equal(coarse[level.mirror] * MIRROR, coarse)
    np.testing.assert_array_equal(level.down @ fine.vertices, coarse)
    np.testing.assert_allclose((level.down @ level.up).toarray(), np.eye(len(coarse)))
    np.testing.assert_allclose(np.asarray(level.up.sum(axis=1)), 1)
    off = np.flatnonzero(fine.mirror != np.arange(len(fine.mirror)))
    np.testing.assert_allclose(level.up[fine.mirror[off]][:, level.mirror].toarray(), level.up[off].toarray())
    assert np.linalg.norm(level.up @ coarse - fine.vertices, axis=1).max() < 0.2


def test_neighbour_mean_leaves_a_constant_alone() -> None:
    vertices, faces = sphere(2)
    mean = neighbour_mean(faces, len(vertices))
    np.testing.assert_allclose(mean @ np.ones(len(vertices)), 1)
    assert (np.linalg.norm(mean @ vertices, axis=1) < 1).all()
