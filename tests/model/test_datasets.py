"""Datasets in their real on-disk formats: what is read, and what becomes of broken rows."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from model.body import BodyModel, load_body
from model.data.augment import NO_AUGMENTATION, Augmentation, crop_sample
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.freihand import FreihandDataset, read_rows
from model.data.manifest import ManifestDataset, write_manifest
from model.data.metro import LSP_OF_24, MetroDataset
from model.data.people import Bodies, fit_camera, mirror_map
from model.data.pw3d import Pw3dDataset
from model.data.sample import FLIPPED_JOINTS, OUTSIDE, Sample, collate
from model.data.stream import APART, REFUSALS, TrainingStream
from model.data.tsv import TsvFile
from model.errors import UserError
from model.hierarchy import load_hierarchy
from tests.model.dataset_files import (
    metro_label,
    pw3d_clip,
    write_composite,
    write_freihand,
    write_metro,
    write_pw3d,
    write_tsv,
)
from tests.model.foreign import Touch
from tests.model.free_hand import free_hand


@cache
def bodies() -> Bodies:
    """The free body in the place of SMPL's, and as a man and a woman a taller and a shorter one."""
    free = load_body()

    def scaled(factor: float) -> BodyModel:
        template = free.data.arrays["v_template"] * np.float32(factor)
        data = replace(free.data, kind="smpl", arrays=free.data.arrays | {"v_template": template})
        return BodyModel(data, free.keypoint_regressor.numpy(), free.keypoint_names)

    return Bodies(scaled(1.0), {"male": scaled(1.1), "female": scaled(0.9)})


def height(sample: Sample) -> float:
    return float(np.ptp(sample.vertices[:, 1]))


