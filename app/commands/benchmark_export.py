"""How close a skeleton comes to the meshes of a take, and how fast takes are fitted and written.

Without a take the bundled clip is reconstructed first, which takes some time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import assets
from app.benchmark.export import ExportFigures, measure_export
from app.commands.options import add_model_arguments
from app.commands.reconstruct import Job, reconstruct
from app.pipeline.frames import PAPER_HOPS
from app.pipeline.loading import load_pipeline
from app.takes.bodies import body_of
from app.takes.take import Take
from app.takes.take_file import load_take
from model.errors import UserError

CLIP = assets.SAMPLES / "salsa.mp4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The take, the model that makes one, and the form of the answer."""
    parser.add_argument("take", type=Path, nargs="?", help="a .take file; else the bundled clip")
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="numbers instead of sentences"
    )
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Measure, print."""
    take = recorded(options) if options.take is None else load_take(options.take)
    if not take.people:
        raise UserError("The take shows nobody.")
    figures = measure_export(take, body_of(take, options.body))
    text = json.dumps(dataclasses.asdict(figures), indent=1) if options.json else as_text(figures)
    sys.stdout.write(f"{text}\n")
    return 0


def recorded(options: argparse.Namespace) -> Take:
    """The bundled clip as a take."""
    pipeline, reconstructor = load_pipeline(options.weights, options.body, options.device)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.take"
        reconstruct(Job([str(CLIP)], Path(folder), PAPER_HOPS, take=path), pipeline, reconstructor)
        return load_take(path)


def as_text(figures: ExportFigures) -> str:
    """A sentence for each figure."""
    own, take = figures.own_mm, figures.take_mm
    return "\n".join(
        (
            f"Fit to the body's own posed meshes: {own:.3f} mm off, {figures.own_worst_mm:.3f} mm at most.",
            f"Skeleton in the take's meshes: {take:.1f} mm off, {figures.take_worst_mm:.1f} mm at most.",
            f"{figures.fits_a_second:.0f} meshes are fitted in a second on {figures.cores} cores, "
            f"{figures.fits_a_processor_second:.0f} in a second of one core's work.",
            f"Ten seconds become a skinned FBX of {figures.fbx_bytes / 1e6:.1f} MB in "
            f"{figures.fbx_seconds:.1f} s, {figures.fbx_processor_seconds:.1f} s of one core's work.",
        )
    )
