"""Commands as a user types them: results on disk, one sentence and exit code 2 for mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.cli import COMMANDS, main
from app.export.result import ResultWriter
from model.cv import cv2

FIGURE = "tests/fixtures/figure.png"
RANDOM = ("--weights", "body-lite:random")


def reconstruct(tmp_path: Path, *arguments: str) -> dict:
    folder = tmp_path / "out"
    assert main(["reconstruct", *arguments, "--output", str(folder), *RANDOM]) == 0
    return json.loads((folder / "result.json").read_text())


def test_result_json_holds_what_is_promised(tmp_path: Path) -> None:
    result = reconstruct(tmp_path, FIGURE, "--masks", "3,off,3,1")
    assert result["schema"] == 1
    assert set(result["model"]) == {"name", "sha256"}
    (frame,) = result["frames"]
    assert frame["size"] == [256, 256] and frame["index"] == 0 and frame["masks"] == [3, None, 3, 1]
    (person,) = frame["people"]
    joints3d, joints2d = np.array(person["joints3d"]), np.array(person["joints2d"])
    assert joints3d.shape == (14, 3) and joints2d.shape == (14, 2)
    camera = person["camera"]
    projected = joints3d[:, :2] * camera["s"] + [camera["tx"], camera["ty"]]
    assert np.allclose(projected, joints2d, atol=0.1)
    vertices = np.load(tmp_path / "out" / person["vertices"])["vertices"][person["row"]]
    assert vertices.shape == (6890, 3)


def test_a_given_box_is_taken_as_it_is(tmp_path: Path) -> None:
    result = reconstruct(tmp_path, FIGURE, "--box", "70,10,110,230")
    assert result["frames"][0]["people"][0]["box"] == [70, 10, 110, 230]


def test_boxes_of_a_file_come_out_in_their_order(tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({FIGURE: [[0, 0, 100, 200], [70, 10, 110, 230]]}))
    people = reconstruct(tmp_path, FIGURE, "--boxes", str(boxes))["frames"][0]["people"]
    assert [person["box"] for person in people] == [[0, 0, 100, 200], [70, 10, 110, 230]]


def test_looking_twice_moves_the_mesh_a_little(tmp_path: Path) -> None:
    once, twice = (
        reconstruct(tmp_path / name, FIGURE, *more) for name, more in (("1", ()), ("2", ("--mirror",)))
    )
    assert [result["frames"][0]["mirror"] for result in (once, twice)] == [False, True]
    joints = [np.array(r["frames"][0]["people"][0]["joints3d"]) for r in (once, twice)]
    assert 0 < np.linalg.norm(joints[0] - joints[1], axis=1).mean() < 0.2


def test_everybody_with_all_people_only_one_without(tmp_path: Path) -> None:
    figure = cv2.imread(FIGURE)
    assert figure is not None
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([figure, figure]))
    one = reconstruct(tmp_path, str(tmp_path / "two.png"))
    everybody = reconstruct(tmp_path, str(tmp_path / "two.png"), "--all-people")
    assert len(one["frames"][0]["people"]) == 1
    centres = sorted(p["box"][0] + p["box"][2] / 2 for p in everybody["frames"][0]["people"])
    assert len(centres) == 2
    assert centres[0] < 256 < centres[1]


def test_a_folder_and_its_meshes_as_obj(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(Path(FIGURE).read_bytes())
    result = reconstruct(tmp_path, str(folder), "--format", "json,obj")
    assert [Path(frame["source"]).name for frame in result["frames"]] == ["a.png", "b.png"]
    meshes = sorted((tmp_path / "out").glob("*.obj"))
    assert len(meshes) == 2
    assert len(trimesh.load(meshes[0], process=False).vertices) >= 6890


def test_every_format_for_a_program(tmp_path: Path) -> None:
    result = reconstruct(tmp_path, FIGURE, "--format", "json,obj,fbx,glb,ply", "--preset", "maya")
    (person,) = result["frames"][0]["people"]
    folder = tmp_path / "out"
    x, y, z = np.load(folder / person["vertices"])["vertices"][person["row"]].T
    metres = np.stack([x, -y, -z], axis=1)
    files = {path.suffix: path for path in folder.iterdir()}
    assert set(files) == {".json", ".npz", ".obj", ".mtl", ".fbx", ".glb", ".ply"}
    for ending, scale in ((".obj", 100), (".ply", 100), (".glb", 1)):
        bounds = trimesh.load(files[ending], process=False).bounds
        assert np.allclose(bounds, np.stack([metres.min(axis=0), metres.max(axis=0)]) * scale, atol=1e-3)
    model = result["model"]
    for path in files.values():
        if path.suffix != ".npz":
            assert model["sha256"].encode() in path.read_bytes(), path


def test_everybody_stands_beside_each_other_in_the_file(tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({FIGURE: [[70, 10, 110, 230], [71, 10, 110, 230]]}))
    reconstruct(tmp_path, FIGURE, "--boxes", str(boxes), "--format", "glb")
    (path,) = (tmp_path / "out").glob("*.glb")
    people = [mesh.bounds.mean(axis=0) for mesh in trimesh.load(path, process=False).geometry.values()]
    assert len(people) == 2 and abs(people[0][0] - people[1][0]) > 0.5


def test_a_take_that_cannot_be_saved_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "out"
    arguments = ["reconstruct", FIGURE, "--output", str(out), *RANDOM]
    assert main([*arguments, "--take", str(tmp_path / "file" / "x.take")]) == 2
    assert (out / "result.json").is_file()


def test_the_numbers_of_an_earlier_run_go_before_its_meshes(tmp_path: Path) -> None:
    first = ResultWriter(tmp_path, {}, "free body")
    path = first.close()
    ResultWriter(tmp_path, {}, "free body")
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.png"], "missing.png"),
        (["reconstruct", "missing.png", "--output", "o"], "missing.png"),
        (["reconstruct", FIGURE, "--output", "o", "--weights", "nothing"], "nothing"),
        (["reconstruct", FIGURE, "--output", "o", "--boxes", "nothing.json"], "nothing.json"),
        (["reconstruct", FIGURE, "--output", "o", "--body", FIGURE, *RANDOM], "figure.png"),
        (["reconstruct", "camera", "--output", "o"], "camera"),
        (["screenshot", "missing.png", "--output", "x.png"], "missing.png"),
        (["x" * 300], "too long"),
        (["reconstruct", "x" * 300, "--output", "o"], "too long"),
        (["screenshot", FIGURE, "--output", f"{FIGURE}/x.png", *RANDOM], "x.png"),
        (["reconstruct", "camera1.png", "--output", "o"], "no file"),
        (["verify", "missing.npz"], "missing.npz"),
        (["weights", "import", "missing.bin"], "missing.bin"),
        (["weights", "import"], "Which file"),
        (["train", "--output", "o", "--recipe", "published"], "needs pictures"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_two(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figure = str(Path(FIGURE).resolve())
    monkeypatch.chdir(tmp_path)
    assert main([part.replace(FIGURE, figure) for part in arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.startswith("pointhmr: ")
    assert error.count("\n") == 1 and "Traceback" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        ["reconstruct", FIGURE, "--output", "o", "--masks", "0,1,1,1"],
        ["reconstruct", FIGURE, "--output", "o", "--masks", "7,5"],
        ["reconstruct", FIGURE, "--output", "o", "--box", "1,2,3"],
        ["reconstruct", FIGURE, "--output", "o", "--box", "1,2,0,4"],
        ["reconstruct", FIGURE, "--output", "o", "--format", "doc"],
        ["reconstruct", FIGURE, "--output", "o", "--format", "obj,"],
        ["reconstruct", FIGURE, "--output", "o", "--preset", "paint"],
        ["screenshot", FIGURE, "--output", "o.png", "--size", "big"],
    ],
)
def test_a_wrong_argument_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"pointhmr {command}" in capsys.readouterr().out


def test_verify_finds_the_published_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "tests/fixtures/pointhmr_parity.npz"]) == 0
    assert "equal" in capsys.readouterr().out


def test_doctor_reports_what_works(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert any("free body, 6890 vertices" in line for line in lines)
    assert all(line[:2] in ("ok", "--") for line in lines)
    assert any("body-lite, body-quality: research use" in line for line in lines)


def test_help_is_told_on_a_terminal_that_does_not_know_every_character() -> None:
    latin = {**os.environ, "PYTHONIOENCODING": "iso8859-1"}
    command = [sys.executable, "-m", "app", "reconstruct", "--help"]
    assert b"0\\u20261" in subprocess.run(command, capture_output=True, check=True, env=latin).stdout


def test_the_command_starts_quickly_without_the_heavy_imports() -> None:
    code = (
        "import sys, app.cli; sys.argv=['pointhmr','--help']\n"
        "try: app.cli.main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'open3d', 'PySide6') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_without_a_display_the_main_job_is_done_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = str(Path(FIGURE).resolve())
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.chdir(tmp_path)
    assert main([figure, *RANDOM]) == 0
    told = capsys.readouterr().out
    assert told.startswith("There is no display here")
    assert "pictures a second" in told
    assert json.loads((tmp_path / "pointhmr-output/result.json").read_text())["frames"]
    assert (tmp_path / "pointhmr-output/window.png").stat().st_size > 20_000
    assert list((tmp_path / "pointhmr-output").glob("*.npz"))