def test_metro_rows_become_samples(tmp_path: Path) -> None:
    label = metro_label(0)
    dataset = MetroDataset(write_metro(tmp_path, [label]), bodies())
    sample = dataset[0]
    joints3d = np.array(label["3d_joints"][0])[list(LSP_OF_24)]
    assert len(dataset) == 1
    assert sample.image.shape == (120, 160, 3)
    assert sample.side == 100 and sample.centre.tolist() == [80, 60]
    assert sample.has_mesh and sample.has_3d and sample.has_2d
    assert sample.joints3d == pytest.approx(joints3d[:, :3] - joints3d[2:4, :3].mean(0), abs=1e-6)
    assert sample.joints2d == pytest.approx(np.array(label["2d_joints"][0])[list(LSP_OF_24)], abs=1e-4)
    assert sample.vertices.shape == (6890, 3)
    # The mesh stands upright in camera axes: the head is above (y down) the feet.
    joints = bodies().neutral.keypoint_regressor.numpy() @ sample.vertices
    assert joints[13, 1] < joints[2, 1] < joints[0, 1]
    assert joints[2:4].mean(0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert (sample.sequence, sample.frame) == ("S1/Walking.", 0)


def test_metro_flags_and_missing_labels(tmp_path: Path) -> None:
    labels = [metro_label(0, has_smpl=[0]), metro_label(1, has_3d_joints=0), metro_label(2, has_2d_joints=0)]
    dataset = MetroDataset(write_metro(tmp_path, labels), bodies())
    no_mesh, no_3d, no_2d = (dataset[index] for index in range(3))
    assert not no_mesh.has_mesh and not no_mesh.vertices.any() and (no_mesh.vertices2d == OUTSIDE).all()
    assert no_3d.has_3d  # regressed from the mesh
    assert not no_2d.has_2d and (no_2d.vertices2d == OUTSIDE).all()
    crops = [crop_sample(s, 64, NO_AUGMENTATION, np.random.default_rng(0), None) for s in (no_mesh, no_2d)]
    batch = collate(crops)
    assert batch.weight3d.tolist() == [0, 1]
    assert batch.joints2d[:, 0, 2].tolist() == [1, 0]
    assert (batch.vertices2d.abs().amax(-1) > 1).all()


def test_metro_gender_is_used_when_asked_for(tmp_path: Path) -> None:
    path = write_metro(tmp_path, [metro_label(0, gender="m"), metro_label(0, gender="f")])
    man, woman = (MetroDataset(path, bodies(), gendered=True)[index] for index in range(2))
    neutral = MetroDataset(path, bodies())[0]
    assert height(man) / height(woman) == pytest.approx(1.1 / 0.9, rel=0.02)
    assert height(woman) < height(neutral) < height(man)
    with pytest.raises(UserError, match="give its file"):
        MetroDataset(path, Bodies(bodies().neutral), gendered=True)[0]


def test_composites_follow_their_line_list(tmp_path: Path) -> None:
    write_metro(tmp_path, [metro_label(0, center=[1, 1]), metro_label(1, center=[2, 2])], "a")
    write_metro(tmp_path, [metro_label(2, center=[3, 3])], "b")
    path = write_composite(tmp_path / "all.yaml", ["a", "b"], [(1, 0), (0, 1), (0, 0), (2, 0), (0, 9)])
    dataset = MetroDataset(path, bodies())
    assert [dataset[index].centre[0] for index in range(3)] == [3, 2, 1]
    for index in (3, 4):
        with pytest.raises(UserError):
            dataset[index]


@pytest.mark.parametrize(
    "label",
    [
        "{not json",
        "[]",
        json.dumps([{"center": [1, 2]}]),
        json.dumps([metro_label(0, **{"2d_joints": [[1, 2, 3]]})]),
        json.dumps([metro_label(0, scale=float("nan"))]),
        json.dumps([metro_label(0, pose=[0.0] * 71)]),
    ],
)
def test_a_broken_metro_row_is_told_and_left_out(
    tmp_path: Path, label: str, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = MetroDataset(write_metro(tmp_path, [label, metro_label(1)]), bodies())
    with pytest.raises(UserError):
        dataset[0]
    stream = TrainingStream([dataset], [1.0], 32, NO_AUGMENTATION, None, seed=0)
    with caplog.at_level(logging.WARNING):
        samples = [stream[index] for index in range(6)]
    assert {sample.key.split(":")[2] for sample in samples} == {"1"}
    assert "left out" in caplog.text


def test_each_picture_can_be_cut_more_than_once(tmp_path: Path) -> None:
    labels = [metro_label(row) for row in range(5)]
    opened: list[int] = []

    class Counting(MetroDataset):
        def __getitem__(self, index: int) -> Sample:
            opened.append(index)
            return super().__getitem__(index)

    dataset = Counting(write_metro(tmp_path, labels), bodies())
    shaking = replace(NO_AUGMENTATION, shift=0.2)
    stream = TrainingStream([dataset], [1.0], 32, shaking, None, seed=0, looks=2)
    samples = [stream[index] for index in range(4 * APART)]
    assert len(opened) == 2 * APART
    for block in (samples[: 2 * APART], samples[2 * APART :]):
        first, second = block[:APART], block[APART:]
        assert [s.key for s in first] == [s.key for s in second]
        assert all(np.any(a.joints2d != b.joints2d) for a, b in zip(first, second, strict=True))
    # Any sample can be asked for out of turn: resuming is exact.
    again = TrainingStream([dataset], [1.0], 32, shaking, None, seed=0, looks=2)[3 * APART + 5]
    assert again.key == samples[3 * APART + 5].key
    assert np.array_equal(again.joints2d, samples[3 * APART + 5].joints2d)


def test_a_broken_picture_in_a_table_is_a_users_error(tmp_path: Path) -> None:
    path = write_metro(tmp_path, [metro_label(0), metro_label(1)])
    rows = [["a", base64.b64encode(b"no picture").decode()], ["b", "%%%"]]
    write_tsv(tmp_path / "train.img.tsv", rows)
    dataset = MetroDataset(path, bodies())
    for index in range(2):
        with pytest.raises(UserError, match=f"row {index}"):
            dataset[index]


def test_tables_work_without_an_index_file(tmp_path: Path) -> None:
    write_tsv(tmp_path / "t.tsv", [["a", "ä"], ["b", "2"]])
    (tmp_path / "t.lineidx").unlink()
    table = TsvFile(tmp_path / "t.tsv")
    assert [table.row(0), table.row(1)] == [["a", "ä"], ["b", "2"]]
    with pytest.raises(UserError, match="no row 2"):
        table.row(2)


@pytest.mark.parametrize("text", ["img: [", "just text", "img: !!python/object/apply:os.system [touch x]\n"])
def test_bad_yaml_is_a_users_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError):
        MetroDataset(tmp_path / "bad.yaml", bodies())
    assert not Path("x").exists()


def test_3dpw_puts_gendered_bodies_before_the_camera(tmp_path: Path) -> None:
    clip = pw3d_clip(3, people=2)
    clip["campose_valid"][1][1] = 0
    clip["trans"][0][2] = np.nan
    write_pw3d(tmp_path, "test", {"downtown": clip})
    dataset = Pw3dDataset(tmp_path, "test", bodies())
    samples = [dataset[index] for index in range(len(dataset))]
    assert [(s.sequence, s.frame) for s in samples] == [
        *(("downtown:0", frame) for frame in (0, 1)),
        *(("downtown:1", frame) for frame in (0, 2)),
    ]
    man, woman = samples[0], samples[2]
    assert (man.gender, woman.gender) == ("male", "female")
    assert height(man) > height(woman)
    # y down, and the projection is that of the clip's own camera.
    world = bodies().mesh(clip["poses"][0][0], clip["betas"][0], "male") + clip["trans"][0][0]
    camera = world * [1, -1, -1] + [0, 0, 3]
    assert man.vertices2d == pytest.approx(camera[:, :2] / camera[:, 2:] * 100 + [80, 60], abs=1e-2)
    assert np.ptp(man.vertices, axis=0) == pytest.approx(np.ptp(camera, axis=0), abs=1e-5)
    # The pose of the sample is in camera axes.
    again = bodies().mesh(man.pose, man.betas, "male")
    assert again - again.mean(0) == pytest.approx(camera - camera.mean(0), abs=1e-4)


def test_over_the_free_body_smpls_labels_are_joints_only(tmp_path: Path) -> None:
    """Its vertices, poses and shapes are others: a distance between the meshes would mean nothing."""
    free, smpl = load_body(), bodies()
    man = smpl.of("male")
    # A body whose own joints are not where the free body's regressor finds them.
    other = BodyModel(man.data, man.keypoint_regressor.numpy()[:, ::-1].copy(), man.keypoint_names)
    write_pw3d(tmp_path / "3DPW", "test", {"downtown": pw3d_clip(1)})
    sample = Pw3dDataset(tmp_path / "3DPW", "test", Bodies(free, {"male": other}))[0]
    reference = Pw3dDataset(tmp_path / "3DPW", "test", Bodies(smpl.neutral, {"male": other}))[0]
    assert reference.has_mesh and not sample.has_mesh and sample.pose is None
    joints = other.keypoint_regressor.numpy() @ reference.vertices
    for each in (sample, reference):
        assert each.has_3d and each.has_2d
        assert each.joints3d == pytest.approx(joints - joints[2:4].mean(0), abs=1e-5)
    path = write_metro(tmp_path / "metro", [metro_label(0), metro_label(1, has_3d_joints=0)])
    both, bare = (MetroDataset(path, Bodies(free))[index] for index in range(2))
    assert both.has_3d and not (both.has_mesh or bare.has_mesh or bare.has_3d) and bare.has_2d


def test_a_bad_clip_is_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trap = tmp_path / "trap"
    clips = {"a": b"cut off", "b": pickle.dumps({"poses": Touch(trap)}), "c": pw3d_clip(1)}
    write_pw3d(tmp_path, "train", clips)
    with caplog.at_level(logging.WARNING):
        dataset = Pw3dDataset(tmp_path, "train", bodies())
    assert len(dataset) == 1 and not trap.exists()
    assert "a.pkl" in caplog.text and "b.pkl" in caplog.text
    with pytest.raises(UserError, match="no sequenceFiles"):
        Pw3dDataset(tmp_path, "test", bodies())
    (tmp_path / "imageFiles/c/image_00000.jpg").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        dataset[0]


def hands(count: int) -> tuple[Bodies, np.ndarray, np.ndarray]:
    """Free hands at rest, half a metre before the camera."""
    hand, _ = free_hand()
    rest = Bodies(hand).mesh(np.zeros(48), np.zeros(10))
    verts = np.stack([rest + np.array([0.01 * index, 0, 0.5]) for index in range(count)]).astype(np.float32)
    return Bodies(hand), hand.keypoint_regressor.numpy() @ verts, verts


def test_freihand_reads_stored_and_posed_meshes(tmp_path: Path) -> None:
    hand, keypoints, verts = hands(2)
    stored = FreihandDataset(
        write_freihand(tmp_path / "v", "evaluation", keypoints, verts), "evaluation", hand
    )
    posed = FreihandDataset(write_freihand(tmp_path / "m", "evaluation", keypoints), "evaluation", hand)
    for dataset in (stored, posed):
        sample = dataset[1]
        assert sample.joints3d.shape == (21, 3) and sample.joints3d[0] == pytest.approx(np.zeros(3), abs=1e-6)
        assert sample.vertices == pytest.approx(verts[1] - keypoints[1, 0], abs=1e-5)
        expected = verts[1, :, :2] / verts[1, :, 2:] * 500 + 112
        assert sample.vertices2d == pytest.approx(expected, abs=0.02)
    with pytest.raises(UserError, match="MANO"):
        FreihandDataset(tmp_path / "v", "evaluation", bodies())


def test_a_broken_freihand_row_is_left_out(tmp_path: Path) -> None:
    hand, keypoints, verts = hands(3)
    folder = write_freihand(tmp_path, "training", keypoints, verts)
    content = json.loads((folder / "training_xyz.json").read_text())
    content[1] = [[1, 2], "x"]
    (folder / "training_xyz.json").write_text(json.dumps(content))
    dataset = FreihandDataset(folder, "training", hand)
    assert dataset[0].has_mesh and dataset[2].has_mesh
    with pytest.raises(UserError, match="not finite"):
        dataset[1]
    (folder / "training_xyz.json").write_text("[[1, 2], [3")
    with pytest.raises(UserError, match="cut off"):
        FreihandDataset(folder, "training", hand)


def test_long_json_lists_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.data.freihand.CHUNK", 7)
    values = np.random.default_rng(0).normal(size=(20, 3)).round(3)
    (tmp_path / "rows.json").write_text(json.dumps(values.tolist()))
    assert read_rows(tmp_path / "rows.json", (3,)) == pytest.approx(values, abs=1e-6)


def test_a_manifest_gives_back_what_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    labels = [metro_label(0), "{broken", metro_label(2, has_smpl=0)]
    source = MetroDataset(write_metro(tmp_path / "metro", labels), bodies())
    with caplog.at_level(logging.WARNING):
        assert write_manifest(tmp_path / "out", source, range(3), "free") == (2, 1)
    assert "left out" in caplog.text
    dataset = ManifestDataset(tmp_path / "out")
    assert len(dataset) == 2
    for written, index in ((dataset[0], 0), (dataset[1], 2)):
        original = source[index]
        assert written.vertices == pytest.approx(original.vertices, abs=1e-5)
        assert written.joints3d == pytest.approx(original.joints3d, abs=1e-4)
        assert written.joints2d == pytest.approx(original.joints2d, abs=1e-2)
        assert (written.has_mesh, written.key) == (original.has_mesh, original.key)
        assert np.abs(written.image.astype(int) - original.image).mean() < 3


def test_an_interrupted_conversion_leaves_no_older_manifest(tmp_path: Path) -> None:
    source = MetroDataset(write_metro(tmp_path / "metro", [metro_label(0), metro_label(1)]), bodies())
    write_manifest(tmp_path / "out", source, range(2), "smpl")

    def interrupted() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_manifest(tmp_path / "out", source, interrupted(), "smpl")
    with pytest.raises(UserError, match="cannot be read"):
        ManifestDataset(tmp_path / "out")


def test_a_conversion_that_finds_nobody_leaves_the_older_one(tmp_path: Path) -> None:
    source = MetroDataset(write_metro(tmp_path / "metro", [metro_label(0), "{broken"]), bodies())
    write_manifest(tmp_path / "out", source, [0], "smpl")
    with pytest.raises(UserError, match="nothing was written"):
        write_manifest(tmp_path / "out", source, [1], "smpl")
    assert len(ManifestDataset(tmp_path / "out")) == 1


class Same:
    """The same person, as often as wanted."""

    name = "same"

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> Sample:
        return replace(self._sample, key=str(index), has_mesh=index % 2 == 0)


def test_the_meshes_of_a_manifest_are_never_held_or_sent_as_a_whole(tmp_path: Path) -> None:
    person = MetroDataset(write_metro(tmp_path / "metro", [metro_label(0)]), bodies())[0]
    tracemalloc.start()
    write_manifest(tmp_path / "out", Same(person), range(100), "free")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = sum((tmp_path / "out" / name).stat().st_size for name in ("vertices.npy", "vertices2d.npy"))
    assert size > 50 * person.vertices.nbytes and peak < size / 4
    dataset = ManifestDataset(tmp_path / "out")
    sent = pickle.dumps(dataset)
    assert len(sent) < size / 4
    for index in (0, 1, 98):
        there = pickle.loads(sent)[index]
        assert (there.key, there.has_mesh) == (str(index), index % 2 == 0)
        assert np.array_equal(there.vertices, dataset[index].vertices)
        assert there.vertices[0] == pytest.approx(person.vertices[0] if there.has_mesh else np.zeros(3))
    assert not list((tmp_path / "out").glob(".*"))


def test_broken_lines_of_a_manifest_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = MetroDataset(write_metro(tmp_path / "metro", [metro_label(0), metro_label(1)]), bodies())
    write_manifest(tmp_path / "out", source, range(2), "free")
    path = tmp_path / "out/manifest.jsonl"
    lines = path.read_text().splitlines()
    person = json.loads(lines[1])
    path.write_text("\n".join([lines[0], "[1]", json.dumps(person | {"joints2d": [[1]]}), lines[2]]))
    with caplog.at_level(logging.WARNING):
        dataset = ManifestDataset(tmp_path / "out")
    assert "line 2" in caplog.text and len(dataset) == 2
    with pytest.raises(UserError, match="damaged"):
        dataset[0]
    assert dataset[1].has_mesh
    path.write_text("{}\n")
    with pytest.raises(UserError, match="does not begin"):
        ManifestDataset(tmp_path / "out")


def test_coarse_sets_become_full(rendered_folder: Path) -> None:
    spec = DatasetSpec(kind="rendered", path=rendered_folder)
    sample = open_dataset(spec, Bodies(load_body()), load_hierarchy())[0]
    assert sample.vertices.shape == (6890, 3) and sample.vertices2d.shape == (6890, 2)


def test_full_meshes_are_flipped_by_the_bodys_own_mirror(tmp_path: Path) -> None:
    dataset = MetroDataset(write_metro(tmp_path, [metro_label(0)]), bodies())
    body = bodies().neutral
    flip = Augmentation(flip=True)
    mirror = mirror_map(body)
    assert mirror is not None
    crops = [crop_sample(dataset[0], 64, flip, np.random.default_rng(seed), mirror) for seed in range(8)]
    flipped = next(crop for crop in crops if not np.allclose(crop.vertices, dataset[0].vertices))
    regressor = body.keypoint_regressor.numpy()
    expected = (regressor @ dataset[0].vertices * [-1, 1, 1])[FLIPPED_JOINTS]
    assert regressor @ flipped.vertices == pytest.approx(expected, abs=2e-3)
    without = replace(body.data, arrays={k: v for k, v in body.data.arrays.items() if k != "sym"})
    found = mirror_map(BodyModel(without, regressor, body.keypoint_names))
    assert found is not None and (found == mirror).mean() > 0.98
    assert mirror_map(free_hand()[0]) is None


def test_a_fitted_camera_projects_the_joints() -> None:
    points = np.random.default_rng(0).normal(0, 0.4, (14, 3))
    joints2d = np.c_[points[:, :2] * 80 + [30, 40], np.ones(14)]
    joints2d[3] = [999, 999, 0]
    camera = fit_camera(points, joints2d)
    assert camera is not None
    assert camera[0] == pytest.approx(80) and camera[1] == pytest.approx([30, 40])
    assert fit_camera(points, joints2d * [1, 1, 0]) is None


@pytest.mark.parametrize("kind", ["metro", "3dpw", "freihand", "manifest", "rendered", "lspet"])
def test_a_missing_set_is_a_users_error(tmp_path: Path, kind: str) -> None:
    spec = DatasetSpec(kind=kind, path=tmp_path / "nowhere")  # type: ignore[arg-type]
    chosen = Bodies(free_hand()[0] if kind == "freihand" else load_body())
    with pytest.raises(UserError):
        open_dataset(spec, chosen, load_hierarchy())


def test_a_training_whose_every_sample_is_refused_ends_with_the_reason() -> None:
    class Refusing:
        name = "refusing"

        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Sample:
            raise UserError("The labels are of a male SMPL body: give its file.")

    stream = TrainingStream([Refusing()], [1.0], 32, NO_AUGMENTATION, None, seed=0)
    with pytest.raises(UserError, match=f"{REFUSALS} samples in a row.*male SMPL body"):
        next(stream.batches(0, 2, workers=0))
