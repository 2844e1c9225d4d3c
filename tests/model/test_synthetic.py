"""Drawn people: the labels lie where the person was drawn, and every picture can be drawn again."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from scipy.spatial import Delaunay

from app import cli
from model.body import load_body
from model.cv import cv2
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.catalogue import open_dataset
from model.data.mixture import Sources
from model.data.people import Bodies
from model.data.render import studio
from model.data.render.basemesh import BaseMesh
from model.data.render.camera import PICTURE, REGION, Framing
from model.data.render.library import HAIR, SHOES, SUIT, load_library, read_library
from model.data.render.poses import PoseBank, held_out, sound
from model.data.render.raster import project_points, rasterise
from model.data.render.soup import Builder, Piece, material
from model.data.render.textures import TEXELS, pack_texture, sample_texture
from model.data.sample import L_HIP, L_SHOULDER, R_HIP, R_SHOULDER
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.silhouette import overlap, silhouette

SWING = 0.25


def write_garment(folder: Path, vertices: np.ndarray, colour: tuple[int, int, int]) -> None:
    """A patch over some vertices of the base mesh, 2 cm before them."""
    folder.mkdir(parents=True)
    points = BaseMesh.shipped().vertices[vertices]
    faces = Delaunay(points[:, :2]).simplices + 1
    lines = ["v 0 0 0"] * len(points) + [f"vt {u:.3f} {v:.3f}" for u, v in points[:, :2] % 1]
    lines += ["f " + " ".join(f"{i}/{i}" for i in face) for face in faces]
    (folder / f"{folder.name}.obj").write_text("\n".join(lines))
    rows = [f"{i} {i} {i} 1 0 0 0 0 0.02" for i in vertices]
    (folder / f"{folder.name}.mhclo").write_text("\n".join(["verts 0", *rows]))
    cv2.imwrite(str(folder / f"{folder.name}_diffuse.png"), np.full((8, 8, 3), colour, np.uint8))


@pytest.fixture(scope="module")
def appearance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shirt front, shoe tips, a tuft of hair and one panorama."""
    folder = tmp_path_factory.mktemp("appearance")
    points = BaseMesh.shipped().vertices[:13380]  # what follows are helpers
    x, y, z = points.T
    top, bottom = y.max(), y.min()
    chest = (
        (np.abs(x) < 0.15)
        & (z > 0.05)
        & (y > bottom + 0.6 * (top - bottom))
        & (y < bottom + 0.8 * (top - bottom))
    )
    for name, chosen in (
        ("clothes/suit", chest),
        ("clothes/shoes1", y < bottom + 0.03),
        ("hair/tuft", y > top - 0.03),
    ):
        write_garment(folder / name, np.flatnonzero(chosen)[:60], (60, 90, 160))
    (folder / "panoramas").mkdir()
    light = np.ones((16, 32, 3), np.float32)
    light[2:4, 5:7] = 40
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": light}).write(str(folder / "panoramas" / "day.exr"))
    cv2.imwrite(str(folder / "panoramas" / "day_ldr.jpg"), np.full((16, 32, 3), 120, np.uint8))
    return folder


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Upright poses in many clips; every tenth one has a broken ankle."""
    rng = np.random.default_rng(0)
    poses = rng.normal(0, SWING / 2, (80, 24, 3)).astype(np.float32)
    poses[:, 0] = 0
    poses[::10, 7] = [1.6, 0, 0]
    path = tmp_path_factory.mktemp("motion") / "poses.npz"
    clips = np.array([f"walk/{i // 2}" for i in range(80)])
    np.savez(path, poses=poses, weight=np.ones(80), clip=clips, activity=np.full(80, "walking"))
    return path


@pytest.fixture(scope="module")
def dataset(appearance: Path, motion: Path, tmp_path_factory: pytest.TempPathFactory) -> SyntheticDataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return SyntheticDataset(appearance, motion, "train", load_body(), load_hierarchy(), seed=3)


def test_the_same_number_is_the_same_picture(dataset: SyntheticDataset) -> None:
    first, again, other = dataset[7], dataset[7], dataset[8]
    assert first.image.tobytes() == again.image.tobytes()
    assert np.array_equal(first.vertices2d, again.vertices2d)
    assert first.image.tobytes() != other.image.tobytes()


def test_a_sample_is_what_training_wants(dataset: SyntheticDataset) -> None:
    sample = dataset[2**39 + 5]
    assert sample.image.shape == (PICTURE, PICTURE, 3) and sample.image.dtype == np.uint8
    assert sample.vertices.shape == (431, 3) and sample.vertices2d.shape == (431, 2)
    assert sample.joints3d.shape == (14, 3) and sample.joints2d.shape == (14, 3)
    assert sample.weight3d == 1 and sample.side == REGION
    assert np.abs(sample.joints3d[[R_HIP, L_HIP]].mean(axis=0)).max() < 1e-5
    assert abs(sample.roll) < 0.6


@pytest.mark.parametrize("seed", range(4))
def test_labels_lie_on_the_drawn_person(
    dataset: SyntheticDataset, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "FRAMING_SHARES", (1.0, 0.0, 0.0))
    monkeypatch.setattr(studio, "OCCLUDED", 0.0)
    monkeypatch.setattr(studio, "ACCOMPANIED", 0.0)
    shot = dataset.studio.shoot(np.random.default_rng(seed))
    assert shot.framing is Framing.FULL
    near = cv2.dilate(shot.person.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    column, row = np.clip(shot.pixels, 0, PICTURE - 1).astype(int).T
    assert near[row, column].mean() > 0.99
    high, wide = np.nonzero(shot.person)
    drawn = np.array([wide.min(), high.min(), wide.max() + 1, high.max() + 1])
    projected = np.concatenate([shot.pixels.min(axis=0), shot.pixels.max(axis=0)])
    assert np.abs(drawn - projected).max() < 14  # clothes, hair and soles stand off the body
    joints = shot.view.flat(dataset.studio.poser.keypoints(shot.points)).astype(int)
    assert shot.person[joints[:, 1], joints[:, 0]].mean() > 0.9


def test_a_chair_is_no_part_of_the_person(dataset: SyntheticDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "FRAMING_SHARES", (1.0, 0.0, 0.0))
    draw = dataset.studio._poses.draw
    seated = lambda rng, **wish: draw(rng, **wish)._replace(activity="sit_chair")  # noqa: E731
    monkeypatch.setattr(dataset.studio._poses, "draw", seated)
    bench = studio.furniture.box(
        np.array([0, 0.3, 0]), np.array([3.0, 0.6, 0.1]), np.eye(3), material((0.9, 0.2, 0.1))
    )
    shots = []
    for chair in ([bench], []):
        monkeypatch.setattr(studio.furniture, "chair", lambda *_, chair=chair: chair)
        shots.append(dataset.studio.shoot(np.random.default_rng(2)))
    with_bench, without = shots
    assert np.abs(with_bench.image.astype(int) - without.image).max() > 20
    assert with_bench.person.any() and not (with_bench.person & ~without.person).any()


def test_left_is_left(dataset: SyntheticDataset) -> None:
    """A person whose chest faces the camera has the left shoulder on the picture's right."""
    agreed = []
    for index in range(12):
        joints, flat = dataset[index].joints3d, dataset[index].joints2d
        across, up = joints[L_SHOULDER] - joints[R_SHOULDER], joints[R_SHOULDER] - joints[R_HIP]
        towards_camera = np.cross(across, up)[2]  # camera axes: y down, z away from the camera
        if abs(towards_camera) > 0.02:
            agreed.append((towards_camera < 0) == (flat[L_SHOULDER, 0] > flat[R_SHOULDER, 0]))
    assert len(agreed) > 4 and all(agreed)


