"""METRO's sets: Human3.6M, COCO, MuCo-3DHP, UP-3D, MPII, 3DPW and FreiHAND as tables of base64 pictures.

A YAML file names the tables `img` (key, base64 picture), `label` (key, JSON) and `hw`; a *composite* one
names several of each and a line list of pairs (file number, row number). A label is a list whose first entry
holds center, scale (of 200 pixels), 2d_joints (24, 3), 3d_joints (24, 4), pose (72), betas (10), gender, and
has_smpl, has_2d_joints, has_3d_joints. A hand has 21 joints and a pose of 48. Pose and betas are SMPL's (or
MANO's): over the free body, whose poses and shapes are others, only the joints are labels.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import numpy as np

from model.data.people import Bodies, Labels, make_sample
from model.data.pictures import decode_picture
from model.data.sample import Gender, Sample
from model.data.tsv import CompositeTable, Table, TsvFile, read_line_list
from model.errors import UserError
from model.json_text import parse_json

BOX_UNIT = 200.0
"""Pixels in METRO's unit of a box's side."""
LSP_OF_24 = (*range(13), 18)
"""The 14 joints of the LSP order out of METRO's 24: its head is Human3.6M's, not the top of LSP's."""
_GENDERS: dict[str, Gender] = {"m": "male", "male": "male", "f": "female", "female": "female"}
_BROKEN = (KeyError, IndexError, TypeError, ValueError, binascii.Error)


class MetroDataset:
    """One YAML file's rows. gendered: pose the body of the label's gender instead of the neutral one."""

    def __init__(self, path: Path, bodies: Bodies, *, gendered: bool = False) -> None:
        self.name = path.stem
        self._bodies = bodies
        self._gendered = gendered
        settings = _read_yaml(path)
        self._rows: np.ndarray | None = None
        if settings.get("composite"):
            lines = read_line_list(path.parent / _text(settings, "linelist", path), 2)
            self._images: Table = _composite(settings, "img", path, lines)
            self._labels: Table = _composite(settings, "label", path, lines)
        else:
            self._images = TsvFile(path.parent / _text(settings, "img", path))
            self._labels = TsvFile(path.parent / _text(settings, "label", path))
            if settings.get("linelist"):
                self._rows = read_line_list(path.parent / _text(settings, "linelist", path), 1)[:, 0]

    def __len__(self) -> int:
        return len(self._labels) if self._rows is None else len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        line = index if self._rows is None else int(self._rows[index])
        picture, label = self._images.row(line), self._labels.row(line)
        where = f"row {line} of {self.name}"
        try:
            image = decode_picture(base64.b64decode(picture[-1], validate=True), where)
            content = parse_json(label[1])[0]
            labels = self._read(content, f"{self.name}:{label[0]}:{line}")
            centre, side = np.asarray(content["center"], float), float(content["scale"]) * BOX_UNIT
        except _BROKEN as error:
            raise UserError(f"The {where} is damaged ({type(error).__name__}: {error}).") from error
        return make_sample(self._bodies.neutral, image, centre, side, labels)

    def _read(self, content: dict[str, Any], key: str) -> Labels:
        hand = self._bodies.neutral.kind == "mano"
        keep = list(range(21)) if hand else list(LSP_OF_24)
        told = _GENDERS.get(str(content.get("gender", "")).lower(), "neutral")
        gender: Gender = told if self._gendered else "neutral"
        pose = betas = mesh = joints2d = joints3d = None
        if np.any(content["has_smpl"]) and self._bodies.neutral.kind != "free":
            pose, betas = np.asarray(content["pose"], float), np.asarray(content["betas"], float)
            mesh = self._bodies.mesh(pose, betas, gender)
        if np.any(content["has_2d_joints"]):
            joints2d = _joints(content["2d_joints"])[keep]
        if np.any(content["has_3d_joints"]):
            joints3d = _joints(content["3d_joints"])[keep]
        elif mesh is not None:
            joints3d = self._bodies.of(gender).keypoint_regressor.numpy() @ mesh
        sequence, frame = _place(key.split(":")[1])
        return Labels(joints2d, joints3d, mesh, None, gender, pose, betas, key, sequence, frame)


def _joints(values: Any) -> np.ndarray:
    """(P, 3 or 4), with or without an axis of one person."""
    array = np.asarray(values, dtype=float)
    return array[0] if array.ndim == 3 else array


def _place(key: str) -> tuple[str, int]:
    """A clip and a frame out of a picture's name, where it ends in a number: S9/Posing.5413_000123.jpg."""
    stem = str(Path(key).with_suffix(""))
    digits = len(stem) - len(stem.rstrip("0123456789"))
    return (stem[:-digits], int(stem[-digits:])) if digits else ("", 0)


def _composite(settings: dict[str, Any], name: str, path: Path, lines: np.ndarray) -> CompositeTable:
    files = settings.get(name)
    if isinstance(files, str):
        files = _read_lines(path.parent / files)
    if not isinstance(files, list) or not files:
        raise UserError(f"{path} is composite and names no list of files as `{name}`.")
    return CompositeTable([TsvFile(path.parent / str(file)) for file in files], lines)


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The list {path} cannot be read: {error}.") from error


def _text(settings: dict[str, Any], name: str, path: Path) -> str:
    value = settings.get(name)
    if not isinstance(value, str):
        raise UserError(f"{path} names no file as `{name}`.")
    return value


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise UserError("METRO's sets need the packages of the extra `train`.") from error
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read: {reason}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} describes no dataset.")
    return content
