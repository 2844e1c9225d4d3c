"""What a recipe asks for, made: bodies, network, loss, sets, optimizer."""

from __future__ import annotations

import hashlib
import itertools
import logging
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.blazepose import BlazePoseOutput, load_blazepose
from model.bodies import body_card, load_with_hierarchy
from model.body import load_body
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.landmarks import LandmarkGenerator
from model.data.people import Bodies, mirror_map
from model.data.sample import Batch, Dataset, Gender
from model.data.stream import TrainingStream
from model.decoders import BackboneMaps, LiteDecoders
from model.errors import UserError
from model.frozen import freeze_backbone
from model.guided import shipped_state, variant_of
from model.hierarchy import Hierarchy, load_hierarchy
from model.lifter import landmark_tokens
from model.losses import LiteLoss
from model.paths import sha256
from model.pointhmr import Mesh, PointHMR
from model.pretrained import init_backbone
from model.training.curves import Curves
from model.training.lifter import Source, pretrain, source_of_pictures
from model.training.published_loss import PublishedLoss
from model.training.recipe import AUGMENTATIONS, Recipe
from model.warm_start import warm_start
from model.weights import FREE, SMPL, built, load_backbone

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
MEASURED = 32
"""Samples from which the lite network's fixed standardisation and mean body are taken."""
GUIDE = "decoders.guide.standardize_low.mean"
"""Measured once, in a network that begins to look at its guide's features."""
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
        self.regress: Callable[..., Mesh] = network.regress
        self.maps: Callable[[Tensor], BackboneMaps] = network.backbone.forward

    def accelerate(self, batch_size: int, *, compiled: bool) -> None:
        """Once the network is where it is to run: the frozen backbone's fast form, a fused regressor."""
        network = self.network
        if self.frozen:
            self.maps = freeze_backbone(network.backbone.eval(), network.config.image_size, batch_size)
        if compiled and _can_compile():
            self.regress = torch.compile(network.regress)

    def train(self, mode: bool = True) -> TrainingStep:
        """A frozen backbone keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.network.backbone.eval()
        return self

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Terms by name; their sum is the loss. Under autocast the loss itself stays in full precision."""
        network = self.network
        maps = self.maps(network.normalize(batch.images))
        if isinstance(self.loss, PublishedLoss):
            features = network.sample(maps)
            mesh = self.regress(features)
        else:
            features = network.sample(maps, batch.heatmap_targets(network.config.heatmap_size))
            mesh = self.regress(features, upsample=False)
        with torch.autocast(batch.images.device.type, enabled=False):
            terms: dict[str, Tensor] = self.loss(mesh, features, batch)
        return terms


def _can_compile() -> bool:
    """torch.compile looks for a C++ compiler at the first step only, and fails without one."""
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        get_cpp_compiler()
    except (RuntimeError, OSError):
        logger.warning("There is no C++ compiler: the training goes on uncompiled, and slower.")
        return False
    return True


def make_step(recipe: Recipe, scene: Scene) -> TrainingStep:
    """Network and loss before they have learnt anything. Raises UserError."""
    torch.manual_seed(recipe.seed)
    config = recipe.network_config()
    body, hierarchy = scene.bodies.neutral, scene.hierarchy
    if (config.num_vertices, config.num_joints) != (hierarchy.num_coarse, len(body.keypoint_names)):
        raise UserError(
            f"{config.name} regresses {config.num_vertices} vertices and {config.num_joints} joints; "
            f"this body has {hierarchy.num_coarse} and {len(body.keypoint_names)}."
        )
    network = built(config, hierarchy, "`changes`")
    if isinstance(network.decoders, LiteDecoders):
        network.backbone.load_state_dict(shipped_state(config))
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.backbone.requires_grad_(not recipe.freeze_backbone)
    if recipe.loss == "lite":
        if not isinstance(network.decoders, LiteDecoders):
            raise UserError(f"{config.name} is trained with the published loss: set loss=published.")
        return TrainingStep(
            network, LiteLoss(hierarchy, body.keypoint_regressor.numpy()), frozen=recipe.freeze_backbone
        )
    loss = PublishedLoss(hierarchy, body)
    return TrainingStep(network, loss, frozen=recipe.freeze_backbone)


def begin(step: TrainingStep, recipe: Recipe, scene: Scene, stream: TrainingStream, curves: Curves) -> None:
    """What a new run knows before its first step: other weights, or measured features and a lifter.

    Raises UserError when a file cannot be used.
    """
    network, config = step.network, step.network.config
    decoders = network.decoders
    if recipe.backbone is not None:
        if isinstance(decoders, LiteDecoders):
            raise UserError(f"{config.name} has no HRNet backbone to start from {recipe.backbone}.")
        init_backbone(network, load_backbone(recipe.backbone))
    if isinstance(decoders, LiteDecoders):
        if config.guide is not None and recipe.start is None:
            raise UserError(f"{config.name} starts from a trained network: name one with --start-from.")
        if decoders.deep is not None:
            decoders.deep.start_from(load_blazepose(variant_of(config.backbone)))
        if recipe.start is None:
            _begin_lite(step, recipe, scene, stream, curves)
    if recipe.start is not None:
        new = warm_start(network, recipe.start)
        if isinstance(decoders, LiteDecoders) and decoders.guide is not None and GUIDE in new:
            decoders.guide.measure(_maps_of(network, next(stream.batches(0, MEASURED, workers=0))))


