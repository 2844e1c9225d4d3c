"""`.take` files: an .npz without pickles, read member by member with every size checked before it is used."""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from app.takes.journal import STEP, made_from
from app.takes.take import Performer, Take
from model.array_files import MAX_BYTES
from model.errors import UserError
from model.json_text import parse_json
from model.paths import write_atomically

ENDING = ".take"
VERSION = 1
_FRAMES = {"times": ("<f8", ()), "indices": ("<i8", ()), "sizes": ("<i4", (2,)), "hops": ("<i2", (4,))}
_PERSON = {
    "frames": ("<i8", ()),
    "vertices": ("<i2", (None, 3)),
    "joints": ("<f4", (None, 3)),
    "cameras": ("<f8", (3,)),
    "boxes": ("<f4", (4,)),
    "filled": ("|b1", ()),
    "diagnostics": ("<f4", (None,)),
}
_LONGEST, _WIDEST = 1e8, 1e8
"""Seconds and pixels beyond which no recording goes."""
_JOINTS = (14, 21)
"""Of a body, and of a hand."""
_PIECE = 16
"""Frames that are converted at once."""


def save_take(path: Path, take: Take) -> None:
    """Write a take, whole or not at all; vertices are rounded to a tenth of a millimetre.

    Raises UserError when there is no frame, a number is not finite, or the disk refuses.
    """
    check(take)
    about = {
        "format": "PointHMR take",
        "version": VERSION,
        "made": dataclasses.asdict(take.made),
        "people": [{"id": one.id, "diagnostics": list(one.diagnostics)} for one in take.people],
    }
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)

    def write(file: Path) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            _add(archive, "about", text, "|u1")
            for name, (kind, _) in _FRAMES.items():
                _add(archive, name, getattr(take, name), kind)
            for number, person in enumerate(take.people):
                for name, value in _columns(person).items():
                    step = STEP if name == "vertices" else None
                    _add(archive, f"person{number}_{name}", value, _PERSON[name][0], step)

    write_atomically(path, write)


def _columns(person: Performer) -> dict[str, np.ndarray]:
    told = list(person.diagnostics.values())
    columns = {name: getattr(person, name) for name in _PERSON if name != "diagnostics"}
    columns["diagnostics"] = np.stack(told, axis=1) if told else np.zeros((len(person.frames), 0))
    return columns


def _add(
    archive: zipfile.ZipFile, name: str, values: np.ndarray, kind: str, step: float | None = None
) -> None:
    """A member as `np.savez` writes it, piece by piece: a take as large as the memory is saved all the same.

    step: the values are kept as whole numbers of it.
    """
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        facts = {"descr": kind, "fortran_order": False, "shape": values.shape}
        np.lib.format.write_array_header_1_0(file, facts)
        for start in range(0, len(values), _PIECE):
            piece = values[start : start + _PIECE]
            if step is not None:
                piece = np.rint(piece / np.float32(step))
            file.write(piece.astype(kind).tobytes())


def check(take: Take) -> None:
    """Raises UserError when a take holds no frame or numbers that no file may hold."""
    if len(take) == 0:
        raise UserError("The take holds no frame.")
    for person in take.people:
        numbers = (person.vertices, person.joints, person.cameras)
        if not all(np.isfinite([values.min(initial=0), values.max(initial=0)]).all() for values in numbers):
            raise UserError(
                f"The take of {person.name} has numbers that are not finite; nothing was written."
            )


def load_take(path: Path) -> Take:
    """Read a take. Raises UserError in one sentence for anything that is not a whole `.take` file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path.name)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{path.name} is damaged or not a take.") from error
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:
        raise UserError(f"{path.name} is not a take of this program: {error}.") from error
    except MemoryError as error:
        raise UserError(f"{path.name} does not fit into the memory.") from error


def _read(archive: zipfile.ZipFile, label: str) -> Take:
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise UserError(f"{label} would unpack to more than {MAX_BYTES >> 30} GiB.")
    if any(
        info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in archive.infolist()
    ):
        raise zipfile.BadZipFile
    about = parse_json(_member(archive, "about", "|u1", (None,)).tobytes())
    if not isinstance(about, dict) or about.get("format") != "PointHMR take":
        raise ValueError("it does not say that it is one")
    if about.get("version") != VERSION:
        raise UserError(f"{label} is a take of version {about.get('version')}; this program reads {VERSION}.")
    frames = {name: _member(archive, name, kind, (None, *shape)) for name, (kind, shape) in _FRAMES.items()}
    count = len(frames["times"])
    if count == 0 or any(len(value) != count for value in frames.values()):
        raise ValueError("its frames are of different numbers")
    if not np.isfinite(frames["times"]).all() or (np.diff(frames["times"]) <= 0).any():
        raise ValueError("its times do not increase")
    if np.abs(frames["times"]).max() > _LONGEST:
        raise ValueError("its times are impossible")
    if (frames["sizes"] < 1).any() or (frames["sizes"] > _WIDEST).any():
        raise ValueError("its pictures are of impossible sizes")
    people = [_person(archive, number, one, count) for number, one in enumerate(about["people"])]
    if len({one.id for one in people}) < len(people) or len({one.vertices.shape[1] for one in people}) > 1:
        raise ValueError("its people are not those of one recording")
    take = Take(made_from(about["made"]), **frames, people=tuple(people))
    check(take)
    return take


def _person(archive: zipfile.ZipFile, number: int, about: dict[str, Any], count: int) -> Performer:
    columns = {
        name: _member(archive, f"person{number}_{name}", kind, (None, *shape))
        for name, (kind, shape) in _PERSON.items()
    }
    frames, names = columns["frames"], [str(name) for name in about["diagnostics"]]
    if len({len(value) for value in columns.values()}) != 1 or len(frames) == 0:
        raise ValueError("its people are not whole")
    if (np.diff(frames) <= 0).any() or frames[0] < 0 or frames[-1] >= count:
        raise ValueError("its people are in frames that there are not")
    if columns["joints"].shape[1] not in _JOINTS or not 0 <= int(about["id"]) < 1 << 31:
        raise ValueError("its people are of no known kind")
    told = columns.pop("diagnostics").T
    columns["vertices"] = columns["vertices"] * np.float32(STEP)
    return Performer(int(about["id"]), **columns, diagnostics=dict(zip(names, told, strict=True)))


def _member(archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of exactly this type and shape (None: any length); ValueError, KeyError otherwise."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"its {name} are of an unknown form")
        found, column_major, dtype = np.lib.format.read_array_header_1_0(file)
        fits = len(found) == len(shape) and all(b in (None, a) for a, b in zip(found, shape, strict=True))
        if not fits or column_major or dtype != np.dtype(kind):
            raise ValueError(f"its {name} are {dtype} {found}")
        content = file.read()
    if len(content) != dtype.itemsize * int(np.prod(found, dtype=object)):
        raise ValueError(f"its {name} are cut off")
    return np.frombuffer(content, dtype).reshape(found)
