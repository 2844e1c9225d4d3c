"""Integers instead of floats: what rounded weights add to the mean of an output is taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.quantize import quantize
from model.recipes import cpu_has_int8
from model.vino import import_openvino

openvino = import_openvino()
opset13 = openvino.opset13


def run(graph: Any, inputs: np.ndarray) -> np.ndarray:
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return np.array(openvino.Core().compile_model(graph, "CPU", options)([inputs])[0], np.float64)


def convolution(source: Any, weights: np.ndarray) -> Any:
    kind = opset13.convolution if weights.ndim == 4 else opset13.group_convolution
    return kind(source, opset13.constant(weights), [1, 1], [0, 0], [0, 0], [1, 1])


def product(source: Any, weights: np.ndarray) -> Any:
    return opset13.matmul(source, opset13.constant(weights), False, True)


def product_of_columns(source: Any, weights: np.ndarray) -> Any:
    return opset13.matmul(source, opset13.constant(weights), True, True)


@pytest.mark.skipif(not cpu_has_int8(), reason="integers are chosen only with their instructions")
@pytest.mark.parametrize(
    ("operation", "weights", "inputs", "free"),
    [
        (convolution, (16, 64, 1, 1), (1, 64, 20, 20), (0, 2, 3)),
        (convolution, (4, 4, 16, 1, 1), (1, 64, 20, 20), (0, 2, 3)),
        (product, (16, 64), (1, 400, 64), (0, 1)),
        (product_of_columns, (16, 64), (1, 64, 400), (0, 1)),
    ],
    ids=["convolution", "groups", "product", "columns"],
)
def test_the_mean_of_each_output_stays(
    operation: Any, weights: tuple[int, ...], inputs: tuple[int, ...], free: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    source = opset13.parameter(list(inputs), np.float32)
    values = random.standard_normal(weights).astype(np.float32)
    graph = openvino.Model([operation(source, values)], [source], "graph")
    # Never negative, as after a ReLU: there the rounding of a weight does not cancel out.
    seen, other = (random.uniform(0, 1, inputs).astype(np.float32) for _ in range(2))
    wanted = run(graph, other)
    assert quantize(graph, [[seen]], lambda name: True) == 1
    error = run(graph, other) - wanted
    shift, spread = np.abs(error.mean(free)), error.std(free)
    assert spread.min() > 0, "it is rounded"
    assert shift.max() < 0.3 * spread.mean()
