"""Wavefront OBJ: text; each person an object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.export.mesh import NamedMesh, Origin, PlacedMesh, place
from app.export.presets import Y_UP_METRES, Preset
from model.paths import write_atomically


def write_obj(
    path: Path, meshes: Sequence[NamedMesh], preset: Preset = Y_UP_METRES, origin: Origin | None = None
) -> None:
    """Write the meshes as one OBJ file, whole or not at all.

    Raises UserError when there is nothing to write, a vertex is not finite, or the disk refuses.
    """
    preset = preset.for_obj
    lines = ["# PointHMR desktop"]
    lines += [f"# {name}: {text}" for name, text in (origin or Origin()).facts(preset).items()]
    first = (1, 1, 1)
    for mesh in place(meshes, preset):
        block, first = _object_lines(mesh, first)
        lines += block
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def _object_lines(mesh: PlacedMesh, first: tuple[int, int, int]) -> tuple[list[str], tuple[int, int, int]]:
    """Lines of one object, and the first free index of v, vt and vn after it."""
    lines = [f"o {'_'.join(mesh.name.split())}"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices.tolist()]
    lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.normals.tolist()]
    v, vt, vn = first
    corners = mesh.faces.tolist()
    after = v + len(mesh.vertices), vt, vn + len(mesh.vertices)
    if mesh.uv is None or mesh.uv_faces is None:
        lines += ["f " + " ".join(f"{i + v}//{i + vn}" for i in face) for face in corners]
        return lines, after
    lines += [f"vt {s:.6f} {t:.6f}" for s, t in mesh.uv.tolist()]
    lines += [
        "f " + " ".join(f"{i + v}/{j + vt}/{i + vn}" for i, j in zip(face, texture, strict=True))
        for face, texture in zip(corners, mesh.uv_faces.tolist(), strict=True)
    ]
    return lines, (after[0], vt + len(mesh.uv), after[2])
