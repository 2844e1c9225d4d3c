"""FBX files, read back by assimp and by the FBX SDK (in FBX2glTF)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.export.fbx import write_fbx
from app.export.mesh import NamedMesh, place
from app.export.presets import PRESETS, Y_UP_METRES, Preset
from tests.app.fbx_tools import ASSIMP, by_assimp_as, every_preset, needs_assimp, needs_sdk, sdk_as_glb
from tests.app.mesh_files import ORIGIN, assert_same_points, assert_upright, beside, expected, mesh


def closed(vertices: np.ndarray, faces: np.ndarray) -> trimesh.Trimesh:
    """A surface whose seams are closed again."""
    surface = trimesh.Trimesh(vertices, faces, process=False)
    surface.merge_vertices(digits_vertex=4)
    return surface


def by_assimp(path: Path) -> tuple[dict[str, trimesh.Trimesh], np.ndarray]:
    """Surfaces by name in the file's own axes and unit; (N, 8) position, normal, texture of the corners."""
    target = by_assimp_as(path, ".obj")
    rows: dict[str, list[list[float]]] = {"v": [], "vn": [], "vt": []}
    corners: dict[str, list[list[list[int]]]] = {}
    name = ""
    for line in target.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "g":
            name = rest
        elif kind == "f":
            face = [[int(i or 0) - 1 for i in corner.split("/")] for corner in rest.split()]
            corners.setdefault(name, []).append(face)
        elif kind in rows:
            rows[kind].append([float(number) for number in rest.split()])
    vertices, normals = np.array(rows["v"])[:, :3], np.array(rows["vn"])
    texture = np.array(rows["vt"])[:, :2]
    indices = {name: np.array(faces) for name, faces in corners.items()}
    v, vt, vn = np.concatenate([faces.reshape(-1, 3) for faces in indices.values()]).T
    attributes = np.concatenate([vertices[v], normals[vn], texture[vt]], axis=1)
    return {name: closed(vertices, faces[:, :, 0]) for name, faces in indices.items()}, attributes


def by_sdk(path: Path) -> dict[str, trimesh.Trimesh]:
    """Surfaces by name in metres, y up: what the FBX SDK makes of axes and unit."""
    scene = trimesh.load(sdk_as_glb(path), process=False)
    surfaces = {}
    for name in scene.graph.nodes_geometry:
        matrix, geometry = scene.graph[name]
        surface = scene.geometry[geometry]
        vertices = surface.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        surfaces[name] = closed(vertices, surface.faces)
    return surfaces


def used(surface: trimesh.Trimesh) -> np.ndarray:
    """(N, 3) the vertices that a face has."""
    return surface.vertices[np.unique(surface.faces)]


@needs_assimp
@every_preset
def test_assimp_reads_the_body_upright(preset: Preset, tmp_path: Path) -> None:
    path = tmp_path / "body.fbx"
    write_fbx(path, [mesh()], preset)
    surfaces, _ = by_assimp(path)
    assert list(surfaces) == ["person 1"]
    body = surfaces["person 1"]
    assert_same_points(used(body), expected(mesh(), preset), 1e-5 * preset.units_per_metre)
    assert_upright(body, preset)
    assert body.is_watertight


@needs_assimp
def test_assimp_reads_normals_and_texture_at_every_corner(tmp_path: Path) -> None:
    path = tmp_path / "body.fbx"
    write_fbx(path, [mesh()])
    _, corners = by_assimp(path)
    (whole,) = place([mesh()], Y_UP_METRES)
    assert whole.uv is not None and whole.uv_faces is not None
    flat = whole.faces.ravel()
    wanted = np.concatenate([whole.vertices[flat], whole.normals[flat], whole.uv[whole.uv_faces.ravel()]], 1)
    assert_same_points(corners, wanted, 2e-5)


@needs_assimp
def test_assimp_reads_people_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "踊る人.fbx"
    write_fbx(path, [mesh(), beside(2, "Jörg 2"), beside(4, "三人")], PRESETS["maya"])
    surfaces, _ = by_assimp(path)
    assert list(surfaces) == ["person 1", "Jörg 2", "三人"]
    for named, surface in zip([mesh(), beside(2, ""), beside(4, "")], surfaces.values(), strict=True):
        assert_same_points(used(surface), expected(named, PRESETS["maya"]), 1e-3)


@needs_assimp
def test_a_mesh_without_texture_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "plain.fbx"
    write_fbx(path, [NamedMesh("plain", mesh().vertices, mesh().faces)])
    assert ASSIMP is not None
    told = subprocess.run([ASSIMP, "info", str(path)], check=True, capture_output=True, text=True).stdout
    assert "Vertices:           6890" in told


@pytest.mark.slow
@needs_sdk
@every_preset
def test_the_sdk_reads_everybody_upright_in_metres(preset: Preset, tmp_path: Path) -> None:
    path = tmp_path / "two.fbx"
    write_fbx(path, [mesh(), beside(2, "Jörg 2")], preset, ORIGIN)
    surfaces = by_sdk(path)
    assert set(surfaces) == {"person 1", "Jörg 2"}
    for named in (mesh(), beside(2, "Jörg 2")):
        surface = surfaces[named.name]
        assert_same_points(used(surface), expected(named, Y_UP_METRES), 1e-5)
        assert_upright(surface, Y_UP_METRES)


def test_the_comment_of_the_scene_tells_all_of_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "body.fbx"
    write_fbx(path, [mesh()], PRESETS["unreal"], ORIGIN)
    comment = json.dumps(ORIGIN.facts(PRESETS["unreal"]))
    assert comment.encode() in path.read_bytes()
    assert json.loads(comment)["units"] == "centimetres"
