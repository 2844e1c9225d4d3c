"""bfloat16 stays in the parts that it was meant for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.halve import halve
from model.machine import cpu_has_bfloat16
from model.vino import import_openvino

openvino = import_openvino()
opset13 = openvino.opset13
CHANNELS = 8


def convolution(source: Any, name: str, seed: int) -> Any:
    weights = np.random.default_rng(seed).standard_normal((CHANNELS, CHANNELS, 3, 3)) / CHANNELS
    found = opset13.convolution(
        source, opset13.constant(weights.astype(np.float32)), [1, 1], [1, 1], [1, 1], [1, 1]
    )
    found.set_friendly_name(name)
    return found


@pytest.fixture
def graph() -> Any:
    """Two convolutions in a row and one beside them, summed."""
    image = opset13.parameter([1, CHANNELS, 6, 6], np.float32)
    first = opset13.relu(convolution(image, "first", 0))
    first.set_friendly_name("between")
    total = opset13.add(convolution(first, "second", 1), convolution(image, "beside", 2))
    return openvino.Model([total], [image], "graph")


def types(graph: Any) -> dict[str, str]:
    """Of what each operation gives, by its name."""
    return {
        node.get_friendly_name(): node.get_output_element_type(0).get_type_name()
        for node in graph.get_ordered_ops()
        if node.get_output_size()
    }


def test_only_the_chosen_operations_are_bfloat16(graph: Any) -> None:
    assert halve(graph, lambda name: name in ("first", "between", "second")) == 3
    found = types(graph)
    assert [found[name] for name in ("first", "between", "second", "beside")] == ["bf16"] * 3 + ["f32"]
    assert graph.output(0).get_element_type().get_type_name() == "f32"
    kinds = [node.get_type_name() for node in graph.get_ordered_ops()]
    # In: the image, two weights. Out: the sum's one side. Between the chosen ones there is none.
    assert kinds.count("Convert") == 4


def test_nothing_chosen_changes_nothing(graph: Any) -> None:
    before = types(graph)
    assert halve(graph, lambda name: False) == 0
    assert types(graph) == before


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="needs a processor with bfloat16")
def test_the_rounded_graph_gives_nearly_the_same(graph: Any) -> None:
    image = np.random.default_rng(3).standard_normal((1, CHANNELS, 6, 6)).astype(np.float32)

    def answer() -> np.ndarray:
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        return np.array(openvino.Core().compile_model(graph, "CPU", options)([image])[0])

    wanted = answer()
    halve(graph, lambda name: name in ("first", "second"))
    error = np.abs(answer() - wanted).max() / np.abs(wanted).max()
    assert 1e-5 < error < 2e-2
