"""Random adults: the base mesh plus weighted MakeHuman targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from assets.build.body.makehuman import MakeHuman

RACES = ("african", "asian", "caucasian")
MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS = ("minweight", "averageweight", "maxweight")
HEIGHTS = ("minheight", "maxheight")
PROPORTIONS = ("idealproportions", "uncommonproportions")
CUPS = ("mincup", "averagecup", "maxcup")

HEAVIEST = {"female": 1.8, "male": 1.4}
"""Weight is extrapolated this far: MakeHuman's own heaviest adult (1.0) has a BMI of only 22 or 23."""


@dataclass(frozen=True)
class Targets:
    """The targets of adults. A target's weight is the product of the weights of its traits."""

    traits: list[tuple[str, ...]]
    offsets: np.ndarray
    """(K, 19158, 3) float32, metres."""


def _target_names() -> Iterator[tuple[str, tuple[str, ...]]]:
    for sex, age in product(("male", "female"), ("young", "old")):
        for race in RACES:
            yield f"macrodetails/{race}-{sex}-{age}", (race, sex, age)
        for muscle, weight in product(MUSCLES, WEIGHTS):
            traits = (sex, age, muscle, weight)
            stem = "-".join(traits)
            yield f"macrodetails/universal-{stem}", traits
            for height in HEIGHTS:
                yield f"macrodetails/height/{stem}-{height}", (*traits, height)
            for proportion in PROPORTIONS:
                yield f"macrodetails/proportions/{stem}-{proportion}", (*traits, proportion)
            for cup in CUPS if sex == "female" else ():
                yield f"breast/{stem}-{cup}-averagefirmness", (*traits, cup)


def read_targets(source: MakeHuman) -> Targets:
    """All targets that shape an adult (228 of them)."""
    traits, offsets = [], []
    for name, parts in _target_names():
        offset = source.target(name)
        if offset is not None:
            traits.append(parts)
            offsets.append(offset.astype(np.float32))
    return Targets(traits, np.stack(offsets))


def _three_way(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of a trait's minimum, average and maximum for x in 0..1; beyond 1 it extrapolates."""
    return np.clip(1 - 2 * x, 0, 1), 1 - np.abs(2 * x - 1), np.clip(2 * x - 1, 0, None)


def _random_traits(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Trait name to its (count,) weight. Sexes are mostly distinct, with some people in between."""
    is_male = rng.random(count) < 0.5
    male = np.where(is_male, 1 - rng.beta(1.2, 12, count), rng.beta(1.2, 12, count))
    old = rng.beta(1.2, 2.2, count)
    muscle = rng.beta(2.5, 2.5, count)
    weight = rng.beta(2.2, 2.2, count) * np.where(is_male, HEAVIEST["male"], HEAVIEST["female"])
    z = rng.standard_normal(count)
    height = np.clip(0.5 + np.where(z < 0, 0.096, 0.05) * z, 0, 1)
    proportion = rng.beta(4, 4, count)
    cup = rng.beta(4, 4, count)
    race = rng.dirichlet([0.6, 0.6, 0.6], count)

    traits = {"male": male, "female": 1 - male, "young": 1 - old, "old": old}
    for names, value in ((MUSCLES, muscle), (WEIGHTS, weight), (CUPS, cup)):
        traits.update(zip(names, _three_way(value), strict=True))
    # MakeHuman moves nothing at one half and applies a whole target at either end.
    traits["minheight"], traits["maxheight"] = np.clip(1 - 2 * height, 0, 1), np.clip(2 * height - 1, 0, 1)
    traits["uncommonproportions"] = np.clip(1 - 2 * proportion, 0, 1)
    traits["idealproportions"] = np.clip(2 * proportion - 1, 0, 1)
    traits.update(zip(RACES, race.T, strict=True))
    return traits


def random_adults(targets: Targets, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, K) float32: the weight of each target in each random adult."""
    values = _random_traits(count, rng)
    weights = [np.prod([values[trait] for trait in traits], axis=0) for traits in targets.traits]
    return np.stack(weights, axis=1).astype(np.float32)


def mean_adult(base_vertices: np.ndarray, targets: Targets, count: int = 3000) -> np.ndarray:
    """(19158, 3) float64: the mean of random adults, in the A-pose."""
    weights = random_adults(targets, count, np.random.default_rng(0))
    return base_vertices + np.einsum("k,kvi->vi", weights.mean(axis=0), targets.offsets)
