"""Takes through the one front: every kind read back, at rest and in motion, and what stops an export."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.cli import main
from app.export.bvh import bvh_text
from app.export.camera import Camera
from app.export.people import FOCAL
from app.export.presets import PRESETS, Preset
from app.export.take import export_take
from app.export.take_options import COLOURED, KINDS, TakeOptions, Watch, estimate_size
from app.takes.take import Take
from app.takes.take_file import save_take
from model.body import BodyModel, load_body
from model.errors import UserError
from tests.app.fbx_nodes import child, decode_file, numbers
from tests.app.fbx_tools import by_assimp_as, every_preset, needs_assimp, needs_sdk, sdk_as_glb
from tests.app.gltf_player import Player
from tests.app.mesh_files import assert_same_points
from tests.app.take_fakes import take
from tests.app.takes import dance

FLIP = np.array([1, -1, -1])


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


def target(folder: Path, kind: str) -> Path:
    return folder / ("walk" if kind in ("obj", "ply") else f"walk.{KINDS[kind].ending}")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_about_as_large_as_estimated(
    kind: str, body: BodyModel, tmp_path: Path
) -> None:
    walk, options, parts = take(4, ids=(1, 3)), TakeOptions(kind), []
    done = export_take(walk, body, target(tmp_path, kind), options, Watch(parts.append))
    files = [f for path in done.paths for f in (path.iterdir() if path.is_dir() else [path])]
    assert done.frames == 4 and set(tmp_path.iterdir()) == set(done.paths)
    assert 0.75 < estimate_size(walk, options) / sum(f.stat().st_size for f in files) < 1.3
    assert parts == sorted(parts) and (parts[0], parts[-1]) == (0, 1)
    assert (done.residual is not None) == KINDS[kind].needs_fit
    assert all(b"body-lite" in f.read_bytes() for f in files if f.suffix not in (".npz", ".bvh"))


def test_shapes_are_exact_in_every_frame(body: BodyModel, tmp_path: Path) -> None:
    walk, path = take(4), tmp_path / "walk.glb"
    export_take(walk, body, path, TakeOptions("glb-shapes"))
    player = Player(path)
    primitive = player.document["meshes"][0]["primitives"][0]
    rest = player.array(primitive["attributes"]["POSITION"])
    sampler = player.document["animations"][0]["samplers"][0]
    weights = player.array(sampler["output"]).reshape(4, 3)
    assert player.array(sampler["input"])[:, 0] == pytest.approx(walk.times)
    for frame in range(4):
        moved = [
            w * player.array(t["POSITION"]) for w, t in zip(weights[frame], primitive["targets"], strict=True)
        ]
        assert_same_points(rest + sum(moved), walk.people[0].vertices[frame] * FLIP, 1e-5)


def turning(body: BodyModel, path: Path, kind: str) -> None:
    """Two frames of somebody, the second a quarter turn after the first, written as shapes."""
    walk = take(2)
    turned = walk.people[0].vertices * np.ones((2, 1, 1), np.float32)
    turned[1] = turned[0] @ np.float32([[0, 0, -1], [0, 1, 0], [1, 0, 0]])
    people = (replace(walk.people[0], vertices=turned),)
    export_take(walk.with_people(people), body, path, TakeOptions(kind))


def assert_normals(points: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> None:
    """Of length 1, and those of this surface."""
    want = trimesh.Trimesh(points, faces.reshape(-1, 3), process=False).vertex_normals
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=5e-3)
    assert np.median((normals * want).sum(axis=1)) > 0.99


def test_shapes_bring_their_own_normals(body: BodyModel, tmp_path: Path) -> None:
    turning(body, tmp_path / "turn.glb", "glb-shapes")
    player = Player(tmp_path / "turn.glb")
    primitive = player.document["meshes"][0]["primitives"][0]
    rest, (target,) = primitive["attributes"], primitive["targets"]
    points = player.array(rest["POSITION"]) + player.array(target["POSITION"])
    normals = player.array(rest["NORMAL"]) + player.array(target["NORMAL"])
    assert_normals(points, player.array(primitive["indices"]), normals)


def test_shapes_in_fbx_bring_their_own_normals(body: BodyModel, tmp_path: Path) -> None:
    """Programs add a shape's numbers to those of the mesh, normals as well as points."""
    turning(body, tmp_path / "turn.fbx", "fbx-shapes")
    objects = child(decode_file((tmp_path / "turn.fbx").read_bytes()), "Objects")
    mesh, shape = (item for item in objects[2] if item[0] == "Geometry")
    faces = numbers(mesh, "PolygonVertexIndex").astype(int)
    faces = np.where(faces < 0, ~faces, faces)
    layer = child(mesh[2], "LayerElementNormal")
    rest = np.zeros((len(numbers(mesh, "Vertices")) // 3, 3))
    rest[faces] = numbers(layer, "Normals").reshape(-1, 3)
    moved = numbers(mesh, "Vertices") + numbers(shape, "Vertices")
    assert_normals(moved.reshape(-1, 3), faces, rest + numbers(shape, "Normals").reshape(-1, 3))


def test_what_a_file_manager_leaves_in_a_sequence_does_not_protect_it(
    body: BodyModel, tmp_path: Path
) -> None:
    folder = tmp_path / "walk"
    export_take(take(3), body, folder, TakeOptions("obj"))
    for name in (".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"\0")
    export_take(take(1), body, folder, TakeOptions("obj"))
    assert sorted(file.name for file in folder.iterdir()) == ["walk.mtl", "walk_000000.obj"]


def test_a_sequence_is_exact_and_upright(body: BodyModel, tmp_path: Path) -> None:
    walk = take(3)
    export_take(walk, body, tmp_path / "walk", TakeOptions("obj", PRESETS["maya"], end=1 / 30))
    files = sorted((tmp_path / "walk").glob("*.obj"))
    assert len(files) == 2 and "newmtl Skin" in (tmp_path / "walk/walk.mtl").read_text()
    assert "\nmtllib walk.mtl\n" in files[1].read_text()
    read = trimesh.load(files[1], process=False)
    assert 140 < np.ptp(read.vertices[:, 1]) < 210 and read.volume > 0
    assert_same_points(read.vertices, walk.people[0].vertices[1] * FLIP * 100, 1e-3)


def test_a_skeleton_follows_the_meshes_and_its_error_is_told(body: BodyModel, tmp_path: Path) -> None:
    walk, path = take(6), tmp_path / "walk.glb"
    done = export_take(walk, body, path, TakeOptions("glb", camera=True))
    player, person = Player(path), walk.people[0]
    scale, tx, ty = person.cameras[5]
    place = np.array([(tx - 160) / scale, (ty - 120) / scale, FOCAL * 320 / scale])
    seen = player.vertices("person_1", walk.times[5])
    assert (seen.mean(0) - ((person.vertices[5] + place) * FLIP).mean(0)) == pytest.approx(
        [0, 0, 0], abs=0.02
    )
    assert done.residual is not None and done.residual < 10 and done.warning == ""
    extras = player.document["asset"]["extras"]
    assert "focal length 384" in extras["camera"] and "fit residual of person_1 in mm" in extras
    assert extras["source"] == "walk.mp4" and extras["masks"] == "7,5,off,1"


def test_arrays_hold_pose_and_meshes(body: BodyModel, tmp_path: Path) -> None:
    path = tmp_path / "walk.npz"
    export_take(take(3), body, path, TakeOptions("npz", rate=60.0, smoothing=0.3))
    with np.load(path, allow_pickle=False) as data:
        assert data["person_1_vertices"].shape == (5, 6890, 3) and data["person_1_pose"].shape == (5, 24, 3)
        assert data["person_1_betas"].shape == (10,) and np.diff(data["times"]) == pytest.approx(1 / 60)
        assert any("smoothed with strength 0.30" in line for line in data["about"])
    export_take(take(3), body, path, TakeOptions("npz", camera=True))
    with np.load(path, allow_pickle=False) as data:
        (origin,) = [line for line in data["about"] if line.startswith("origin:")]
        assert "hips" in origin, "the arrays are, with a camera too"


def test_no_file_of_a_bvh_export_is_new_beside_old_ones(
    body: BodyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people and the file about them: the disk is full at the second person's."""
    walk, path = take(3, ids=(1, 3)), tmp_path / "walk.bvh"
    export_take(walk, body, path, TakeOptions("bvh"))
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    write, left = Path.write_text, [2]

    def full(file: Path, text: str, **how: str) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, text, **how)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match="No space left"):
        export_take(walk, body, path, TakeOptions("bvh", rate=60.0))
    assert len(before) == 3 and {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_bvh_moves_its_root(body: BodyModel, tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    export_take(take(3), body, path, TakeOptions("bvh", PRESETS["unreal"], rate=30.0))
    about = json.loads((tmp_path / "walk_about.json").read_text())
    assert (about["model"], about["units"], about["files"]) == ("body-lite", "centimetres", "walk.bvh")
    assert about["axes"] == "x right, y up, front +z"
    lines = path.read_text().splitlines()
    assert lines[0] == "HIERARCHY" and "ROOT pelvis" in lines[1]
    assert sum("JOINT" in line for line in lines) == 23
    root = next(line for line in lines if "OFFSET" in line)
    assert [float(x) for x in root.split()[1:]] == [0.0, 0.0, 0.0], "some readers add it to the channels"
    start = lines.index("MOTION")
    assert lines[start + 1] == "Frames: 3"
    rows = np.array([[float(x) for x in line.split()] for line in lines[start + 3 :]])
    assert rows.shape == (3, 6 + 23 * 3)


def test_bvh_is_y_up_for_every_program(tmp_path: Path) -> None:
    """Blender's importer, as others, takes y for up: with z up a person would lie down."""
    path, dancer = tmp_path / "walk.bvh", dance("dancer")
    for preset in PRESETS.values():
        path.write_text(bvh_text(dancer, preset), encoding="utf-8")
        lines = path.read_text().splitlines()
        offsets = np.array([line.split()[1:] for line in lines if "OFFSET" in line], float)
        places = np.array([line.split()[:3] for line in lines[lines.index("MOTION") + 3 :]], float)
        moved = dancer.motion.translations + dancer.skeleton.joints[0]
        assert places == pytest.approx(moved * preset.units_per_metre, abs=1e-5)
        legs = offsets[offsets[:, 1] < -0.3 * preset.units_per_metre]
        assert len(legs) == 4, "thighs and shins hang down"


def late() -> Take:
    """Eight frames in which two people go 10 cm to the right each; person 3 is seen in the middle three."""
    walk = take(8, ids=(1, 3))
    scale = walk.people[0].cameras[0, 0]
    aside = np.arange(8)[:, None] * scale * [0, 0.1, 0]
    everybody = [replace(one, cameras=np.tile(one.cameras[0], (8, 1)) + aside) for one in walk.people]
    return replace(walk.with_people((everybody[0], everybody[1].rows(np.arange(3, 6)))), times=walk.times + 4)


STEPS_ASIDE = np.array([0, 0, 0, 0, 1, 2, 2, 2])
"""How far person 3 of `late` has gone at each frame, in decimetres."""


@pytest.mark.parametrize("people", [(), (3,)], ids=["both", "the late one"])
@pytest.mark.parametrize("kind", ["glb", pytest.param("fbx", marks=needs_assimp)])
def test_who_is_seen_late_moves_at_the_clip_s_time(
    kind: str, people: tuple[int, ...], body: BodyModel, tmp_path: Path
) -> None:
    path = tmp_path / f"walk.{kind}"
    done = export_take(late(), body, path, TakeOptions(kind, people=people, camera=True))
    player = Player(by_assimp_as(path, ".glb") if kind == "fbx" else path)
    middles = np.array([player.vertices("person_3", frame / 30).mean(axis=0)[0] for frame in range(8)])
    assert (middles - middles[0]) * 10 == pytest.approx(STEPS_ASIDE, abs=0.2)
    keys = np.concatenate(
        [player.array(one["input"])[:, 0] for one in player.document["animations"][0]["samplers"]]
    )
    assert (keys.min(), keys.max()) == (0, pytest.approx(7 / 30)) and done.frames == 8


@pytest.mark.parametrize("rate", [None, 60.0])
def test_bvh_files_of_two_people_are_in_step(rate: float | None, body: BodyModel, tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    done = export_take(late(), body, path, TakeOptions("bvh", rate=rate, camera=True))
    places = []
    for file in ("walk.bvh", "walk_person_3.bvh"):
        lines = (tmp_path / file).read_text().splitlines()
        start = lines.index("MOTION")
        assert lines[start + 1] == f"Frames: {done.frames}"
        places.append(np.array([float(line.split()[0]) for line in lines[start + 3 :]]))
    each = done.frames // 7
    assert done.frames == (8 if rate is None else 15)
    assert (places[0] - places[0][0])[::each] * 10 == pytest.approx(np.arange(8), abs=0.2)
    assert (places[1] - places[1][0])[::each] * 10 == pytest.approx(STEPS_ASIDE, abs=0.2)


@pytest.mark.parametrize(
    "kind", ["glb-shapes", pytest.param("fbx-shapes", marks=[pytest.mark.slow, needs_sdk])]
)
def test_shapes_of_who_is_seen_late_come_at_the_clip_s_time(
    kind: str, body: BodyModel, tmp_path: Path
) -> None:
    path, walk = target(tmp_path, kind), late()
    export_take(walk, body, path, TakeOptions(kind, PRESETS["maya"], people=(3,), camera=True))
    player = Player(sdk_as_glb(path) if kind == "fbx-shapes" else path)
    primitive = player.document["meshes"][0]["primitives"][0]
    offsets = np.stack([player.array(one["POSITION"]) for one in primitive["targets"]])
    sampler = player.document["animations"][0]["samplers"][0]
    times, weights = player.array(sampler["input"])[:, 0], player.array(sampler["output"]).reshape(-1, 2)
    assert (times[0], times[-1]) == (0, pytest.approx(7 / 30))
    for frame, row in enumerate(STEPS_ASIDE):
        shown = [np.interp(frame / 30, times, column) for column in weights.T]
        moved = np.tensordot(shown, offsets, 1) - [0.1 * row, 0, 0]
        person = walk.people[1]
        assert_same_points(moved, (person.vertices[row] - person.vertices[0]) * FLIP, 1e-4)


@pytest.mark.parametrize("kind", COLOURED)
def test_parts_have_colours_where_they_are_wanted(kind: str, body: BodyModel, tmp_path: Path) -> None:
    path = target(tmp_path, kind)
    options = TakeOptions(kind, colours=True)
    done = export_take(take(2), body, path, options)
    file = sorted(path.glob(f"*.{kind}"))[0] if path.is_dir() else path
    if file.suffix == ".fbx":
        assert b"LayerElementColor" in file.read_bytes()
        return
    colours = colours_in(file)
    parts = body.part_of_vertex
    if len(colours) == len(parts):
        assert [len(np.unique(colours[parts == part], axis=0)) for part in np.unique(parts)] == [1] * 24
    assert len(np.unique(colours, axis=0)) == len(np.unique(parts)) and done.frames == 2


def colours_in(path: Path) -> np.ndarray:
    """(V, 3) of the first mesh."""
    if path.suffix == ".glb":
        player = Player(path)
        return player.array(player.document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"])
    if path.suffix == ".obj":
        rows = [line.split()[4:] for line in path.read_text().splitlines() if line.startswith("v ")]
        return np.array(rows, float)
    data = trimesh.load(path, process=False).metadata["_ply_raw"]["vertex"]["data"]
    return np.stack([data[name] for name in ("red", "green", "blue")], axis=1)


def test_the_camera_of_a_file_sees_people_over_the_picture(body: BodyModel, tmp_path: Path) -> None:
    path = tmp_path / "walk.glb"
    walk = take(3)
    flat = replace(walk.people[0], vertices=walk.people[0].vertices * np.float32([1, 1, 0]))
    export_take(walk.with_people((flat,)), body, path, TakeOptions("glb-shapes", camera=True))
    player = Player(path)
    (node,) = (item for item in player.nodes if "camera" in item)
    lens = player.document["cameras"][node["camera"]]["perspective"]
    points = player.array(player.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    assert_seen(points, lens["yfov"], lens["aspectRatio"], flat.vertices[0], flat.cameras[0])
    assert Camera(320, 240, 384).angle(240) == pytest.approx(lens["yfov"])


def assert_seen(
    points: np.ndarray, yfov: float, aspect: float, vertices: np.ndarray, camera: np.ndarray
) -> None:
    """Points (N, 3) before a glTF camera in the origin fall where the weak-perspective camera put them."""
    height = 240.0
    focal = height / 2 / np.tan(yfov / 2)
    pixels = np.array([height * aspect, height]) / 2 + focal * points[:, :2] / points[:, 2:] * [-1, 1]
    wanted = vertices[:, :2] * camera[0] + camera[1:]
    assert_same_points(np.pad(pixels, ((0, 0), (0, 1))), np.pad(wanted, ((0, 0), (0, 1))), 0.01)


def test_what_cannot_be_exported_is_told(body: BodyModel, tmp_path: Path) -> None:
    walk, path = take(2), tmp_path / "x.fbx"
    long = replace(walk, times=walk.times * 30)
    cases = [
        (walk, TakeOptions("dae"), "no format"),
        (walk, TakeOptions(people=(9,)), "no person 9"),
        (walk, TakeOptions(start=5, end=6), "no frame"),
        (replace(walk, people=()), TakeOptions(), "no person to export"),
        (long, TakeOptions("glb-shapes", rate=1000.0), "short clips"),
    ]
    for one, options, words in cases:
        with pytest.raises(UserError, match=words):
            export_take(one, body, path, options)
    hand = walk.with_people((replace(walk.people[0], vertices=walk.people[0].vertices[:, :778]),))
    with pytest.raises(UserError, match="another body"):
        export_take(hand, body, path, TakeOptions())
    one = replace(take(3, seen=[False, True, False]), times=np.array([0.0, 0.033, 0.066]))
    with pytest.raises(UserError, match="no person to export"):
        export_take(one, body, tmp_path / "x.npz", TakeOptions("npz", rate=25.0))
    assert list(tmp_path.iterdir()) == []


def test_the_rate_of_a_clip_whose_times_are_whole_milliseconds() -> None:
    for rate in (24.0, 23.976, 29.97, 60.0):
        walk = take(121)
        walk = replace(walk, times=np.round(np.arange(121) / rate, 3))
        assert walk.rate == pytest.approx(rate, rel=2e-4)
        gap = replace(walk, times=walk.times + np.where(np.arange(121) > 60, 3.0, 0.0))
        assert gap.rate == pytest.approx(rate, rel=4e-4), "a gap does not count"


def test_the_rate_of_uneven_frames_is_a_number() -> None:
    assert replace(take(3), times=np.array([0.0, 10 / 30, 11 / 30])).rate == pytest.approx(60 / 11)


@pytest.mark.parametrize("kind", ["fbx", "glb", "bvh", "obj", "npz"])
def test_a_source_whose_name_is_no_unicode_is_told_in_escapes(
    kind: str, body: BodyModel, tmp_path: Path
) -> None:
    walk = take(2)
    walk = replace(walk, made=replace(walk.made, source="g\udce9.mp4"))
    name = "x" if kind == "obj" else f"x.{kind}"
    assert export_take(walk, body, tmp_path / name, TakeOptions(kind)).residual is not None or kind == "obj"


def test_the_command_exports_a_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = tmp_path / "walk.take", tmp_path / "walk.glb"
    save_take(path, take(4))
    arguments = [
        "export",
        str(path),
        "--output",
        str(output),
        "--format",
        "glb",
        "--fps",
        "60",
        "--smooth",
        "0.5",
    ]
    assert main(arguments) == 0
    assert "7 frames of 1 person, skeleton within" in capsys.readouterr().out
    assert json.loads(json.dumps(Player(output).document["asset"]["extras"]))["frames a second"] == "60"
    assert main(["export", str(output), "--output", str(tmp_path / "x.fbx")]) == 2
    assert "not a take" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "named", "words"),
    [
        ("walk.glb", ["--format", "fbx"], "ends in .fbx: not walk.glb"),
        ("walk", ["--format", "glb-shapes"], "ends in .glb: not walk."),
        ("walk.obj", ["--format", "obj"], "a folder of files"),
        ("walk", [], "does not tell the format"),
        ("walk.obj", [], "does not tell the format"),
    ],
)
def test_a_name_that_does_not_fit_the_format_is_refused(
    name: str, named: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_take(tmp_path / "walk.take", take(2))
    assert main(["export", str(tmp_path / "walk.take"), "--output", str(tmp_path / name), *named]) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["walk.take"]


def test_the_ending_tells_the_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.take"
    save_take(path, take(2, ids=(1, 3)))
    assert main(["export", str(path), "--output", str(tmp_path / "walk.GLB"), "--people", "3"]) == 0
    assert Player(tmp_path / "walk.GLB").document["animations"]
    assert "2 frames of 1 person," in capsys.readouterr().out
    assert main(["export", str(path), "--output", str(tmp_path / "walk.bvh")]) == 0
    assert (tmp_path / "walk.bvh").read_text().startswith("HIERARCHY")
    assert "2 frames of 2 people," in capsys.readouterr().out


@pytest.mark.slow
@needs_sdk
def test_the_sdk_sees_every_shape_in_its_frame(body: BodyModel, tmp_path: Path) -> None:
    walk, path = take(4), tmp_path / "walk.fbx"
    export_take(walk, body, path, TakeOptions("fbx-shapes", PRESETS["maya"]))
    player = Player(sdk_as_glb(path))
    primitive = player.document["meshes"][0]["primitives"][0]
    sampler = player.document["animations"][0]["samplers"][0]
    weights = player.array(sampler["output"]).reshape(4, 3)
    rest = player.array(primitive["attributes"]["POSITION"])
    offsets = np.stack([player.array(one["POSITION"]) for one in primitive["targets"]])
    for frame in range(4):
        seen = rest + np.tensordot(weights[frame], offsets, 1)
        assert_same_points(seen, walk.people[0].vertices[frame] * FLIP, 1e-5)


@pytest.mark.slow
@needs_sdk
@every_preset
def test_the_sdk_sees_a_fitted_take_before_its_camera(
    preset: Preset, body: BodyModel, tmp_path: Path
) -> None:
    walk = take(4)
    flat = replace(walk.people[0], vertices=walk.people[0].vertices * np.float32([1, 1, 0]))
    path = tmp_path / "walk.fbx"
    export_take(walk.with_people((flat,)), body, path, TakeOptions("fbx-shapes", preset, camera=True))
    player = Player(sdk_as_glb(path))
    lens = player.document["cameras"][0]["perspective"]
    seer, seen = (
        player.world(next(i for i, item in enumerate(player.nodes) if key in item))
        for key in ("camera", "mesh")
    )
    points = player.array(player.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    local = np.linalg.inv(seer) @ seen @ np.pad(points, ((0, 0), (0, 1)), constant_values=1).T
    assert_seen(local[:3].T, lens["yfov"], 4 / 3, flat.vertices[0], flat.cameras[0])
