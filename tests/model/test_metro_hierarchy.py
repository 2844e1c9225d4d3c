"""METRO's hierarchy file, made from the free body's own, must give the free body's own back."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import assets
from model.errors import UserError
from model.hierarchy import Hierarchy, hop_distances, load_hierarchy
from model.metro_hierarchy import adjacency_hops, faces_from_adjacency, read_metro_hierarchy
from tests.model.foreign import Touch, adjacency, metro_members, objects


@pytest.fixture(scope="module")
def ours() -> Hierarchy:
    return load_hierarchy()


@pytest.fixture(scope="module")
def template() -> np.ndarray:
    return np.load(assets.BODY / "body.npz")["v_template"]


def face_set(faces: np.ndarray) -> set[tuple[int, ...]]:
    """Faces regardless of where each starts, but not of which way it turns."""
    return {tuple(np.roll(face, -int(face.argmin())).tolist()) for face in faces}


@pytest.mark.parametrize("with_faces", [False, True])
def test_the_same_hierarchy_comes_back(
    ours: Hierarchy, template: np.ndarray, tmp_path: Path, with_faces: bool
) -> None:
    members = metro_members(ours)
    if with_faces:
        members["F"] = objects(list(ours.faces))
    np.savez(tmp_path / "mesh_downsampling.npz", **members)
    back = read_metro_hierarchy(tmp_path / "mesh_downsampling.npz", ours.faces[0], template)
    np.testing.assert_array_equal(back.hops, ours.hops)
    for theirs, own in zip(back.up + back.down, ours.up + ours.down, strict=True):
        assert abs(theirs - own).max() == 0
    assert face_set(back.faces[1]) == face_set(ours.faces[1])
    assert face_set(back.faces[2]) == face_set(ours.faces[2])


def test_one_step_is_enough_for_a_hand(ours: Hierarchy, template: np.ndarray, tmp_path: Path) -> None:
    members = {
        name: values[:2] if name == "A" else values[:1] for name, values in metro_members(ours).items()
    }
    np.savez(tmp_path / "mano_downsampling.npz", **members)
    mid = ours.up[0].shape[1]
    back = read_metro_hierarchy(tmp_path / "mano_downsampling.npz", ours.faces[0], template, num_coarse=mid)
    assert (back.num_fine, back.num_coarse) == (6890, mid)
    assert abs(back.fine_from_coarse - ours.up[0]).max() == 0


def test_hops_ignore_weights_and_the_diagonal() -> None:
    chain = sp.csr_matrix(np.array([[5.0, 0.2, 0], [0, 1, 0.3], [0, 0, 0]]))
    np.testing.assert_array_equal(adjacency_hops(chain), [[0, 1, 2], [1, 0, 1], [2, 1, 0]])


def test_hops_agree_with_those_of_the_faces(ours: Hierarchy) -> None:
    graph = adjacency(ours.faces[2], ours.num_coarse).tocsr()
    np.testing.assert_array_equal(adjacency_hops(graph), hop_distances(ours.faces[2], ours.num_coarse))


def test_a_ring_around_a_limb_is_no_face() -> None:
    """Two tetrahedra glued at a face that is then not there: a ring of three edges."""
    faces = np.array([[0, 1, 3], [1, 2, 3], [2, 0, 3], [1, 0, 4], [2, 1, 4], [0, 2, 4]])
    positions = np.array([[1.0, 0, 0], [-0.5, 0.9, 0], [-0.5, -0.9, 0], [0, 0, 1], [0, 0, -1]])
    assert face_set(faces_from_adjacency(adjacency(faces, 5).tocsr(), positions)) == face_set(faces)


def test_a_file_for_another_body_is_refused(ours: Hierarchy, template: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **metro_members(ours))
    with pytest.raises(UserError, match=r"m\.npz is made for another body: .* 6889 to 431"):
        read_metro_hierarchy(tmp_path / "m.npz", ours.faces[0], template[:-1])
    with pytest.raises(UserError, match="to 195"):
        read_metro_hierarchy(tmp_path / "m.npz", ours.faces[0], template, num_coarse=195)


def test_other_files_are_refused(ours: Hierarchy, template: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, A=np.zeros(3))
    with pytest.raises(UserError, match="lacks U, D"):
        read_metro_hierarchy(path, ours.faces[0], template)
    np.savez(path, A=np.array(["x"]), U=np.array(["x"]), D=np.array(["x"]))
    with pytest.raises(UserError, match="no mesh hierarchy"):
        read_metro_hierarchy(path, ours.faces[0], template)
    np.savez(path, **(metro_members(ours) | {"A": objects([Touch(tmp_path / "ran")])}))
    with pytest.raises(UserError, match="refused"):
        read_metro_hierarchy(path, ours.faces[0], template)
    assert not (tmp_path / "ran").exists()
