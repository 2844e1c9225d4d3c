"""Plays skinned GLB files by the glTF 2.0 specification, knowing nothing of how they were written."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


class Player:
    """One file; matrices are (4, 4) acting on columns."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON" and size % 4 == 0
        self.document: dict[str, Any] = json.loads(data[20 : 20 + size])
        self._binary = data[28 + size :]
        self.nodes = self.document["nodes"]
        children = [(c, p) for p, item in enumerate(self.nodes) for c in item.get("children", [])]
        self._parents = dict(children)

    def array(self, index: int) -> np.ndarray:
        """(N, width) of an accessor."""
        accessor = self.document["accessors"][index]
        view = self.document["bufferViews"][accessor["bufferView"]]
        dtype, width = np.dtype(TYPES[accessor["componentType"]]), WIDTHS[accessor["type"]]
        offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        stride = view.get("byteStride", dtype.itemsize * width)
        shape = (accessor["count"], width)
        rows = np.ndarray(shape, dtype, self._binary, offset, (stride, dtype.itemsize)).astype(float)
        return rows / np.iinfo(dtype).max if accessor.get("normalized") else rows

    def vertices(self, name: str, time: float) -> np.ndarray:
        """(V, 3) of the named mesh node at a time in seconds."""
        item = next(item for item in self.nodes if item.get("name") == name and "mesh" in item)
        attributes = self.document["meshes"][item["mesh"]]["primitives"][0]["attributes"]
        rest, weights = self.array(attributes["POSITION"]), self.array(attributes["WEIGHTS_0"])
        assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
        skin = self.document["skins"][item["skin"]]
        inverse = self.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        local = self._local(time)
        world = np.stack([self._world(joint, local) for joint in skin["joints"]])
        joints = self.array(attributes["JOINTS_0"]).astype(int)
        moves = np.einsum("vk,vkab->vab", weights, (world @ inverse)[joints])
        return np.einsum("vab,vb->va", moves[:, :3, :3], rest) + moves[:, :3, 3]

    def world(self, node: int, time: float = 0.0) -> np.ndarray:
        """(4, 4) from a node to the scene."""
        return self._world(node, self._local(time))

    def _local(self, time: float) -> list[np.ndarray]:
        parts = [
            {
                "translation": np.array(item.get("translation", [0, 0, 0]), float),
                "rotation": np.array(item.get("rotation", [0, 0, 0, 1]), float),
                "scale": np.array(item.get("scale", [1, 1, 1]), float),
            }
            for item in self.nodes
        ]
        assert not any("matrix" in item for item in self.nodes)
        for animation in self.document.get("animations", []):
            for channel in animation["channels"]:
                if channel["target"]["path"] == "weights":
                    continue
                sampler = animation["samplers"][channel["sampler"]]
                times, values = self.array(sampler["input"])[:, 0], self.array(sampler["output"])
                value = np.array([np.interp(time, times, column) for column in values.T])
                parts[channel["target"]["node"]][channel["target"]["path"]] = value
        matrices = []
        for part in parts:
            matrix = np.eye(4)
            matrix[:3, :3] = Rotation.from_quat(part["rotation"]).as_matrix() * part["scale"]
            matrix[:3, 3] = part["translation"]
            matrices.append(matrix)
        return matrices

    def _world(self, node: int, local: list[np.ndarray]) -> np.ndarray:
        if node not in self._parents:
            return local[node]
        return self._world(self._parents[node], local) @ local[node]