def test_people_stand_on_the_ground(dataset: SyntheticDataset) -> None:
    for seed in range(5):
        person = dataset.studio._person(np.random.default_rng(seed), webcam=False)
        lowest = min(piece.points[piece.faces].reshape(-1, 3)[:, 1].min() for piece in person.pieces)
        assert -0.03 < lowest < 1e-4
        assert np.ptp(person.points[:, 1]) > 1.2


def test_parts_share_no_clip_and_no_broken_pose(motion: Path) -> None:
    data = np.load(motion)
    validation = held_out(data["clip"])
    assert 0 < validation.sum() < 40
    assert not set(data["clip"][validation]) & set(data["clip"][~validation])
    assert not sound(data["poses"])[::10].any() and sound(data["poses"]).sum() == 72
    banks = [PoseBank(motion, part) for part in ("train", "val")]
    drawn = banks[1].draw(np.random.default_rng(0)).pose
    assert any(np.allclose(drawn, pose) for pose in data["poses"][validation])


def test_validation_pictures_do_not_depend_on_the_runs_seed(
    dataset: SyntheticDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.data.render.library.load_library", lambda _: dataset.studio._library)
    appearance, motion = dataset._folders
    body, hierarchy = load_body(), load_hierarchy()
    one, two = (SyntheticDataset(appearance, motion, "val", body, hierarchy, seed) for seed in (0, 9))
    assert np.array_equal(one[0].image, two[0].image)
    assert len(one) == 1000 and len(dataset) > 10**9
    train = SyntheticDataset(appearance, motion, "train", body, hierarchy, 0)
    assert not np.array_equal(one[0].image, train[0].image)


def test_workers_get_the_dataset_without_its_assets(dataset: SyntheticDataset) -> None:
    state = dataset.__getstate__()
    assert "studio" not in state and len(pickle.dumps(state)) < 10_000


def test_the_library_is_prepared_once(
    appearance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    skins = [np.zeros((TEXELS, 4), np.uint8)]
    monkeypatch.setattr("model.data.render.library.paint_skins", lambda _: list(skins))
    library = load_library(appearance)
    assert {item.kind for item in library.items} == {SUIT, SHOES, HAIR}
    assert len(library.panoramas) == len(library.lights) == 1
    assert len(library.textures) == 4
    monkeypatch.setattr("model.data.render.library._prepare", None)
    read_library.cache_clear()
    cached = load_library(appearance)
    assert np.array_equal(cached.items[0].rest, library.items[0].rest)
    assert np.array_equal(cached.lights[0].ambient, library.lights[0].ambient)


def test_an_empty_folder_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing or empty"):
        load_library(tmp_path / "nowhere")


def test_poses_may_be_left_out(appearance: Path) -> None:
    (spec,) = Sources(appearance=appearance).specs("train")
    opened = open_dataset(spec, Bodies(load_body()), load_hierarchy(), full=False)
    assert opened[0].vertices.shape == (431, 3)


def test_the_nearer_triangle_hides_the_farther() -> None:
    near = np.array([[-1, -1, 4], [1, -1, 4], [1, 1, 4], [-1, 1, 4]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    grey = material((0.5, 0.5, 0.5))
    far = near * np.array([2.0, 2.0, 1.5], np.float32)
    soup = Builder([Piece(far, faces, grey), Piece(near, faces, grey)]).build()
    screen = project_points(soup.points, np.array([32, 16, 16], np.float32))
    index, _, nearest = rasterise(soup, screen, np.zeros((1, TEXELS, 4), np.uint8), 32)
    shown = np.where(index >= 0, soup.material[index], -1)
    assert (shown[8:24, 8:24] == 1).all() and shown[7, 7] == 0 and shown[0, 0] == -1
    assert nearest[16, 16] == pytest.approx(1 / 4) and nearest[7, 7] == pytest.approx(1 / 6)


def test_a_texture_is_read_where_it_was_written() -> None:
    image = np.zeros((512, 512, 3), np.uint8)
    image[:256, 256:] = [255, 0, 0]
    packed = pack_texture(image)
    for level in range(4):
        assert sample_texture(packed, level, 0.75, 0.75)[:3] == pytest.approx((1, 0, 0), abs=1e-3)
        assert sample_texture(packed, level, 0.25, 0.75)[0] < 1e-3


def test_the_command_writes_a_sheet(
    dataset: SyntheticDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.data.render.library.load_library", lambda _: dataset.studio._library)
    output = tmp_path / "sheet.png"
    folders = ["--appearance", str(dataset._folders[0]), "--motion", str(dataset._folders[1])]
    assert cli.main(["dataset", "sheet", "--output", str(output), "--count", "5", *folders]) == 0
    assert cv2.imread(str(output)).shape == (512, 2048, 3)


def test_all_sources_are_mixed(rendered_folder: Path, appearance: Path, motion: Path) -> None:
    sources = Sources(rendered=rendered_folder, appearance=appearance, motion=motion)
    shares = {spec.kind: round(spec.share, 3) for spec in sources.specs("train")}
    assert shares == {"rendered": 0.1, "synthetic": 0.4}
    without = replace(sources, rendered=None, real=rendered_folder).specs("val")
    assert [(spec.kind, spec.part, spec.share) for spec in without] == [
        ("lspet", "val", 0.5),
        ("synthetic", "val", 0.5),
    ]


def test_kinds_say_how_a_picture_is(dataset: SyntheticDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "FRAMING_SHARES", (1.0, 0.0, 0.0))
    monkeypatch.setattr(studio, "OCCLUDED", 0.0)
    monkeypatch.setattr(studio, "ACCOMPANIED", 0.0)
    backs = []
    for index in range(12):
        sample = dataset[index]
        assert sample.kinds[:2] == ("full body", "clear")
        across = sample.joints2d[L_SHOULDER, 0] - sample.joints2d[R_SHOULDER, 0]
        if "back view" in sample.kinds:
            assert across < 0  # the left shoulder is on the left
        backs.append("back view" in sample.kinds)
    assert any(backs) and not all(backs)


def test_the_true_body_overlaps_the_drawn_person(
    dataset: SyntheticDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "FRAMING_SHARES", (1.0, 0.0, 0.0))
    monkeypatch.setattr(studio, "OCCLUDED", 0.0)
    monkeypatch.setattr(studio, "ACCOMPANIED", 0.0)
    sample = dataset[4]
    crop = crop_sample(sample, REGION, NO_AUGMENTATION, np.random.default_rng(0), np.arange(431))
    assert crop.person is not None and crop.person.shape == (REGION, REGION)
    faces = load_hierarchy().faces[2]
    assert overlap(silhouette(crop.vertices2d, faces, REGION), crop.person) > 0.7


def test_errors_are_told_for_each_kind(
    dataset: SyntheticDataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.data.render.library.load_library", lambda _: dataset.studio._library)
    folders = ["--appearance", str(dataset._folders[0]), "--motion", str(dataset._folders[1])]
    arguments = ["evaluate", "--weights", "body-lite:random", "--kinds", "--json", "--limit", "6", *folders]
    assert cli.main(arguments) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    whole = results.pop(0)
    assert (whole["dataset"], whole["kind"], whole["protocol"]) == ("synthetic", None, "embedded")
    framings = [row for row in results if row["kind"] in ("full body", "truncated", "webcam")]
    assert sum(row["pictures"] for row in framings) == whole["pictures"] == 6
    mean = sum(row["measured"]["mpjpe"] * row["pictures"] for row in framings) / 6
    assert mean == pytest.approx(whole["measured"]["mpjpe"], rel=1e-5)
    assert 0 <= whole["measured"]["iou"] <= 1
    assert whole["measured"]["true_iou"] > 0.4, "the true body lies under its clothes"
    assert 0 <= whole["measured"]["backbone_pck"] <= 1
