"""What runs a network: torch, which always can, and on a graphics card in half precision.

`model.openvino_engine` is faster on a CPU; `model.inference` holds them all.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from model.config import Hops
from model.pointhmr import Features, Mesh, PointHMR
from model.restructured import RestructuredEncode, as_features


class Engine(Protocol):
    """Runs both stages of a network."""

    @property
    def name(self) -> str:
        """Engine and precision."""

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """Normalised images [B, 3, S, S] -> heatmaps and tokens; on request what they were sampled from."""

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """Tokens -> meshes at all three resolutions."""


def with_points(features: Features, points: Tensor) -> Features:
    """The features and what their tokens were sampled from, [B, n * n, D]."""
    return dataclasses.replace(features, point_features=points)


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


class HalfEngine:
    """For graphics cards: the restructured first stage channels-last, in half precision, as one CUDA graph.

    The softmax of the heatmaps is float32 by autocast's rules; the second stage is float32 throughout. The
    graph is captured at the first picture of one person; other batches run without it.
    """

    def __init__(self, network: PointHMR, dtype: torch.dtype = torch.float16) -> None:
        self.name = f"torch {str(dtype).removeprefix('torch.')}"
        self._network = network
        self._dtype = dtype
        self._device = network.point_positions.device.type
        self._stage = RestructuredEncode(network)
        self._stage.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._input: Tensor | None = None
        self._outputs: tuple[Tensor, ...] = ()

    @torch.inference_mode()
    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """See Engine."""
        images = images.contiguous(memory_format=torch.channels_last)
        graphed = self._device == "cuda" and len(images) == 1
        outputs = self._replayed(images) if graphed else self._run(images)
        features = as_features(outputs)
        return with_points(features, self._stage.points(outputs[3])) if keep_points else features

    def _run(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(self._device, self._dtype):
            outputs = self._stage(images)
        return tuple(tensor.float() for tensor in outputs)

    def _replayed(self, images: Tensor) -> tuple[Tensor, ...]:
        if self._graph is None:
            self._capture(images)
        assert self._graph is not None and self._input is not None
        self._input.copy_(images)
        self._graph.replay()
        # The next picture overwrites the graph's own tensors; features must outlive it.
        return tuple(tensor.clone() for tensor in self._outputs)

    def _capture(self, images: Tensor) -> None:
        self._input = images.clone(memory_format=torch.preserve_format)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(
            side
        ):  # Libraries set themselves up at their first calls, outside of the graph.
            for _ in range(3):
                self._run(self._input)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._outputs = self._run(self._input)
        self._graph = graph

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """See Engine."""
        return self._network.regress(features, hops)
