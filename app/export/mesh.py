"""What every writer of meshes starts from: named meshes, checked, turned, outward, with normals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.export.camera import Camera
from app.export.presets import Preset
from app.pipeline.frames import Hops
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
    colours: np.ndarray | None = None
    """(V, 3) sRGB in [0, 1]."""


@dataclass(frozen=True)
class Origin:
    """Where the meshes come from, as every file tells it."""

    model: str = ""
    sha256: str = ""
    masks: Hops | None = None
    more: tuple[tuple[str, str], ...] = ()
    """Further names and texts, which stand over those below."""
    camera: Camera | None = None
    """Stands in the origin, where the format knows cameras; None: the hips do."""

    def facts(self, preset: Preset) -> dict[str, str]:
        """Names and texts for a file's metadata."""
        masks = "unknown" if self.masks is None else ",".join(str(hop or "off") for hop in self.masks)
        facts = {
            "model": self.model or "unknown",
            "sha256": self.sha256 or "unknown",
            "masks": masks,
            "units": preset.unit,
            "axes": preset.axes,
            "origin": "middle of the hips",
        } | (self.camera.facts | dict(self.more) if self.camera else dict(self.more))
        # A file's name need not be Unicode, but what is written is.
        return {name: text.encode("utf-8", "backslashreplace").decode() for name, text in facts.items()}


@dataclass(frozen=True)
class PlacedMesh:
    """A mesh in the axes and unit of the file, ready to be written."""

    name: str
    vertices: np.ndarray
    """(V, 3) float64."""
    faces: np.ndarray
    """(F, 3) int32, outward: counter-clockwise seen from outside."""
    normals: np.ndarray
    """(V, 3) float64 unit vectors."""
    uv: np.ndarray | None
    """(N, 2) float64, v up."""
    uv_faces: np.ndarray | None
    """(F, 3) int32 into `uv`, turned over with `faces`."""
    source: np.ndarray
    """(V,) int: the vertex of the named mesh that each one is."""
    colours: np.ndarray | None = None
    """(V, 3) sRGB in [0, 1]."""

    @property
    def light(self) -> np.ndarray | None:
        """(V, 3) the colours in linear light, as formats want them that say what their numbers mean."""
        if self.colours is None:
            return None
        return np.where(
            self.colours <= 0.04045, self.colours / 12.92, ((self.colours + 0.055) / 1.055) ** 2.4
        )


def place(meshes: Sequence[NamedMesh], preset: Preset) -> list[PlacedMesh]:
    """The meshes as a file for `preset` holds them.

    Raises UserError when there is nothing to write or a vertex is not finite.
    """
    if not meshes:
        raise UserError("There is no person to export.")
    return [_placed(mesh, preset) for mesh in meshes]


def _placed(mesh: NamedMesh, preset: Preset) -> PlacedMesh:
    if not np.isfinite(mesh.vertices).all():
        raise UserError(f"{mesh.name} has vertices that are not finite; nothing was exported.")
    vertices = preset.turn(mesh.vertices.astype(np.float64)) * preset.units_per_metre
    faces = mesh.faces.astype(np.int32)
    uv = uv_faces = None
    if mesh.uv is not None and mesh.uv_faces is not None:
        uv, uv_faces = mesh.uv.astype(np.float64), mesh.uv_faces.astype(np.int32)
    if volume(vertices, faces) < 0:
        faces = faces[:, ::-1]
        uv_faces = None if uv_faces is None else uv_faces[:, ::-1]
    normals = vertex_normals(vertices, faces)
    return PlacedMesh(
        mesh.name, vertices, faces, normals, uv, uv_faces, np.arange(len(vertices)), mesh.colours
    )


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Six times the signed volume: positive when the normals of a closed mesh point out of it."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float((a * np.cross(b, c)).sum())


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, weighted by the area of the faces around."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros((len(vertices), 3))
    for column in range(3):
        np.add.at(normals, faces[:, column], face_normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def split_at_seams(mesh: PlacedMesh) -> PlacedMesh:
    """The same surface where each vertex has one texture coordinate, for formats that index both together.

    Vertices on a seam are repeated, with the normal that they share.
    """
    if mesh.uv is None or mesh.uv_faces is None:
        return mesh
    pairs = np.stack([mesh.faces.ravel(), mesh.uv_faces.ravel()], axis=1)
    unique, corners = np.unique(pairs, axis=0, return_inverse=True)
    faces = corners.reshape(-1, 3).astype(np.int32)
    vertex, texture = unique.T
    return replace(
        mesh,
        vertices=mesh.vertices[vertex],
        normals=mesh.normals[vertex],
        uv=mesh.uv[texture],
        faces=faces,
        uv_faces=faces,
        source=mesh.source[vertex],
        colours=None if mesh.colours is None else mesh.colours[vertex],
    )
