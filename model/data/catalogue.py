"""The datasets that a run may name, each opened the same way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import assets
from model.data.crops import CropsDataset
from model.data.freihand import FreihandDataset
from model.data.kinds import KINDS, OUR_BODY, Kind
from model.data.lspet import LspetDataset
from model.data.manifest import ManifestDataset
from model.data.meshes import CoarseMeshes, FullMeshes
from model.data.metro import MetroDataset
from model.data.people import Bodies
from model.data.pw3d import Pw3dDataset
from model.data.rendered import RenderedDataset
from model.data.sample import Dataset
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.hierarchy import Hierarchy


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """One dataset by its files."""

    kind: Kind
    path: Path
    """A YAML file (metro) or a folder."""
    part: str = "train"
    """train or val; or the set's own name: validation, test (3dpw), training, evaluation (freihand)."""
    share: float = 1.0
    """Of the training stream, relative to the other sets."""
    motion: Path | None = None
    """poses.npz, for synthetic people; None: the mixture of poses that ships."""
    gendered: bool = False
    """Pose the body of each label's gender (metro)."""


_PARTS: dict[str, dict[str, str]] = {
    "3dpw": {"train": "train", "val": "validation", "validation": "validation", "test": "test"},
    "freihand": {
        **{"train": "training", "training": "training"},
        **{"val": "evaluation", "test": "evaluation", "evaluation": "evaluation"},
    },
}


def open_dataset(
    spec: DatasetSpec, bodies: Bodies, hierarchy: Hierarchy, seed: int = 0, *, full: bool = True
) -> Dataset:
    """The dataset, labelled with full (or else coarse) meshes of `bodies`.

    Raises UserError when a file cannot be used.
    """
    if spec.kind in OUR_BODY and bodies.neutral.kind != "free":
        raise UserError(f"The set {spec.path} shows the free body: it cannot teach or judge another one.")
    part = _PARTS.get(spec.kind, {"train": "train", "val": "val", "test": "val"}).get(spec.part)
    if part is None:
        raise UserError(f"The set {spec.path} has no part {spec.part!r}.")
    dataset = _opened(spec, part, bodies, hierarchy, seed, full)
    if len(dataset) == 0:
        raise UserError(f"The set {spec.path} is empty.")
    return FullMeshes(dataset, hierarchy) if full else CoarseMeshes(dataset, hierarchy)


def distinct(names: Sequence[str]) -> list[str]:
    """Names of sets that all differ: the second "coco" becomes "coco-2"."""
    given: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        given.append(next(one for one in itertools.chain([name], numbered) if one not in given))
    return given


def _opened(
    spec: DatasetSpec, part: str, bodies: Bodies, hierarchy: Hierarchy, seed: int, full: bool
) -> Dataset:
    path = spec.path
    half: Literal["train", "val"] = "val" if part == "val" else "train"
    match spec.kind:
        case "metro":
            return MetroDataset(path, bodies, gendered=spec.gendered)
        case "3dpw":
            return Pw3dDataset(path, part, bodies)  # type: ignore[arg-type]
        case "freihand":
            return FreihandDataset(path, part, bodies)  # type: ignore[arg-type]
        case "manifest":
            return _manifest(path, bodies, hierarchy)
        case "synthetic":
            motion = spec.motion or assets.POSES
            return SyntheticDataset(path, motion, half, bodies.neutral, hierarchy, seed, full=full)
        case "crops":
            if half == "train":
                raise UserError(f"The crops in {path} are for validation: there is no part to train on.")
            return CropsDataset(path, bodies.neutral)
        case "rendered":
            return RenderedDataset(path, half, bodies.neutral, hierarchy)
        case "lspet":
            return LspetDataset(path, half, bodies.neutral, hierarchy)
        case _:
            raise UserError(f"There is no kind of dataset {spec.kind!r}; there are {', '.join(KINDS)}.")


def _manifest(path: Path, bodies: Bodies, hierarchy: Hierarchy) -> Dataset:
    dataset = ManifestDataset(path)
    if dataset.head.body != bodies.neutral.kind:
        raise UserError(f"The set {path} is of a {dataset.head.body} body, not {bodies.neutral.kind}.")
    if dataset.head.vertices not in (hierarchy.num_fine, hierarchy.num_coarse):
        raise UserError(f"The set {path} has {dataset.head.vertices} vertices, not {hierarchy.num_fine}.")
    return dataset
