"""What runs a network: torch, which always can, or OpenVINO, which is faster on a CPU.

OpenVINO needs the network as a graph of its own. Making it takes some seconds of Python, so a process of its
own does it once and keeps it in the user's cache; until then torch works.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from model.config import Hops
from model.paths import cache_dir
from model.pointhmr import Features, Mesh, PointHMR

logger = logging.getLogger(__name__)

FORMAT = 1
"""Of the kept graphs; counts up when their inputs or outputs change."""
STAGES = ("encode", "regress")


class Engine(Protocol):
    """Runs both stages of a network."""

    name: str

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """Normalised images [B, 3, S, S] -> heatmaps and tokens, and what they were sampled from."""

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """Tokens of one person -> mesh at all three resolutions."""


class TorchEngine:
    """The network as it is: the reference."""

    name = "torch"

    def __init__(self, network: PointHMR) -> None:
        self._network = network

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """See Engine."""
        images = images.contiguous(memory_format=torch.channels_last)
        return self._network.encode(images, keep_points=keep_points)

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """See Engine."""
        return self._network.regress(features, hops)


class OpenVinoEngine:
    """Both stages as OpenVINO graphs in float32: the same numbers up to rounding, one call each."""

    name = "OpenVINO"

    def __init__(self, network: PointHMR, folder: Path) -> None:
        """folder: where `export` put the graphs. Raises RuntimeError when they cannot be read."""
        import openvino

        # Left alone OpenVINO would choose bfloat16 silently, where the machine has it.
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        core = openvino.Core()
        self._network = network
        self._encode, self._regress = (
            core.compile_model(folder / f"{stage}.xml", "CPU", options).create_infer_request()
            for stage in STAGES
        )
        self._compile: Callable[[Any], Any] = lambda graph: core.compile_model(graph, "CPU", options)
        self._read: Callable[[], Any] = lambda: core.read_model(folder / "encode.xml")
        self._encode_keeping: Any = None
        tokens = network.config.num_tokens
        self._nothing_masked = torch.zeros(tokens, tokens)

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """See Engine. The first time that points are kept, another graph is compiled for it (a second)."""
        if keep_points and self._encode_keeping is None:
            graph = self._read()
            graph.add_outputs([_sampled_from(graph)])
            self._encode_keeping = self._compile(graph).create_infer_request()
        request = self._encode_keeping if keep_points else self._encode
        people = [self._outputs(request, [image[None]]) for image in images]
        heatmaps, vertices, grid, landmarks, presence, *points = (
            torch.cat(parts) for parts in zip(*people, strict=True)
        )
        kept = points[0] if points else None
        if kept is not None and kept.shape[2] != vertices.shape[2]:
            kept = kept.transpose(1, 2)
        return Features(heatmaps, vertices, grid, landmarks, presence, point_features=kept)

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """See Engine."""
        masks = [self._nothing_masked if m is None else m for m in self._network.masks(hops)]
        assert features.landmarks is not None
        inputs = [features.vertex_tokens, features.grid_tokens, features.landmarks, *masks]
        joints, coarse, camera = self._outputs(self._regress, inputs)
        return Mesh(joints, coarse, camera, *self._network.upsample(coarse))

    @staticmethod
    def _outputs(request: Any, inputs: list[Tensor]) -> list[Tensor]:
        arrays = request.infer([np.ascontiguousarray(tensor.numpy()) for tensor in inputs], share_inputs=True)
        return [torch.from_numpy(arrays[port]) for port in range(len(arrays))]


def _sampled_from(graph: Any) -> Any:
    """The output inside an encode graph from which the vertex tokens are sampled: the product's other factor.

    Raises RuntimeError where the graph is built in another way.
    """
    product = graph.outputs[1].get_node().input_value(0).get_node()
    if product.get_type_name() != "MatMul":
        raise RuntimeError(f"the vertex tokens come from a {product.get_type_name()}, not from a product")
    return product.input_value(1)


class _Encode(nn.Module):
    """The first stage with plain tensors in and out, for export."""

    def __init__(self, network: PointHMR) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor | None, ...]:
        features = self.network.encode(images)
        tokens = (features.heatmaps, features.vertex_tokens, features.grid_tokens)
        return (*tokens, features.landmarks, features.presence)


class _Regress(nn.Module):
    """The second stage with plain tensors in and out, for export."""

    def __init__(self, network: PointHMR) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, vertices: Tensor, grid: Tensor, landmarks: Tensor, *masks: Tensor
    ) -> tuple[Tensor, ...]:
        mesh = self.network.regress_masked(Features(vertices, vertices, grid, landmarks), masks)
        return mesh.joints, mesh.coarse, mesh.camera


def can_export(network: PointHMR) -> bool:
    """Whether this network gains: a lite one on a CPU, with OpenVINO installed."""
    on_cpu = network.point_positions.device.type == "cpu"
    return on_cpu and network.lifter is not None and importlib.util.find_spec("openvino") is not None


def export_folder(sha256: str) -> Path:
    """Where the graphs of the weights with this hash are kept, for the installed OpenVINO."""
    from importlib.metadata import version

    return cache_dir() / "engines" / f"{sha256[:16]}-{version('openvino')}-{FORMAT}"


@torch.no_grad()
def export(network: PointHMR, folder: Path) -> None:
    """Write both graphs into `folder`, which appears whole or not at all."""
    import openvino

    config = network.config
    image = torch.zeros(1, 3, config.image_size, config.image_size)
    features = network.encode(image)
    assert features.landmarks is not None
    masks = [torch.zeros(config.num_tokens, config.num_tokens)] * 4
    tokens = (features.vertex_tokens, features.grid_tokens, features.landmarks, *masks)
    examples = {"encode": (_Encode(network), (image,)), "regress": (_Regress(network), tokens)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        for stage, (module, inputs) in examples.items():
            shapes = [list(tensor.shape) for tensor in inputs]
            with warnings.catch_warnings():
                # The shapes are fixed: what the tracer warns of is wanted.
                warnings.simplefilter("ignore", torch.jit.TracerWarning)
                graph = openvino.convert_model(module.eval(), example_input=inputs, input=shapes)
            openvino.save_model(graph, Path(temporary) / f"{stage}.xml", compress_to_fp16=False)
        if not folder.exists():
            os.replace(temporary, folder)  # noqa: PTH105
            Path(temporary).mkdir()


def start_export(weights: str, folder: Path) -> subprocess.Popen[bytes]:
    """`export` in a process of its own, so that neither the window nor the worker waits for Python."""
    command = [sys.executable, "-m", "model.engine", weights, str(folder)]
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
    """`python -m model.engine WEIGHTS FOLDER`: what `start_export` runs."""
    from model.weights import load_network

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    export(load_network(options.weights)[0].requires_grad_(False), options.folder)


if __name__ == "__main__":
    main()
