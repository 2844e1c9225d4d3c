"""How often parts of a body are drawn faded: those that a rendered picture does not show, and the others."""

from __future__ import annotations

import argparse
import json
import sys

from tqdm import tqdm

from app.benchmark.visible import look, rates
from app.commands.options import add_model_arguments, add_render_arguments, validation_studio
from app.pipeline.speed import load_fastest
from model.errors import UserError
from model.tables import markdown

KINDS = {"all": None, "full body": "full", "truncated": "cut", "webcam": "webcam"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The renderer's files, the model, and the form of the answer."""
    add_render_arguments(parser)
    parser.add_argument("--count", type=int, default=240, metavar="N", help="pictures")
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="numbers instead of a Markdown table"
    )
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Render, reconstruct, compare, print."""
    if options.appearance is None or options.motion is None or options.count < 3:
        raise UserError("The pictures are rendered: give --appearance, --motion and a --count of at least 3.")
    studio = validation_studio(options)
    pipeline, reconstructor = load_fastest(options.weights, options.body, options.device)
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
