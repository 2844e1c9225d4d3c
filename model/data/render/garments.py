"""MakeHuman garments, shoes and hair (.obj + .mhclo, CC0) carried over to the free body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.cv import cv2
from model.data.render.basemesh import Carrier
from model.data.render.body import Mesh

HEAD = 15


@dataclass(frozen=True)
class Pattern:
    """A garment as its author made it, on the base mesh in the A-pose.

    points (N, 3) metres; faces (F, 3); uv (F, 3, 2) with v upwards; texture (h, w, 4) sRGB uint8 RGBA, None
    for plain ones; covered (M,) base vertices that it hides.
    """

    name: str
    points: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    texture: np.ndarray | None
    covered: np.ndarray


@dataclass(frozen=True)
class Garment:
    """A piece of clothing on the T-posed mean body.

    uv (F, 3, 2) with v upwards; texture (h, w, 4) sRGB uint8 RGBA, None for plain ones;
    hidden (V,) bool: body vertices that its author marked as covered.
    """

    name: str
    mesh: Mesh
    uv: np.ndarray
    texture: np.ndarray | None
    hidden: np.ndarray


def load_garment(folder: Path, carrier: Carrier, *, on_head: bool = False) -> Garment:
    """Read the garment in `folder`, bind it to the base mesh and carry it over.

    Raises ValueError when the binding does not fit the mesh.
    """
    return sew(read_pattern(folder, carrier.base.vertices), carrier, on_head=on_head)


def read_pattern(folder: Path, base: np.ndarray) -> Pattern:
    """The garment in `folder`, bound to the base mesh's vertices (19158, 3).

    Raises ValueError when the binding does not fit the mesh.
    """
    path = next(iter(sorted(folder.glob("*.obj"))))
    count, faces, uv = _read_mesh(path)
    points, covered = _bind(path.with_suffix(".mhclo"), base)
    if len(points) != count:
        raise ValueError(f"{path.name} has {count} vertices, its binding {len(points)}")
    textures = sorted(folder.glob("*diffuse*.png"))
    texture = read_texture(textures[0]) if textures else None
    return Pattern(f"{folder.parent.name}/{folder.name}", points, faces, uv, texture, covered)


def sew(pattern: Pattern, carrier: Carrier, *, on_head: bool = False) -> Garment:
    """A pattern carried over to the free body."""
    vertices, weights, shapedirs = carrier.carry(pattern.points, rigid_to=HEAD if on_head else None)
    mesh = Mesh(vertices, pattern.faces, weights, shapedirs)
    hidden = np.isin(carrier.nearest_base(), pattern.covered)
    return Garment(Path(pattern.name).name, mesh, pattern.uv, pattern.texture, hidden)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3)."""
    corners = vertices[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.empty_like(vertices)
    for axis in range(3):
        normals[:, axis] = np.bincount(
            faces.ravel(), np.repeat(face_normals[:, axis], 3), minlength=len(vertices)
        )
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _read_mesh(path: Path) -> tuple[int, np.ndarray, np.ndarray]:
    """Vertex count, triangles (F, 3) and their texture coordinates (F, 3, 2)."""
    count = 0
    coordinates: list[list[float]] = []
    faces: list[list[int]] = []
    corners: list[list[int]] = []
    for line in path.read_text(errors="ignore").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            count += 1
        elif words[0] == "vt":
            coordinates.append([float(word) for word in words[1:3]])
        elif words[0] == "f":
            pairs = [(word + "/1").split("/")[:2] for word in words[1:]]
            for second in range(1, len(pairs) - 1):
                fan = (pairs[0], pairs[second], pairs[second + 1])
                faces.append([int(vertex) - 1 for vertex, _ in fan])
                corners.append([int(coordinate or 1) - 1 for _, coordinate in fan])
    table = np.array(coordinates or [[0.0, 0.0]])
    return count, np.array(faces, dtype=np.int64), table[np.array(corners)]


def _bind(path: Path, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) of a .mhclo on the base mesh, and the base vertices it deletes."""
    scales = np.ones(3)
    rows: list[list[float]] = []
    deleted: list[int] = []
    section = ""
    for line in path.read_text(errors="ignore").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            first, second, size = int(words[1]), int(words[2]), float(words[3])
            scales[axis] = abs(base[first, axis] - base[second, axis]) / size
        elif words[0] in ("verts", "delete_verts"):
            section = words[0]
        elif not words[0].lstrip("-").isdigit():
            continue  # a setting between two sections
        elif section == "verts":
            single = len(words) == 1
            rows.append(
                [float(words[0])] * 3 + [1.0] + [0.0] * 5 if single else [float(w) for w in words[:9]]
            )
        elif section == "delete_verts":
            deleted.extend(_ranges(words))
    table = np.array(rows)
    corners = base[table[:, :3].astype(np.int64)]
    return (corners * table[:, 3:6, None]).sum(axis=1) + table[:, 6:9] * scales, np.array(
        deleted, dtype=np.int64
    )


def _ranges(words: list[str]) -> list[int]:
    """`3 5 - 7 9` as [3, 5, 6, 7, 9]."""
    numbers: list[int] = []
    for before, word in zip(["", *words], words, strict=False):
        if word == "-":
            continue
        if before == "-":
            numbers.extend(range(numbers[-1] + 1, int(word) + 1))
        else:
            numbers.append(int(word))
    return numbers


def read_texture(path: Path) -> np.ndarray:
    """(h, w, 4) sRGB uint8 RGBA of any picture; raises ValueError when it is none."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path} is no picture")
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
