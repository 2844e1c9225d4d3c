"""The formats of single meshes, by the ending of their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from app.export.fbx import write_fbx
from app.export.gltf import write_glb
from app.export.mesh import NamedMesh, Origin
from app.export.obj import write_obj
from app.export.ply import write_ply
from app.export.presets import Preset


class Writer(Protocol):
    """Writes meshes as one file, whole or not at all; raises UserError."""

    def __call__(
        self, path: Path, meshes: Sequence[NamedMesh], preset: Preset = ..., origin: Origin | None = None
    ) -> None: ...


WRITERS: dict[str, Writer] = {"obj": write_obj, "fbx": write_fbx, "glb": write_glb, "ply": write_ply}
