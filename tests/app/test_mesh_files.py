"""What all writers of meshes promise; OBJ, PLY and GLB are read back by trimesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.export.fbx import write_fbx
from app.export.gltf import SKIN, write_glb
from app.export.mesh import NamedMesh, Origin, place, split_at_seams
from app.export.obj import write_obj
from app.export.ply import write_ply
from app.export.presets import PRESETS, Y_UP_METRES, Preset
from model.errors import UserError
from tests.app.gltf_player import Player
from tests.app.mesh_files import (
    ORIGIN,
    assert_same_points,
    assert_upright,
    beside,
    expected,
    mesh,
    small_files_only,
)

Write = Callable[..., None]
WRITERS: dict[str, Write] = {"obj": write_obj, "ply": write_ply, "glb": write_glb, "fbx": write_fbx}
READABLE = ("obj", "ply", "glb")


def axes_of(kind: str, preset: Preset) -> Preset:
    """The axes and unit that a file of this kind has for a program."""
    return {"obj": preset.for_obj, "glb": Y_UP_METRES}.get(kind, preset)


def meshes_in(path: Path) -> list[trimesh.Trimesh]:
    """Each object of the file."""
    read = trimesh.load(path, process=False)
    return list(read.geometry.values()) if isinstance(read, trimesh.Scene) else [read]


def read_back(path: Path) -> trimesh.Trimesh:
    """Everything in the file as one surface whose seams are closed again."""
    objects = meshes_in(path)
    starts = np.cumsum([0, *(len(read.vertices) for read in objects)])
    vertices = np.concatenate([read.vertices for read in objects])
    faces = np.concatenate([read.faces + start for read, start in zip(objects, starts[:-1], strict=True)])
    whole = trimesh.Trimesh(vertices, faces, process=False)
    whole.merge_vertices(digits_vertex=6)
    return whole


@pytest.mark.parametrize("kind", READABLE)
@pytest.mark.parametrize("preset", [Y_UP_METRES, *PRESETS.values()], ids=["plain", *PRESETS])
def test_the_body_comes_back_upright_for_the_program(kind: str, preset: Preset, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    WRITERS[kind](path, [mesh()], preset, ORIGIN)
    read, axes = read_back(path), axes_of(kind, preset)
    assert_same_points(read.vertices, expected(mesh(), axes), 1e-5 * axes.units_per_metre)
    assert_upright(read, axes)
    assert read.is_watertight


@pytest.mark.parametrize("kind", READABLE)
def test_two_people_stay_two(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"two.{kind}"
    WRITERS[kind](path, [mesh(), beside(2, "person 2")])
    parts = sorted(read_back(path).split(), key=lambda part: part.bounds[0, 0])
    assert [part.is_watertight for part in parts] == [True, True]
    assert np.allclose(parts[1].bounds - parts[0].bounds, [2, 0, 0], atol=1e-5)


@pytest.mark.parametrize("kind", ["ply", "glb"])
def test_normals_point_out_of_the_body(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    WRITERS[kind](path, [mesh()])
    (read,) = meshes_in(path)
    written = read._cache.cache["vertex_normals"]
    assert np.allclose(np.linalg.norm(written, axis=1), 1, atol=1e-5)
    a, b, c = (written[read.faces[:, i]] for i in range(3))
    flat = ((a + b + c) * read.face_normals).sum(axis=1)
    assert (flat > 0).mean() > 0.99


@pytest.mark.parametrize("kind", READABLE)
def test_every_corner_keeps_its_texture_coordinate(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    WRITERS[kind](path, [mesh()])
    if kind == "ply":
        raw = trimesh.load(path, process=False).metadata["_ply_raw"]["vertex"]["data"]
        points = np.stack([raw[name] for name in ("x", "y", "z", "s", "t")], axis=1)
    else:
        (read,) = meshes_in(path)
        points = np.concatenate([read.vertices, read.visual.uv], axis=1)
    named = mesh()
    assert named.uv is not None and named.uv_faces is not None
    corners = expected(named, Y_UP_METRES)[named.faces.ravel()]
    wanted = np.unique(np.concatenate([corners, named.uv[named.uv_faces.ravel()]], axis=1), axis=0)
    assert_same_points(points, wanted, 1e-5)


@pytest.mark.parametrize("kind", WRITERS)
def test_the_model_its_hash_and_masks_are_in_the_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    WRITERS[kind](path, [mesh()], PRESETS["maya"], ORIGIN)
    content = path.read_bytes()
    for fact in ("body-lite", "9f3ac2d4", "7,5,off,1", "metres"):
        assert fact.encode() in content


def test_a_glb_tells_all_of_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "body.glb"
    write_glb(path, [mesh(), beside(2, "Jörg 2")], PRESETS["unreal"], ORIGIN)
    scene = trimesh.load(path, process=False)
    assert set(scene.geometry) == {"person 1", "Jörg 2"}
    facts = ORIGIN.facts(Y_UP_METRES)
    assert facts["masks"] == "7,5,off,1" and facts["units"] == "metres"
    text = path.read_bytes().decode("utf-8", "ignore")
    assert all(f'"{name}":"{value}"' in text for name, value in facts.items())


def test_colours_in_a_glb_are_not_tinted_by_the_skin(tmp_path: Path) -> None:
    """Readers multiply the two."""
    path, named = tmp_path / "two.glb", mesh()
    write_glb(path, [named, replace(named, colours=np.full_like(named.vertices, 0.5))])
    player = Player(path)
    tints = []
    for item in player.document["meshes"]:
        material = player.document["materials"][item["primitives"][0]["material"]]
        tints.append(material["pbrMetallicRoughness"]["baseColorFactor"])
    assert tints == [SKIN["pbrMetallicRoughness"]["baseColorFactor"], [1, 1, 1, 1]]
    write_glb(path, [named])
    assert Player(path).document["materials"] == [SKIN]


def test_ply_tells_people_apart(tmp_path: Path) -> None:
    path = tmp_path / "two.ply"
    write_ply(path, [mesh(), beside(2, "Jörg\n2")], origin=Origin("ä"))
    read = trimesh.load(path, process=False)
    person = read.metadata["_ply_raw"]["vertex"]["data"]["person"].ravel()
    assert set(person.tolist()) == {0, 1}
    assert (read.vertices[person == 1].min(axis=0) - read.vertices[person == 0].min(axis=0))[0] == (
        pytest.approx(2, abs=1e-5)
    )


@pytest.mark.parametrize("kind", WRITERS)
def test_a_body_turned_inside_out_is_turned_back(kind: str, tmp_path: Path) -> None:
    named = mesh()
    assert named.uv_faces is not None
    path, usual = tmp_path / f"turned/body.{kind}", tmp_path / f"usual/body.{kind}"
    WRITERS[kind](usual, [named])
    WRITERS[kind](path, [replace(named, faces=named.faces[:, ::-1], uv_faces=named.uv_faces[:, ::-1])])
    assert path.read_bytes() == usual.read_bytes()


@pytest.mark.parametrize("kind", WRITERS)
def test_vertices_that_are_not_finite_leave_the_old_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    path.write_text("old")
    broken = mesh().vertices.copy()
    broken[7, 1] = np.nan
    with pytest.raises(UserError, match="person 1 has vertices that are not finite"):
        WRITERS[kind](path, [replace(mesh(), vertices=broken)])
    with pytest.raises(UserError, match="no person"):
        WRITERS[kind](path, [])
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    path.write_text("old")
    with small_files_only(20_000), pytest.raises(UserError, match=r"body.*cannot be written: File too large"):
        WRITERS[kind](path, [mesh()])
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", WRITERS)
def test_names_of_files_long_and_in_any_script(kind: str, tmp_path: Path) -> None:
    for stem in ("踊る人 Ünï 🕺", "n" * (254 - len(kind)), "é" * 120):
        WRITERS[kind](tmp_path / f"{stem}.{kind}", [mesh()])
        assert (tmp_path / f"{stem}.{kind}").stat().st_size > 100_000
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        WRITERS[kind](tmp_path / f"{'n' * 260}.{kind}", [mesh()])
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        WRITERS[kind](tmp_path / "file" / f"body.{kind}", [mesh()])


def test_split_vertices_draw_the_same_surface() -> None:
    (whole,) = place([mesh()], Y_UP_METRES)
    split = split_at_seams(whole)
    assert whole.uv is not None and whole.uv_faces is not None and split.uv is not None
    assert len(split.vertices) == len(split.uv) > len(whole.vertices)
    assert np.array_equal(split.vertices[split.faces], whole.vertices[whole.faces])
    assert np.array_equal(split.uv[split.faces], whole.uv[whole.uv_faces])


def test_a_mesh_without_texture_is_not_split() -> None:
    plain = NamedMesh("plain", mesh().vertices, mesh().faces)
    (whole,) = place([plain], Y_UP_METRES)
    assert split_at_seams(whole) is whole
