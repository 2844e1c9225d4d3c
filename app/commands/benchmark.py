"""Measure this installation. Alone: the speed of networks, pipeline and window; else one part by its name."""

from __future__ import annotations

import argparse
import importlib

BENCHMARKS = {
    "diagnostics": "what the flags find, and what isolating a person is worth",
    "visibility": "how often what the picture does not show is drawn faded, and what it shows is not",
    "jitter": "how much the mesh trembles on clips, raw and smoothed",
    "export": "how close a skeleton comes to a take, and how fast it is written",
}
"""Parts that are commands of their own, each a module `app.commands.benchmark_<name>`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The speed table's own, and a sub-command for each other part."""
    speed = importlib.import_module("app.commands.benchmark_speed")
    speed.add_arguments(parser)
    parser.set_defaults(run_benchmark=speed.run)
    parts = parser.add_subparsers(dest="benchmark", metavar="|".join(BENCHMARKS))
    for name, text in BENCHMARKS.items():
        module = importlib.import_module(f"app.commands.benchmark_{name}")
        part = parts.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(part)
        part.set_defaults(run_benchmark=module.run)


def run(options: argparse.Namespace) -> int:
    """The chosen one."""
    return int(options.run_benchmark(options))
