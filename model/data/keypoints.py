"""People with annotated joints only: COCO, MPII, LSP and our own manifest, as one list in LSP order.

COCO: the JSON of `person_keypoints_*`. MPII: the JSON of HRNet and its kin (`joints`, `joints_vis`, `image`).
LSP: `joints.mat` or an .npz with `joints` (3, 14, N) or (14, 3, N), pictures `im0001.jpg` or `im00001.jpg`.
Manifest: a folder (model/data/manifest.py).
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model.array_files import load_arrays
from model.data.manifest import FILE, ManifestDataset
from model.data.pictures import read_picture
from model.errors import UserError
from model.json_text import parse_json

LEAST_JOINTS = 6
"""Annotated joints without which a person says too little."""
LEAST_SIDE = 40.0
"""Pixels that the annotated joints must reach over."""
_READ_MATLAB = """
import io, sys
import numpy as np
from scipy.io import loadmat
joints = loadmat(io.BytesIO(sys.stdin.buffer.read()), variable_names=["joints"]).get("joints", np.empty(0))
np.save(made := io.BytesIO(), joints, allow_pickle=False)
sys.stdout.buffer.write(made.getvalue())
"""
"""A program: MATLAB's file in, the array `joints` out as numpy's."""
_OF_COCO = (16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9)
_OF_MPII = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9)


@dataclass(frozen=True)
class Annotated:
    """One person."""

    key: str
    """Names person and picture; no two are alike."""
    joints2d: np.ndarray
    """(14, 3) LSP joints: x, y in pixels, and 1 where annotated, else 0."""
    read: Callable[[], np.ndarray]
    """The picture (H, W, 3) uint8 RGB; raises UserError when it is missing or broken."""


def read_annotations(path: Path, pictures: Path | None) -> list[Annotated]:
    """Everybody who is annotated well enough. pictures: the folder of the pictures, not for a manifest.

    Raises UserError in one sentence for a file of another form.
    """
    if path.is_dir() or path.name == FILE:
        return _kept(_manifest(path if path.is_dir() else path.parent))
    if pictures is None or not pictures.is_dir():
        raise UserError("The pictures of the annotation are needed: give --pictures their folder.")
    if path.suffix.lower() == ".json":
        return _kept(_json(path, pictures))
    if path.suffix.lower() in (".mat", ".npz"):
        return _kept(_lsp(path, pictures))
    raise UserError(f"{path.name} is no annotation: COCO and MPII are .json, LSP is .mat or .npz.")


def _kept(people: list[Annotated]) -> list[Annotated]:
    return [one for one in people if usable(one.joints2d)]


def usable(joints2d: np.ndarray) -> bool:
    """Whether enough joints (14, 3) are annotated, and far enough apart."""
    seen = joints2d[joints2d[:, 2] > 0, :2]
    if len(seen) < LEAST_JOINTS or not np.isfinite(seen).all():
        return False
    return float(np.ptp(seen, axis=0).max()) >= LEAST_SIDE


def _json(path: Path, pictures: Path) -> list[Annotated]:
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error
    try:
        if isinstance(content, dict) and "annotations" in content:
            return _coco(content, pictures)
        if isinstance(content, list) and content and "joints_vis" in content[0]:
            return _mpii(content, pictures)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path.name} is damaged ({type(error).__name__}: {error}).") from error
    raise UserError(f"{path.name} is neither COCO's nor MPII's: it has no keypoints that are known here.")


def _coco(content: dict[str, Any], pictures: Path) -> list[Annotated]:
    files = {image["id"]: str(image["file_name"]) for image in content["images"]}
    people = []
    for row in content["annotations"]:
        if "keypoints" not in row or row.get("iscrowd") or row.get("num_keypoints", 1) == 0:
            continue
        points = np.array(row["keypoints"], float).reshape(17, 3)
        joints = np.zeros((14, 3))
        joints[:12] = points[list(_OF_COCO)]
        joints[:, 2] = joints[:, 2] > 0
        if joints[8, 2] and joints[9, 2]:
            joints[12] = (*joints[[8, 9], :2].mean(0), 1)
        name = files[row["image_id"]]
        people.append(Annotated(f"{Path(name).stem}_{row['id']}", joints, _reader(pictures, name)))
    return people


def _mpii(rows: list[dict[str, Any]], pictures: Path) -> list[Annotated]:
    people = []
    for number, row in enumerate(rows):
        points, seen = np.array(row["joints"], float), np.array(row["joints_vis"], float)
        joints = np.column_stack([points.reshape(16, 2), seen.reshape(16) > 0])[list(_OF_MPII)]
        joints[(joints[:, :2] < 0).all(axis=1), 2] = 0
        people.append(
            Annotated(f"{Path(row['image']).stem}_{number}", joints, _reader(pictures, row["image"]))
        )
    return people


def _lsp(path: Path, pictures: Path) -> list[Annotated]:
    array = _read_matlab(path) if path.suffix.lower() == ".mat" else load_arrays(path).get("joints")
    if (
        array is None
        or array.dtype.kind not in "biuf"
        or array.ndim != 3
        or sorted(array.shape[:2]) != [3, 14]
    ):
        raise UserError(f"{path.name} has no `joints` of 14 joints, each x, y and visible.")
    all_joints = array.transpose(2, 1, 0) if array.shape[0] == 3 else array.transpose(2, 0, 1)
    people = []
    # LSP marks joints that are hidden with 1, LSP-extended joints that are annotated.
    hidden = len(all_joints) <= 2000 and bool((all_joints[..., 2] > 0).mean() < 0.5)
    for number, joints in enumerate(all_joints.astype(float), start=1):
        names = [f"im{number:04d}.jpg", f"im{number:05d}.jpg"]
        name = next((name for name in names if (pictures / name).is_file()), names[0])
        seen = np.ones(14) if hidden else joints[:, 2] > 0
        people.append(
            Annotated(Path(name).stem, np.column_stack([joints[:, :2], seen]), _reader(pictures, name))
        )
    return people


def _read_matlab(path: Path) -> np.ndarray:
    """The array `joints`; empty where there is none.

    Read in a process of its own: scipy raises anything over a damaged file, and may even kill its process.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    # -P: what lies in the working directory is no module.
    done = subprocess.run([sys.executable, "-P", "-c", _READ_MATLAB], input=data, capture_output=True)
    if done.returncode:
        raise UserError(f"{path} is damaged, or no file of MATLAB before version 7.3.")
    joints: np.ndarray = np.load(io.BytesIO(done.stdout))
    return joints


def _manifest(folder: Path) -> list[Annotated]:
    dataset = ManifestDataset(folder)
    if dataset.head.joints != 14:
        raise UserError(f"The set {folder} has {dataset.head.joints} joints, not the 14 of LSP.")
    people = []
    for number in range(len(dataset)):
        sample = dataset[number]
        if sample.has_2d:
            joints = np.column_stack([sample.joints2d[:, :2], sample.joints2d[:, 2] > 0])
            people.append(Annotated(f"{number:06d}", joints, partial(_image_of, dataset, number)))
    return people


def _image_of(dataset: ManifestDataset, number: int) -> np.ndarray:
    return dataset[number].image


def _reader(folder: Path, name: str) -> Callable[[], np.ndarray]:
    return partial(read_picture, folder / name)
