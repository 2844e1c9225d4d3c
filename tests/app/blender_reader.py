"""Run by Blender's own Python: imports a file with the default settings and saves what stands in the scene.

`python blender_reader.py FILE OUTPUT.npz [SECONDS…]`: for each mesh object (T, V, 3) world coordinates.
"""

from __future__ import annotations

import sys

import bpy
import numpy as np

IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "obj": lambda path: bpy.ops.wm.obj_import(filepath=path),
    "ply": lambda path: bpy.ops.wm.ply_import(filepath=path),
}


def world_vertices(item: bpy.types.Object) -> np.ndarray:
    """(V, 3) with modifiers, at the current frame."""
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    matrix = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def main(path: str, output: str, *seconds: str) -> None:
    """Import, play, save."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    IMPORTERS[path.rsplit(".", 1)[1]](path)
    scene = bpy.context.scene
    first = min((action.frame_range[0] for action in bpy.data.actions), default=0.0)
    found: dict[str, list[np.ndarray]] = {}
    for second in seconds or ("0",):
        frame = first + float(second) * scene.render.fps / scene.render.fps_base
        scene.frame_set(int(frame), subframe=frame % 1)
        for item in scene.objects:
            # Blender's glTF importer adds an icosphere to draw bones with.
            if item.type == "MESH" and item.name != "Icosphere":
                found.setdefault(item.name, []).append(world_vertices(item))
    np.savez(output, **{name: np.stack(frames) for name, frames in found.items()})


main(*sys.argv[1:])
