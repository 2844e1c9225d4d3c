"""How often parts of a body are drawn faded: those that a rendered picture does not show, and the others."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from app.benchmark.visible import look, rates
from app.commands.options import add_model_arguments
from app.pipeline.loading import load_pipeline
from app.pipeline.speed import speed_up
from model.errors import UserError
from model.tables import markdown

KINDS = {"all": None, "full body": "full", "truncated": "cut", "webcam": "webcam"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The renderer's files, the model, and the form of the answer."""
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="poses.npz")
    parser.add_argument("--count", type=int, default=240, metavar="N", help="pictures")
    parser.add_argument("--json", action="store_true", help="numbers instead of a Markdown table")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Render, reconstruct, compare, print."""
    if options.appearance is None or options.motion is None or options.count < 3:
        raise UserError("The pictures are rendered: give --appearance, --motion and a --count of at least 3.")
    try:
        from model.data.render.library import load_library
        from model.data.render.poses import PoseBank
        from model.data.render.studio import Studio
    except ImportError as error:
        raise UserError(f"Rendering needs the packages of the extra `train`: {error}.") from error
    studio = Studio(load_library(options.appearance), PoseBank(options.motion, "val"))
    pipeline, reconstructor = load_pipeline(options.weights, options.body, options.device)
    thread = speed_up(reconstructor)
    if thread is not None:
        thread.join()
    quiet = not sys.stderr.isatty()
    looked = list(tqdm(look(pipeline, studio, options.count), "pictures", options.count, disable=quiet))
    if not looked:
        raise UserError("Nobody was found in the pictures.")
    result = {name: rates(looked, kind) for name, kind in KINDS.items()}
    if options.json:
        names = ("hits", "false_alarms", "pictures")
        text = json.dumps({name: dict(zip(names, row, strict=True)) for name, row in result.items()})
        sys.stdout.write(text + "\n")
        return 0
    rows = [
        [name, str(n), f"{100 * hits:.0f}", f"{100 * wrong:.1f}"] for name, (hits, wrong, n) in result.items()
    ]
    head = ["pictures", "number", "unseen parts faded (%)", "seen parts faded (%)"]
    sys.stdout.write(f"{reconstructor.model_name} {reconstructor.sha256[:12]}\n\n{markdown(head, rows)}\n")
    return 0
