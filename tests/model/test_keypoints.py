"""Annotations of every form come out as the same 14 joints; a folder of fits can be trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from app.cli import main
from model.body import load_body
from model.cv import cv2
from model.data.fitted import Prepared, Square, turned_back
from model.data.keypoints import read_annotations, usable
from model.data.lspet import LspetDataset
from model.errors import UserError
from model.fit_keypoints import Fitted
from model.hierarchy import load_hierarchy

FIGURE = Path(__file__).parent.parent / "fixtures" / "figure.png"
JOINTS = np.array(
    [[100, 220], [102, 180], [105, 130], [135, 130], [138, 180], [140, 220], [70, 130], [75, 100], [95, 60],
     [145, 60], [165, 100], [170, 130], [120, 55], [120, 20]], float
)  # fmt: skip
"""LSP order, in pixels."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    picture = cv2.imread(str(FIGURE))
    for name in ("im0001.jpg", "somebody.jpg"):
        cv2.imwrite(str(folder / name), picture)
    return folder


def coco(path: Path) -> Path:
    points = np.zeros((17, 3))
    for coco_joint, lsp in zip((16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9), range(12), strict=True):
        points[coco_joint] = (*JOINTS[lsp], 2)
    row = {"id": 7, "image_id": 3, "keypoints": points.ravel().tolist(), "num_keypoints": 12, "iscrowd": 0}
    crowd = {**row, "id": 8, "iscrowd": 1}
    images = [{"id": 3, "file_name": "somebody.jpg"}]
    path.write_text(json.dumps({"images": images, "annotations": [row, crowd]}), encoding="utf-8")
    return path


def mpii(path: Path) -> Path:
    points = np.zeros((16, 2))
    points[[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9]] = JOINTS
    seen = np.ones(16)
    seen[10] = 0
    row = {"image": "somebody.jpg", "joints": points.tolist(), "joints_vis": seen.tolist()}
    path.write_text(json.dumps([row]), encoding="utf-8")
    return path


def lsp(path: Path) -> Path:
    savemat(path, {"joints": np.concatenate([JOINTS, np.ones((14, 1))], axis=1)[:, :, None]})
    return path


@pytest.mark.parametrize(
    ("make", "name", "missing"), [(coco, "c.json", {13}), (mpii, "m.json", {6}), (lsp, "joints.mat", set())]
)
def test_every_form_gives_lsp_joints(
    tmp_path: Path, pictures: Path, make, name: str, missing: set[int]
) -> None:
    (person,) = read_annotations(make(tmp_path / name), pictures)
    assert {int(j) for j in np.flatnonzero(person.joints2d[:, 2] == 0)} == missing
    limbs = [j for j in range(12) if j not in missing]
    assert np.array_equal(person.joints2d[limbs, :2], JOINTS[limbs])
    if make is coco:
        assert person.joints2d[12].tolist() == [120, 60, 1], "the neck is between the shoulders"
    assert person.read().ndim == 3


def test_whoever_is_annotated_by_too_little_is_left_out() -> None:
    joints = np.column_stack([JOINTS, np.ones(14)])
    assert usable(joints)
    joints[5:, 2] = 0
    assert not usable(joints)
    assert not usable(np.column_stack([JOINTS / 20, np.ones(14)]))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"annotations": [{"keypoints": [1]}], "images": []}', '{"a": 1}']
)
def test_what_is_no_annotation_is_one_sentence(tmp_path: Path, pictures: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError):
        read_annotations(path, pictures)
    with pytest.raises(UserError, match="--pictures"):
        read_annotations(path, None)


def test_a_turned_crop_is_turned_back() -> None:
    """A body in the crop's axes and pixels, seen in those of the kept picture."""
    roll, size = 0.7, 300
    upright = Square.about(np.full(2, 150.0), 225.0, roll, 256)
    person = Prepared("a", np.zeros((size, size, 3), np.uint8), np.zeros((14, 3)), upright, roll, None)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    pose, camera = rng.normal(0, 1, (1, 24, 3)), np.array([[90.0, 120.0, 140.0]])
    blank = np.zeros(1)
    fitted = Fitted(pose, np.zeros((1, 10)), camera, blank, blank, blank)
    back, seen = turned_back([person], fitted)
    points = rng.normal(0, 0.5, (5, 3))
    in_crop = Rotation.from_rotvec(pose[0, 0]).apply(points)[:, :2] * camera[0, 0] + camera[0, 1:]
    in_picture = Rotation.from_rotvec(back[0, 0]).apply(points)[:, :2] * seen[0, 0] + seen[0, 1:]
    assert np.allclose(upright.of(in_picture), in_crop)


@pytest.mark.parametrize("damage", ["kind", 60, 127, 0])
def test_a_damaged_matlab_file_is_one_sentence(tmp_path: Path, pictures: Path, damage: str | int) -> None:
    """The first of them kills the process that scipy reads it in."""
    path = lsp(tmp_path / "joints.mat")
    data = bytearray(path.read_bytes())
    if damage == "kind":
        data[:116] = b"a".ljust(116)
        data[192] = 126
    path.write_bytes(data if damage == "kind" else data[:damage])
    with pytest.raises(UserError) as told:
        read_annotations(path, pictures)
    assert "\n" not in str(told.value)


def test_a_fit_that_went_wrong_is_no_truth(tmp_path: Path, pictures: Path) -> None:
    output = tmp_path / "fitted"
    path = lsp(tmp_path / "joints.mat")
    files = ["--annotations", str(path), "--pictures", str(pictures), "--output", str(output)]
    assert main(["dataset", "fit", *files]) == 0
    labels = dict(np.load(output / "lspet_labels.npz"))
    labels["val"][:], labels["keep"][:] = True, False
    np.savez(output / "lspet_labels.npz", **labels)
    body, hierarchy = load_body(), load_hierarchy()
    sample = LspetDataset(output, "val", body, hierarchy)[0]
    assert not sample.has_mesh and not sample.has_3d and sample.has_2d
    del labels["keep"]
    np.savez(output / "lspet_labels.npz", **labels)
    assert LspetDataset(output, "val", body, hierarchy)[0].has_mesh
    del labels["camera"]
    np.savez(output / "lspet_labels.npz", **labels)
    with pytest.raises(UserError, match="holds no camera"):
        LspetDataset(output, "val", body, hierarchy)


def test_the_command_makes_a_set_that_can_be_read(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lsp(tmp_path / "joints.mat")
    output = tmp_path / "fitted"
    arguments = ["--annotations", str(path), "--pictures", str(pictures), "--output", str(output)]
    assert main(["dataset", "fit", *arguments, "--count", "0"]) == 0
    assert "1 of 1 people fitted" in capsys.readouterr().out
    labels = dict(np.load(output / "lspet_labels.npz"))
    labels["val"][:], labels["keep"][:] = False, True
    np.savez(output / "lspet_labels.npz", **labels)
    sample = LspetDataset(output, "train", load_body(), load_hierarchy())[0]
    scale, *middle = labels["camera"][0]
    reprojected = sample.joints3d[:, :2] * scale + middle
    apart = np.linalg.norm(reprojected - sample.joints2d[:, :2], axis=1)
    assert apart[:12].mean() < 0.08 * np.ptp(sample.joints2d[:, 1]), apart
    assert main(["dataset", "fit", "--output", str(output)]) == 2
