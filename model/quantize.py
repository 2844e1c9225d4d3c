"""Eight-bit integers for the convolutions and matrix products of an OpenVINO graph, after training.

Each chosen operation gets a FakeQuantize before its activations (one scale a tensor) and its weights (one
scale a channel); OpenVINO turns such pairs into integer kernels. Scheme: Jacob et al., "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018). The range of an
activation is the one, among shares of the largest value seen, with the least squared error on samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from model.vino import import_openvino

SHARES = (1.0, 0.93, 0.86, 0.79, 0.72, 0.65, 0.55, 0.45)
"""Of the largest value: candidates for the end of the range."""
SAMPLES = 40_000
"""Values of each tensor and input from which the range is found."""
CHANNEL_AXES = {"Convolution": (1, 2, 3), "GroupConvolution": (2, 3, 4)}
"""Axes of a weight over which one scale is shared."""


def quantize(graph: Any, inputs: Sequence[list[np.ndarray]], chosen: Callable[[str], bool]) -> int:
    """Quantise, in place, the operations with constant weights whose names are `chosen`; returns how many.

    inputs: one list of arrays, in the order of the graph's parameters, for each run of the calibration.
    """
    operations = [node for node in graph.get_ordered_ops() if _has_weights(node)]
    operations = [node for node in operations if chosen(node.get_friendly_name())]
    ends = _ranges(graph, operations, inputs)
    rounded: dict[tuple[str, int], Any] = {}
    for node in operations:
        source = node.input_value(0)
        if _key(source) not in rounded:
            rounded[_key(source)] = _fake_quantize(source, *ends[_key(source)], 256)
        weights = node.input_value(1)
        values = weights.get_node().get_data()
        end = np.abs(values).max(_shared_axes(node, values), keepdims=True) + 1e-12
        node.input(1).replace_source_output(_fake_quantize(weights, -end, end, 255).output(0))
        node.input(0).replace_source_output(rounded[_key(source)].output(0))
    graph.validate_nodes_and_infer_types()
    return len(operations)


def best_end(samples: np.ndarray, largest: float, levels: int) -> float:
    """The end of the range, at most `largest`, that rounds non-negative samples with least squared error."""

    def error(end: float) -> float:
        step = end / levels
        return float(((np.minimum(np.round(samples / step), levels) * step - samples) ** 2).sum())

    return min((share * largest for share in SHARES), key=error)


def _has_weights(node: Any) -> bool:
    kinds = (*CHANNEL_AXES, "MatMul")
    if node.get_type_name() not in kinds or node.input_value(1).get_node().get_type_name() != "Constant":
        return False
    return node.get_type_name() != "MatMul" or node.input_value(1).get_node().get_data().ndim == 2


def _shared_axes(node: Any, values: np.ndarray) -> tuple[int, ...]:
    if node.get_type_name() in CHANNEL_AXES:
        return CHANNEL_AXES[node.get_type_name()]
    return (1,) if node.get_attributes()["transpose_b"] else (0,)


def _key(output: Any) -> tuple[str, int]:
    return output.get_node().get_friendly_name(), output.get_index()


def _ranges(
    graph: Any, operations: Sequence[Any], inputs: Sequence[list[np.ndarray]]
) -> dict[tuple[str, int], tuple[float, float]]:
    """Lowest and highest value of each tensor that enters one of the operations."""
    openvino = import_openvino()

    sources = {_key(node.input_value(0)): node.input_value(0) for node in operations}
    if not sources:
        return {}
    watched = openvino.Model(list(sources.values()), graph.get_parameters(), "calibration")
    run = openvino.Core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    largest = dict.fromkeys(sources, 1e-6)
    signed = dict.fromkeys(sources, False)
    samples: dict[tuple[str, int], list[np.ndarray]] = {key: [] for key in sources}
    for arrays in inputs:
        for key, values in zip(sources, run(arrays).to_tuple(), strict=True):
            flat = values.reshape(-1)
            signed[key] |= bool(flat.min() < 0)
            largest[key] = max(largest[key], float(np.abs(flat).max()))
            samples[key].append(np.abs(flat[:: max(1, flat.size // SAMPLES)]))
    ends = {
        key: best_end(np.concatenate(samples[key]), largest[key], 127 if signed[key] else 255)
        for key in sources
    }
    return {key: (-end * 128 / 127 if signed[key] else 0.0, end) for key, end in ends.items()}


def _fake_quantize(value: Any, low: Any, high: Any, levels: int) -> Any:
    opset13 = import_openvino().opset13
    ends = [opset13.constant(np.asarray(end, np.float32)) for end in (low, high, low, high)]
    return opset13.fake_quantize(value, *ends, levels)
