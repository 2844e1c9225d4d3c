"""Properties of the free body as it ships: whole, mirrored, human-shaped, and its levels fit together."""

from collections import deque

import numpy as np
import pytest
import scipy.sparse as sp

import assets

MIRROR = np.array([-1.0, 1.0, 1.0])
# fmt: off
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
OTHER_SIDE = np.array(
    [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22]
)
# fmt: on
LEFT_KNEE = 4
Arrays = dict[str, np.ndarray]


def load(name: str) -> Arrays:
    with np.load(assets.BODY / name, allow_pickle=False) as data:
        return {key: value.astype(float) if value.dtype.kind == "f" else value for key, value in data.items()}


@pytest.fixture(scope="module")
def body() -> Arrays:
    return load("body.npz")


@pytest.fixture(scope="module")
def levels() -> Arrays:
    return load("hierarchy.npz")


def matrix(levels: Arrays, name: str) -> sp.csr_matrix:
    sizes = {"1": (1723, 6890), "2": (431, 1723)}[name[1]]
    index = (levels[f"{name}_row"].astype(int), levels[f"{name}_col"].astype(int))
    return sp.csr_matrix((levels[f"{name}_val"], index), shape=sizes if name[0] == "D" else sizes[::-1])


def mesh_of(level: int, body: Arrays, levels: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and mirror map of the full (0), mid (1) or coarse (2) mesh."""
    vertices = body["v_template"]
    if level == 0:
        return vertices, body["f"].astype(int), body["sym"].astype(int)
    kept = levels["sel1"] if level == 1 else levels["sel1"][levels["sel2"]]
    return vertices[kept], levels[f"F{level}"].astype(int), levels[f"sym{level}"].astype(int)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return float((a * np.cross(b, c)).sum() / 6)


def winding(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How often a closed surface winds around each point: 1 inside, 0 outside (Van Oosterom's formula)."""
    a, b, c = np.moveaxis(vertices[faces][None] - points[:, None, None], 2, 0)
    na, nb, nc = (np.linalg.norm(x, axis=2) for x in (a, b, c))
    top = (a * np.cross(b, c)).sum(axis=2)
    bottom = na * nb * nc
    bottom += (a * b).sum(axis=2) * nc + (b * c).sum(axis=2) * na + (c * a).sum(axis=2) * nb
    return np.arctan2(top, bottom).sum(axis=1) / (2 * np.pi)


def skin(body: Arrays, joint: int, rotation: np.ndarray, corrected: bool) -> np.ndarray:
    """Linear blend skinning with one joint turned."""
    vertices, centre = body["v_template"], (body["J_regressor"] @ body["v_template"])[joint]
    if corrected:
        feature = (rotation - np.eye(3)).ravel()
        vertices = vertices + body["posedirs"][:, :, 9 * (joint - 1) : 9 * joint] @ feature
    moves = np.zeros(24, dtype=bool)
    for j, parent in enumerate(PARENTS):
        moves[j] = j == joint or (parent >= 0 and moves[parent])
    share = body["weights"][:, moves].sum(axis=1, keepdims=True)
    return (1 - share) * vertices + share * ((vertices - centre) @ rotation.T + centre)


@pytest.mark.parametrize(("level", "num_vertices"), [(0, 6890), (1, 1723), (2, 431)])
def test_every_level_is_a_closed_sphere(level: int, num_vertices: int, body: Arrays, levels: Arrays) -> None:
    vertices, faces, _ = mesh_of(level, body, levels)
    directed = [tuple(edge) for k in range(3) for edge in np.roll(faces, -k, axis=1)[:, :2].tolist()]
    assert len(vertices) == num_vertices == faces.max() + 1
    # Each edge once in either direction: two faces at every edge, all facing the same way.
    assert len(set(directed)) == len(directed)
    assert {(b, a) for a, b in directed} == set(directed)
    assert num_vertices - len(directed) // 2 + len(faces) == 2
    assert 0.05 < volume(vertices, faces) < 0.09


@pytest.mark.parametrize("level", [0, 1, 2])
def test_every_level_is_its_own_mirror_image(level: int, body: Arrays, levels: Arrays) -> None:
    vertices, faces, mirror = mesh_of(level, body, levels)
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))
    np.testing.assert_array_equal(vertices[mirror] * MIRROR, vertices)
    rolled = {tuple(np.roll(face, -face.argmin())) for face in faces}
    assert {tuple(np.roll(face, -face.argmin())) for face in mirror[faces][:, ::-1]} == rolled


