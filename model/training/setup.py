"""What a recipe asks for, made: bodies, network, loss, sets, optimizer."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.blazepose import BlazePose
from model.bodies import body_card, load_with_hierarchy
from model.body import load_body
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.people import Bodies, mirror_map, root_of
from model.data.sample import Batch, Dataset, Gender
from model.data.stream import TrainingStream
from model.decoders import LiteDecoders
from model.errors import UserError
from model.guided import shipped_state
from model.hierarchy import Hierarchy, load_hierarchy
from model.losses import LiteLoss
from model.paths import sha256
from model.pointhmr import PointHMR
from model.pretrained import init_backbone
from model.training.published_loss import PublishedLoss
from model.training.recipe import AUGMENTATIONS, Recipe
from model.warm_start import warm_start
from model.weights import FREE, SMPL, load_backbone

ROOT = Path(__file__).resolve().parents[2]
MEASURED = 32
"""Samples from which the lite network's fixed standardisation and mean body are taken."""
LARGE = 64 << 20
"""Bytes above which a file of a set is known by its size and time only."""


@dataclass(frozen=True)
class Scene:
    """A body and its meshes."""

    bodies: Bodies
    hierarchy: Hierarchy

    @property
    def body_name(self) -> str:
        """As model cards call it."""
        return {"free": FREE, "smpl": SMPL, "mano": "MANO"}[self.bodies.neutral.kind]


def load_scene(recipe: Recipe) -> Scene:
    """The recipe's bodies. Raises UserError when a file cannot be used."""
    files: dict[Gender, Path | None] = {"male": recipe.male, "female": recipe.female}
    gendered = {gender: load_body(path) for gender, path in files.items() if path is not None}
    if recipe.body is None:
        return Scene(Bodies(load_body(), gendered), load_hierarchy())
    neutral, hierarchy = load_with_hierarchy(body_card(recipe.body))
    return Scene(Bodies(neutral, gendered), hierarchy.hierarchy)


class TrainingStep(nn.Module):
    """Batch in, weighted loss terms out: the module that data parallelism wraps."""

    def __init__(self, network: PointHMR, loss: PublishedLoss | LiteLoss, *, frozen: bool) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.frozen = frozen

    def train(self, mode: bool = True) -> TrainingStep:
        """A frozen backbone keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.network.backbone.eval()
        return self

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Terms by name; their sum is the loss."""
        network = self.network
        images = network.normalize(batch.images)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps = network.backbone(images)
        if isinstance(self.loss, PublishedLoss):
            features = network.sample(maps)
            return self.loss(network.regress(features), features, batch)
        pick = torch.from_numpy(network.hierarchy.vertex_of_coarse).to(batch.vertices.device)
        coarse = batch._replace(vertices=batch.vertices[:, pick], vertices2d=batch.vertices2d[:, pick])
        features = network.sample(maps, coarse.heatmap_targets(network.config.heatmap_size))
        return self.loss(network.regress(features, upsample=False), features, coarse)


def make_step(recipe: Recipe, scene: Scene) -> TrainingStep:
    """Network and loss, with the weights that the recipe starts from. Raises UserError."""
    torch.manual_seed(recipe.seed)
    config = recipe.network_config()
    body, hierarchy = scene.bodies.neutral, scene.hierarchy
    if (config.num_vertices, config.num_joints) != (hierarchy.num_coarse, len(body.keypoint_names)):
        raise UserError(
            f"{config.name} regresses {config.num_vertices} vertices and {config.num_joints} joints; "
            f"this body has {hierarchy.num_coarse} and {len(body.keypoint_names)}."
        )
    network = PointHMR(config, hierarchy)
    if isinstance(network.backbone, BlazePose):
        network.backbone.load_state_dict(shipped_state(config))
    if recipe.backbone is not None:
        if isinstance(network.backbone, BlazePose):
            raise UserError(f"{config.name} has no HRNet backbone to start from {recipe.backbone}.")
        init_backbone(network, load_backbone(recipe.backbone))
    if recipe.start is not None:
        warm_start(network, recipe.start)
    network.backbone.requires_grad_(not recipe.freeze_backbone)
    regressor = body.keypoint_regressor.numpy()
    if recipe.loss == "lite":
        loss: PublishedLoss | LiteLoss = LiteLoss(hierarchy, regressor)
    else:
        loss = PublishedLoss(hierarchy, regressor, root_of(body))
    return TrainingStep(network, loss, frozen=recipe.freeze_backbone)


def open_sets(specs: tuple[DatasetSpec, ...], scene: Scene, seed: int) -> list[Dataset]:
    """Every set of a recipe, in its order."""
    return [open_dataset(spec, scene.bodies, scene.hierarchy, seed) for spec in specs]


def make_stream(recipe: Recipe, scene: Scene, sets: list[Dataset], size: int) -> TrainingStream:
    """The endless stream of a recipe's training sets."""
    if not sets:
        raise UserError("Training needs pictures: name sets as [[train]] in the settings.")
    augmentation = AUGMENTATIONS[recipe.augmentation]
    shares = [spec.share for spec in recipe.train]
    mirror = mirror_map(scene.bodies.neutral)
    return TrainingStream(sets, shares, size, augmentation, mirror, recipe.seed)


@torch.no_grad()
def start_lite(network: PointHMR, batch: Batch) -> None:
    """Measure the frozen features and begin at the mean body; nothing for other networks."""
    if not isinstance(network.decoders, LiteDecoders) or not isinstance(network.backbone, BlazePose):
        return
    if network.decoders.deep is not None:
        network.decoders.deep.start_from(network.backbone)
    network.decoders.measure(network.backbone.eval()(network.normalize(batch.images)))
    if network.lifter is not None:
        coarse = batch.vertices[:, torch.from_numpy(network.hierarchy.vertex_of_coarse)]
        network.lifter.start_from(torch.cat([batch.joints3d.mean(0), coarse.mean(0)]))


def make_optimizer(recipe: Recipe, network: PointHMR) -> torch.optim.Optimizer:
    """Adam as released, or AdamW whose decay leaves vectors and learned tokens alone."""
    trained = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
    if recipe.optimizer == "adam":
        members = [p for _, p in trained]
        return torch.optim.Adam(members, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    matrices = [p for n, p in trained if p.ndim > 1 and n not in ("token_positions", "joint_tokens")]
    kept = {id(p) for p in matrices}
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": [p for _, p in trained if id(p) not in kept], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))


def run_manifest(recipe: Recipe, scene: Scene, world: int) -> dict[str, Any]:
    """What it takes to make this run again: settings, program, data, seeds."""
    return {
        "recipe": recipe.to_dict(),
        "network": replace(recipe.network_config()).to_json(),
        "processes": world,
        "seed": recipe.seed,
        "commit": _commit(),
        "torch": torch.__version__,
        "body": {"name": scene.body_name, "sha256": scene.bodies.neutral.sha256},
        "data": {str(spec.path): data_digest(spec.path) for spec in (*recipe.train, *recipe.validation)},
    }


def data_digest(path: Path) -> str:
    """SHA-256 over the names and contents of a set's files; large ones count by size and time."""
    files = sorted(path.rglob("*")) if path.is_dir() else sorted(path.parent.glob(f"{path.stem}*"))
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            stat = file.stat()
            small = stat.st_size <= LARGE and file.suffix not in (".jpg", ".png")
            told = sha256(file) if small else f"{stat.st_size}:{stat.st_mtime_ns}"
            digest.update(f"{file.name}\0{told}\n".encode())
    return digest.hexdigest()


def _commit() -> str:
    """Of the program's own repository; empty where it is installed without one."""
    try:
        command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
