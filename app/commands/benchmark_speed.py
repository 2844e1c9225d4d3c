"""How fast the networks, the pipeline and the window are here; takes some minutes."""

from __future__ import annotations

import argparse
import json
import sys

from app.benchmark.report import as_text
from app.benchmark.speed import PARTS, Effort, measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json, --quick, --only."""
    parser.add_argument("--json", action="store_true", help="all figures as JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a look, not a measurement")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )


def run(options: argparse.Namespace) -> int:
    """Progress on stderr, the result on stdout."""

    def progress(text: str) -> None:
        sys.stderr.write(f"{text} …\n")
        sys.stderr.flush()

    result = measure(tuple(options.only), Effort.quick() if options.quick else Effort(), progress)
    text = json.dumps(result, indent=1) if options.json else as_text(result)
    sys.stdout.write(f"{text}\n")
    return 0
