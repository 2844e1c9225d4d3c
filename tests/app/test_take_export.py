"""Takes through the one front: every kind read back, at rest and in motion, and what stops an export."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.cli import main
from app.export.people import FOCAL
from app.export.presets import PRESETS
from app.export.take import export_take
from app.export.take_options import KINDS, TakeOptions, Watch, estimate_size
from app.takes.take_file import save_take
from model.body import BodyModel, load_body
from model.errors import UserError
from tests.app.gltf_player import Player
from tests.app.mesh_files import assert_same_points
from tests.app.take_fakes import take

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
    assert 0.4 < estimate_size(walk, options) / sum(f.stat().st_size for f in files) < 2.5
    assert parts == sorted(parts) and (parts[0], parts[-1]) == (0, 1)
    assert (done.residual is not None) == KINDS[kind].needs_fit
    if kind != "bvh":
        assert all(b"body-lite" in f.read_bytes() for f in files if f.suffix != ".npz")


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


def test_a_sequence_is_exact_and_upright(body: BodyModel, tmp_path: Path) -> None:
    walk = take(3)
    export_take(walk, body, tmp_path / "walk", TakeOptions("obj", PRESETS["maya"], end=1 / 30))
    files = sorted((tmp_path / "walk").iterdir())
    assert len(files) == 2
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


def test_bvh_moves_its_root(body: BodyModel, tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    export_take(take(3), body, path, TakeOptions("bvh", PRESETS["maya"], rate=30.0))
    lines = path.read_text().splitlines()
    assert lines[0] == "HIERARCHY" and "ROOT pelvis" in lines[1]
    assert sum("JOINT" in line for line in lines) == 23
    start = lines.index("MOTION")
    assert lines[start + 1] == "Frames: 3"
    rows = np.array([[float(x) for x in line.split()] for line in lines[start + 3 :]])
    assert rows.shape == (3, 6 + 23 * 3)


def test_cancelling_and_a_full_disk_leave_the_old_file(
    body: BodyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = take(3)
    for kind in KINDS:
        path = target(tmp_path / kind, kind)
        export_take(walk, body, path, TakeOptions(kind))
        old = path if path.is_file() else sorted(path.iterdir())[0]
        before = old.read_bytes()
        asked = iter([False, False])
        with pytest.raises(UserError, match="cancelled; nothing was changed"):
            export_take(
                walk, body, path, TakeOptions(kind, start=0.03), Watch(cancelled=partial(next, asked, True))
            )
        assert old.read_bytes() == before and list((tmp_path / kind).iterdir()) == [path]

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    path = target(tmp_path / "fbx", "fbx")
    with pytest.raises(UserError, match="No space left"):
        export_take(walk, body, path, TakeOptions("fbx"))
    assert list((tmp_path / "fbx").iterdir()) == [path]


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
    with pytest.raises(UserError, match="cannot be written"):
        export_take(walk, body, tmp_path / ("x" * 260 + ".glb"), TakeOptions("glb-shapes"))
    assert list(tmp_path.iterdir()) == []
    export_take(walk, body, tmp_path / "Jörg’s 步.glb", TakeOptions("glb-shapes"))


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
    assert "7 frames of 1 people, skeleton within" in capsys.readouterr().out
    assert json.loads(json.dumps(Player(output).document["asset"]["extras"]))["frames a second"] == "60"
    assert main(["export", str(output), "--output", str(path)]) == 2
    assert "not a take" in capsys.readouterr().err
