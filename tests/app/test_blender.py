"""Files opened in Blender with its default settings: upright, in metres, moving.

Blender (GPL) is a tool of this test only, in an environment of its own:
`python3.11 -m venv .venv/bpy && .venv/bpy/bin/pip install bpy==4.5.15`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.bvh import bvh_text
from app.export.fbx_take import write_fbx_take
from app.export.gltf_take import write_glb_take
from app.export.presets import PRESETS
from app.export.skeleton import posed
from app.export.writers import WRITERS
from tests.app.mesh_files import ORIGIN, assert_same_points, beside, expected, mesh
from tests.app.takes import dance

PYTHON = Path(sys.prefix) / "bpy/bin/python"
READER = Path(__file__).with_name("blender_reader.py")
BLENDER = PRESETS["blender"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.access(PYTHON, os.X_OK), reason="no Blender: this file's first lines say how to install it"
    ),
]


def opened(path: Path, *seconds: float) -> dict[str, np.ndarray]:
    """(T, V, 3) of every mesh in Blender's scene, of BVH (T, J, 3) of its skeleton: its axes, metres."""
    output = path.with_suffix(".npz")
    command = [str(PYTHON), str(READER), str(path), str(output), *map(str, seconds)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert output.exists(), told.stdout + told.stderr
    with np.load(output) as found:
        return dict(found)


@pytest.mark.parametrize("kind", WRITERS)
def test_everybody_stands_upright(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"two.{kind}"
    people = [mesh(), beside(2, "Jörg 2")]
    WRITERS[kind](path, people, BLENDER, ORIGIN)
    found = opened(path)
    if kind != "ply":
        assert {name.replace("_", " ") for name in found} == {"person 1", "Jörg 2"}
    points = np.concatenate([frames[0] for frames in found.values()])
    assert_same_points(points, np.concatenate([expected(person, BLENDER) for person in people]), 1e-5)


@pytest.mark.parametrize("kind", ["fbx", "glb"])
def test_a_take_moves(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"take.{kind}"
    take = dance("dancer")
    if kind == "fbx":
        write_fbx_take(path, [take], BLENDER, ORIGIN)
    else:
        write_glb_take(path, [take], ORIGIN)
    frames = (0, 7, 19, 30)
    found = opened(path, *(float(take.motion.times[frame]) for frame in frames))
    wanted = posed(take) @ BLENDER.from_y_up.T
    for frame, points in zip(frames, found["dancer"], strict=True):
        assert_same_points(points, wanted[frame], 1e-5)


def test_a_skeleton_stands_and_moves_without_a_mesh(tmp_path: Path) -> None:
    """Blender's default is a frame of its scene, which has 24 a second, for each of the file's."""
    path, take = tmp_path / "walk.bvh", dance("dancer")
    path.write_text(bvh_text(take, BLENDER, rate=30.0), encoding="utf-8")
    frames = (0, 7, 19, 30)
    found = opened(path, *(frame / 24 for frame in frames))
    joints = replace(take.skeleton.mesh, vertices=take.skeleton.joints * [1, -1, -1])
    stick = replace(take, skeleton=replace(take.skeleton, mesh=joints, weights=np.eye(len(joints.vertices))))
    wanted = posed(stick) @ BLENDER.from_y_up.T
    for frame, points in zip(frames, found["walk"], strict=True):
        assert_same_points(points, wanted[frame], 1e-5)
