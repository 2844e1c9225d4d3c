"""Train the lite network over a frozen backbone: from other weights, or from a lifter made without pictures.

Resumable at any checkpoint: the stream of samples, the schedule and the optimizer go on where they stopped.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from model.blazepose import BlazePose, BlazePoseOutput, load_blazepose
from model.body import BodyModel, load_body
from model.checkpoint import TrainingState, load_state, save_state, save_weights
from model.config import preset
from model.data.augment import LITE_AUGMENTATION
from model.data.landmarks import LandmarkGenerator
from model.data.mixture import Sources, open_sources
from model.data.sample import Batch, Dataset, HeatmapTargets
from model.data.stream import TrainingStream
from model.decoders import LiteDecoders
from model.errors import UserError
from model.evaluate import evaluate_crops
from model.frozen import freeze_backbone
from model.guided import GuidedBlazePose, shipped_state, variant_of
from model.hierarchy import Hierarchy, load_hierarchy
from model.lifter import FirstMesh
from model.losses import LiteLoss
from model.machine import cpu_has_bfloat16
from model.pointhmr import Features, Mesh, PointHMR
from model.warm_start import warm_start

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """One training run."""

    output: Path
    """Folder of the run: log.jsonl, state.pt, weights.safetensors."""
    real: Path | None = None
    """Folder of LspetDataset."""
    rendered: Path | None = None
    """Folder of RenderedDataset."""
    appearance: Path | None = None
    """Clothes, hair and panoramas of SyntheticDataset, which also needs `motion`."""
    motion: Path | None = None
    """poses.npz for the lifter's pretraining and for SyntheticDataset."""
    preset: str = "body-lite"
    start_from: str | Path | None = None
    """A model or weight file whose tensors are taken over where they fit; no lifter is pretrained."""
    samples: int = 70_000
    """Samples after which the learning rate has come down to its end."""
    lifter_steps: int = 2000
    batch_size: int = 8
    learning_rate: float = 1.2e-3
    deep_rate: float = 0.3
    """Of the learning rate, for the copy of the backbone's deeper levels: it knows much already."""
    weight_decay: float = 0.02
    warm_up: int = 100
    """Steps until the learning rate is reached."""
    ema: float = 0.998
    clip: float = 1.0
    real_share: float = 0.5
    rendered_share: float = 0.2
    """Of what is not real, where both `rendered` and `appearance` are given."""
    checkpoint_minutes: float = 10.0
    evaluate_samples: int = 10_000
    """Samples between two evaluations on `evaluate_crops` crops of each validation set."""
    evaluate_crops: int = 128
    compile: bool = True
    """Whether torch.compile fuses the regressor (the rest gains nothing by it)."""
    workers: int = 1
    """Processes that make samples."""
    lifter_bodies: int = 12_000
    """Posed bodies behind the lifter's endless landmarks."""
    stop_after: int | None = None
    """Stop early, after this many samples, with the schedule as it is; the next run goes on."""
    seed: int = 0


