"""Look at training data, and convert it.

`sheet` draws synthetic crops, each without and with its labels; `convert` writes any dataset in our own form
(a manifest: model/data/manifest.py); `fit` fits bodies to pictures with annotated joints (COCO, MPII, LSP, or
a manifest) and writes a folder for `pointhmr train --real` and `--set lspet:`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

import assets
from app.commands.dataset_fit import add_fit_arguments, chosen, fit
from app.commands.sets import add_set_arguments, load_bodies
from model.body import load_body
from model.cv import cv2
from model.data.augment import NO_AUGMENTATION, crop_sample
from model.data.catalogue import open_dataset
from model.data.manifest import write_manifest
from model.data.pictures import write_picture
from model.data.sample import Sample
from model.data.synthetic import ENDLESS, SyntheticDataset
from model.errors import UserError
from model.hierarchy import load_hierarchy

SIZE = 256
CROPS = 24
"""On a sheet, if nobody says how many."""
LIMBS = (
    (0, 1),
    (1, 2),
    (6, 7),
    (7, 8),
    (3, 4),
    (4, 5),
    (9, 10),
    (10, 11),
    (2, 3),
    (8, 9),
    (2, 8),
    (3, 9),
    (12, 13),
)
RIGHT, LEFT, MIDDLE = (235, 90, 70), (70, 200, 110), (90, 160, 240)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to draw, from which files."""
    parser.add_argument("what", choices=("sheet", "convert", "fit"))
    parser.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="picture (.png, .jpg), or folder to write"
    )
    parser.add_argument(
        "--appearance",
        type=Path,
        default=assets.APPEARANCE,
        metavar="DIR",
        help="sheet: clothes, hair, panoramas; those that ship, if left out",
    )
    add_set_arguments(parser)
    parser.add_argument("--body", type=Path, metavar="FILE", help="convert: your SMPL or MANO (.pkl or .npz)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="number of the first crop or person"
    )
    parser.add_argument(
        "--count", type=int, metavar="N", help=f"how many; if left out, {CROPS} on a sheet, else all"
    )
    add_fit_arguments(parser)
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> int:
    """Write the sheet or the folder."""
    return {"sheet": draw, "convert": convert, "fit": fit}[options.what](options)


def convert(options: argparse.Namespace) -> int:
    """One dataset as a manifest; rows that cannot be read are told and counted."""
    if len(options.sets or ()) != 1:
        raise UserError("Convert one dataset at a time: give --set KIND:PATH once.")
    wanted = chosen(options)
    bodies, mesh = load_bodies(options.body, options.male, options.female)
    spec = replace(
        options.sets[0], part=options.part or "train", motion=options.motion, gendered=options.gendered
    )
    dataset = open_dataset(spec, bodies, mesh.hierarchy, options.seed)
    if wanted.stop is None and len(dataset) == ENDLESS:
        raise UserError("Drawn people have no end: say by --count how many.")
    numbers = tqdm(range(len(dataset))[wanted], disable=not sys.stderr.isatty())
    written, left_out = write_manifest(options.output, dataset, numbers, bodies.neutral.kind)
    sys.stdout.write(f"{options.output}: {written} people, {left_out} left out\n")
    return 0


def draw(options: argparse.Namespace) -> int:
    """Write the sheet."""
    count = CROPS if options.count is None else options.count
    if count < 1 or options.first < 0 or options.seed < 0:
        raise UserError("A sheet shows at least one crop; --first and --seed are no negative numbers.")
    if not cv2.haveImageWriter(str(options.output)):
        raise UserError(f"{options.output.name} names no kind of picture: call it .png or .jpg.")
    part: Literal["train", "val"] = "val" if options.part == "val" else "train"
    if options.part not in (None, "train", "val"):
        raise UserError("Synthetic people have the parts train and val.")
    hierarchy = load_hierarchy()
    motion = options.motion or assets.POSES
    dataset = SyntheticDataset(options.appearance, motion, part, load_body(), hierarchy, options.seed)
    mirrored = np.arange(hierarchy.num_coarse)
    rng = np.random.default_rng(0)
    samples = [
        crop_sample(dataset[options.first + i], SIZE, NO_AUGMENTATION, rng, mirrored) for i in range(count)
    ]
    write_picture(options.output, sheet(samples))
    sys.stdout.write(f"{options.output}: {len(samples)} crops\n")
    return 0


def sheet(samples: list[Sample], columns: int = 4) -> np.ndarray:
    """Crops in rows, each beside itself with its labels: (h, w, 3) uint8 RGB."""
    pairs = [np.hstack([sample.image, labelled(sample)]) for sample in samples]
    pairs += [np.zeros_like(pairs[0])] * (-len(pairs) % columns)
    rows = [np.hstack(pairs[start : start + columns]) for start in range(0, len(pairs), columns)]
    return np.vstack(rows)


def labelled(sample: Sample) -> np.ndarray:
    """The picture with its coarse vertices and limbs; the person's right is red, their left green."""
    image = sample.image.copy()
    for x, y in sample.vertices2d:
        cv2.circle(image, (round(float(x)), round(float(y))), 1, (250, 220, 60), -1)
    joints = np.clip(np.round(sample.joints2d[:, :2]), -2000, 2000).astype(int).tolist()
    for number, (start, end) in enumerate(LIMBS):
        colour = RIGHT if number < 4 else LEFT if number < 8 else MIDDLE
        cv2.line(image, joints[start], joints[end], colour, 2, cv2.LINE_AA)
    return image
