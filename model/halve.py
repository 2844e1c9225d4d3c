"""bfloat16 for chosen parts of an OpenVINO graph, and float32 for the rest.

OpenVINO's own hint puts a whole graph into bfloat16, the few layers included whose rounding the network
amplifies. Here the graph itself says what is computed in which numbers: chosen operations take and give
bfloat16, and a conversion stands wherever a tensor enters or leaves them. The sums inside of a convolution
or matrix product are float32 all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model.vino import import_openvino

TENSORS = {"Convolution": 2, "MatMul": 2, "Add": 2, "Relu": 1}
"""Operations that can be bfloat16, and how many of their inputs are tensors of numbers."""


def halve(graph: Any, chosen: Callable[[str], bool]) -> int:
    """Put the operations whose names are `chosen` into bfloat16, in place; returns how many."""
    opset13 = import_openvino().opset13
    operations = [node for node in graph.get_ordered_ops() if node.get_type_name() in TENSORS]
    operations = [node for node in operations if _is_float(node) and chosen(node.get_friendly_name())]
    inside = {node.get_friendly_name() for node in operations}
    entered: dict[tuple[str, int], Any] = {}
    for node in operations:
        outside = [
            reader
            for reader in node.output(0).get_target_inputs()
            if reader.get_node().get_friendly_name() not in inside
        ]
        if outside:
            left = opset13.convert(node.output(0), "f32").output(0)
            for reader in outside:
                reader.replace_source_output(left)
        for number in range(TENSORS[node.get_type_name()]):
            source = node.input_value(number)
            key = source.get_node().get_friendly_name(), source.get_index()
            if key[0] in inside:
                continue
            if key not in entered:
                entered[key] = opset13.convert(source, "bf16").output(0)
            node.input(number).replace_source_output(entered[key])
    graph.validate_nodes_and_infer_types()
    return len(operations)


def _is_float(node: Any) -> bool:
    return bool(node.get_output_element_type(0).get_type_name() == "f32")