def test_parameters_are_mirrored(body: Arrays) -> None:
    mirror = body["sym"]
    np.testing.assert_array_equal(body["shapedirs"][mirror] * MIRROR[:, None], body["shapedirs"])
    np.testing.assert_array_equal(body["weights"][mirror][:, OTHER_SIDE], body["weights"])
    np.testing.assert_array_equal(body["J_regressor"][OTHER_SIDE][:, mirror], body["J_regressor"])
    np.testing.assert_array_equal(OTHER_SIDE[body["part"]], body["part"][mirror])
    np.testing.assert_array_equal(body["eye"][mirror], body["eye"])
    correctives = body["posedirs"].reshape(-1, 3, 23, 9)
    flipped = correctives[mirror][:, :, OTHER_SIDE[1:] - 1] * MIRROR[:, None, None]
    flipped = flipped * np.outer(MIRROR, MIRROR).ravel()
    np.testing.assert_array_equal(flipped, correctives)


def test_people_have_human_heights_and_volumes(body: Arrays) -> None:
    rng = np.random.default_rng(0)
    shapes = [np.zeros(10), *rng.normal(size=(100, 10))]
    bodies = [body["v_template"] + body["shapedirs"] @ shape for shape in shapes]
    heights = np.array([np.ptp(vertices[:, 1]) for vertices in bodies])
    assert heights.min() > 1.3
    assert heights.max() < 2.1
    assert 1.4 < heights[0] < 2.1
    litres = np.array([volume(vertices, body["f"].astype(int)) for vertices in bodies]) * 1000
    assert litres.min() > 30
    assert litres.max() < 130


def test_first_shape_is_height(body: Arrays) -> None:
    taller = [np.ptp(body["v_template"][:, 1] + k * body["shapedirs"][:, 1, 0]) for k in (-1, 0, 1)]
    assert taller == sorted(taller)
    assert taller[2] - taller[0] > 0.1


def test_weights_bind_each_vertex_to_few_joints(body: Arrays) -> None:
    weights, mirror = body["weights"], body["sym"]
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert weights.min() >= 0
    bound = (weights > 0).sum(axis=1)
    off_middle = mirror != np.arange(len(mirror))
    assert bound[off_middle].max() == 4
    # On the mid-line a left and a right joint tie for the fourth place.
    assert bound.max() == 5
    np.testing.assert_array_equal(body["part"], weights.argmax(axis=1))
    assert set(body["part"].tolist()) == set(range(24))


def test_tree_is_smpls(body: Arrays) -> None:
    assert body["kintree_table"][0, 1:].tolist() == PARENTS[1:]
    assert body["kintree_table"][0, 0] == 2**32 - 1
    assert body["kintree_table"][1].tolist() == list(range(24))


@pytest.mark.parametrize("name", ["J_regressor", "J14_regressor"])
def test_joints_lie_inside_the_body(name: str, body: Arrays) -> None:
    regressor = body[name]
    np.testing.assert_allclose(regressor.sum(axis=1), 1, atol=1e-6)
    assert regressor.min() >= 0
    rng = np.random.default_rng(1)
    for shape in (np.zeros(10), *rng.normal(size=(3, 10))):
        vertices = body["v_template"] + body["shapedirs"] @ shape
        np.testing.assert_allclose(
            winding(regressor @ vertices, vertices, body["f"].astype(int)), 1, atol=1e-6
        )


def test_template_stands_in_a_t_pose(body: Arrays) -> None:
    joints = body["J_regressor"] @ body["v_template"]
    arm = joints[[16, 18, 20, 22]]
    assert (np.diff(arm[:, 0]) > 0.05).all()
    assert np.ptp(arm[:, 1]) < 0.02
    leg = joints[[1, 4, 7, 10]]
    assert (np.diff(leg[:, 1]) < -0.03).all()
    assert joints[10, 2] > joints[7, 2] + 0.05  # toes point forward, along z


def test_landmarks_are_where_their_names_say(body: Arrays) -> None:
    named = dict(zip(body["vertex_id_names"].tolist(), body["vertex_ids"].tolist(), strict=True))
    at = {name: body["v_template"][vertex] for name, vertex in named.items()}
    assert at["nose"][0] == 0
    assert at["nose"][2] > at["leye"][2] > at["lear"][2]
    assert at["lear"][0] > at["leye"][0] > 0
    assert at["lthumb"][2] > at["lindex"][2] > at["lmiddle"][2] > at["lring"][2] > at["lpinky"][2]
    assert at["LHeel"][2] < at["LSmallToe"][2] < at["LBigToe"][2]
    assert at["LSmallToe"][0] > at["LBigToe"][0]
    for name, vertex in named.items():
        if name[0] in "lL":
            assert body["sym"][vertex] == named[("r" if name[0] == "l" else "R") + name[1:]]


