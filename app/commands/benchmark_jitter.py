"""How much the mesh trembles on rendered clips that training never drew from, raw and smoothed; its delay.

Acceleration error: mean distance of the joints' second differences from the truth's, hips centred, in mm a
frame squared at 30 frames a second (times 0.9: m/s²). The goal is at most 1.5 times the truth's own floor
with a delay of at most 2 frames; the floor is the same error of the captured motion as its file has it,
against the low-passed motion that is drawn.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from tqdm import tqdm

from app.benchmark.jitter import (
    STRENGTHS,
    Filmed,
    Filter,
    Jitter,
    film,
    floors,
    measure,
    one_euro,
    raw,
    steadied,
    truth_acceleration,
)
from app.commands.options import (
    add_mirror_argument,
    add_model_arguments,
    add_render_arguments,
    validation_studio,
)
from app.pipeline.speed import load_fastest
from model.errors import UserError
from model.mirror import check_mirror
from model.tables import markdown

GOAL, MOST_DELAY = 1.5, 2.0
HEAD = ("filter", "acceleration", "of the floor", "MPJPE", "PA-MPJPE", "delay", "worst clip")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The renderer's files, how much of them, the model, and the form of the answer."""
    add_render_arguments(parser)
    parser.add_argument("--sequences", type=Path, metavar="FILE", help="sequences_30hz.npz: whole clips")
    parser.add_argument("--clips", type=int, default=12, metavar="N")
    parser.add_argument("--frames", type=int, default=90, metavar="N", help="of each clip, 30 a second")
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="numbers instead of a Markdown table"
    )
    add_model_arguments(parser)
    add_mirror_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Render, reconstruct, filter, print."""
    if options.appearance is None or options.motion is None or options.sequences is None:
        raise UserError("The clips are rendered: give --appearance, --motion and --sequences.")
    if options.clips < 1 or options.frames < 30:
        raise UserError("Jitter needs at least one clip of at least 30 frames.")
    films, model = filmed(options)
    floor, rounding = floors(films)
    rows = {name: measure(films, smooth) for name, smooth in filters().items()}
    if options.json:
        numbers = {name: dataclasses.asdict(row) for name, row in rows.items()}
        about = {"model": model, "clips": [one.name for one in films], "floor": floor, "rounding": rounding}
        sys.stdout.write(json.dumps({**about, "filters": numbers}) + "\n")
        return 0
    sys.stdout.write(report(model, films, rows, floor, rounding))
    return 0


def filters() -> dict[str, Filter]:
    """What is compared, by name."""
    result: dict[str, Filter] = {"none": raw}
    result |= {f"steady {strength:g}": steadied(strength) for strength in STRENGTHS}
    return result | {f"One-Euro {strength:g}": one_euro(strength) for strength in STRENGTHS}


def filmed(options: argparse.Namespace) -> tuple[list[Filmed], str]:
    """Every clip through the pipeline, and the model's name."""
    studio = validation_studio(options)
    from model.data.render.clips import RATE, make_clip, validation_motions  # needs what the studio needs

    motions = validation_motions(options.sequences, options.clips, options.frames)
    pipeline, reconstructor = load_fastest(options.weights, options.body, options.device)
    if options.mirror:
        check_mirror(reconstructor.network)
    shown = tqdm(motions, "clips", leave=False, disable=not sys.stderr.isatty())
    films = [
        film(
            pipeline,
            make_clip(studio, motion, number),
            studio.poser.keypoints,
            RATE,
            mirror=options.mirror,
        )
        for number, motion in enumerate(shown)
    ]
    films = [one for one in films if len(one.records) > options.frames // 2]
    if not films:
        raise UserError("Nobody was found in the clips.")
    twice = ", looked at twice" if options.mirror else ""
    return films, f"{reconstructor.model_name} {reconstructor.sha256[:12]}{twice}"


def report(model: str, films: list[Filmed], rows: dict[str, Jitter], floor: float, rounding: float) -> str:
    """A Markdown table and what it says about the goal."""
    table = [
        [
            name,
            f"{row.acceleration:.2f}",
            f"{row.acceleration / floor:.2f}",
            f"{row.mpjpe:.1f}",
            f"{row.pa_mpjpe:.1f}",
            f"{row.delay:.2f}",
            f"{row.worst_delay:.2f}",
        ]
        for name, row in rows.items()
    ]
    good = [name for name, r in rows.items() if r.acceleration <= GOAL * floor and r.delay <= MOST_DELAY]
    return (
        f"{model}, {len(films)} clips, {sum(len(one.records) for one in films)} frames; mm/frame², mm, "
        f"frames\n\n{markdown(list(HEAD), table)}\n"
        f"Floor: {floor:.2f} (the captured motion against the drawn one); half precision alone: "
        f"{rounding:.2f}; a body that never accelerates: {truth_acceleration(films):.2f}.\n"
        f"At most {GOAL:g} times the floor with a delay of at most {MOST_DELAY:g} frames: "
        f"{', '.join(good) or 'none of these'}.\n"
    )
