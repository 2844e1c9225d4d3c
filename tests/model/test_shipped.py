"""What a clone can do by itself: judge on the crops that ship, draw people from what ships, train on them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import assets
from app import cli
from model.array_files import save_npz
from model.body import load_body
from model.cv import cv2
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.crops import IMAGES, LABELS, CropsDataset
from model.data.mixture import Sources
from model.data.people import Bodies
from model.data.pictures import read_labels
from model.data.render.compact import is_compact, on_grid, read_panoramas, read_patterns, to_grid
from model.data.render.pose_mixture import (
    PoseMixture,
    described,
    learn_pose_mixture,
    open_poses,
    posed_from,
    possible,
)
from model.data.render.poses import WEBCAM, PoseBank
from model.data.render.textures import SIDE
from model.data.sample import HIPS
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.hierarchy import load_hierarchy


@pytest.fixture(scope="module")
def crops() -> CropsDataset:
    return CropsDataset(assets.VALIDATION, load_body())


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> SyntheticDataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return SyntheticDataset(assets.APPEARANCE, assets.POSES, "train", load_body(), load_hierarchy(), 5)


def test_the_crops_are_those_of_the_card(crops: CropsDataset) -> None:
    """As many of each kind as the table of assets/weights/body-lite.md says."""
    assert len(crops) == 500
    kinds = [str(text).split(";") for text in read_labels(assets.VALIDATION / LABELS)["kinds"]]
    counted = {name: sum(name in each for each in kinds) for name in {k for each in kinds for k in each}}
    assert counted == {
        **{"full body": 269, "clear": 235, "back view": 127, "occluded": 45, "truncated": 143},
        "webcam": 88,
    }
    assert len({crops[index].key for index in range(0, 500, 50)}) == 10


def test_labels_lie_on_the_people_in_the_crops(crops: CropsDataset) -> None:
    inside, covered = [], []
    for index in range(0, 500, 9):
        sample = crops[index]
        assert sample.image.shape == (*sample.person.shape, 3) and sample.vertices.shape == (6890, 3)
        assert np.abs(sample.joints3d[list(HIPS)].mean(axis=0)).max() < 1e-5
        if "clear" not in sample.kinds:
            continue
        column, row = sample.joints2d[:, :2].astype(int).T
        inside.append(sample.person[row, column].mean())
        near = cv2.dilate(sample.person.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        column, row = np.clip(sample.vertices2d, 0, len(near) - 1).astype(int).T
        covered.append(near[row, column].mean())
    assert len(inside) > 15
    assert np.mean(inside) > 0.9 and np.mean(covered) > 0.98


def test_a_kept_crop_is_the_drawn_one(generator: SyntheticDataset, tmp_path: Path) -> None:
    """Pose, shape, place and camera give back every label, and the picture is what an evaluation looks at."""
    from assets.build import validation

    body, shot = load_body(), generator.shot(4)
    sample = generator.sample_of(shot, 4)
    picture, labels = validation.kept(shot, sample, body)
    rows = {name: value[None] for name, value in labels.items()}
    save_npz(tmp_path / LABELS, {"name": np.array(["4.webp"])} | rows)
    validation._write_pictures({"4.webp": validation._encoded(picture, 95)}, tmp_path / IMAGES)
    kept = CropsDataset(tmp_path, body)[0]
    upright = replace(NO_AUGMENTATION, upright=True)
    drawn, again = (crop_sample(s, 256, upright, np.random.default_rng(0), None) for s in (sample, kept))
    assert abs(sample.roll) > 0.005, "the picture had to be turned"
    assert np.array_equal(again.image, kept.image), "nothing is left to be turned or scaled"
    coarse = load_hierarchy().vertex_of_coarse
    assert np.abs(again.vertices[coarse] - drawn.vertices).max() < 1e-4
    assert np.abs(again.joints3d - drawn.joints3d).max() < 1e-4
    assert np.abs(again.vertices2d[coarse] - drawn.vertices2d).max() < 0.05
    assert np.abs(again.joints2d - drawn.joints2d).max() < 0.05
    assert (again.kinds, again.key, again.side) == (drawn.kinds, drawn.key, drawn.side)
    assert np.array_equal(again.person, drawn.person)
    assert np.abs(again.image.astype(int) - drawn.image).mean() < 4


def test_damaged_crops_and_a_part_that_is_none_are_users_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        CropsDataset(tmp_path, load_body())
    np.savez(tmp_path / LABELS, name=np.array(["a"]))
    with pytest.raises(UserError, match="holds no pose"):
        CropsDataset(tmp_path, load_body())
    spec = DatasetSpec(kind="crops", path=assets.VALIDATION, part="train")
    with pytest.raises(UserError, match="for validation"):
        open_dataset(spec, Bodies(load_body()), load_hierarchy())


def test_the_cards_table_needs_no_other_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--preset", "embedded", "--limit", "3", "--json"]) == 0
    told = capsys.readouterr()
    whole = json.loads(told.out)["results"][0]
    assert (whole["dataset"], whole["kind"], whole["pictures"]) == ("synthetic", None, 3)
    assert {"mpjpe", "pa_mpjpe", "iou", "pck", "heavy_pck"} <= set(whole["measured"])
    assert "--real" in told.err and "LSP-extended" in told.err


def test_numbers_come_back_from_their_grid() -> None:
    values = np.random.default_rng(0).normal(0, 1, (200, 3)) * [1, 5, 0]
    numbers, grid = to_grid(values)
    assert numbers.dtype == np.uint16
    assert np.abs(on_grid(numbers, grid) - values).max() < 5e-4


def test_the_appearance_that_ships_is_whole() -> None:
    assert is_compact(assets.APPEARANCE)
    patterns = read_patterns(assets.APPEARANCE)
    groups = [pattern.name.split("/")[0] for pattern in patterns]
    assert groups.count("clothes") == 19 and groups.count("hair") == 8
    for pattern in patterns:
        assert pattern.faces.max() < len(pattern.points) and np.isfinite(pattern.uv).all()
        assert np.abs(pattern.points).max() < 2, "metres about the base mesh"
        if pattern.texture is not None:
            assert pattern.texture.shape == (SIDE, SIDE, 4)
    hair = [p.texture for p in patterns if p.name.startswith("hair/")]
    gaps = [(texture[..., 3] < 100).mean() > 0.2 for texture in hair]
    assert sum(gaps) == 7, "strands need their gaps; only the braid is solid"
    pictures, lights = read_panoramas(assets.APPEARANCE)
    assert pictures.shape == (26, 512, 1024, 3) and lights.shape == (26, 33)


def test_a_compact_folder_without_its_pictures_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "appearance.npz").write_bytes((assets.APPEARANCE / "appearance.npz").read_bytes())
    with pytest.raises(UserError, match="cannot be read"):
        read_panoramas(tmp_path)


def test_poses_are_drawn_by_their_seed_and_are_human() -> None:
    mixture = PoseMixture(assets.POSES)
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    drawn = [mixture.draw(rng) for _ in range(60)]
    assert all(np.array_equal(one.pose, mixture.draw(again).pose) for one in drawn)
    assert np.mean([possible(one.pose) for one in drawn]) > 0.95
    assert len({one.activity for one in drawn}) > 6
    seated = [mixture.draw(rng, webcam=True).activity for _ in range(30)]
    assert set(seated) <= set(WEBCAM) and "sit_chair" in seated


def test_a_pose_comes_back_from_its_description_but_for_its_heading() -> None:
    rng = np.random.default_rng(1)
    for pose in rng.normal(0, 0.6, (12, 24, 3)):
        back = posed_from(described(pose[None])[0])
        assert np.allclose(back[1:22], pose[1:22]) and not back[22:].any()
        turn = Rotation.from_rotvec(back[0]) * Rotation.from_rotvec(pose[0]).inv()
        assert np.abs(turn.apply([0, 1, 0]) - [0, 1, 0]).max() < 1e-6, "turned about the vertical only"
    upside_down = posed_from(np.r_[0.0, -1.0, 0.0, np.zeros(63)])
    assert np.allclose(Rotation.from_rotvec(upside_down[0]).apply([0, -1, 0]), [0, 1, 0])


def test_a_mixture_learns_what_each_activity_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    poses = rng.normal(0, 0.03, (200, 24, 3))
    poses[:100, (1, 2), 0] -= 1.4
    activity = np.repeat(["sit_chair", "walking"], 100)
    path = tmp_path / "mixture.npz"
    np.savez(path, **learn_pose_mixture(poses, np.ones(200), activity))
    bank = open_poses(path, "train")
    assert isinstance(bank, PoseMixture)
    for _ in range(40):
        pose, name = bank.draw(rng)
        assert (pose[1, 0] < -1) == (name == "sit_chair")
    captured = tmp_path / "poses.npz"
    np.savez(captured, poses=poses, weight=np.ones(200))
    assert isinstance(open_poses(captured, "train"), PoseBank)
    with pytest.raises(UserError, match="cannot be read"):
        open_poses(tmp_path / "nowhere.npz", "train")


def test_the_generator_that_ships_draws_the_same_again(generator: SyntheticDataset) -> None:
    first, again, other = generator[11], generator[11], generator[12]
    assert first.image.tobytes() == again.image.tobytes() != other.image.tobytes()
    assert np.array_equal(first.vertices, again.vertices)


def test_what_is_drawn_from_what_ships_is_judged_on_what_ships() -> None:
    sources = Sources(appearance=assets.APPEARANCE)
    (train,), (validation,) = sources.specs("train"), sources.specs("val")
    assert (train.kind, train.path) == ("synthetic", assets.APPEARANCE)
    assert (validation.kind, validation.path) == ("crops", assets.VALIDATION)


def test_a_clone_trains_by_itself(
    generator: SyntheticDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps on people drawn from what ships, and the crops that ship judge them."""
    monkeypatch.setattr("model.data.render.library.load_library", lambda _: generator.studio._library)
    run = tmp_path / "run"
    few = ["--samples", "4", "--batch-size", "2", "--no-compile"]
    overrides = [f"--override={text}" for text in ("workers=0", "evaluate_limit=2", "warm_up=1")]
    command = ["train", "--output", str(run), "--start-from", "body-lite", *few, *overrides]
    assert cli.main(command) == 0
    assert (run / "weights.safetensors").is_file()
    told = json.loads((run / "run.json").read_text())
    assert set(told["data"]) == {str(assets.APPEARANCE), str(assets.VALIDATION)}
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert any("mpjpe" in json.dumps(line) for line in lines)
