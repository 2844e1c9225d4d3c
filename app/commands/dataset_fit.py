"""`pointhmr dataset fit`: bodies for pictures with annotated joints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.blazepose import load_blazepose
from model.body import load_body
from model.data.fitted import fit_all
from model.data.keypoints import read_annotations
from model.errors import UserError
from model.pose_prior import load_pose_prior


def add_fit_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the annotation and its pictures are."""
    parser.add_argument(
        "--annotations", type=Path, metavar="FILE", help="fit: COCO's or MPII's .json, LSP's .mat, a manifest"
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="fit: the annotation's pictures")
    parser.add_argument(
        "--heavy", action="store_true", help="fit: BlazePose heavy, more exact and slower than full"
    )
    parser.add_argument("--batch", type=int, default=64, metavar="N", help="fit: people at once")


def chosen(options: argparse.Namespace) -> slice:
    """`--count` rows from `--first` on; all from there without `--count`, or with 0. Raises UserError."""
    if options.first < 0 or (options.count or 0) < 0:
        raise UserError("--first and --count must be at least 0.")
    return slice(options.first, options.first + options.count if options.count else None)


def fit(options: argparse.Namespace) -> int:
    """Fit, write the folder, and say how well it went."""
    if options.annotations is None:
        raise UserError("Give --annotations a file with annotated joints.")
    if options.batch < 1:
        raise UserError("--batch must be at least 1.")
    wanted = chosen(options)
    people = read_annotations(options.annotations, options.pictures)[wanted]
    if not people:
        raise UserError(f"{options.annotations} annotates nobody well enough.")
    network = load_blazepose("heavy" if options.heavy else "full")
    shown = tqdm(people, "people", disable=not sys.stderr.isatty())
    labels = fit_all(shown, network, load_body(), load_pose_prior(), options.output, options.batch)
    sys.stdout.write(summary(options.output, labels, len(people)))
    return 0


def summary(folder: Path, labels: dict[str, np.ndarray], wanted: int) -> str:
    """How many, and how well."""
    count, kept = len(labels["name"]), int(labels["keep"].sum())
    bones = labels["residual3d"][np.isfinite(labels["residual3d"])]
    turned = f"{np.median(bones):.0f}°" if len(bones) else "not known"
    return (
        f"{folder}: {count} of {wanted} people fitted, {kept} well enough to be used, "
        f"{int(labels['val'].sum())} kept for validation.\n"
        f"Median distance of joints {100 * np.median(labels['residual2d']):.1f} % of the person's extent, "
        f"of bones from the landmarks' {turned}, trust in depth {np.mean(labels['confidence3d']):.2f}.\n"
    )
