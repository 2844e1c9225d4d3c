"""Fill the published network by the fixture's rule and compare every stored output, number for number."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model.verify import TOLERANCE, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The fixture."""
    parser.add_argument("fixture", type=Path, metavar="FIXTURE.npz")


def run(options: argparse.Namespace) -> int:
    """Print the largest error of each output; exit code 1 above the tolerance."""
    errors = verify(options.fixture)
    for name, error in errors.items():
        sys.stdout.write(f"{name:<20} {error:.2e}\n")
    worst = max(errors.values())
    good = worst <= TOLERANCE
    sys.stdout.write(
        f"{'equal' if good else 'DIFFERENT'}: largest error {worst:.2e}, allowed {TOLERANCE:.0e}\n"
    )
    return 0 if good else 1
