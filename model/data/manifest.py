"""Our own dataset format: a folder with pictures, one JSON line a person, and meshes as plain arrays.

`manifest.jsonl` begins with a head {"format": "pointhmr-manifest", "version": 1, "name", "body", "joints",
"vertices"}; every further line is one person: `image` (path in the folder), `centre` [x, y] and `side` of the
region (pixels), `roll` (radians), `joints2d` [[x, y, confidence], …], `joints3d` [[x, y, z, confidence], …]
(metres, camera axes, origin in the middle of the hips or at the wrist), `mesh` (a row of `vertices.npy`
(M, V, 3) and of `vertices2d.npy` (M, V, 2)), `weight3d`, `gender`, `pose`, `betas`, `key`, `sequence` and
`frame`.
What a person lacks is null. `pointhmr dataset convert` writes it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model.cv import cv2
from model.data.pictures import read_picture, write_picture
from model.data.sample import OUTSIDE, Dataset, Gender, Sample
from model.errors import UserError
from model.paths import write_atomically

logger = logging.getLogger(__name__)

FORMAT, VERSION = "pointhmr-manifest", 1
FILE = "manifest.jsonl"
_GENDERS: dict[str, Gender] = {name: name for name in ("neutral", "male", "female")}


@dataclass(frozen=True)
class Head:
    """The first line."""

    name: str
    body: str
    """free, smpl or mano."""
    joints: int
    vertices: int


class ManifestDataset:
    """A folder in this format. Lines that are no JSON are reported when it is opened, and left out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        lines = _read_lines(folder / FILE)
        self.head = _head(lines[0], folder)
        self.name = self.head.name
        self._people = [person for number, line in lines[1:] for person in _person(line, number, folder)]
        self._meshes = _open_array(folder / "vertices.npy", (self.head.vertices, 3))
        self._meshes2d = _open_array(folder / "vertices2d.npy", (self.head.vertices, 2))

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, index: int) -> Sample:
        person = self._people[index]
        try:
            return self._sample(person)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"Person {index} of {self._folder / FILE} is damaged ({type(error).__name__}: {error})."
            ) from error

    def _sample(self, person: dict[str, Any]) -> Sample:
        head, mesh = self.head, person.get("mesh")
        vertices = np.zeros((head.vertices, 3), np.float32)
        vertices2d = np.full((head.vertices, 2), OUTSIDE, np.float32)
        if mesh is not None:
            vertices, vertices2d = np.array(self._meshes[int(mesh)]), np.array(self._meshes2d[int(mesh)])
        joints3d = _optional(person.get("joints3d"), (head.joints, 4))
        joints2d = _optional(person.get("joints2d"), (head.joints, 3))
        return Sample(
            image=read_picture(self._folder / str(person["image"])),
            centre=_array(person["centre"], (2,)).astype(float),
            side=float(person["side"]),
            roll=float(person.get("roll") or 0.0),
            vertices=vertices,
            vertices2d=vertices2d,
            joints3d=np.zeros((head.joints, 3), np.float32) if joints3d is None else joints3d[:, :3],
            joints2d=np.zeros((head.joints, 3), np.float32) if joints2d is None else joints2d,
            weight3d=float(person.get("weight3d", 1.0)),
            confidence3d=None if joints3d is None else joints3d[:, 3],
            has_mesh=mesh is not None,
            has_3d=joints3d is not None,
            has_2d=joints2d is not None,
            gender=_GENDERS[person.get("gender") or "neutral"],
            pose=_optional(person.get("pose"), (-1, 3)),
            betas=_optional(person.get("betas"), (-1,)),
            key=str(person.get("key") or person["image"]),
            sequence=str(person.get("sequence") or ""),
            frame=int(person.get("frame") or 0),
        )


