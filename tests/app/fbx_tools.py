"""Independent readers of FBX files, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.export.presets import PRESETS, Y_UP_METRES

ASSIMP = shutil.which("assimp")
SDK = Path(sys.prefix) / "npm/node_modules/fbx2gltf/bin/Linux/FBX2glTF"
needs_assimp = pytest.mark.skipif(ASSIMP is None, reason="no assimp: apt-get install assimp-utils")
needs_sdk = pytest.mark.skipif(
    not os.access(SDK, os.X_OK), reason="no FBX2glTF: npm install --prefix .venv/npm fbx2gltf@0.9.7"
)
every_preset = pytest.mark.parametrize("preset", [Y_UP_METRES, *PRESETS.values()], ids=["plain", *PRESETS])


def by_assimp_as(path: Path, ending: str) -> Path:
    """What assimp read, written by it in another format; axes and unit are the file's own."""
    assert ASSIMP is not None
    target = path.with_suffix(ending)
    command = [ASSIMP, "export", str(path), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return target


def sdk_as_glb(path: Path) -> Path:
    """What the FBX SDK read, in metres, y up, at 30 frames a second; it succeeds even without a mesh."""
    target = path.with_suffix(".sdk.glb")
    command = [
        str(SDK),
        "--binary",
        "--anim-framerate",
        "bake30",
        "--input",
        str(path),
        "--output",
        str(target),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return target
