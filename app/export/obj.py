"""Wavefront OBJ: metres, y up, faces outward."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import UserError


@dataclass(frozen=True)
class NamedMesh:
    """One object of the file."""

    name: str
    vertices: np.ndarray
    """(V, 3) metres in camera axes: x right, y down, z forward."""
    faces: np.ndarray
    """(F, 3) int from 0."""
    uv: np.ndarray | None = None
    """(N, 2) texture coordinates, v up; needs `uv_faces`."""
    uv_faces: np.ndarray | None = None
    """(F, 3) int into `uv`."""


def to_y_up(points: np.ndarray) -> np.ndarray:
    """Camera axes (N, 3) -> x right, y up, z towards the viewer: half a turn about x."""
    return points * np.array([1.0, -1.0, -1.0], points.dtype)


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F, 3) faces whose normals point out of the body: turned over when its volume is negative."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    volume = float((a * np.cross(b, c)).sum())
    return faces[:, ::-1] if volume < 0 else faces


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, weighted by the area of the faces around."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros((len(vertices), 3))
    for column in range(3):
        np.add.at(normals, faces[:, column], face_normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def write_obj(path: Path, meshes: Sequence[NamedMesh], *, model_name: str = "", sha256: str = "") -> None:
    """Write the meshes as one OBJ file, whole or not at all.

    Raises `UserError` when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    if not meshes:
        raise UserError("There is no person to export.")
    for mesh in meshes:
        if not np.isfinite(mesh.vertices).all():
            raise UserError(f"{mesh.name} has vertices that are not finite; nothing was exported.")
    head = [
        "# PointHMR desktop",
        f"# model: {model_name or 'unknown'} sha256: {sha256 or 'unknown'}",
        "# units: metres; axes: x right, y up, z towards the viewer; origin: middle of the hips",
    ]
    lines, offsets = head, (1, 1, 1)
    for mesh in meshes:
        block, offsets = _object_lines(mesh, offsets)
        lines = lines + block
    _write_atomically(path, "\n".join(lines) + "\n")


def _object_lines(mesh: NamedMesh, first: tuple[int, int, int]) -> tuple[list[str], tuple[int, int, int]]:
    """Lines of one object, and the first free index of v, vt and vn after it."""
    vertices = to_y_up(mesh.vertices)
    uv, uv_faces = mesh.uv, mesh.uv_faces
    flipped = outward(vertices, mesh.faces) is not mesh.faces
    faces = mesh.faces[:, ::-1] if flipped else mesh.faces
    lines = [f"o {mesh.name.replace(' ', '_')}"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices.tolist()]
    lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertex_normals(vertices, faces).tolist()]
    v, vt, vn = first
    corners = (faces.astype(np.int64)).tolist()
    if uv is None or uv_faces is None:
        lines += ["f " + " ".join(f"{i + v}//{i + vn}" for i in face) for face in corners]
        return lines, (v + len(vertices), vt, vn + len(vertices))
    lines += [f"vt {s:.6f} {t:.6f}" for s, t in uv.tolist()]
    texture = (uv_faces[:, ::-1] if flipped else uv_faces).astype(np.int64).tolist()
    lines += [
        "f " + " ".join(f"{i + v}/{j + vt}/{i + vn}" for i, j in zip(face, tex, strict=True))
        for face, tex in zip(corners, texture, strict=True)
    ]
    return lines, (v + len(vertices), vt + len(uv), vn + len(vertices))


def _write_atomically(path: Path, text: str) -> None:
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.stem[:40]}", delete=False
        ) as stream:
            temporary = Path(stream.name)
            stream.write(text)
        temporary.chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise UserError(f"{path} could not be written: {error.strerror or error}.") from error
