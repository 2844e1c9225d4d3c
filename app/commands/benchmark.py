"""Measure this installation: one benchmark a sub-command."""

from __future__ import annotations

import argparse
import importlib

BENCHMARKS = {"diagnostics": "what the flags find, and what isolating a person is worth"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A sub-command for each benchmark, in a module of its own."""
    parts = parser.add_subparsers(dest="benchmark", required=True, metavar="|".join(BENCHMARKS))
    for name, text in BENCHMARKS.items():
        module = importlib.import_module(f"app.commands.benchmark_{name}")
        part = parts.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(part)
        part.set_defaults(run_benchmark=module.run)


def run(options: argparse.Namespace) -> int:
    """The chosen one."""
    return int(options.run_benchmark(options))
