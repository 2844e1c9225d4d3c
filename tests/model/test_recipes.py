"""Recipes, the released loss, and whole runs in small: training, resuming, many processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch._inductor import config as inductor_config

from model.blazepose import BlazePoseOutput
from model.body import load_body
from model.config import PAPER_HOPS, preset
from model.data.catalogue import DatasetSpec
from model.data.manifest import write_manifest
from model.data.people import Bodies, Labels, make_sample, project_pinhole
from model.data.sample import Batch, Sample, collate
from model.errors import UserError
from model.frozen import FrozenBackbone, freeze_backbone
from model.hierarchy import load_hierarchy
from model.losses import project
from model.mask_statistics import mask_statistics
from model.pointhmr import Features, Mesh, PointHMR
from model.training.distributed import Ranks
from model.training.published_loss import PublishedLoss
from model.training.recipe import RECIPES, Recipe, read_recipe
from model.training.run import Run, train_recipe
from model.training.setup import Scene
from tests.model.free_hand import free_hand

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"widths": (32, 32, 16, 16), "layers": (1, 1, 1, 1), "heads": (2, 2, 2, 2), "dropout": 0.0}
SMALL_HAND = {
    **SMALL,
    "image_size": 64,
    "heatmap_size": 16,
    "grid_size": 2,
    "token_width": 24,
    "position_width": 8,
    "feedforward": (32, 32, 32, 32),
}
SMALL_LITE = {
    **SMALL,
    "token_width": 24,
    "position_width": 8,
    "feedforward": (64, 64, 32, 32),
    "lifter_width": 128,
    "trunk_channels": 32,
    "bottleneck_channels": 16,
    "heatmap_channels": 16,
}


class Posed:
    """Bodies drawn as dots before a camera, as many different ones as wanted."""

    name = "posed"

    def __init__(self, bodies: Bodies, count: int, distance: float, focal: float) -> None:
        self._bodies, self._count = bodies, count
        self._distance, self._focal = distance, focal

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        body = self._bodies.neutral
        pose = rng.normal(0, 0.15, (body.num_joints, 3))
        pose[0] = [np.pi, 0, 0] if body.kind == "free" else [0, 0, 0]
        mesh = self._bodies.mesh(pose, rng.normal(0, 1, 10))
        mesh = mesh - mesh.mean(0) + [0, 0, self._distance]
        intrinsics = np.array([[self._focal, 0, 64], [0, self._focal, 64], [0, 0, 1]])
        pixels = project_pinhole(mesh, intrinsics)
        image = np.full((128, 128, 3), 40, np.uint8)
        order = np.argsort(-mesh[:, 2])
        x, y = np.clip(pixels[order].round().astype(int), 0, 127).T
        part = body.part_of_vertex[order]
        image[y, x] = np.stack([60 + 8 * part, 220 - 7 * part, 90 + (part * 37) % 150], -1).astype(np.uint8)
        joints2d = project_pinhole(body.keypoint_regressor.numpy() @ mesh, intrinsics)
        labels = Labels(np.c_[joints2d, np.ones(len(joints2d))], None, mesh, pixels, key=f"posed:{index}")
        return make_sample(body, image, np.array([64.0, 64.0]), 120.0, labels)


@pytest.fixture(scope="module")
def hand_set(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Path]:
    hand, hierarchy = free_hand()
    folder = tmp_path_factory.mktemp("hands")
    write_manifest(folder, Posed(Bodies(hand), 8, 0.5, 300.0), range(8), "mano")
    return Scene(Bodies(hand), hierarchy), folder


@pytest.fixture(autouse=True)
def small_hrnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """One block and one module where HRNet-W32 has four: a third of the tensors, the same maps."""
    monkeypatch.setattr("model.hrnet.BLOCKS_PER_BRANCH", 1)
    monkeypatch.setattr("model.hrnet.MODULES_OF_STAGE", {2: 1, 3: 1, 4: 1})


def hand_recipe(folder: Path, **changes: object) -> Recipe:
    spec = DatasetSpec(kind="manifest", path=folder)
    base = replace(
        RECIPES["hand"],
        changes=SMALL_HAND,
        train=(spec,),
        validation=(replace(spec, part="val"),),
        batch_size=4,
        epochs=4,
        workers=0,
        learning_rate=3e-3,
        augmentation="none",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_hand_recipe_learns_its_fixture(hand_set: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, folder = hand_set
    recipe = hand_recipe(folder, epochs=60, drop_at=0.8, freeze_backbone=True, evaluate_epochs=15)
    train_recipe(recipe, tmp_path, torch.device("cpu"), scene)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    terms = [entry for entry in log if entry["group"] == "loss"]
    assert terms[-1]["vertices"] < 0.6 * terms[0]["vertices"]
    errors = [entry["mpjpe"] for entry in log if entry["group"] == "posed"]
    assert errors[-1] < 0.6 * errors[0]


@pytest.mark.timeout(900)
def test_a_hand_run_resumes_exactly_and_writes_what_it_did(
    hand_set: tuple[Scene, Path], tmp_path: Path
) -> None:
    scene, folder = hand_set
    recipe = hand_recipe(folder, epochs=1, batch_size=2, freeze_backbone=True, learning_rate=1e-3)
    cpu = torch.device("cpu")
    whole = train_recipe(recipe, tmp_path / "whole", cpu, scene)
    assert len(whole) == 4 and all(np.isfinite(whole))
    first = train_recipe(replace(recipe, stop_after=2), tmp_path / "halves", cpu, scene)
    # A checkpoint that was being written when the run was killed does not count.
    (tmp_path / "halves/step-99999999").mkdir()
    rest = train_recipe(recipe, tmp_path / "halves", cpu, scene)
    assert first + rest == pytest.approx(whole, rel=1e-6)
    weights = load_file(next((tmp_path / "whole").glob("step-*/weights.safetensors")))
    resumed = load_file(next((tmp_path / "halves").glob("step-*/weights.safetensors")))
    assert all(torch.allclose(weights[name], resumed[name], atol=1e-6) for name in weights)
    manifest = json.loads((tmp_path / "whole/run.json").read_text())
    assert manifest["recipe"]["network"] == "hand-hrnet-w32" and manifest["data"][str(folder)]
    log = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert any(entry["group"] == "posed" and entry["mpjpe"] > 0 for entry in log)
    assert list((tmp_path / "whole/tensorboard").iterdir())
    assert (tmp_path / "whole/best.safetensors").is_file() and (tmp_path / "whole/worst-posed.png").is_file()


def test_accumulated_parts_are_the_whole_batch(hand_set: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, folder = hand_set
    cpu = torch.device("cpu")
    # Frozen batch norms see no batch: the parts of a batch then add up to it.
    recipe = hand_recipe(folder, freeze_backbone=True, stop_after=1)
    whole = train_recipe(recipe, tmp_path / "a", cpu, scene)
    parts = train_recipe(replace(recipe, accumulate=2), tmp_path / "b", cpu, scene)
    assert parts[0] == pytest.approx(whole[0], rel=0.2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_half_precision_is_near(
    hand_set: tuple[Scene, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, folder = hand_set
    monkeypatch.setattr("model.training.run.cpu_has_bfloat16", lambda: True)
    recipe = hand_recipe(folder, freeze_backbone=True, stop_after=1)
    cpu = torch.device("cpu")
    exact = train_recipe(recipe, tmp_path / "exact", cpu, scene)
    half = train_recipe(replace(recipe, amp=True), tmp_path / "half", cpu, scene)
    assert half != exact and half == pytest.approx(exact, rel=0.05)


def test_without_a_compiler_the_training_goes_on_uncompiled(
    hand_set: tuple[Scene, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene, folder = hand_set
    recipe = hand_recipe(folder, freeze_backbone=True, stop_after=1, compile=True)
    with inductor_config.patch({"cpp.cxx": ("no-such-compiler",)}):
        losses = train_recipe(recipe, tmp_path, torch.device("cpu"), scene)
    assert np.isfinite(losses).all()
    assert [line for line in caplog.messages if "no C++ compiler" in line]


def test_validation_sets_of_one_name_are_kept_apart(hand_set: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, folder = hand_set
    spec = DatasetSpec(kind="manifest", path=folder, part="val")
    recipe = hand_recipe(folder, validation=(spec, spec), epochs=1, batch_size=8, freeze_backbone=True)
    train_recipe(recipe, tmp_path, torch.device("cpu"), scene)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["group"] for entry in log if "mpjpe" in entry] == ["posed", "posed-2"]
    assert {path.name for path in tmp_path.glob("worst-*")} == {"worst-posed.png", "worst-posed-2.png"}


def test_a_damaged_run_is_a_users_error(hand_set: tuple[Scene, Path], tmp_path: Path) -> None:
    scene, folder = hand_set
    (tmp_path / "last.json").write_text('{"folder": "nowhere"}')
    with pytest.raises(UserError, match="cannot be resumed"):
        train_recipe(hand_recipe(folder), tmp_path, torch.device("cpu"), scene)


def test_processes_that_see_different_folders_do_not_train_together(
    hand_set: tuple[Scene, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, folder = hand_set
    monkeypatch.setattr("model.training.run.gather", lambda start, _: [start, 500])
    with pytest.raises(UserError, match="must be one that all machines see"):
        Run(hand_recipe(folder), tmp_path, Ranks(0, 2), torch.device("cpu"), scene)
    assert not list(tmp_path.glob("*.json")), "nothing has begun"


def test_masks_of_the_hand() -> None:
    _, hierarchy = free_hand()
    statistics = mask_statistics(hierarchy.hops, PAPER_HOPS)
    assert hierarchy.num_coarse == preset("hand-hrnet-w32").num_vertices == 195
    assert hierarchy.diameter < 255
    for statistic, hops in zip(statistics, PAPER_HOPS, strict=True):
        assert hops is not None
        counts = hierarchy.allowed(hops).sum(1)
        assert statistic.mean == pytest.approx(counts.mean())
        assert (statistic.least, statistic.most) == (counts.min(), counts.max())
    means = [statistic.mean for statistic in statistics]
    assert means == sorted(means, reverse=True) and 5 < means[3] < 8


def test_the_hand_network_has_its_own_graph() -> None:
    _, hierarchy = free_hand()
    config = replace(preset("hand-hrnet-w32"), **SMALL_HAND)  # type: ignore[arg-type]
    network = PointHMR(config, hierarchy).eval()
    with torch.no_grad():
        mesh = network(torch.zeros(1, 3, 64, 64))
    assert mesh.fine is not None
    assert mesh.joints.shape == (1, 21, 3) and mesh.fine.shape[1] == hierarchy.num_fine


def batch_of(samples: list[Sample]) -> Batch:
    return collate(samples)


def test_the_released_loss_by_hand() -> None:
    hierarchy, body = load_hierarchy(), load_body()
    loss = PublishedLoss(hierarchy, body)
    sample = Posed(Bodies(body), 1, 3.0, 150.0)[0]
    batch = batch_of([sample, sample])
    fine = batch.vertices
    down = [torch.from_numpy(matrix.toarray()).float() for matrix in hierarchy.down]
    mid = down[0] @ fine
    joints = loss.joint_regressor @ fine
    camera = torch.tensor([[0.9, 0.1, -0.2]] * 2)
    mesh = Mesh(joints, down[1] @ mid, camera, mid=mid, fine=fine)
    heatmaps = torch.rand(2, 431, 56, 56)
    heatmaps /= heatmaps.sum((2, 3), keepdim=True)
    features = Features(heatmaps, torch.empty(0), torch.empty(0))
    perfect = loss(mesh, features, batch)
    assert float(perfect["joints3d"]) == pytest.approx(0, abs=1e-6)
    assert float(perfect["vertices"]) == pytest.approx(0, abs=1e-3)
    error2d = ((project(joints, camera) - batch.joints2d[..., :2]) ** 2).mean()
    assert float(perfect["joints2d"]) == pytest.approx(100 * 2 * float(error2d), rel=1e-5)
    # A body a tenth larger: vertices 0.33 x (three levels), joints twice, the second regressed.
    larger = replace(mesh, joints=1.1 * joints, coarse=1.1 * mesh.coarse, mid=1.1 * mid, fine=1.1 * fine)
    terms = loss(larger, features, batch)
    levels = sum(0.1 * level.abs().mean() for level in (mesh.coarse, mid, fine))
    assert float(terms["vertices"]) == pytest.approx(100 * 0.33 * float(levels), rel=1e-3)
    assert float(terms["joints3d"]) == pytest.approx(1000 * 2 * 0.01 * float((joints**2).mean()), rel=1e-3)


def test_the_heatmap_loss_is_dice_and_cross_entropy_of_the_enlarged_map() -> None:
    hierarchy, body = load_hierarchy(), load_body()
    loss = PublishedLoss(hierarchy, body)
    batch = batch_of([Posed(Bodies(body), 1, 3.0, 150.0)[0]])
    logits = torch.randn(1, 431, 56, 56)
    heatmaps = logits.flatten(2).softmax(-1).unflatten(2, (56, 56))
    enlarged = F.interpolate(logits, scale_factor=2, mode="nearest").flatten(2).softmax(-1)
    enlarged = enlarged.unflatten(2, (112, 112))
    place = project(batch.vertices[:, loss.coarse_vertices], torch.tensor([[1.1, 0.3, -0.1]]))
    cell = ((place + 1) * 56).floor().long()
    total, counted = 0.0, 0
    for vertex in range(431):
        x, y = cell[0, vertex].tolist()
        if not (0 <= x < 112 and 0 <= y < 112):
            continue
        target = torch.zeros(112, 112)
        target[y, x] = 1
        map_ = enlarged[0, vertex]
        dice = 1 - 2 * ((map_ * target).sum() + 1e-5) / (map_.sum() + target.sum() + 2e-5)
        entropy = F.binary_cross_entropy(map_, target)
        total, counted = total + float(dice + 1000 * entropy), counted + 1
    assert counted > 200
    assert float(loss.heatmaps(heatmaps, place, batch)) == pytest.approx(total / counted, rel=1e-4)
    assert float(loss.heatmaps(heatmaps, place + 9, batch)) == 0


def test_missing_labels_have_no_say() -> None:
    hierarchy, body = load_hierarchy(), load_body()
    loss = PublishedLoss(hierarchy, body)
    sample = Posed(Bodies(body), 1, 3.0, 150.0)[0]
    bare = replace(sample, has_mesh=False, has_3d=False, has_2d=False)
    mesh = Mesh(
        torch.randn(2, 14, 3),
        torch.randn(2, 431, 3),
        torch.ones(2, 3),
        torch.randn(2, 1723, 3),
        torch.randn(2, 6890, 3),
    )
    heatmaps = torch.full((2, 431, 56, 56), 1 / 3136)
    features = Features(heatmaps, torch.empty(0), torch.empty(0))
    terms = loss(mesh, features, batch_of([bare, bare]))
    assert all(float(term) == 0 for term in terms.values())
    half = loss(mesh, features, batch_of([sample, bare]))
    one = Mesh(*(t[:1] for t in (mesh.joints, mesh.coarse, mesh.camera, mesh.mid, mesh.fine)))  # type: ignore[index]
    alone = loss(one, replace(features, heatmaps=heatmaps[:1]), batch_of([sample]))
    for name in ("joints3d", "vertices", "heatmaps"):
        assert float(half[name]) == pytest.approx(float(alone[name]), rel=1e-4)


def test_the_released_recipe() -> None:
    published = RECIPES["published"]
    assert (published.optimizer, published.epochs, published.batch_size) == ("adam", 50, 12)
    assert (published.learning_rate, published.drop_at, published.drop_to) == (1e-5, 0.5, 0.1)
    tuned = RECIPES["published-3dpw"]
    assert (tuned.learning_rate, tuned.epochs, tuned.drop_at) == (1e-4, 5, 0.6)
    assert published.sync_bn and published.loss == "published"


def test_settings_come_from_a_file_and_single_values(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'recipe = "published-3dpw"\nepochs = 3\nbody = "SMPL.pkl"\n[changes]\ndropout = 0.0\n'
        '[[train]]\nkind = "3dpw"\npath = "3DPW"\nshare = 2.0\n[[validation]]\nkind = "3dpw"\n'
        'path = "3DPW"\npart = "test"\n'
    )
    recipe = read_recipe(Recipe(), path, ["batch_size=6", "accumulate=3", "changes.widths=[64,64,32,32]"])
    assert (recipe.epochs, recipe.batch_size, recipe.accumulate) == (3, 6, 3)
    assert recipe.body == tmp_path / "SMPL.pkl"
    assert recipe.train == (DatasetSpec(kind="3dpw", path=tmp_path / "3DPW", part="train", share=2.0),)
    assert recipe.validation[0].part == "test"
    config = recipe.network_config()
    assert (config.dropout, config.widths) == (0.0, (64, 64, 32, 32))


@pytest.mark.parametrize(
    "text",
    [
        "nonsense=1",
        "epochs",
        "epochs=many",
        "seed=-1",
        "warm_up=-100",
        'train=[{kind="manifest", path="x", share=0}]',
        'train=[{kind="manifest", path="x", share=-1}, {kind="manifest", path="y", share=2}]',
        "accumulate=5",
        "augmentation=wild",
        "changes.colour=1",
        "train=3",
        "changes=5",
        'validation=[{kind="manifest", path="x", share="much"}]',
    ],
)
def test_wrong_settings_are_users_errors(text: str) -> None:
    with pytest.raises(UserError):
        read_recipe(Recipe(), None, [text])


def lite_recipe(folder: Path, **changes: object) -> Recipe:
    spec = DatasetSpec(kind="manifest", path=folder)
    base = replace(
        RECIPES["lite"],
        changes=SMALL_LITE,
        train=(spec,),
        validation=(replace(spec, part="val"),),
        augmentation="none",
        batch_size=8,
        epoch_samples=None,
        workers=0,
        evaluate_epochs=1000,
        evaluate_limit=None,
        sync_bn=True,
        compile=False,
        amp=False,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def body_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bodies")
    write_manifest(folder, Posed(Bodies(load_body()), 64, 3.0, 150.0), range(64), "free")
    return folder


def torchrun(arguments: list[str], processes: int = 2) -> subprocess.CompletedProcess[str]:
    """`pointhmr` under torchrun, as a user starts it."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "-m", "app", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=900,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


