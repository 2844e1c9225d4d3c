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
    arrays = {name: getattr(take, name).astype(kind) for name, (kind, _) in _FRAMES.items()}
    for number, person in enumerate(take.people):
        arrays |= {f"person{number}_{name}": value for name, value in _columns(person).items()}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)

    def write(file: Path) -> None:
        with file.open("wb") as stream:
            np.savez(stream, about=text, **arrays)

    write_atomically(path, write)


def _columns(person: Performer) -> dict[str, np.ndarray]:
    told = list(person.diagnostics.values())
    columns = {name: getattr(person, name) for name in _PERSON if name != "diagnostics"}
    columns["vertices"] = np.rint(person.vertices / np.float32(STEP))
    columns["diagnostics"] = np.stack(told, axis=1) if told else np.zeros((len(person.frames), 0))
    return {name: value.astype(_PERSON[name][0]) for name, value in columns.items()}


def check(take: Take) -> None:
    """Raises UserError when a take holds no frame or numbers that no file may hold."""
    if len(take) == 0:
        raise UserError("The take holds no frame.")
    for person in take.people:
        numbers = (person.vertices, person.joints, person.cameras)
        if not all(np.isfinite(values).all() for values in numbers):
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
    except (ValueError, TypeError, KeyError, RuntimeError, RecursionError) as error:
        raise UserError(f"{path.name} is not a take of this program: {error}.") from error


def _read(archive: zipfile.ZipFile, label: str) -> Take:
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise UserError(f"{label} would unpack to more than {MAX_BYTES >> 30} GiB.")
    about = json.loads(_member(archive, "about", "|u1", (None,)).tobytes())
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
    people = [_person(archive, number, one, count) for number, one in enumerate(about["people"])]
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
