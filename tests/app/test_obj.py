"""OBJ files, read back by trimesh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.export.mesh import NamedMesh, Origin
from app.export.obj import write_obj
from tests.app import gui_fakes


@pytest.fixture
def mesh() -> NamedMesh:
    body = gui_fakes.body()
    return NamedMesh("person 1", body["vertices"], body["faces"])


def test_the_file_is_the_body_upright_in_metres(mesh: NamedMesh, tmp_path: Path) -> None:
    path = tmp_path / "body.obj"
    write_obj(path, [mesh], origin=Origin("body-lite", "abc"))
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
