"""Fill a readable torch module with the weights of a published inference graph.

The module is traced with torch.fx and laid over the file's graph, from the outputs back to the input: every
convolution, sum, pooling and resize must have its counterpart with the same stride and activation. So a
finished match shows that both compute the same thing, whatever the names and the order in the file.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn


@dataclass(frozen=True)
class Op:
    """One operation of the file; tensors go by the file's own key (an index or a name)."""

    kind: str
    """conv, add, pool or resize; "skip" where the module needs nothing (pad, reshape, sigmoid)."""
    inputs: tuple[Any, ...]
    output: Any
    activation: str | None = None
    weight: np.ndarray | None = None
    """As torch wants it: (out, in / groups, h, w)."""
    bias: np.ndarray | None = None
    stride: int = 1


TORCH_KINDS: dict[Any, str] = {
    operator.add: "add",
    F.max_pool2d: "pool",
    F.interpolate: "resize",
    F.pad: "skip",
    torch.sigmoid: "skip",
}


class Matcher:
    """Walks the traced module and the file's graph together and gathers the weights by module name."""

    def __init__(self, network: nn.Module, ops: Iterable[Op]) -> None:
        self.modules = dict(network.named_modules())
        self.ops = {op.output: op for op in ops}
        self.seen: dict[fx.Node, Any] = {}
        self.weights: dict[str, Tensor] = {}
        self.tensor_of: dict[str, Any] = {}
        """Name of a convolution -> key of the file's tensor that goes into it."""

    def match(self, node: fx.Node, tensor: Any) -> None:
        """Check that `node` of the module computes `tensor` of the file. Raises ValueError if not."""
        node, activation = self._peel(node)
        while tensor in self.ops and self.ops[tensor].kind == "skip":
            tensor = self.ops[tensor].inputs[0]
        if node in self.seen:
            if self.seen[node] != tensor:
                raise ValueError(f"{node} is both {self.seen[node]} and {tensor}")
            return
        self.seen[node] = tensor
        if node.op == "placeholder":
            if tensor in self.ops:
                raise ValueError(f"the input of the module is an inner tensor of the file, {tensor}")
            return
        op = self.ops[tensor]
        if (op.kind, op.activation) != (self._kind(node), activation):
            raise ValueError(f"{node} with {activation} is no {op.kind} with {op.activation}")
        if op.kind == "conv":
            self._take(node, op)
        for child, key in zip(node.all_input_nodes, op.inputs, strict=True):
            self.match(child, key)

    def _take(self, node: fx.Node, op: Op) -> None:
        """Keep the weights of one convolution."""
        module, name = self.modules[str(node.target)], str(node.target)
        if not isinstance(module, nn.Conv2d) or op.weight is None:
            raise ValueError(f"{name} has no weights")
        if module.weight.shape != op.weight.shape or module.stride != (op.stride, op.stride):
            raise ValueError(f"{name}: {module} does not take {op.weight.shape} with stride {op.stride}")
        self.weights[name + ".weight"] = torch.tensor(op.weight)
        if op.bias is not None:
            self.weights[name + ".bias"] = torch.tensor(op.bias)
        self.tensor_of[name] = op.inputs[0]

    def _kind(self, node: fx.Node) -> str:
        module = self.modules[str(node.target)] if node.op == "call_module" else None
        if isinstance(module, nn.Conv2d):
            return "conv"
        if node.op == "call_method" or isinstance(module, nn.ZeroPad2d):
            return "skip"
        return TORCH_KINDS.get(node.target, "unknown")

    def _peel(self, node: fx.Node) -> tuple[fx.Node, str | None]:
        """Step back over activations and reshapes to the operation that made this value."""
        activation = None
        while node.op != "placeholder":
            module = self.modules.get(str(node.target)) if node.op == "call_module" else None
            if isinstance(module, nn.ReLU | nn.ReLU6):
                activation = type(module).__name__.lower()
            elif self._kind(node) != "skip":
                break
            node = node.all_input_nodes[0]
        return node, activation


def match_graph(network: nn.Module, ops: Iterable[Op], outputs: dict[str, Any]) -> Matcher:
    """Match every output of `network` (fields of its NamedTuple) to the file's tensor of that name.

    Returns the matcher with `weights`, a complete state dict. Raises ValueError where the graphs differ.
    """
    matcher = Matcher(network, ops)
    graph = fx.symbolic_trace(network).graph
    result = next(node for node in graph.nodes if node.op == "output").args[0]
    nodes = dict(zip(result.target._fields, result.args, strict=True))
    for name, tensor in outputs.items():
        matcher.match(nodes[name], tensor)
    missing = set(network.state_dict()) - set(matcher.weights)
    if missing:
        raise ValueError(f"weights that no output asks for: {sorted(missing)}")
    return matcher


def lossless_half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as float16. Raises ValueError if that changes any of them."""
    for name, weight in weights.items():
        if not torch.equal(weight.half().to(weight.dtype), weight):
            raise ValueError(f"{name} is not exact in float16")
    return {name: weight.half().contiguous() for name, weight in weights.items()}