def write_manifest(folder: Path, dataset: Dataset, indices: Iterable[int], body: str) -> tuple[int, int]:
    """Write people of any dataset as a manifest; returns how many were written and how many left out.

    A sample that its dataset refuses is reported and left out. Raises UserError when the disk refuses.
    """
    people: list[dict[str, Any]] = []
    meshes: list[np.ndarray] = []
    meshes2d: list[np.ndarray] = []
    left_out = 0
    head: Head | None = None
    for index in indices:
        try:
            sample = dataset[index]
        except UserError as error:
            logger.warning("left out: %s", error)
            left_out += 1
            continue
        head = head or Head(dataset.name, body, len(sample.joints3d), len(sample.vertices))
        people.append(_line_of(folder, sample, len(people), len(meshes)))
        if sample.has_mesh:
            meshes.append(sample.vertices.astype(np.float32))
            meshes2d.append(sample.vertices2d.astype(np.float32))
    if head is None:
        raise UserError(f"{dataset.name} has no readable person: nothing was written.")
    shape = (head.vertices,)
    for name, rows, width in (("vertices", meshes, 3), ("vertices2d", meshes2d, 2)):
        stacked = np.stack(rows) if rows else np.zeros((0, *shape, width), np.float32)
        write_atomically(folder / f"{name}.npy", partial(_save_array, stacked))
    first = {"format": FORMAT, "version": VERSION, **vars(head)}
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in [first, *people])
    write_atomically(folder / FILE, lambda path: path.write_text(text, encoding="utf-8"))
    return len(people), left_out


def _save_array(array: np.ndarray, path: Path) -> None:
    np.save(path, array)


def _line_of(folder: Path, sample: Sample, number: int, mesh: int) -> dict[str, Any]:
    name = f"images/{number:07d}.jpg"
    write_picture(folder / name, sample.image, (cv2.IMWRITE_JPEG_QUALITY, 95))
    confidence = np.ones(len(sample.joints3d)) if sample.confidence3d is None else sample.confidence3d
    joints3d = np.c_[sample.joints3d, confidence]
    return {
        "image": name,
        "centre": _plain(sample.centre),
        "side": sample.side,
        "roll": sample.roll,
        "joints2d": _plain(sample.joints2d) if sample.has_2d else None,
        "joints3d": _plain(joints3d) if sample.has_3d else None,
        "mesh": mesh if sample.has_mesh else None,
        "weight3d": sample.weight3d,
        "gender": sample.gender,
        "pose": None if sample.pose is None else _plain(sample.pose),
        "betas": None if sample.betas is None else _plain(sample.betas),
        "key": sample.key,
        "sequence": sample.sequence,
        "frame": sample.frame,
    }


def _plain(values: np.ndarray) -> list[Any]:
    """Numbers that JSON can hold, to a tenth of a millimetre or a hundredth of a pixel and finer."""
    plain: list[Any] = np.round(np.asarray(values, float), 5).tolist()
    return plain


def _read_lines(path: Path) -> list[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The manifest {path} cannot be read: {error}.") from error
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not kept:
        raise UserError(f"The manifest {path} is empty.")
    return kept


def _head(line: tuple[int, str], folder: Path) -> Head:
    try:
        raw = json.loads(line[1])
        if raw["format"] != FORMAT or raw["version"] != VERSION:
            raise ValueError(f"{raw['format']} {raw['version']}")
        return Head(str(raw["name"]), str(raw["body"]), int(raw["joints"]), int(raw["vertices"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / FILE} does not begin as a {FORMAT} of version {VERSION}.") from error


def _person(line: str, number: int, folder: Path) -> list[dict[str, Any]]:
    try:
        person = json.loads(line)
    except ValueError:
        person = None
    if isinstance(person, dict):
        return [person]
    logger.warning("left out: line %d of %s is no JSON object", number, folder / FILE)
    return []


def _open_array(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error
    if array.shape[1:] != shape:
        raise UserError(f"{path} holds {array.shape[1:]} an entry, not {shape}.")
    return np.asarray(array)


def _array(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, np.float32)
    if array.ndim != len(shape) or any(w not in (-1, g) for w, g in zip(shape, array.shape, strict=True)):
        raise ValueError(f"a label of size {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("a label is not finite")
    return array


def _optional(values: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    return None if values is None else _array(values, shape)