def _begin_lite(
    step: TrainingStep, recipe: Recipe, scene: Scene, stream: TrainingStream, curves: Curves
) -> None:
    """Fixed standardisation of the frozen features, the mean body, and the lifter's landmarks."""
    network = step.network
    assert isinstance(network.decoders, LiteDecoders)
    batch = next(stream.batches(0, MEASURED, workers=0))
    network.decoders.measure(_maps_of(network, batch))
    if network.lifter is None:
        return
    labelled = batch.weight3d > 0
    if bool(labelled.any()):
        mean = torch.cat([batch.joints3d[labelled].mean(0), batch.vertices[labelled].mean(0)])
        network.lifter.start_from(mean)
    source = _landmarks(step, recipe, scene, stream)
    if source is not None and isinstance(step.loss, LiteLoss) and recipe.lifter_steps:
        pretrain(network.lifter, step.loss, source, curves, recipe.lifter_steps)


@torch.no_grad()
def _maps_of(network: PointHMR, batch: Batch) -> BlazePoseOutput:
    """What the frozen network makes of a batch."""
    maps: BlazePoseOutput = network.backbone.eval()(network.normalize(batch.images))
    return maps


@torch.no_grad()
def _landmarks(step: TrainingStep, recipe: Recipe, scene: Scene, stream: TrainingStream) -> Source | None:
    """What the lifter is taught: landmarks of poses, else those that are found in training pictures."""
    if recipe.motion is not None:
        body, bodies = scene.bodies.neutral, recipe.lifter_bodies
        return LandmarkGenerator(recipe.motion, body, scene.hierarchy, bodies=bodies, seed=recipe.seed).batch
    parts = recipe.lifter_pictures // MEASURED
    if not parts:
        return None
    network, config = step.network, step.network.config
    backbone = freeze_backbone(network.backbone.eval(), config.image_size, MEASURED)
    batches = list(itertools.islice(stream.batches(0, MEASURED, workers=0), parts))
    found = []
    for batch in batches:
        maps = backbone(network.normalize(batch.images))
        assert isinstance(maps, BlazePoseOutput)
        found.append(landmark_tokens(maps, config.image_size, config.num_landmarks))
    together = Batch(
        torch.empty(0), *(torch.cat(rows) for rows in zip(*(b[1:] for b in batches), strict=True))
    )
    return source_of_pictures(torch.cat(found), together, recipe.seed)


def open_sets(specs: tuple[DatasetSpec, ...], scene: Scene, seed: int, *, full: bool = True) -> list[Dataset]:
    """Every set of a recipe, in its order, with full or coarse meshes."""
    return [open_dataset(spec, scene.bodies, scene.hierarchy, seed, full=full) for spec in specs]


def make_stream(recipe: Recipe, scene: Scene, size: int) -> tuple[TrainingStream, int]:
    """The endless stream of a recipe's training sets, and how many samples they hold.

    The lite loss looks at the coarse mesh only: nothing else is made for it.
    """
    if not recipe.train:
        raise UserError(
            "Training needs pictures: name sets as [[train]] in the settings, "
            "or give --real, --rendered or --appearance a folder."
        )
    full = recipe.loss == "published"
    sets = open_sets(recipe.train, scene, recipe.seed, full=full)
    mirror = mirror_map(scene.bodies.neutral) if full else scene.hierarchy.mirrored
    augmentation = AUGMENTATIONS[recipe.augmentation]
    shares = [spec.share for spec in recipe.train]
    stream = TrainingStream(sets, shares, size, augmentation, mirror, recipe.seed, recipe.looks)
    return stream, sum(len(dataset) for dataset in sets)


def make_optimizer(recipe: Recipe, network: PointHMR) -> torch.optim.Optimizer:
    """Adam as released, or AdamW whose decay leaves vectors and learned tokens alone.

    Each group knows its `share` of the learning rate.
    """
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            is_matrix = parameter.ndim > 1 and name not in ("token_positions", "joint_tokens")
            decay = recipe.weight_decay if is_matrix or recipe.optimizer == "adam" else 0.0
            share = recipe.deep_rate if name.startswith("decoders.deep.") else 1.0
            groups.setdefault((share, decay), []).append(parameter)
    described = [
        {"params": members, "share": share, "weight_decay": decay}
        for (share, decay), members in groups.items()
    ]
    if recipe.optimizer == "adam":
        return torch.optim.Adam(described, lr=recipe.learning_rate)
    return torch.optim.AdamW(described, lr=recipe.learning_rate, betas=(0.9, 0.98))


def run_manifest(recipe: Recipe, scene: Scene, world: int) -> dict[str, Any]:
    """What it takes to make this run again: settings, program, data, seeds."""
    return {
        "recipe": recipe.to_dict(),
        "network": recipe.network_config().to_json(),
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
