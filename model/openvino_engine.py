"""Runs a network in OpenVINO, the fastest engine on a CPU, from graphs that `model.graphs` has made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.config import Hops
from model.decoders import PublishedDecoders
from model.engine import with_points
from model.graphs import STAGES
from model.pointhmr import Features, Mesh, PointHMR
from model.recipes import FLOAT32, Recipe
from model.restructured import RestructuredEncode, as_features
from model.vino import import_openvino


class OpenVinoEngine:
    """Both stages as OpenVINO graphs, one call each."""

    def __init__(
        self, network: PointHMR, folder: Path, recipe: Recipe = FLOAT32, threads: int | None = None
    ) -> None:
        """folder: where `model.graphs.export` put them. Raises RuntimeError when they cannot be read."""
        openvino = import_openvino()
        self.name = f"OpenVINO {recipe.name}"
        self._network = network
        self._stage: RestructuredEncode | None = None
        core = openvino.Core()
        requests = []
        for stage, hint in zip(STAGES, (recipe.hint, "f32"), strict=True):
            # Left alone OpenVINO would choose bfloat16 silently, where the machine has it.
            options = {
                "INFERENCE_PRECISION_HINT": hint,
                "INFERENCE_NUM_THREADS": threads or torch.get_num_threads(),
            }
            requests.append(
                core.compile_model(folder / f"{stage}.xml", "CPU", options).create_infer_request()
            )
        self._encode, self._regress = requests
        tokens = network.config.num_tokens
        self._nothing_masked = torch.zeros(tokens, tokens)

    def encode(self, images: Tensor, *, keep_points: bool = False) -> Features:
        """See Engine."""
        people = [self._outputs(self._encode, [image[None]]) for image in images]
        outputs = tuple(torch.cat(parts) for parts in zip(*people, strict=True))
        features = as_features(outputs)
        if not keep_points:
            return features
        if not isinstance(self._network.decoders, PublishedDecoders):
            # A second copy of the network would only hand them back.
            return with_points(features, outputs[3])
        if self._stage is None:
            self._stage = RestructuredEncode(self._network)
        return with_points(features, self._stage.points(outputs[3]))

    def regress(self, features: Features, hops: Hops) -> Mesh:
        """See Engine."""
        masks = [self._nothing_masked if m is None else m for m in self._network.masks(hops)]
        tokens = [features.vertex_tokens, features.grid_tokens]
        if features.landmarks is not None:
            tokens.append(features.landmarks)
        people = [
            self._outputs(self._regress, [*(tensor[i : i + 1] for tensor in tokens), *masks])
            for i in range(len(features.vertex_tokens))
        ]
        joints, coarse, camera = (torch.cat(parts) for parts in zip(*people, strict=True))
        return Mesh(joints, coarse, camera, *self._network.upsample(coarse))

    @staticmethod
    def _outputs(request: Any, inputs: list[Tensor]) -> list[Tensor]:
        arrays = request.infer([np.ascontiguousarray(tensor.numpy()) for tensor in inputs], share_inputs=True)
        return [torch.from_numpy(arrays[port]) for port in range(len(arrays))]
