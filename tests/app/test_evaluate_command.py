"""`pointhmr evaluate` over every kind of dataset in its real form: tables, JSON, worst pictures, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app import cli
from app.commands.evaluate import notices
from app.export.case import load_case
from model.body import BodyModel, load_body
from model.body_hierarchy import BodyHierarchy
from model.cv import cv2
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.manifest import write_manifest
from model.data.people import Bodies
from model.hierarchy import load_hierarchy
from model.weights import FREE, SMPL, ModelCard
from tests.model.dataset_files import (
    metro_label,
    pw3d_clip,
    write_freihand,
    write_metro,
    write_pw3d,
)
from tests.model.foreign import smpl_like
from tests.model.free_hand import free_hand

NETWORK = ("--weights", "body-lite:random", "--device", "cpu")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def metro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people and a row that is no JSON."""
    labels = [metro_label(0), "{broken", metro_label(1), metro_label(2, has_smpl=0)]
    return write_metro(tmp_path_factory.mktemp("metro"), labels)


def evaluate(*arguments: str) -> int:
    return cli.main(["evaluate", *NETWORK, *arguments])


def test_a_report_of_metros_set(
    metro: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    report = tmp_path / "report"
    arguments = ("--set", f"metro:{metro}", "--protocol", "h36m-p2", "--ablation", "masks", "--worst", "2")
    assert evaluate(*arguments, "--report", str(report)) == 0
    table = capsys.readouterr().out
    assert table == (report / "report.md").read_text()
    assert table.count("(published)") == 4 and "3 (1 left out)" in table
    assert table.count("Human3.6M, protocol 2:") == 4, "the protocol stands beside every number"
    assert "row 1 of train is damaged" in caplog.text
    content = json.loads((report / "report.json").read_text())
    rows = content["results"]
    assert [row["masks"] for row in rows] == ["off,off,off,off", "off,off,3,1", "off,5,3,1", "7,5,3,1"]
    assert all(row["pictures"] == 3 and row["left_out"] == 1 for row in rows)
    assert all(row["measured"]["mpjpe"] >= row["measured"]["pa_mpjpe"] > 0 for row in rows)
    assert cv2.imread(str(report / "worst-train-7-5-3-1.png")) is not None


@pytest.mark.parametrize("looks", [(), ("--mirror",)], ids=["once", "twice"])
def test_the_worst_pictures_open_as_cases(metro: Path, tmp_path: Path, looks: tuple[str, ...]) -> None:
    report = tmp_path / "report"
    arguments = ("--set", f"metro:{metro}", "--report", str(report), "--worst", "2", "--json", *looks)
    assert evaluate(*arguments) == 0
    folders = sorted((report / "worst-train").iterdir())
    assert [folder.name[:3] for folder in folders] == ["01-", "02-"]
    worst = json.loads((report / "report.json").read_text())["results"][0]["measured"]["mpjpe"]
    case = load_case(folders[0])
    (person,) = case.record.people
    assert case.record.mirror == bool(looks)
    assert case.settings["errors"]["mpjpe"] >= worst
    assert case.record.frame.image.shape == (120, 160, 3)
    # The mesh is the one that was measured: its joints are as far from the labels.
    sample = open_dataset(DatasetSpec(kind="metro", path=metro), Bodies(load_body()), load_hierarchy())[
        case.record.frame.index
    ]
    hips = sample.joints3d[2:4].mean(0)
    error = 1000 * np.linalg.norm(person.joints3d - (sample.joints3d - hips), axis=1).mean()
    assert error == pytest.approx(case.settings["errors"]["mpjpe"], abs=1)
    assert evaluate(*arguments) == 0, "a second report replaces the first"


def test_3dpw_is_judged_by_gendered_bodies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pw3d(tmp_path / "3DPW", "test", {"downtown": pw3d_clip(3, people=2), "bad": b"cut off"})
    given = ("--set", f"3dpw:{tmp_path / '3DPW'}", "--part", "test")
    assert evaluate(*given) == 2
    assert "give its file" in (fault := capsys.readouterr().err) or "No picture" in fault
    for gender, size in (("male", 1.1), ("female", 0.9)):
        members = smpl_like()
        np.savez(tmp_path / f"{gender}.npz", **members | {"v_template": members["v_template"] * size})
    files = ("--male", str(tmp_path / "male.npz"), "--female", str(tmp_path / "female.npz"))
    assert evaluate(*given, *files) == 0
    table = capsys.readouterr().out
    assert "gendered SMPL as ground truth" in table and "Accel" in table and "73.9" in table
    assert evaluate(*given, *files, "--json") == 0
    measured = json.loads(capsys.readouterr().out)["results"][0]["measured"]
    # No PVE: the free body's vertices are not SMPL's.
    assert set(measured) == {"mpjpe", "pa_mpjpe", "acceleration"}


def test_hands_are_judged_aligned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, hierarchy = free_hand()
    verts = Bodies(hand).mesh(np.zeros(48), np.zeros(10))[None] + np.array([0, 0, 0.5], np.float32)
    keypoints = hand.keypoint_regressor.numpy() @ verts
    write_freihand(tmp_path, "evaluation", keypoints, verts)
    monkeypatch.setattr(
        "app.commands.evaluate.load_bodies", lambda *_: (Bodies(hand), BodyHierarchy(hierarchy, "built"))
    )
    network = ("--weights", "hand-hrnet-w32:random", "--device", "cpu", "--report", str(tmp_path / "report"))
    assert cli.main(["evaluate", *network, "--set", f"freihand:{tmp_path}", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["results"][0]["measured"]
    assert (
        set(measured) == {"pa_pve", "pa_mpjpe", "f5", "f15"} and 0 <= measured["f5"] <= measured["f15"] <= 1
    )
    assert (tmp_path / "report/worst-freihand-evaluation.png").is_file()


def smpl(tmp_path: Path) -> BodyModel:
    np.savez(tmp_path / "smpl.npz", **smpl_like())
    return load_body(tmp_path / "smpl.npz")


def test_a_network_is_not_judged_over_a_body_that_it_does_not_make(
    metro: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Bodies(smpl(tmp_path)), BodyHierarchy(load_hierarchy(), "built")
    monkeypatch.setattr("app.commands.evaluate.load_bodies", lambda *_: given)
    assert cli.main(["evaluate", "--set", f"metro:{metro}"]) == 2
    fault = capsys.readouterr().err
    assert "cannot make SMPL" in fault and fault.count("\n") == 1


def test_what_makes_numbers_mean_less_is_told(tmp_path: Path) -> None:
    released, ours = (ModelCard("x", "network", "body-lite", "", "", body=body) for body in (SMPL, FREE))
    free, theirs, hand = load_body(), smpl(tmp_path), free_hand()[0]
    assert notices(ours, free, "ships", "h36m-p2") == []
    assert "means nothing" in notices(released, free, "ships", None)[0]
    built, own_joints = notices(released, theirs, "built", "h36m-p2")
    assert "METRO's coarse mesh" in built and "J_regressor_h36m_correct.npy" in own_joints
    assert notices(released, theirs, "file", "3dpw") == notices(released, hand, "built", None) == []


def test_own_sets_and_several_at_once(
    metro: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["dataset", "convert", "--set", f"metro:{metro}", "--output", str(tmp_path)]) == 0
    assert "3 people, 1 left out" in capsys.readouterr().out
    assert evaluate("--set", f"manifest:{tmp_path}", "--set", f"metro:{metro}", "--limit", "4", "--json") == 0
    own, theirs = json.loads(capsys.readouterr().out)["results"]
    # What was converted is what was there, but for another JPEG.
    assert own["pictures"] == theirs["pictures"] == 3
    assert own["measured"]["mpjpe"] == pytest.approx(theirs["measured"]["mpjpe"], rel=0.05)


def test_looking_twice_is_told_and_another_answer(capsys: pytest.CaptureFixture[str]) -> None:
    measured = []
    for mirror in ((), ("--mirror",)):
        assert cli.main(["evaluate", "--preset", "embedded", "--limit", "2", "--json", *mirror]) == 0
        results = json.loads(capsys.readouterr().out)["results"]
        assert ("mean with the mirror image" in json.dumps(results)) == bool(mirror)
        measured.append(results[0]["measured"]["mpjpe"])
    assert measured[0] != measured[1]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--set", "metro:nowhere.yaml"),
        ("--set", "3dpw:nowhere"),
        ("--set", "freihand:nowhere"),
        ("--set", "manifest:nowhere"),
        ("--set", "synthetic:nowhere"),
        ("--set", "rendered:nowhere"),
        ("--set", "lspet:nowhere"),
        ("--set", "manifest:nowhere", "--part", "nonsense"),
        ("--set", "manifest:nowhere", "--limit", "-1"),
        ("--appearance", "nowhere"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(*arguments) == 2
    fault = capsys.readouterr().err
    assert fault.startswith("pointhmr: ") and fault.count("\n") == 1, fault


def test_a_wrong_kind_is_refused_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        evaluate("--set", "nonsense:x")
    assert stopped.value.code == 2 and "KIND:PATH" in capsys.readouterr().err


def test_a_manifest_of_a_hand_is_not_a_bodys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand, _ = free_hand()
    body = Bodies(load_body())
    path = write_metro(tmp_path / "m", [metro_label(0)])
    write_manifest(
        tmp_path / "h",
        open_dataset(DatasetSpec(kind="metro", path=path), body, load_hierarchy()),
        [0],
        "mano",
    )
    assert hand.kind == "mano"
    assert evaluate("--set", f"manifest:{tmp_path / 'h'}") == 2
    assert "is of a mano body" in capsys.readouterr().err
