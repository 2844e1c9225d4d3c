"""Read the convolutional operations of a TensorFlow.js graph model."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from assets.build.graph import Op

# kind, order of the weight's axes for torch
KINDS: dict[str, tuple[str, tuple[int, ...] | None]] = {
    "_FusedConv2D": ("conv", (3, 2, 0, 1)),
    "FusedDepthwiseConv2dNative": ("conv", (2, 3, 0, 1)),
    "DepthwiseConv2dNative": ("conv", (2, 3, 0, 1)),
    "AddV2": ("add", None),
    "ResizeBilinear": ("resize", None),
    "Sigmoid": ("skip", None),
}


def read_constants(path: Path) -> dict[str, np.ndarray]:
    """The float16 weights beside a model.json by name, as float32."""
    constants = {}
    for group in json.loads(path.read_text())["weightsManifest"]:
        data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        start = 0
        for entry in group["weights"]:
            dtype = np.dtype(entry.get("quantization", entry)["dtype"])
            count = math.prod(entry["shape"])
            array = np.frombuffer(data, dtype, count, start).reshape(entry["shape"])
            constants[entry["name"]] = array.astype(np.float32) if dtype == np.float16 else array
            start += array.nbytes
    return constants


def read_tfjs(path: Path) -> list[Op]:
    """The operations that a convolutional network is made of; tensors go by their name."""
    constants = read_constants(path)
    nodes = json.loads(path.read_text())["modelTopology"]["node"]
    return [_op(node, constants) for node in nodes if node["op"] in KINDS]


def _op(node: dict[str, Any], constants: dict[str, np.ndarray]) -> Op:
    kind, order = KINDS[node["op"]]
    inputs = node["input"]
    attributes = node.get("attr", {})
    fields: dict[str, Any] = {}
    if order is not None:
        fused = attributes.get("fused_ops", {}).get("list", {}).get("s", [])
        names = [base64.b64decode(name).decode().lower() for name in fused]
        fields["activation"] = next((name for name in names if name.startswith("relu")), None)
        fields["weight"] = constants[inputs[1]].transpose(order)
        fields["bias"] = constants[inputs[2]] if "biasadd" in names else None
        fields["stride"] = int(attributes["strides"]["list"]["i"][1])
    return Op(kind, tuple(inputs[: 2 if kind == "add" else 1]), node["name"], **fields)
