"""What a run does, in one frozen record: recipes by name, TOML files over them, single values over those."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from model.config import NetworkConfig, preset
from model.data.augment import (
    FINE_AUGMENTATION,
    HAND_AUGMENTATION,
    LITE_AUGMENTATION,
    NO_AUGMENTATION,
    PUBLISHED_AUGMENTATION,
    Augmentation,
)
from model.data.catalogue import DatasetSpec
from model.errors import UserError

AUGMENTATIONS: dict[str, Augmentation] = {
    "published": PUBLISHED_AUGMENTATION,
    "hand": HAND_AUGMENTATION,
    "lite": LITE_AUGMENTATION,
    "fine": FINE_AUGMENTATION,
    "none": NO_AUGMENTATION,
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One run but for its output folder."""

    network: str = "body-hrnet-w32"
    """A preset of model.config."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the preset that are different here."""
    start: str | None = None
    """A network (name or file) to start from: fine-tuning."""
    backbone: str | None = None
    """An HRNet backbone (name or file) to start from."""
    body: Path | None = None
    """SMPL or MANO; the free body when None."""
    male: Path | None = None
    female: Path | None = None
    train: tuple[DatasetSpec, ...] = ()
    validation: tuple[DatasetSpec, ...] = ()
    loss: Literal["published", "lite"] = "published"
    augmentation: str = "published"
    looks: int = 1
    """Crops that are cut from each picture: drawing one takes longer than learning from it twice."""
    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-5
    deep_rate: float = 1.0
    """Of the learning rate, for a trained copy of BlazePose's deeper levels: it knows much already."""
    weight_decay: float = 0.0
    batch_size: int = 12
    """Of one process, between two steps of the optimizer."""
    accumulate: int = 1
    """Parts that a batch is computed in."""
    epochs: int = 50
    epoch_samples: int | None = None
    """Samples that count as an epoch; all samples of the sets when None."""
    schedule: Literal["drop", "cosine"] = "drop"
    drop_at: float = 0.5
    """Share of the epochs after which the learning rate falls (drop)."""
    drop_to: float = 0.1
    """What is left of the learning rate then, or at the end (cosine)."""
    warm_up: int = 0
    """Steps until the learning rate is reached."""
    ema: float | None = None
    """Decay of the averaged network that is evaluated and kept; None: the network itself."""
    clip: float | None = None
    """Largest norm of the gradient."""
    amp: bool = False
    """Half precision: float16 with loss scaling on graphics cards, bfloat16 on CPUs."""
    sync_bn: bool = True
    freeze_backbone: bool = False
    compile: bool = False
    """Whether torch.compile fuses the regressor, on one process (the rest gains nothing by it)."""
    motion: Path | None = None
    """poses.npz, from which a lifter is taught landmarks without pictures before a new run."""
    lifter_pictures: int = 0
    """Training pictures from whose landmarks the lifter is taught where there is no `motion`."""
    lifter_steps: int = 2000
    lifter_bodies: int = 12_000
    """Posed bodies behind the endless landmarks."""
    workers: int = 4
    seed: int = 0
    checkpoint_steps: int = 500
    evaluate_epochs: int = 1
    evaluate_limit: int | None = None
    """Only so many pictures of each validation set."""
    stop_after: int | None = None
    """Steps after which this part of the run ends, with the schedule as it is."""

    def network_config(self) -> NetworkConfig:
        """The preset with the changes. Raises UserError for a field that there is not."""
        config = preset(self.network)
        known = {f.name for f in dataclasses.fields(NetworkConfig)}
        unknown = [name for name in self.changes if name not in known]
        if unknown:
            raise UserError(f"A network has no {unknown[0]!r}.")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in self.changes.items()}
        return dataclasses.replace(config, **values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the run's manifest."""
        return plain(dataclasses.asdict(self))


EPOCH_SAMPLES = 10_000
"""Of the lite recipe, whose pictures have no end: samples between two evaluations."""


def with_samples(given: Recipe, samples: int) -> Recipe:
    """The recipe over so many samples in all, in epochs of about the same length. Raises UserError."""
    if samples < 1:
        raise UserError("A run sees at least one sample.")
    epochs = max(1, round(samples / EPOCH_SAMPLES))
    return dataclasses.replace(given, epochs=epochs, epoch_samples=max(1, samples // epochs))


RECIPES: dict[str, Recipe] = {
    # The released scripts: Adam at 1e-5, 12 pictures a card on two cards, x 0.1 at half of the epochs (50 in
    # the supplement, 60 in the script). On 3DPW five epochs at 1e-4, x 0.1 for the last two.
    "published": Recipe(),
    "published-3dpw": Recipe(epochs=5, learning_rate=1e-4, drop_at=0.6),
    "lite": Recipe(
        network="body-lite",
        loss="lite",
        augmentation="lite",
        optimizer="adamw",
        learning_rate=1.2e-3,
        deep_rate=0.3,
        weight_decay=0.02,
        batch_size=16,
        epochs=7,
        epoch_samples=EPOCH_SAMPLES,
        schedule="cosine",
        drop_to=0.02,
        warm_up=100,
        ema=0.998,
        clip=1.0,
        amp=True,
        sync_bn=False,
        freeze_backbone=True,
        compile=True,
        workers=1,
        checkpoint_steps=200,
        evaluate_limit=128,
    ),
    "hand": Recipe(network="hand-hrnet-w32", augmentation="hand", batch_size=16),
}


_HINTS = get_type_hints(Recipe)


def recipe(name: str) -> Recipe:
    """The recipe of this name; raises UserError with the names that exist."""
    if name not in RECIPES:
        raise UserError(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def read_recipe(base: Recipe, path: Path | None, overrides: Sequence[str] = ()) -> Recipe:
    """`base`, changed by a TOML file, then by NAME=VALUE texts. Raises UserError naming what is wrong.

    The file's own `recipe = "NAME"` replaces `base`. Paths in it count from its folder; sets are tables
    [[train]] and [[validation]] with kind, path, part, share, motion, gendered; network changes [changes].
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UserError(f"The settings in {path} cannot be read: {error}.") from error
        base = recipe(str(values.pop("recipe"))) if "recipe" in values else base
    changed = _applied(base, values, path.parent if path else Path())
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"A setting is NAME=VALUE, such as epochs=10: not {text!r}.")
        changed = _applied(changed, _parsed(name.strip(), value.strip()), Path())
    return _checked(changed)


def _parsed(name: str, value: str) -> dict[str, Any]:
    """NAME=VALUE as TOML; a value that is none is a text. A dotted name is a field of a table."""
    outer, _, inner = name.partition(".")
    try:
        parsed: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    return {outer: {inner: parsed}} if inner else {outer: parsed}


def _applied(base: Recipe, values: Mapping[str, Any], folder: Path) -> Recipe:
    fields = {f.name: f for f in dataclasses.fields(Recipe)}
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise UserError(f"A recipe has no setting {name!r}; it has {', '.join(fields)}.")
        changes[name] = _converted(name, value, base, folder)
    return dataclasses.replace(base, **changes)


def _converted(name: str, value: Any, base: Recipe, folder: Path) -> Any:
    if name in ("train", "validation"):
        if not isinstance(value, list):
            raise UserError(f"`{name}` is a list of sets.")
        return tuple(_spec(each, folder, "train" if name == "train" else "val") for each in value)
    if name == "changes":
        if not isinstance(value, Mapping):
            raise UserError(f"`changes` is a table of the network's values, not {value!r}.")
        return dict(base.changes) | dict(value)
    hint = _HINTS[name]
    options = get_args(hint) or (hint,)
    if Path in options:
        return folder / str(value)
    if float in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    literals = get_args(hint) if get_origin(hint) is Literal else ()
    if value in literals if literals else type(value) in options:
        return value
    if literals:
        raise UserError(f"`{name}` is one of {', '.join(literals)}, not {value!r}.")
    kinds = " or ".join(kind.__name__ for kind in options if kind is not NoneType)
    raise UserError(f"`{name}` is a {kinds}, not {value!r}.")


def _spec(value: Any, folder: Path, part: str) -> DatasetSpec:
    try:
        fields: dict[str, Any] = {"part": part} | dict(value)
        paths = {key: folder / str(fields[key]) for key in ("path", "motion") if fields.get(key) is not None}
        share = float(fields.get("share", 1.0))
        return DatasetSpec(**(fields | paths | {"share": share}))
    except (TypeError, ValueError) as error:
        raise UserError(f"A set has kind, path, part, share, motion and gendered: not {value!r}.") from error


def _checked(given: Recipe) -> Recipe:
    given.network_config()
    if given.augmentation not in AUGMENTATIONS:
        raise UserError(f"`augmentation` is one of {', '.join(AUGMENTATIONS)}, not {given.augmentation!r}.")
    if given.batch_size < 1 or given.accumulate < 1 or given.batch_size % given.accumulate:
        raise UserError("`batch_size` is a multiple of `accumulate`, and both are at least 1.")
    if min(given.epochs, given.looks, given.checkpoint_steps) < 1 or not given.learning_rate > 0:
        raise UserError("`epochs`, `looks`, `learning_rate` and `checkpoint_steps` are more than 0.")
    if given.seed < 0 or given.warm_up < 0:
        raise UserError("`seed` and `warm_up` are no negative numbers.")
    for sets in (given.train, given.validation):
        shares = [spec.share for spec in sets]
        if any(not 0 <= share < math.inf for share in shares) or (sets and not sum(shares)):
            raise UserError("The `share` of a set is no negative number, and one of them is more than 0.")
    if given.evaluate_epochs < 1 or given.workers < 0 or not 0 <= (given.ema or 0) < 1:
        raise UserError("`evaluate_epochs` is at least 1, `workers` at least 0, `ema` from 0 to below 1.")
    return given


def plain(value: Any) -> Any:
    """Mappings, lists, texts and numbers only."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value
