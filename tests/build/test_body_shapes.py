"""Random adults, their skeleton and pose, and the spaces fitted to them."""

import numpy as np
import pytest
import scipy.sparse as sp

from assets.build.body.adults import Targets, mean_adult, random_adults
from assets.build.body.cavities import open_sky, sphere_directions
from assets.build.body.correctives import subtree
from assets.build.body.makehuman import BaseMesh
from assets.build.body.remesh import Topology
from assets.build.body.shape_space import principal_shapes
from assets.build.body.skeleton import INDEX, JOINTS, MIRRORED, PARENTS, joint_of_bone, other_side
from assets.build.body.tpose import rotations_from_t, to_t_pose
from assets.build.body.uv import texture_coordinates
from model.surface import MIRROR


def adults(*traits: tuple[str, ...]) -> np.ndarray:
    targets = Targets(list(traits), np.zeros((len(traits), 1, 3), dtype=np.float32))
    return random_adults(targets, 500, np.random.default_rng(3))


@pytest.mark.parametrize("traits", [("male", "female"), ("young", "old"), ("african", "asian", "caucasian")])
def test_alternatives_share_one_whole(traits: tuple[str, ...]) -> None:
    weights = adults(*[(trait,) for trait in traits])
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_a_target_weighs_the_product_of_its_traits() -> None:
    male, old, both = adults(("male",), ("old",), ("male", "old")).T
    np.testing.assert_allclose(both, male * old, atol=1e-6)


def test_some_adults_are_heavier_than_makehumans_heaviest() -> None:
    light, average, heavy = adults(("minweight",), ("averageweight",), ("maxweight",)).T
    assert heavy.max() > 1
    np.testing.assert_allclose(light + average + heavy, 1, atol=1e-6)


def test_heights_go_one_way_at_a_time() -> None:
    short, tall = adults(("minheight",), ("maxheight",)).T
    assert (short * tall == 0).all()
    assert (short > 0).any()
    assert (tall > 0).any()


def test_mean_adult_adds_the_mean_weights() -> None:
    targets = Targets([("male",), ("female",)], np.ones((2, 4, 3), dtype=np.float32))
    base = np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(mean_adult(base, targets), base + 1, atol=1e-6)


@pytest.mark.parametrize(
    ("bone", "joint"),
    [
        ("toe3-2.L", "left_foot"),
        ("finger1-3.R", "right_hand"),
        ("metacarpal2.L", "left_wrist"),
        ("upperarm02.R", "right_shoulder"),
        ("breast.L", "spine2"),
        ("jaw", "head"),
        ("eye.R", "head"),
        ("root", "pelvis"),
    ],
)
def test_bones_merge_into_joints(bone: str, joint: str) -> None:
    assert joint_of_bone(bone) == joint


def test_the_tree_is_mirrored() -> None:
    for child, parent in list(enumerate(PARENTS))[1:]:
        assert MIRRORED[parent] == PARENTS[MIRRORED[child]]
        assert other_side(other_side(JOINTS[child])) == JOINTS[child]


def test_subtrees_hold_what_moves_along() -> None:
    moved = {JOINTS[j] for j in np.flatnonzero(subtree(INDEX["left_shoulder"]))}
    assert moved == {"left_shoulder", "left_elbow", "left_wrist", "left_hand"}
    assert subtree(0).all()


def a_pose() -> np.ndarray:
    """(24, 3) joints of a person with lowered arms and spread legs."""
    left = {
        "hip": (0.1, -0.1, 0),
        "knee": (0.15, -0.5, 0.02),
        "ankle": (0.2, -0.9, -0.03),
        "foot": (0.25, -0.95, 0.1),
        "collar": (0.03, 0.35, 0),
        "shoulder": (0.17, 0.35, 0),
        "elbow": (0.3, 0.15, -0.02),
        "wrist": (0.42, -0.05, 0.02),
        "hand": (0.48, -0.13, 0.05),
    }
    centre = {"pelvis": 0.0, "spine1": 0.1, "spine2": 0.2, "spine3": 0.28, "neck": 0.42, "head": 0.52}
    joints = np.zeros((24, 3))
    for name, height in centre.items():
        joints[INDEX[name], 1] = height
    for name, point in left.items():
        joints[INDEX[f"left_{name}"]] = point
        joints[INDEX[f"right_{name}"]] = point * MIRROR
    return joints


