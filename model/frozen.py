"""The frozen backbone during training: BlazePose by OpenVINO on CPUs (3x faster), any other by torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor, nn

from model.blazepose import BlazePose, BlazePoseOutput
from model.decoders import BackboneMaps
from model.guided import FrozenNetwork, GuidedBlazePose
from model.vino import import_openvino

FrozenBackbone = Callable[[Tensor], BackboneMaps]
"""Normalised images [B, 3, S, S] -> maps without gradients. Every call must have the same batch size."""


def freeze_backbone(backbone: nn.Module, image_size: int, batch_size: int) -> FrozenBackbone:
    """The fastest exact way to run a frozen backbone (in eval mode) on this machine."""
    fast = importlib.util.find_spec("openvino") and not next(backbone.parameters()).is_cuda
    if fast and isinstance(backbone, BlazePose | GuidedBlazePose):
        return openvino_backbone(backbone, (batch_size, 3, image_size, image_size))
    return torch.no_grad()(backbone)


def openvino_backbone(
    backbone: FrozenNetwork, shape: tuple[int, int, int, int]
) -> Callable[[Tensor], BlazePoseOutput]:
    """The backbone compiled by OpenVINO in float32 for one input shape."""
    openvino = import_openvino()

    class Tuple(nn.Module):
        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            return tuple(backbone(images))

    graph = openvino.convert_model(Tuple(), example_input=torch.zeros(shape), input=[shape])
    # Left alone it would choose bfloat16 silently, where the machine has it.
    compiled = openvino.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: Tensor) -> BlazePoseOutput:
        outputs = compiled(images.contiguous().numpy())
        return BlazePoseOutput(*(torch.from_numpy(outputs[i].copy()) for i in range(len(outputs))))

    return run
