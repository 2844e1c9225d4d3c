"""Say what works on this machine: devices, drawing, cameras, models, licences."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator

import assets
from app.facts import packages, system
from app.pipeline.sources import CameraSource
from model.errors import UserError

LICENCES = (
    "pointhmr: MIT. Free body, hierarchy: CC0. BlazePose, MoveNet: Apache-2.0. "
    "Weights body-lite, body-quality: research use (see their cards). Captured motion: CMU, with credit. "
    "smplx (package): MPI, non-commercial research. SMPL, MANO: not included, bring your own."
)
CAMERAS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(options: argparse.Namespace) -> int:
    """Print a line for every check; exit code 1 when the main job could not run."""
    healthy = True
    for name, check in checks():
        try:
            text, mark = check(), "ok"
        except (UserError, ImportError, OSError, RuntimeError) as error:
            text, mark = str(error) or type(error).__name__, "--"
            healthy &= name not in ("model", "body", "mesh view", "window")
        sys.stdout.write(f"{mark}  {name:<10} {text}\n")
    return 0 if healthy else 1


def checks() -> Iterator[tuple[str, Callable[[], str]]]:
    """Name and check of each line; a check returns what it found or raises."""
    yield "system", system
    yield "packages", packages
    yield "gpu", gpu
    yield "engine", engine
    yield "window", window
    yield "mesh view", mesh_view
    for index in range(CAMERAS):
        yield f"camera:{index}", lambda index=index: camera(index)  # type: ignore[misc]
    yield "model", models
    yield "body", body
    yield "sample", sample
    yield "licences", lambda: LICENCES


def gpu() -> str:
    """CUDA devices."""
    import torch

    if not torch.cuda.is_available():
        raise UserError("No CUDA device: the model runs on the CPU.")
    return torch.cuda.get_device_name()


def engine() -> str:
    """In which order the networks' engines are tried on this machine."""
    from importlib.util import find_spec

    import torch

    from model.config import preset
    from model.recipes import preferred

    if torch.cuda.is_available():
        return "torch float16 on the GPU, then torch"
    if find_spec("openvino") is None:
        return "torch (OpenVINO, which is faster, is not installed)"
    ways = {name: preferred(preset(name)) for name in ("body-lite", "body-hrnet-w32")}
    return "; ".join(
        f"{name}: {', '.join(f'OpenVINO {way.name}' for way in recipes)}, torch"
        for name, recipes in ways.items()
    )


def window() -> str:
    """Whether Qt loads, and whether there is a screen for it."""
    from app.commands.window import has_display

    importlib.import_module("PySide6.QtWidgets")
    where = "on a display" if has_display() else "without a display: commands only"
    return f"Qt {importlib.metadata.version('PySide6-Essentials')}, {where}"


def mesh_view() -> str:
    """Whether Open3D can draw off-screen."""
    from app.gui.render import describe_renderer

    return describe_renderer()


def camera(index: int) -> str:
    """One frame of a camera."""
    source = CameraSource(index)
    try:
        frame = source.read()
    finally:
        source.close()
    if frame is None:
        raise UserError("The camera gives no picture.")
    return f"{frame.image.shape[1]}x{frame.image.shape[0]}"


def models() -> str:
    """Networks that can be loaded."""
    from model.weights import list_models

    cards = [card for card in list_models() if card.part == "network"]
    if not cards:
        raise UserError("There is no model.")
    return ", ".join(f"{card.name} ({card.config})" for card in cards)


def body() -> str:
    """The body that ships."""
    from model.body import load_body

    model = load_body()
    return f"{model.name}, {model.num_vertices} vertices"


def sample() -> str:
    """The clip that plays at the first start."""
    from app.commands.window import SAMPLE

    if not SAMPLE.is_file():
        raise UserError(f"{SAMPLE.relative_to(assets.ROOT.parent)} is missing.")
    return SAMPLE.name
