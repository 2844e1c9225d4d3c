"""Train: the embedded model from folders of data, or any recipe (--recipe, --config) like the paper.

Resumable, with progress. Recipes run on one process or, started by torchrun, on many.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from model.train import TrainSettings, train
from model.training.recipe import RECIPES, read_recipe, recipe
from model.training.run import train_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Folders and the most useful settings; the others keep the recipe's values."""
    default = TrainSettings(output=Path())
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="run folder; resumed if used"
    )
    parser.add_argument("--recipe", metavar="NAME", help=f"like the paper: {', '.join(RECIPES)}")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML over the recipe: sets, bodies, values"
    )
    parser.add_argument(
        "--override", action="append", default=[], metavar="NAME=VALUE", help="one value over both"
    )
    parser.add_argument("--preset", default=default.preset)
    parser.add_argument("--real", type=Path, metavar="DIR", help="lspet_images.zip, lspet_labels.npz")
    parser.add_argument("--no-real", action="store_true", help="train without photographs")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="synthetic_images.zip, …_labels.npz")
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="poses.npz, for the lifter and drawing")
    parser.add_argument("--samples", type=int, default=default.samples)
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--start-from", metavar="NAME|FILE", help="take over the weights of this model")
    parser.add_argument("--no-compile", action="store_true", help="skip torch.compile (slower steps)")


def run(options: argparse.Namespace) -> int:
    """Start, or go on with, a run."""
    logging.getLogger().setLevel(logging.INFO)
    if options.recipe is not None or options.config is not None:
        chosen = read_recipe(recipe(options.recipe or "published"), options.config, options.override)
        train_recipe(chosen, options.output)
        sys.stdout.write(f"run: {options.output}\n")
        return 0
    settings = TrainSettings(
        output=options.output,
        preset=options.preset,
        real=None if options.no_real else options.real,
        rendered=options.rendered,
        appearance=options.appearance,
        motion=options.motion,
        samples=options.samples,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        seed=options.seed,
        start_from=options.start_from,
        compile=not options.no_compile,
    )
    train(settings)
    sys.stdout.write(f"weights: {settings.output / 'weights.safetensors'}\n")
    return 0