class Remembered:
    """A frozen backbone that looks at each picture once: without augmentation they come again and again."""

    def __init__(self, maps: FrozenBackbone) -> None:
        self._maps = maps
        self._known: dict[bytes, tuple[torch.Tensor, ...]] = {}

    def __call__(self, images: torch.Tensor) -> BlazePoseOutput:
        keys = [image.numpy().tobytes() for image in images]
        if not all(key in self._known for key in keys):
            for key, *parts in zip(keys, *self._maps(images), strict=True):
                self._known[key] = tuple(parts)
        rows = zip(*(self._known[key] for key in keys), strict=True)
        return BlazePoseOutput(*(torch.stack(row) for row in rows))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_lite_preset_learns_64_people(
    body_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def freeze(*arguments: Any) -> Remembered:
        return Remembered(freeze_backbone(*arguments))

    monkeypatch.setattr("model.training.setup.freeze_backbone", freeze)
    # The lifter is taught on the pictures' landmarks first; the network has to mend it, not to spoil it.
    recipe = lite_recipe(
        body_set,
        # It is shown people's usual squares, so it is asked about those.
        changes={**SMALL_LITE, "tuned_levels": False, "crop_scale": 1.0},
        lifter_pictures=512,
        lifter_steps=700,
        epochs=4,
        learning_rate=1e-4,
        warm_up=10,
        ema=0.9,
    )
    train_recipe(recipe, tmp_path / "run", torch.device("cpu"))
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [entry["mpjpe"] for entry in log if entry["group"] == "posed"][-1] < 25
    # Whole and shared by two processes, the same numbers.
    weights = str(tmp_path / "run/weights.safetensors")
    arguments = ["evaluate", "--weights", weights, "--set", f"manifest:{body_set}", "--device", "cpu"]
    reports = []
    for processes in (1, 2):
        report = tmp_path / f"report{processes}"
        torchrun([*arguments, "--ablation", "masks", "--report", str(report)], processes)
        reports.append(json.loads((report / "report.json").read_text())["results"])
    assert len(reports[0]) == 4
    for one, two in zip(*reports, strict=True):
        assert one["pictures"] == two["pictures"] == 64
        assert one["measured"] == pytest.approx(two["measured"], abs=1e-3)


def first_gradients(run: Path) -> dict[int, torch.Tensor]:
    """Of a run stopped after one step: Adam's first moment is then a tenth of the gradient."""
    state = torch.load(next(run.glob("step-*/state.pt")), weights_only=True)
    assert state["step"] == 1
    return {number: 10 * moments["exp_avg"] for number, moments in state["optimizer"]["state"].items()}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_processes_are_one_with_the_double_batch(body_set: Path, tmp_path: Path) -> None:
    settings = tmp_path / "run.toml"
    network = "\n".join(
        f"{name} = {list(v) if isinstance(v, tuple) else v}" for name, v in SMALL_LITE.items()
    )
    settings.write_text(
        f'recipe = "lite"\naugmentation = "none"\nworkers = 0\ncompile = false\namp = false\n'
        f"sync_bn = true\nbatch_size = 2\nstop_after = 4\n"
        f'[changes]\n{network}\n[[train]]\nkind = "manifest"\npath = "{body_set}"\n'
    )
    one = read_recipe(Recipe(), settings, ["batch_size=4"])
    cpu = torch.device("cpu")
    command = ["train", "--config", str(settings), "--output", str(tmp_path / "two")]
    # One step, then on from its checkpoint to the fourth.
    torchrun([*command, "--override", "stop_after=1"])
    train_recipe(replace(one, stop_after=1), tmp_path / "one", cpu)
    alone, shared = first_gradients(tmp_path / "one"), first_gradients(tmp_path / "two")
    assert alone.keys() == shared.keys() and len(alone) > 100
    difference = sum(float((alone[n] - shared[n]).square().sum()) for n in alone) ** 0.5
    assert difference < 1e-3 * sum(float(g.square().sum()) for g in alone.values()) ** 0.5
    torchrun(command)
    train_recipe(one, tmp_path / "one", cpu)
    # The last loss follows from all steps before it. Single weights differ: Adam turns rounding into signs.
    losses = [
        [json.loads(line)["all"] for line in (tmp_path / n / "log.jsonl").read_text().splitlines()]
        for n in ("one", "two")
    ]
    assert len(losses[0]) == 2 and losses[0] == pytest.approx(losses[1], rel=1e-4)
