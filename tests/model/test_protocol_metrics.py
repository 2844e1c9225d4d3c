"""What the protocols measure, against answers known by hand or by other programs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from model.body import LSP_JOINTS, BodyModel, load_body
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.people import Bodies, Labels, make_sample
from model.data.sample import OUTSIDE, Sample
from model.errors import UserError
from model.evaluation.measure import Row, measure
from model.evaluation.picture import DOTS, Measured, thinned
from model.evaluation.predict import ALL_VIEWS, ONE_VIEW, Predictor
from model.evaluation.protocols import ABLATION, PROTOCOLS, usual_protocol
from model.evaluation.report import SetResult, as_json, as_markdown
from model.evaluation.worst import worst
from model.hierarchy import load_hierarchy
from model.metrics import acceleration_errors, f_scores
from model.pointhmr import Features, Mesh
from model.training.distributed import Ranks
from tests.model.free_hand import free_hand


class FixedNetwork:
    """Answers every picture with a known full mesh, moved by a known amount; counts its backbone's runs."""

    def __init__(self, body: BodyModel, meshes: list[np.ndarray]) -> None:
        self.config = replace_config()
        self.hierarchy = load_hierarchy() if body.kind == "free" else free_hand()[1]
        self.image_mean = torch.zeros(3, 1, 1)
        self.training = False
        self.encoded = 0
        self.meshes = meshes
        self.body = body

    def eval(self) -> None: ...

    def train(self, mode: bool) -> None: ...

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def encode(self, images: torch.Tensor) -> Features:
        self.encoded += len(images)
        # The picture's colour says which person it shows.
        return Features(images[:, 16, 16, 0].float(), torch.empty(0), torch.empty(0))

    def regress(self, features: Features, hops: object = None, *, upsample: bool = True) -> Mesh:
        fine = torch.from_numpy(np.stack([self.meshes[int(n)] for n in features.heatmaps]))
        return Mesh(torch.empty(0), fine[:, :4], torch.ones(len(fine), 3), fine=fine)


def replace_config() -> object:
    from model.config import preset

    return replace(preset("body-lite"), image_size=32)


class People:
    """Labelled people, one of them unreadable."""

    name = "people"

    def __init__(self, samples: list[Sample | None]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        if sample is None:
            raise UserError("broken row")
        return sample


def people(body: BodyModel, count: int) -> tuple[list[Sample], list[np.ndarray]]:
    rng = np.random.default_rng(0)
    samples, meshes = [], []
    for number in range(count):
        pose = torch.from_numpy(rng.normal(0, 0.2, (1, body.num_joints, 3)).astype(np.float32))
        mesh = body(pose)[0][0].numpy()
        image = np.full((40, 40, 3), number, np.uint8)
        labels = Labels(mesh=mesh, key=str(number), sequence="clip", frame=number)
        samples.append(make_sample(body, image, np.array([20.0, 20.0]), 32.0, labels))
        meshes.append(mesh)
    return samples, meshes


def test_errors_of_known_offsets() -> None:
    body = load_body()
    samples, meshes = people(body, 3)
    # Moved as a whole: nothing. One axis stretched: known by hand from the labels.
    moved = [mesh + np.float32(0.7) for mesh in meshes]
    (row,) = measure(FixedNetwork(body, moved), body, People([*samples]), [ABLATION[3]])  # type: ignore[arg-type]
    assert {name: round(value, 2) for name, value in row.means().items()} == {
        **dict.fromkeys(("mpjpe", "pa_mpjpe", "pve", "pve_coarse", "pa_pve", "acceleration"), 0.0)
    }
    larger = [np.float32(1.1) * mesh for mesh in meshes]
    (row,) = measure(FixedNetwork(body, larger), body, People([*samples]), [ABLATION[3]])  # type: ignore[arg-type]
    for picture, sample in zip(row.pictures, samples, strict=True):
        by_hand = 100 * np.linalg.norm(sample.joints3d, axis=1).mean()
        assert picture.errors["mpjpe"] == pytest.approx(by_hand, rel=1e-3)
        assert picture.errors["pve"] == pytest.approx(
            100 * np.linalg.norm(sample.vertices, axis=1).mean(), rel=1e-3
        )
        coarse = sample.vertices[load_hierarchy().vertex_of_coarse]
        assert picture.errors["pve_coarse"] == pytest.approx(
            100 * np.linalg.norm(coarse, axis=1).mean(), rel=1e-3
        )
        assert picture.errors["pa_mpjpe"] == pytest.approx(0, abs=1e-2)


def test_of_each_mesh_only_what_is_drawn_is_kept() -> None:
    body = load_body()
    samples, meshes = people(body, 2)
    (row,) = measure(FixedNetwork(body, meshes), body, People([*samples]), [ABLATION[3]])  # type: ignore[arg-type]
    for picture, mesh in zip(row.pictures, meshes, strict=True):
        kept = picture.vertices2d
        assert DOTS <= len(kept) < 2 * DOTS and kept.base is None, "no view that holds the whole mesh"
        assert len(thinned(kept)) == len(kept) == len(thinned(mesh)), "what is drawn is what was kept"


def test_a_network_may_look_at_more_than_the_persons_square() -> None:
    """It sees the larger square; answers in 2D are told in the person's own, as the labels are."""
    body = load_body()
    samples, meshes = people(body, 1)
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:48, 16:48] = 255  # The person's square.
    sample = replace(samples[0], image=image, centre=np.array([32.0, 32.0]), side=32.0, roll=0.0)

    class Looking(FixedNetwork):
        def encode(self, images: torch.Tensor) -> Features:
            self.seen = images
            return Features(torch.zeros(len(images)), torch.empty(0), torch.empty(0))

    predictions = []
    for scale, lit in ((1.0, 1.0), (2.0, 0.25)):
        network = Looking(body, meshes)
        network.config = replace(network.config, crop_scale=scale)  # type: ignore[type-var]
        (row,) = Predictor(network, body, upright=True)([sample], [ABLATION[3]])  # type: ignore[arg-type]
        assert float((network.seen > 127).float().mean()) == pytest.approx(lit)
        predictions.append(row[0])
    usual, wide = predictions
    np.testing.assert_array_equal(wide.crop.image, usual.crop.image)
    np.testing.assert_array_equal(wide.crop.joints2d, usual.crop.joints2d)
    # The camera of both says the same of the square that was looked at.
    np.testing.assert_allclose(wide.vertices2d, 2 * usual.vertices2d)
    np.testing.assert_allclose(wide.joints2d, 2 * usual.joints2d)
    np.testing.assert_array_equal(wide.mesh, usual.mesh)


