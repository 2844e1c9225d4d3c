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

import contextlib
import io
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.cv import cv2
from model.data.pictures import read_picture, write_picture
from model.data.sample import OUTSIDE, Dataset, Gender, Sample
from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically
from model.temporaries import temporary_file

logger = logging.getLogger(__name__)

FORMAT, VERSION = "pointhmr-manifest", 1
FILE = "manifest.jsonl"
_MESHES = ("vertices.npy", "vertices2d.npy")
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
        self._open_meshes()

    def _open_meshes(self) -> None:
        self._meshes, self._meshes2d = (
            _open_array(self._folder / name, (self.head.vertices, width))
            for name, width in zip(_MESHES, (3, 2), strict=True)
        )

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which opens the meshes itself: they would be sent as a whole."""
        return {name: value for name, value in vars(self).items() if name not in ("_meshes", "_meshes2d")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open_meshes()

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
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made = [stack.enter_context(temporary_file(folder / name)) for name in (*_MESHES, FILE)]
            counts = _write_people(folder, dataset, indices, body, made)
        except OSError as error:
            raise UserError(f"{folder} cannot be written: {error.strerror or error}.") from error
        for name, path in zip((*_MESHES, FILE), made, strict=True):
            write_atomically(folder / name, path.replace)
    return counts


def _write_people(
    folder: Path, dataset: Dataset, indices: Iterable[int], body: str, files: list[Path]
) -> tuple[int, int]:
    """Each person goes to the disk at once: the meshes of a whole set may be more than the memory.

    files: for the meshes, the same in pixels, and the lines.
    """
    written = left_out = meshes = 0
    head: Head | None = None
    with files[0].open("wb") as mesh, files[1].open("wb") as mesh2d, files[2].open("wb") as lines:
        for index in indices:
            try:
                sample = dataset[index]
            except UserError as error:
                logger.warning("left out: %s", error)
                left_out += 1
                continue
            if head is None:
                (folder / FILE).unlink(missing_ok=True)  # Its pictures are written over one by one.
                head = Head(dataset.name, body, len(sample.joints3d), len(sample.vertices))
                lines.write(_encoded({"format": FORMAT, "version": VERSION, **vars(head)}))
                mesh.write(_array_head(0, head.vertices, 3))
                mesh2d.write(_array_head(0, head.vertices, 2))
            lines.write(_encoded(_line_of(folder, sample, written, meshes)))
            written += 1
            if sample.has_mesh:
                mesh.write(sample.vertices.astype("<f4").tobytes())
                mesh2d.write(sample.vertices2d.astype("<f4").tobytes())
                meshes += 1
        if head is None:
            raise UserError(f"{dataset.name} has no readable person: nothing was written.")
        for file, width in ((mesh, 3), (mesh2d, 2)):
            file.seek(0)
            file.write(_array_head(meshes, head.vertices, width))
    return written, left_out


def _encoded(line: dict[str, Any]) -> bytes:
    return (json.dumps(line, ensure_ascii=False) + "\n").encode()


def _array_head(*shape: int) -> bytes:
    """Of an .npy file of float32; numpy leaves room in it, so that it is as long for any number of rows."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return head.getvalue()


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
        raw = parse_json(line[1])
        if raw["format"] != FORMAT or raw["version"] != VERSION:
            raise ValueError(f"{raw['format']} {raw['version']}")
        return Head(str(raw["name"]), str(raw["body"]), int(raw["joints"]), int(raw["vertices"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / FILE} does not begin as a {FORMAT} of version {VERSION}.") from error


def _person(line: str, number: int, folder: Path) -> list[dict[str, Any]]:
    try:
        person = parse_json(line)
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