class Trainer:
    """One run from its first step, or from its last checkpoint, to its end."""

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        settings.output.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(settings.seed)
        self.hierarchy: Hierarchy = load_hierarchy()
        self.body: BodyModel = load_body()
        self.network = PointHMR(preset(settings.preset), self.hierarchy)
        if not isinstance(self.network.backbone, (BlazePose, GuidedBlazePose)):
            raise UserError("Only presets over BlazePose are trained with a frozen backbone.")
        if self.network.config.guide is not None and settings.start_from is None:
            raise UserError(f"{settings.preset} starts from a trained network: name one with --start-from.")
        self.network.backbone.load_state_dict(shipped_state(self.network.config))
        self.network.backbone.requires_grad_(False).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = LiteLoss(self.hierarchy, self.body.keypoint_regressor.numpy())
        if self.hierarchy.mirrored is None:
            raise UserError("Training flips pictures: the hierarchy must know each vertex's mirror image.")
        self.mirrored = self.hierarchy.mirrored
        self.training, self.validation = self._datasets()
        self.state = TrainingState(step=0, seen=0)
        self.ema = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = self._optimizer()
        self.half = cpu_has_bfloat16()
        self._log = settings.output / "log.jsonl"

    def _datasets(self) -> tuple[TrainingStream, dict[str, Dataset]]:
        settings = self.settings
        sources = Sources(
            real=settings.real,
            rendered=settings.rendered,
            appearance=settings.appearance,
            motion=settings.motion,
            real_share=settings.real_share,
            rendered_share=settings.rendered_share,
        )
        opened = open_sources(sources, self.body, self.hierarchy, settings.seed)
        train, shares = [each.train for each in opened], [each.share for each in opened]
        size = self.network.config.image_size
        stream = TrainingStream(train, shares, size, LITE_AUGMENTATION, self.mirrored, settings.seed)
        return stream, {each.validation.name: each.validation for each in opened}

    def _optimizer(self) -> torch.optim.Optimizer:
        """Two groups for the network and two for the tuned levels: matrices decay, vectors do not."""
        settings = self.settings
        groups: dict[tuple[float, float], list[Tensor]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                is_matrix = parameter.ndim > 1 and name not in ("token_positions", "joint_tokens")
                share = settings.deep_rate if name.startswith("decoders.deep.") else 1.0
                groups.setdefault((share, settings.weight_decay * is_matrix), []).append(parameter)
        described = [
            {"params": members, "share": share, "weight_decay": decay}
            for (share, decay), members in groups.items()
        ]
        return torch.optim.AdamW(described, lr=settings.learning_rate, betas=(0.9, 0.98))

    def run(self) -> None:
        """Everything: pretrain, train, evaluate, save. Takes up an earlier run in the same folder."""
        if (self.settings.output / "state.pt").exists():
            self.state = load_state(self.settings.output / "state.pt", self.network, self.ema, self.optimizer)
            logger.info("resumed at %d samples", self.state.seen)
        else:
            self._prepare()
            self._save()
        self._train()
        self._evaluate()
        self._save()

    def _prepare(self) -> None:
        """Copy and measure the backbone's features; then other weights, or the mean body and the lifter."""
        decoders, lifter = self.network.decoders, self.network.lifter
        assert isinstance(decoders, LiteDecoders) and lifter is not None
        if decoders.deep is not None:
            decoders.deep.start_from(load_blazepose(variant_of(self.network.config.backbone)))
        if self.settings.start_from is not None:
            warm_start(self.network, self.settings.start_from)
        else:
            batch = next(self.training.batches(0, 32, workers=0))
            with torch.no_grad():
                decoders.measure(self.network.backbone(self.network.normalize(batch.images)))
            lifter.start_from(torch.cat([batch.joints3d.mean(0), batch.vertices.mean(0)]))
            if self.settings.motion is not None:
                self._pretrain_lifter(self.settings.motion)
        self.ema.load_state_dict(self.network.state_dict())

    def _pretrain_lifter(self, motion: Path) -> None:
        lifter = self.network.lifter
        assert lifter is not None
        settings = self.settings
        generator = LandmarkGenerator(
            motion, self.body, self.hierarchy, bodies=settings.lifter_bodies, seed=settings.seed
        )
        steps = settings.lifter_steps
        optimizer = torch.optim.AdamW(lifter.parameters(), lr=1e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps, pct_start=0.05)
        for step in tqdm(range(steps), desc="lifter", mininterval=5):
            landmarks, batch = generator.batch(128)
            terms = self.loss.first_terms(lifter(landmarks), batch)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            optimizer.step()
            schedule.step()
            if step % 250 == 0 or step == steps - 1:
                self._write({"lifter_step": step, **{k: round(v.item(), 4) for k, v in terms.items()}})

    def _train(self) -> None:
        settings, config = self.settings, self.network.config
        batches = self.training.batches(self.state.seen, settings.batch_size, settings.workers)
        assert isinstance(self.network.backbone, (BlazePose, GuidedBlazePose))
        self.backbone = freeze_backbone(self.network.backbone, config.image_size, settings.batch_size)
        self.regress = torch.compile(self.network.regress) if settings.compile else self.network.regress
        bar = tqdm(total=settings.samples, initial=self.state.seen, unit=" samples", mininterval=5)
        saved = time.monotonic()
        means: dict[str, float] = {}
        end = min(settings.samples, settings.stop_after or settings.samples)
        while self.state.seen < end:
            terms = self._step(next(batches))
            for name, value in terms.items():
                means[name] = 0.97 * means.get(name, value) + 0.03 * value
            bar.update(settings.batch_size)
            if self.state.step % 100 == 0:
                self._write({"seen": self.state.seen, **{k: round(v, 4) for k, v in means.items()}})
            if self.state.seen % settings.evaluate_samples < settings.batch_size:
                self._evaluate()
            if time.monotonic() - saved > 60 * settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        bar.close()

    def _forward(
        self, maps: BlazePoseOutput, targets: HeatmapTargets
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None, FirstMesh | None]:
        features = self.network.sample(maps, targets)
        mesh = self.regress(features, upsample=False)
        return mesh.joints, mesh.coarse, mesh.camera, features.heatmap_loss, mesh.first

    def _step(self, batch: Batch) -> dict[str, float]:
        """One step of the optimizer; returns the loss terms."""
        settings, config = self.settings, self.network.config
        self.network.train()
        self.network.backbone.eval()
        maps = self.backbone(self.network.normalize(batch.images))
        targets = batch.heatmap_targets(config.heatmap_size)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            joints, coarse, camera, heatmap_loss, first = self._forward(maps, targets)
        mesh = Mesh(joints.float(), coarse.float(), camera.float(), first=first)
        empty = torch.empty(0)
        terms = self.loss(mesh, Features(empty, empty, empty, heatmap_loss=heatmap_loss), batch)
        loss = torch.stack(list(terms.values())).sum()
        progress = min(1.0, self.state.seen / settings.samples)
        rate = settings.learning_rate * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * rate * min(1.0, (self.state.step + 1) / settings.warm_up)
        self.optimizer.zero_grad(set_to_none=True)
        if torch.isfinite(loss):
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
            self.optimizer.step()
        else:
            logger.warning("step %d left out: the loss is not finite", self.state.step)
        self.state = TrainingState(self.state.step + 1, self.state.seen + settings.batch_size)
        self._update_ema()
        return {name: value.item() for name, value in terms.items()}

    @torch.no_grad()
    def _update_ema(self) -> None:
        step = self.state.step
        decay = min(self.settings.ema, (1 + step) / (10 + step))
        trained = [(p, q) for p, q in zip(self.ema.parameters(), self.network.parameters(), strict=True)]
        pairs = [(p, q) for p, q in trained if q.requires_grad]
        torch._foreach_lerp_([p for p, _ in pairs], [q for _, q in pairs], 1 - decay)
        for mine, theirs in zip(self.ema.buffers(), self.network.buffers(), strict=True):
            mine.copy_(theirs)

    def _evaluate(self) -> None:
        """Errors of the averaged network on a part of each validation set."""
        settings = self.settings
        for name, dataset in self.validation.items():
            indices = range(min(settings.evaluate_crops, len(dataset)))
            result = evaluate_crops(
                self.ema,
                self.loss,
                dataset,
                indices,
                self.mirrored,
                backbone=self.backbone,
                batch_size=settings.batch_size,
            ).mean()
            entry = {"seen": self.state.seen, "evaluated": name}
            self._write(entry | {k: round(v, 4) for k, v in result.items()})

    def _save(self) -> None:
        save_state(self.settings.output / "state.pt", self.state, self.network, self.ema, self.optimizer)
        save_weights(self.settings.output / "weights.safetensors", self.ema)

    def _write(self, entry: dict[str, object]) -> None:
        with self._log.open("a") as log:
            log.write(json.dumps({"time": round(time.time(), 1), **entry}) + "\n")


def train(settings: TrainSettings) -> None:
    """Run (or resume) a training; the settings are kept beside its results."""
    settings.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items()}, indent=1
    )
    (settings.output / "settings.json").write_text(text + "\n")
    Trainer(settings).run()
