"""Read the operations of a TFLite file with float weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tflite

from assets.build.graph import Op

BUILTIN = tflite.BuiltinOperator
# kind, class of the options, order of the weight's axes for torch
KINDS = {
    BUILTIN.CONV_2D: ("conv", tflite.Conv2DOptions, (0, 3, 1, 2)),
    BUILTIN.DEPTHWISE_CONV_2D: ("conv", tflite.DepthwiseConv2DOptions, (3, 0, 1, 2)),
    BUILTIN.ADD: ("add", tflite.AddOptions, None),
    BUILTIN.MAX_POOL_2D: ("pool", tflite.Pool2DOptions, None),
    BUILTIN.RESIZE_BILINEAR: ("resize", None, None),
}
ACTIVATIONS = {0: None, 1: "relu", 3: "relu6"}
DTYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.FLOAT16: np.float16}


class TFLiteReader:
    """The operations of a file's only graph; tensors go by their index."""

    def __init__(self, path: Path) -> None:
        self.model = tflite.Model.GetRootAs(path.read_bytes(), 0)
        self.graph = self.model.Subgraphs(0)
        self.dequantised: dict[int, int] = {}
        """float32 tensor -> the float16 constant that it is made from."""

    def outputs(self) -> list[int]:
        """The output tensors in order."""
        return [int(n) for n in self.graph.OutputsAsNumpy()]

    def constant(self, index: int) -> np.ndarray:
        """A stored tensor as float32. Raises ValueError for a sparse one."""
        index = self.dequantised.get(index, index)
        tensor = self.graph.Tensors(index)
        if tensor.Sparsity() is not None:
            raise ValueError(f"tensor {index} is sparse")
        data = self.model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        array = np.frombuffer(data, DTYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())
        return array.astype(np.float32)

    def ops(self) -> list[Op]:
        """Every operation but the ones that unpack weights."""
        ops = []
        for i in range(self.graph.OperatorsLength()):
            operator = self.graph.Operators(i)
            code = self.model.OperatorCodes(operator.OpcodeIndex())
            builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            inputs, output = map(int, operator.InputsAsNumpy()), int(operator.OutputsAsNumpy()[0])
            if builtin == BUILTIN.DEQUANTIZE:
                self.dequantised[output] = next(inputs)
            else:
                ops.append(self._op(builtin, list(inputs), output, operator.BuiltinOptions()))
        return ops

    def _op(self, builtin: int, inputs: list[int], output: int, table: Any) -> Op:
        kind, options_class, order = KINDS.get(builtin, ("skip", None, None))
        fields: dict[str, Any] = {}
        if options_class is not None:
            options = options_class()
            options.Init(table.Bytes, table.Pos)
            fields["activation"] = ACTIVATIONS[options.FusedActivationFunction()]
        if order is not None:
            fields["weight"] = self.constant(inputs[1]).transpose(order)
            fields["bias"] = self.constant(inputs[2])
            fields["stride"] = options.StrideH()
        return Op(kind, tuple(inputs[: 2 if kind == "add" else 1]), output, **fields)
