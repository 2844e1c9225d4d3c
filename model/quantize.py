"""Eight-bit integers for the convolutions and matrix products of an OpenVINO graph, after training.

Each chosen operation gets a FakeQuantize before its activations (one scale a tensor) and its weights (one
scale a channel); OpenVINO turns such pairs into integer kernels. Scheme: Jacob et al., "Quantization and
Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018). The range of an
activation is the one, among shares of the largest value seen, with the least squared error on samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.vino import import_openvino

SHARES = (1.0, 0.93, 0.86, 0.79, 0.72, 0.65, 0.55, 0.45)
"""Of the largest value: candidates for the end of the range."""
SAMPLES = 40_000
"""Values of each tensor and input from which the range is found."""
CHANNEL_AXES = {"Convolution": (1, 2, 3), "GroupConvolution": (2, 3, 4)}
"""Axes of a weight over which one scale is shared."""


Source = tuple[str, int, bool]
"""A tensor that enters an operation: name and output of what gives it, and whether it is transposed then."""


@dataclass(frozen=True)
class Activation:
    """What the calibration saw of a tensor."""

    low: float
    high: float
    """Ends of the range that is rounded."""
    mean: np.ndarray
    """Of each channel."""


def quantize(graph: Any, inputs: Sequence[list[np.ndarray]], chosen: Callable[[str], bool]) -> int:
    """Quantise, in place, the operations with constant weights whose names are `chosen`; returns how many.

    inputs: one list of arrays, in the order of the graph's parameters, for each run of the calibration.
    """
    operations = [node for node in graph.get_ordered_ops() if _has_weights(node)]
    operations = [node for node in operations if chosen(node.get_friendly_name())]
    seen = _activations(graph, operations, inputs)
    rounded: dict[Source, Any] = {}
    for node in operations:
        source = _source(node)
        activation = seen[source]
        if source not in rounded:
            rounded[source] = _fake_quantize(node.input_value(0), activation.low, activation.high, 256)
        weights = node.input_value(1)
        values = weights.get_node().get_data()
        end = np.abs(values).max(_shared_axes(node, values), keepdims=True) + 1e-12
        error = np.round(values / end * 127) * end / 127 - values
        node.input(1).replace_source_output(_fake_quantize(weights, -end, end, 255).output(0))
        node.input(0).replace_source_output(rounded[source].output(0))
        _take_off(node, _mean_output(node, error, activation.mean))
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


def _source(node: Any) -> Source:
    output = node.input_value(0)
    transposed = node.get_type_name() == "MatMul" and node.get_attributes()["transpose_a"]
    return output.get_node().get_friendly_name(), output.get_index(), bool(transposed)


def _mean_output(node: Any, weights: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """What an operation with these weights gives for inputs with this mean, to be added to its output.

    The borders of a picture, where a convolution sees zeros beside it, are taken for its middle.
    """
    if node.get_type_name() == "MatMul":
        return np.asarray(weights @ mean if node.get_attributes()["transpose_b"] else mean @ weights)
    taps = weights.sum((-2, -1))
    groups = taps if taps.ndim == 3 else taps[None]
    return np.einsum("goi,gi->go", groups, mean.reshape(len(groups), -1)).reshape(1, -1, 1, 1)


def _take_off(node: Any, shift: np.ndarray) -> None:
    opset13 = import_openvino().opset13
    readers = node.output(0).get_target_inputs()
    corrected = opset13.add(node.output(0), opset13.constant(-shift.astype(np.float32)))
    for reader in readers:
        reader.replace_source_output(corrected.output(0))


def _activations(
    graph: Any, operations: Sequence[Any], inputs: Sequence[list[np.ndarray]]
) -> dict[Source, Activation]:
    """Range and means of each tensor that enters one of the operations."""
    openvino = import_openvino()

    sources = {_source(node): node for node in operations}
    if not sources:
        return {}
    outputs = [node.input_value(0) for node in sources.values()]
    watched = openvino.Model(outputs, graph.get_parameters(), "calibration")
    run = openvino.Core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    largest = dict.fromkeys(sources, 1e-6)
    signed = dict.fromkeys(sources, False)
    samples: dict[Source, list[np.ndarray]] = {source: [] for source in sources}
    means: dict[Source, list[np.ndarray]] = {source: [] for source in sources}
    for arrays in inputs:
        for (source, node), values in zip(sources.items(), run(arrays).to_tuple(), strict=True):
            flat = values.reshape(-1)
            signed[source] |= bool(flat.min() < 0)
            largest[source] = max(largest[source], float(np.abs(flat).max()))
            samples[source].append(np.abs(flat[:: max(1, flat.size // SAMPLES)]))
            means[source].append(_channel_means(node, values))
    found = {}
    for source in sources:
        end = best_end(np.concatenate(samples[source]), largest[source], 127 if signed[source] else 255)
        low = -end * 128 / 127 if signed[source] else 0.0
        found[source] = Activation(low, end, np.mean(means[source], axis=0))
    return found


def _channel_means(node: Any, values: np.ndarray) -> np.ndarray:
    """Of what enters the operation: means over all axes but that over which it sums."""
    channels = 1
    if node.get_type_name() == "MatMul":
        channels = values.ndim - (2 if _source(node)[2] else 1)
    return np.asarray(values.mean(tuple(axis for axis in range(values.ndim) if axis != channels)))


def _fake_quantize(value: Any, low: Any, high: Any, levels: int) -> Any:
    opset13 = import_openvino().opset13
    ends = [opset13.constant(np.asarray(end, np.float32)) for end in (low, high, low, high)]
    return opset13.fake_quantize(value, *ends, levels)