def test_pa_mpjpe_is_scipys_and_ignores_similarities() -> None:
    body = load_body()
    samples, meshes = people(body, 2)
    turn = Rotation.from_euler("xyz", [0.3, -1.0, 2.0]).as_matrix()
    noise = np.random.default_rng(1).normal(0, 0.05, meshes[0].shape)
    disturbed = [((mesh + noise) @ turn.T * 1.7 + [1, 2, 3]).astype(np.float32) for mesh in meshes]
    (row,) = measure(FixedNetwork(body, disturbed), body, People([*samples]), [ABLATION[3]])  # type: ignore[arg-type]
    regressor = body.keypoint_regressor.numpy()
    for picture, sample, mesh in zip(row.pictures, samples, disturbed, strict=True):
        target = sample.joints3d.astype(float)
        standard, fitted, _ = scipy_procrustes(target, regressor @ mesh)
        scale = np.linalg.norm(target - target.mean(0))
        theirs = 1000 * scale * np.linalg.norm(fitted - standard, axis=1).mean()
        assert picture.errors["pa_mpjpe"] == pytest.approx(theirs, rel=1e-3)
        assert picture.errors["mpjpe"] > 100


def test_protocol_joints_are_in_lsp_order() -> None:
    body = load_body()
    joints = body.keypoints(body(torch.zeros(1, 24, 3))[0])[0].numpy()
    place = dict(zip(LSP_JOINTS, joints, strict=True))
    # y up, facing +z: the person's left is at +x; ankles below knees below hips below shoulders.
    for side, sign in (("left", 1), ("right", -1)):
        assert sign * place[f"{side} hip"][0] > 0 and sign * place[f"{side} wrist"][0] > 0.3
        heights = [place[f"{side} {joint}"][1] for joint in ("ankle", "knee", "hip", "shoulder")]
        assert heights == sorted(heights)
    assert place["head top"][1] > place["neck"][1] > place["left shoulder"][1] - 0.1


def test_sharing_and_broken_rows_change_nothing() -> None:
    body = load_body()
    samples, meshes = people(body, 5)
    noisy = [mesh + np.random.default_rng(n).normal(0, 0.03, mesh.shape) for n, mesh in enumerate(meshes)]
    network = FixedNetwork(body, [mesh.astype(np.float32) for mesh in noisy])
    dataset = People([*samples[:2], None, *samples[2:]])
    (whole,) = measure(network, body, dataset, [ABLATION[3]], batch_size=2)  # type: ignore[arg-type]
    assert (len(whole.pictures), whole.left_out) == (5, 1)
    assert [picture.index for picture in whole.pictures] == [0, 1, 3, 4, 5]
    assert worst(whole.pictures, 1)[0].errors["mpjpe"] == max(p.errors["mpjpe"] for p in whole.pictures)


