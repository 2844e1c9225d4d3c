"""Train by a recipe: the embedded model (`lite`, if nothing else is asked for), or like the paper.

Without any set, the embedded model is trained on people drawn from what ships. A recipe is changed by a TOML
file (--config), by the other options here, and last by --override. The same command goes on with a run that
was stopped. Started by torchrun, all its processes train together.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path

import assets
from model.data.catalogue import DatasetSpec
from model.data.mixture import Sources
from model.errors import UserError
from model.training.recipe import RECIPES, Recipe, read_recipe, recipe, with_samples
from model.training.run import train_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Recipe, sets, and the most useful settings; what is left out keeps the recipe's value."""
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="run folder; resumed if used"
    )
    parser.add_argument("--recipe", metavar="NAME", help=f"{', '.join(RECIPES)}; lite if left out")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML over the recipe: sets, bodies, values"
    )
    parser.add_argument(
        "--override", action="append", default=[], metavar="NAME=VALUE", help="one value over everything"
    )
    parser.add_argument("--real", type=Path, metavar="DIR", help="lspet_images.zip, lspet_labels.npz")
    parser.add_argument(
        "--real-share", type=float, metavar="SHARE", help="of the photographs, beside drawn people; 0.5"
    )
    parser.add_argument("--no-real", action="store_true", help="train without photographs")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="synthetic_images.zip, …_labels.npz")
    parser.add_argument(
        "--appearance",
        type=Path,
        nargs="?",
        const=assets.APPEARANCE,
        metavar="DIR",
        help="draw people, with these clothes, hair, panoramas; with those that ship, if no DIR is given",
    )
    parser.add_argument(
        "--motion",
        type=Path,
        metavar="FILE",
        help="poses.npz, to draw and for the lifter; else those that ship",
    )
    parser.add_argument("--preset", metavar="NAME", help="the network")
    parser.add_argument("--samples", type=int, metavar="N", help="how many samples the run sees in all")
    parser.add_argument("--batch-size", type=int, metavar="N", help="of each process")
    parser.add_argument("--learning-rate", type=float, metavar="RATE")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--start-from", metavar="NAME|FILE", help="take over the weights of this model")
    parser.add_argument("--no-compile", action="store_true", help="skip torch.compile (slower steps)")


def run(options: argparse.Namespace) -> int:
    """Start, or go on with, a run."""
    logging.getLogger().setLevel(logging.INFO)
    train_recipe(chosen_recipe(options), options.output)
    sys.stdout.write(f"run: {options.output}\n")
    return 0


def chosen_recipe(options: argparse.Namespace) -> Recipe:
    """What is to be trained. Raises UserError naming the setting that is wrong."""
    usual = "published" if options.config is not None else "lite"
    chosen = read_recipe(recipe(options.recipe or usual), options.config)
    if options.no_real:
        train, validation = map(_without_photographs, (chosen.train, chosen.validation))
        chosen = dataclasses.replace(chosen, train=train, validation=validation)
    sources = chosen_sources(options, chosen)
    given = {
        "network": options.preset,
        "motion": options.motion or chosen.motion or (assets.POSES if sources.appearance else None),
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "seed": options.seed,
        "start": options.start_from,
        "compile": False if options.no_compile else None,
        "train": (*chosen.train, *sources.specs("train")),
        "validation": (*chosen.validation, *sources.specs("val")),
    }
    chosen = dataclasses.replace(
        chosen, **{name: value for name, value in given.items() if value is not None}
    )
    if options.samples is not None:
        chosen = with_samples(chosen, options.samples)
    return read_recipe(chosen, None, options.override)


def _without_photographs(sets: tuple[DatasetSpec, ...]) -> tuple[DatasetSpec, ...]:
    return tuple(spec for spec in sets if spec.kind != "lspet")


def chosen_sources(options: argparse.Namespace, recipe: Recipe) -> Sources:
    """The sets that are named; for the embedded model, where none is, people drawn from what ships.

    Raises UserError for a share of photographs that is none.
    """
    named = Sources(
        None if options.no_real else options.real, options.rendered, options.appearance, options.motion
    )
    if options.real_share is not None:
        if not 0 < options.real_share < 1:
            raise UserError("--real-share is a number between 0 and 1.")
        named = dataclasses.replace(named, real_share=options.real_share)
    nothing = not recipe.train and not any((named.real, named.rendered, named.appearance))
    if nothing and recipe.loss == "lite" and recipe.body is None:
        return dataclasses.replace(named, appearance=assets.APPEARANCE)
    return named
