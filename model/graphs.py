"""OpenVINO's graphs of a network: made once by a process of their own, and kept in the user's cache.

Making them takes seconds of Python; until then torch works.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.calibration import calibration_images
from model.errors import UserError
from model.halve import halve
from model.pointhmr import Features, PointHMR
from model.quantize import quantize
from model.recipes import FLOAT32, Recipe, frontier
from model.restructured import RestructuredEncode, as_features
from model.temporaries import temporary_folder
from model.vino import import_openvino

FORMAT = 5
"""Of the kept graphs; counts up when their inputs, outputs or numbers change."""
STAGES = ("encode", "regress")


class _Regress(nn.Module):
    """The second stage with plain tensors in and out."""

    def __init__(self, network: PointHMR) -> None:
        super().__init__()
        self.network = network
        self.tokens = 3 if network.config.num_landmarks else 2

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        vertices, grid, *landmarks = inputs[: self.tokens]
        features = Features(vertices, vertices, grid, *landmarks)
        mesh = self.network.regress_masked(features, inputs[self.tokens :])
        return mesh.joints, mesh.coarse, mesh.camera


def can_export(network: PointHMR) -> bool:
    """Whether this network can go over: it is on a CPU, and OpenVINO is installed."""
    on_cpu = network.point_positions.device.type == "cpu"
    return on_cpu and importlib.util.find_spec("openvino") is not None


def export_folder(sha256: str, recipe: Recipe = FLOAT32) -> Path:
    """Where the graphs of the weights with this hash are kept, for the installed OpenVINO."""
    from importlib.metadata import version

    from model.paths import cache_dir

    return cache_dir() / "engines" / f"{sha256[:16]}-{version('openvino')}-{FORMAT}-{recipe.key}"


@torch.no_grad()
def export(network: PointHMR, folder: Path, recipe: Recipe = FLOAT32) -> None:
    """Write both graphs into `folder`, which appears whole or not at all.

    Of two processes that do so at once the first is through; the other's graphs are thrown away.
    """
    openvino = import_openvino()

    stage = RestructuredEncode(network)
    images = calibration_images(network) if recipe.int8 or recipe.regress_int8 else []
    image = images[0] if images else torch.zeros(1, 3, network.config.image_size, network.config.image_size)
    tokens = _inputs(stage, network, image)
    graphs = [
        _converted(stage, [image], named=recipe.own_graphs),
        _converted(_Regress(stage.network).eval(), tokens, named=recipe.own_graphs),
    ]
    if recipe.int8:
        quantize(graphs[0], [[one.numpy()] for one in images], recipe.rounds)
    if recipe.regress_int8:
        runs = [_inputs(stage, network, one) for one in images[:4]]
        quantize(graphs[1], [[t.numpy() for t in run] for run in runs], lambda name: "head" not in name)
    for graph in graphs if recipe.bfloat16 else []:
        halve(graph, recipe.halves)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder) as temporary:
        for name, graph in zip(STAGES, graphs, strict=True):
            openvino.save_model(graph, temporary / f"{name}.xml", compress_to_fp16=False)
        # A folder that is there with graphs cannot be replaced, and need not be.
        with contextlib.suppress(OSError):
            temporary.rename(folder)
        if not folder.is_dir():
            raise UserError(f"The graphs cannot be kept in {folder.parent}.")


def _inputs(stage: RestructuredEncode, network: PointHMR, image: Tensor) -> list[Tensor]:
    """What the second stage takes, of one picture."""
    features = as_features(stage(image))
    landmarks = [] if features.landmarks is None else [features.landmarks]
    empty = torch.zeros(network.config.num_tokens, network.config.num_tokens)
    masks = [empty if mask is None else mask for mask in network.masks()]
    return [t.contiguous() for t in (features.vertex_tokens, features.grid_tokens, *landmarks, *masks)]


def _converted(module: nn.Module, inputs: list[Tensor], *, named: bool) -> Any:
    """named: whether the operations must carry the names of their modules, which takes half as long again."""
    openvino = import_openvino()

    wanted = module if named else lambda *tensors: module(*tensors)
    with warnings.catch_warnings():
        # The shapes are fixed: what the tracer warns of is wanted.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        shapes = [list(tensor.shape) for tensor in inputs]
        traced = torch.jit.trace(wanted, tuple(inputs), check_trace=False)  # The check traces once more.
        return openvino.convert_model(traced, example_input=tuple(inputs), input=shapes)


def start_export(weights: str, folder: Path, recipe: Recipe = FLOAT32) -> subprocess.Popen[bytes]:
    """`export` in a process of its own, so that neither the window nor the worker waits for Python."""
    command = [sys.executable, "-m", "model.graphs", weights, str(folder), recipe.name]
    root = str(Path(__file__).resolve().parent.parent)
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )


def main() -> None:
    """`python -m model.graphs WEIGHTS FOLDER RECIPE`: what `start_export` runs."""
    # Only time that the window leaves over.
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    from model.weights import load_network

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("folder", type=Path)
    parser.add_argument("recipe", nargs="?", default=FLOAT32.name)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(options.weights)[0].requires_grad_(False).eval()
    recipes = {recipe.name: recipe for recipe in frontier(network.config, bfloat16=True)}
    export(network, options.folder, recipes[options.recipe])


if __name__ == "__main__":
    main()