def test_the_ablation_takes_one_backbone_pass(capsys: pytest.CaptureFixture[str]) -> None:
    body = load_body()
    samples, meshes = people(body, 3)
    network = FixedNetwork(body, meshes)
    rows = measure(network, body, People([*samples]), ABLATION)  # type: ignore[arg-type]
    assert network.encoded == 3 and len(rows) == 4
    result = SetResult("people", PROTOCOLS["h36m-p2"], rows, ablation=True)
    table = as_markdown("model", "ab" * 32, [result])
    assert table.count("(published)") == 4 and "off,5,3,1" in table
    content = as_json("model", "ab" * 32, [result])
    assert content["results"][0]["masks"] == "off,off,off,off"
    assert content["published"][3] == {
        "protocol": "h36m-p2",
        "method": "masks 7,5,3,1",
        "mpjpe": 48.3,
        "pa_mpjpe": 32.9,
    }


def test_acceleration_of_one_jump() -> None:
    still = np.zeros((14, 3))
    frames = [("a", n, still + (0.01 if n == 2 else 0.0), still) for n in range(5)]
    # The jump of 10 mm along each axis is seen by frames 1, 2 and 3 as 1, -2 and 1 times itself.
    assert acceleration_errors(frames) == pytest.approx(np.sqrt(3) * np.array([10, 20, 10]))
    assert len(acceleration_errors([("", n, still, still) for n in range(5)])) == 0
    assert len(acceleration_errors([("a", n, still, still) for n in (0, 2, 4)])) == 0


def test_f_scores_count_near_points() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3)
    assert f_scores(grid + np.array([0.004, 0, 0]), grid, (0.005, 0.003)) == [1.0, 0.0]
    half = grid.copy()
    half[: len(grid) // 2] += 50
    assert f_scores(half, grid, (0.005,)) == pytest.approx([0.5])


def test_views_of_a_turned_picture_agree() -> None:
    hand, _ = free_hand()
    samples, meshes = people(hand, 2)

    class Turning(FixedNetwork):
        """Turns its mesh with the picture, as a perfect network would."""

        turns = iter(())

        def regress(self, features: Features, hops: object = None, *, upsample: bool = True) -> Mesh:
            mesh = super().regress(features, hops)
            assert mesh.fine is not None
            angle = np.radians(next(self.turns))
            matrix = np.eye(3)
            matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
            return replace(mesh, fine=(mesh.fine.double() @ torch.from_numpy(matrix.T)).float())

    network = Turning(hand, meshes)
    views = ((0.0, 1.0), (30.0, 0.9), (-50.0, 1.1))
    network.turns = iter([degrees for degrees, _ in views])  # type: ignore[assignment]
    (row,) = measure(network, hand, People([*samples]), [ABLATION[3]], views=views)  # type: ignore[arg-type]
    means = row.means()
    assert means["pve"] == pytest.approx(0, abs=0.01) and means["f5"] == 1.0
    assert ALL_VIEWS[0] == ONE_VIEW[0] and len(ALL_VIEWS) == 96


def test_an_unlabelled_mesh_is_not_measured() -> None:
    body = load_body()
    samples, meshes = people(body, 1)
    blank = replace(
        samples[0], has_mesh=False, vertices2d=np.full((body.num_vertices, 2), OUTSIDE), has_3d=False
    )
    (row,) = measure(FixedNetwork(body, meshes), body, People([blank]), [ABLATION[3]], ranks=Ranks())  # type: ignore[arg-type]
    assert row.pictures[0].errors == {}
    assert Row(ABLATION[0], [], 0).means() == {}
    assert isinstance(row.pictures[0], Measured)
    assert load_hierarchy().num_fine == body.num_vertices


@pytest.mark.parametrize("kind", ["synthetic", "crops", "rendered", "lspet"])
def test_a_set_of_the_free_body_has_its_own_protocol_and_judges_no_other_body(kind, tmp_path):
    hand, hierarchy = free_hand()
    assert usual_protocol(kind) == "embedded"
    with pytest.raises(UserError, match="shows the free body"):
        open_dataset(DatasetSpec(kind=kind, path=tmp_path), Bodies(hand), hierarchy)


def test_other_sets_have_their_authors_protocol_or_the_plain_one():
    assert [usual_protocol(kind) for kind in ("3dpw", "freihand", "metro")] == ["3dpw", "freihand", "plain"]
