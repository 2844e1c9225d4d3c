"""Run by Blender's own Python: imports a file with the default settings and saves what stands in the scene.

`python blender_reader.py FILE OUTPUT.npz [SECONDS…]`: for each mesh object (T, V, 3) world coordinates. For
BVH, which has no mesh, those of its armature (T, J, 3) where the bones begin.
"""

from __future__ import annotations

import sys

import bpy
import numpy as np

IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "bvh": lambda path: bpy.ops.import_anim.bvh(filepath=path),
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


def world_joints(item: bpy.types.Object) -> np.ndarray:
    """(J, 3) in the order of the file, at the current frame."""
    return np.array([item.matrix_world @ bone.head for bone in item.pose.bones])


def main(path: str, output: str, *seconds: str) -> None:
    """Import, play, save."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    ending = path.rsplit(".", 1)[1]
    IMPORTERS[ending](path)
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
            elif item.type == "ARMATURE" and ending == "bvh":
                found.setdefault(item.name, []).append(world_joints(item))
    np.savez(output, **{name: np.stack(frames) for name, frames in found.items()})


main(*sys.argv[1:])
