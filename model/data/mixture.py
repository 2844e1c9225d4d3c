"""The datasets that a training run names, and how much of the stream each makes up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from model.body import BodyModel
from model.data.lspet import LspetDataset
from model.data.rendered import RenderedDataset
from model.data.sample import Dataset
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.hierarchy import Hierarchy

Part = Literal["train", "val"]
Maker = Callable[[Part], Dataset]


@dataclass(frozen=True)
class Sources:
    """Where pictures come from; what is None is left out."""

    real: Path | None = None
    """Folder of LspetDataset."""
    rendered: Path | None = None
    """Folder of RenderedDataset."""
    appearance: Path | None = None
    """Folder of SyntheticDataset, which also needs `motion`."""
    motion: Path | None = None
    """poses.npz."""
    real_share: float = 0.5
    """Of the stream."""
    rendered_share: float = 0.2
    """Of what is not real, where both `rendered` and `appearance` are given."""


@dataclass(frozen=True)
class Ingredient:
    """One dataset in both parts, and its share of the stream (relative to the others')."""

    train: Dataset
    validation: Dataset
    share: float


def open_sources(sources: Sources, body: BodyModel, hierarchy: Hierarchy, seed: int) -> list[Ingredient]:
    """Open everything that has a share; raises UserError when nothing is named or a file is unusable."""
    makers: list[tuple[float, Maker]] = []
    real, rendered, appearance, motion = sources.real, sources.rendered, sources.appearance, sources.motion
    rest = 1 - sources.real_share
    if real is not None:
        makers.append((sources.real_share, lambda part: LspetDataset(real, part, body, hierarchy)))
    if rendered is not None:
        share = rest if appearance is None else rest * sources.rendered_share
        makers.append((share, lambda part: RenderedDataset(rendered, part, body, hierarchy)))
    if appearance is not None:
        if motion is None:
            raise UserError("Synthetic people need poses: give --motion a file.")
        poses = motion
        share = rest if rendered is None else rest * (1 - sources.rendered_share)
        makers.append((share, lambda part: SyntheticDataset(appearance, poses, part, body, hierarchy, seed)))
    opened = [Ingredient(make("train"), make("val"), share) for share, make in makers if share > 0]
    if not opened:
        raise UserError("Training needs pictures: give --real, --rendered or --appearance a folder.")
    return opened
