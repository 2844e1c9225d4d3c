"""The window: a person in a picture, a clip or the webcam becomes a 3D mesh, live.

Without SOURCE the bundled clip plays.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import assets
from app.commands.options import add_model_arguments
from app.pipeline.frames import Hops
from app.pipeline.sources import camera_index
from model.config import PAPER_HOPS
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.application import Build

SAMPLE = assets.SAMPLES / "salsa.mp4"
OUTPUT = Path("pointhmr-output")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", nargs="?", help="a picture, a clip, a folder, 'camera' or 'camera:1'")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Open the window; on a machine without a display do the same work without one."""
    spec = options.source
    if spec is not None and camera_index(spec) is None and not Path(spec).exists():
        raise UserError(f"There is no file, folder or command {spec!r}.")
    if not has_display():
        return run_without_display(options)
    from app.gui.application import run_window

    return run_window(spec, builder(options, fast=True), sample=SAMPLE)


def has_display() -> bool:
    """Whether Qt can open a window here (it always can where its platform was chosen by hand)."""
    variables = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform != "linux" or any(os.environ.get(name) for name in variables)


def builder(options: argparse.Namespace, *, fast: bool = False) -> Build:
    """What loads the model, on the worker's thread, once the window is up."""
    from app.gui.model_choice import ModelChoice

    return ModelChoice(options.weights, options.body, options.device, fast)


def run_without_display(options: argparse.Namespace) -> int:
    """The main job on a server or in a container: meshes, numbers and a picture of the window."""
    from app.commands.reconstruct import Job, reconstruct
    from app.commands.screenshot import draw
    from app.pipeline.loading import load_pipeline

    spec = options.source or str(SAMPLE)
    if camera_index(spec) is not None:
        raise UserError("There is no display here to show a camera on.")
    sys.stdout.write(f"There is no display here, so {Path(spec).name} is reconstructed without a window.\n")
    sys.stdout.flush()
    pipeline, reconstructor = load_pipeline(options.weights, options.body, options.device)
    hops: Hops = PAPER_HOPS  # type: ignore[assignment]
    outcome = reconstruct(Job([spec], OUTPUT, hops), pipeline, reconstructor)
    sys.stdout.write(outcome.sentence + "\n")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    picture = OUTPUT / "window.png"
    draw(spec, builder(options), picture, size=(1280, 800), records=30)
    sys.stdout.write(f"A picture of the window: {picture}\n")
    return 0