def test_arms_become_straight_and_keep_their_length() -> None:
    joints, weights = a_pose()[None], np.eye(24)
    vertices, straight = to_t_pose(joints.copy(), joints, weights, rotations_from_t(joints[0]))
    np.testing.assert_allclose(vertices, straight, atol=1e-12)  # a vertex in a joint's centre stays there
    arm = straight[0, [INDEX[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")]]
    assert np.ptp(arm[:, 1]) < 1e-9
    for j, parent in list(enumerate(PARENTS))[1:]:
        before, after = (np.linalg.norm(x[0, j] - x[0, parent]) for x in (joints, straight))
        assert before == pytest.approx(after)
    np.testing.assert_allclose(straight[0, MIRRORED] * MIRROR, straight[0], atol=1e-12)


def test_t_pose_undoes_skinning() -> None:
    rng = np.random.default_rng(5)
    joints = a_pose()[None]
    rotations = rotations_from_t(joints[0])
    posed = rng.normal(size=(1, 50, 3))
    weights = rng.dirichlet(np.ones(3), size=50) @ np.eye(24)[[0, 16, 18]]
    straight, centres = to_t_pose(posed, joints, weights, rotations)
    each = np.einsum("jab,vjb->vja", rotations, straight[0][:, None] - centres[0]) + joints[0]
    np.testing.assert_allclose(np.einsum("vj,vja->va", weights, each), posed[0], atol=1e-9)


def test_one_unit_of_a_component_is_one_deviation() -> None:
    rng = np.random.default_rng(2)
    mirror = np.array([1, 0, 2])
    wide, tall = np.zeros((3, 3)), np.zeros((3, 3))
    wide[:2, 0] = 1, -1
    tall[2, 1] = 1
    mix = rng.normal(size=(400, 2)) * [0.5, 0.1]
    mix -= mix.mean(axis=0)
    rest = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0]])
    people = rest + np.einsum("nk,kvx->nvx", mix, np.stack([wide, tall]))
    mean, shapes = principal_shapes(people, mirror, count=2)
    np.testing.assert_allclose(mean, rest, atol=1e-6)
    np.testing.assert_allclose(shapes[mirror] * MIRROR[:, None], shapes)
    spread = np.linalg.norm(shapes.reshape(-1, 2), axis=0)
    np.testing.assert_allclose(spread, [0.5 * 2**0.5, 0.1], rtol=0.15)


def test_directions_cover_the_sphere_evenly() -> None:
    directions = sphere_directions(256)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_allclose(directions.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(directions.T @ directions / 256, np.eye(3) / 3, atol=0.01)


def test_only_the_outside_of_a_box_sees_the_sky() -> None:
    cube = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    out = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    eye = np.array([[16, 17, 18, 19]])
    vertices = np.concatenate([cube * 2, cube * 0.8 + 0.6, np.full((4, 3), 9.0) + np.eye(4, 3)])
    inner = out + 8
    base = BaseMesh(vertices, np.zeros((1, 2)), {"body": np.concatenate([out, inner])})
    base.faces |= {"helper-l-eye": eye, "helper-r-eye": eye}
    share = open_sky(base)
    assert share[:6].min() > 0.9
    assert share[6:].max() == 0


def test_a_seam_takes_the_coordinates_that_keep_the_face_small() -> None:
    grid = np.array([[x, y, 0] for x in (0, 1, 2) for y in (0, 1)], dtype=float)
    quads = np.array([[0, 2, 3, 1], [2, 4, 5, 3]])
    uvs = np.array([[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0.8, 0], [0.9, 0], [0.9, 0.1], [0.8, 0.1]])
    base = BaseMesh(grid, uvs, {"body": quads}, {"body": np.arange(8).reshape(2, 4)})
    faces = np.array([[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]])
    mesh = Topology(faces, np.arange(6), sp.identity(6, format="csr"))
    at, corners, eye = texture_coordinates(base, mesh)
    assert not eye.any()
    assert np.ptp(at[corners], axis=1).max() == pytest.approx(0.1)