def test_texture_covers_every_face(body: Arrays) -> None:
    assert body["vt"].min() >= 0
    assert body["vt"].max() <= 1
    assert body["ft"].shape == body["f"].shape
    assert set(body["ft"].ravel().tolist()) == set(range(len(body["vt"])))


def test_correctives_give_a_bent_knee_its_volume_back(body: Arrays) -> None:
    faces, whole = body["f"].astype(int), volume(body["v_template"], body["f"].astype(int))
    bend = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    plain, corrected = (volume(skin(body, LEFT_KNEE, bend, flag), faces) for flag in (False, True))
    assert plain < corrected < whole * 1.001


@pytest.mark.parametrize("step", ["1", "2"])
def test_matrices_select_and_interpolate(step: str, levels: Arrays) -> None:
    down, up = matrix(levels, f"D{step}"), matrix(levels, f"U{step}")
    kept = levels[f"sel{step}"]
    np.testing.assert_array_equal(down.indices, kept)
    np.testing.assert_array_equal(down.data, 1)
    np.testing.assert_allclose(np.asarray(up.sum(axis=1)), 1, atol=1e-6)
    assert up.data.min() >= 0
    assert np.diff(up.indptr).max() <= 3
    assert abs(down @ up - sp.identity(len(kept))).max() == 0


@pytest.mark.parametrize(("step", "fine", "coarse"), [("1", None, "sym1"), ("2", "sym1", "sym2")])
def test_fitted_sums_are_local_and_mirrored(
    step: str, fine: str | None, coarse: str, body: Arrays, levels: Arrays
) -> None:
    down, up = matrix(levels, f"D{step}"), matrix(levels, f"P{step}")
    mirror = (body["sym"] if fine is None else levels[fine]).astype(int)
    np.testing.assert_allclose(np.asarray(up.sum(axis=1)), 1, atol=1e-6)
    assert abs(down @ up - sp.identity(up.shape[1])).max() == 0
    assert abs(up).sum(axis=1).max() < 5, "what trembles below is not magnified"
    assert np.diff(up.indptr).max() <= 32
    assert abs(up - up[mirror][:, levels[coarse].astype(int)]).max() < 1e-6


@pytest.mark.parametrize(("step", "fine", "coarse"), [("1", None, "sym1"), ("2", "sym1", "sym2")])
def test_interpolation_is_mirrored_off_the_mid_line(
    step: str, fine: str | None, coarse: str, body: Arrays, levels: Arrays
) -> None:
    up = matrix(levels, f"U{step}")
    mirror = (body["sym"] if fine is None else levels[fine]).astype(int)
    difference = abs(up - up[mirror][:, levels[coarse].astype(int)]).max(axis=1).toarray().ravel()
    assert difference[mirror != np.arange(len(mirror))].max() < 1e-6


def test_levels_lose_millimetres_only(body: Arrays, levels: Arrays) -> None:
    down1, down2, up1, up2 = (matrix(levels, name) for name in ("D1", "D2", "U1", "U2"))
    vertices = body["v_template"]
    mid = np.linalg.norm(up1 @ (down1 @ vertices) - vertices, axis=1)
    coarse = np.linalg.norm(up1 @ (up2 @ (down2 @ (down1 @ vertices))) - vertices, axis=1)
    assert mid.mean() < 0.001
    assert coarse.mean() < 0.004
    assert coarse.max() < 0.03


def test_hops_are_shortest_paths(levels: Arrays) -> None:
    hops, around = levels["hops"], [set() for _ in range(431)]
    for a, b, c in levels["F2"].tolist():
        around[a] |= {b, c}
        around[b] |= {a, c}
        around[c] |= {a, b}
    for start in range(431):
        found, queue = {start: 0}, deque([start])
        while queue:
            vertex = queue.popleft()
            for w in around[vertex] - found.keys():
                found[w] = found[vertex] + 1
                queue.append(w)
        assert [found[k] for k in range(431)] == hops[start].tolist()


def test_masks_let_as_many_vertices_through_as_the_models_were_trained_with(levels: Arrays) -> None:
    allowed = [(levels["hops"] <= k).sum(axis=1).mean() for k in (1, 3, 5, 7)]
    assert np.round(allowed, 1).tolist() == [7.0, 40.8, 99.3, 177.2]
