"""OBJ files, read back by trimesh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.export.obj import NamedMesh, write_obj
from model.errors import UserError
from tests.app import gui_fakes


@pytest.fixture
def mesh() -> NamedMesh:
    body = gui_fakes.body()
    return NamedMesh("person 1", body["vertices"], body["faces"])


def test_the_file_is_the_body_upright_in_metres(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    write_obj(path, [mesh], model_name="body-lite", sha256="abc")
    read = trimesh.load(path, process=False)
    assert read.is_watertight
    assert read.volume > 0, "faces look outward"
    assert 1.4 < np.ptp(read.vertices[:, 1]) < 2.1
    assert np.allclose(read.vertices, mesh.vertices * [1, -1, -1], atol=1e-5)
    head = read.vertices[:, 1].argmax()
    assert gui_fakes.PARTS[gui_fakes.body()["part"][head]] == "head"
    text = path.read_text()
    assert "body-lite" in text and "abc" in text and "metres" in text


def test_normals_point_out_and_have_length_one(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    write_obj(path, [mesh])
    rows = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("vn ")]
    normals = np.array(rows, float)
    read = trimesh.load(path, process=False)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)
    assert (normals * read.vertex_normals).sum(axis=1).mean() > 0.98


def test_a_body_turned_inside_out_is_turned_back(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    write_obj(path, [replace(mesh, faces=mesh.faces[:, ::-1])])
    assert trimesh.load(path, process=False).volume > 0


def test_two_people_are_two_objects_with_their_own_indices(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "two.obj"
    beside = replace(mesh, name="person 2", vertices=mesh.vertices + np.float32([2, 0, 0]))
    write_obj(path, [mesh, beside])
    assert [line for line in path.read_text().splitlines() if line.startswith("o ")] == [
        "o person_1",
        "o person_2",
    ]
    parts = trimesh.load(path, process=False).split()
    assert [part.is_watertight for part in parts] == [True, True]
    assert np.allclose(parts[1].bounds - parts[0].bounds, [2, 0, 0], atol=1e-5)


def test_texture_coordinates_follow_the_faces(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "uv.obj"
    uv = np.random.default_rng(0).random((len(mesh.faces) * 3, 2))
    write_obj(path, [replace(mesh, uv=uv, uv_faces=np.arange(len(uv)).reshape(-1, 3))])
    lines = path.read_text().splitlines()
    assert sum(line.startswith("vt ") for line in lines) == len(uv)
    last = next(line for line in reversed(lines) if line.startswith("f "))
    assert last.split()[3].split("/")[1] == str(len(uv))


def test_vertices_that_are_not_finite_leave_the_old_file(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    path.write_text("old")
    broken = mesh.vertices.copy()
    broken[7, 1] = np.nan
    with pytest.raises(UserError, match="not finite"):
        write_obj(path, [replace(mesh, vertices=broken)])
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["body.obj"]


def test_a_folder_that_is_not_there_is_a_sentence(mesh: NamedMesh, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="could not be written"):
        write_obj(tmp_path / "gone" / "body.obj", [mesh])


def test_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no person"):
        write_obj(tmp_path / "none.obj", [])
