"""Import checkpoints (safely: nothing in them is run), and list the models that there are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model.errors import UserError
from model.weights import import_weights, list_models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """import FILE, or list."""
    parser.add_argument("action", choices=("import", "list"))
    parser.add_argument(
        "file", type=Path, nargs="?", help="released PointHMR, ROMP or timm HRNet-W32 weights"
    )
    parser.add_argument("--name", help="how the model shall be called")
    parser.add_argument("--trained-on", help="data that the weights were trained on, for the card")


def run(options: argparse.Namespace) -> int:
    """Import or list."""
    if options.action == "import":
        if options.file is None:
            raise UserError("Which file? `pointhmr weights import FILE`.")
        card = import_weights(options.file, name=options.name, trained_on=options.trained_on)
        sys.stdout.write(
            f"{card.name}: {card.part} of {card.config}, sha256 {card.sha256[:12]}, {card.path}\n"
        )
        return 0
    for card in list_models():
        sys.stdout.write(f"{card.name:<24} {card.part:<9} {card.config:<16} trained on: {card.trained_on}\n")
    return 0
