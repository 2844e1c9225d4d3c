"""The file that grows while a take is recorded: one checked entry a frame, nothing is ever rewritten.

A process that is killed leaves every entry that it finished; a torn last one is recognised and left out.
Layout: MAGIC, then entries of (length, CRC-32, content). The first entry is `Made` as JSON; each further one
a frame: FRAME, the people's diagnostics as JSON, and PERSON with the vertices rounded to `STEP`.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.recfunctions import repack_fields

from app.pipeline.frames import Person, Record
from app.takes.take import Made, Performer, Take
from model.errors import UserError
from model.json_text import parse_json

MAGIC = b"PointHMR recording 1\n"
STEP = 1e-4
"""Metres: vertices are kept to a tenth of a millimetre, which is ten times finer than they are known."""
REACH = 32767 * STEP
"""Metres from the hips beyond which a vertex cannot be kept: nothing human is there."""
_HEAD = struct.Struct("<II")
_LONGEST = 1 << 28
_SMALL = ["id", "camera", "box", "joints"]
_FRAME = np.dtype(
    [
        ("time", "<f8"),
        ("index", "<i8"),
        ("size", "<i4", 2),
        ("hops", "<i2", 4),
        ("people", "<u2"),
        ("vertices", "<u4"),
        ("joints", "<u2"),
        ("text", "<u4"),
    ]
)


def entry(content: bytes) -> bytes:
    """The bytes of one entry."""
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def head(made: Made) -> bytes:
    """The beginning of a recording."""
    return MAGIC + entry(json.dumps(dataclasses.asdict(made)).encode())


def _person(vertices: int, joints: int) -> np.dtype:
    return np.dtype(
        [
            ("id", "<i8"),
            ("camera", "<f8", 3),
            ("box", "<f4", 4),
            ("joints", "<f4", (joints, 3)),
            ("vertices", "<i2", (vertices, 3)),
        ]
    )


def frame_entry(record: Record) -> bytes:
    """One frame; people who reach beyond `REACH`, or have another mesh than the first, are left out.

    What the network made is kept, not what was smoothed live: a take is smoothed when it is looked at.
    """
    everyone = record.unsmoothed.people
    people = [person for person in everyone if fits(person, everyone[0])]
    vertices, joints = (len(people[0].vertices), len(people[0].joints3d)) if people else (0, 0)
    rows = np.zeros(len(people), _person(vertices, joints))
    for row, person in zip(rows, people, strict=True):
        row["id"], row["camera"], row["box"] = person.box.id, person.camera, person.box.xywh
        row["joints"] = person.joints3d
        row["vertices"] = np.rint(person.vertices / np.float32(STEP))
    text = json.dumps([numbers(person) for person in people]).encode()
    frame = np.zeros(1, _FRAME)
    height, width = record.frame.image.shape[:2]
    hops = [-1 if hop is None else hop for hop in record.hops]
    frame[0] = (
        record.frame.time,
        record.frame.index,
        (width, height),
        hops,
        len(people),
        vertices,
        joints,
        len(text),
    )
    return entry(frame.tobytes() + text + rows.tobytes())


def fits(person: Person, first: Person) -> bool:
    """Whether a person can be kept beside the first of the frame."""
    reach = np.abs(person.vertices).max(initial=0)
    return person.vertices.shape == first.vertices.shape and bool(reach < REACH)


def numbers(person: Person) -> dict[str, float]:
    """A person's diagnostics by name."""
    told = {} if person.diagnostics is None else person.diagnostics.numbers()
    found = {name: float(value) for name, value in told.items() if isinstance(value, int | float)}
    return {**found, "presence": round(float(person.presence), 5)}


@dataclass(frozen=True)
class Row:
    """One entry, read."""

    frame: np.ndarray
    """() of _FRAME."""
    people: np.ndarray
    """(n,) of PERSON."""
    diagnostics: list[dict[str, float]]

    def without_vertices(self) -> Row:
        """The same without what is large."""
        return dataclasses.replace(self, people=repack_fields(self.people[_SMALL]))


def read_journal(path: Path) -> Take:
    """All whole entries of a recording, as a take.

    Raises UserError when the file cannot be read, is no recording, or holds no frame.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise UserError(f"{path.name} is not a recording of this program.")
            return _read(file, path.name)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"{path.name} is damaged: {error}.") from error


def _read(file: IO[bytes], label: str) -> Take:
    """Read twice, for only the second time it is known how large the take's arrays are: no copy is needed."""
    contents = _contents(file)
    head = next(contents, None)
    if head is None:
        raise UserError(f"{label} ends before its first frame.")
    rows = [_row(content).without_vertices() for content in contents]
    if not rows:
        raise UserError(f"{label} holds no frame.")
    take = _take(made_from(parse_json(head)), rows)
    file.seek(len(MAGIC))
    for place, content in enumerate(_contents(file), start=-1):
        if place >= 0:
            _fill(take, place, _row(content).people)
    return take


def _fill(take: Take, place: int, people: np.ndarray) -> None:
    """The vertices of one frame."""
    for one in take.people:
        row = one.row(place)
        if row is not None:
            vertices = people["vertices"][np.flatnonzero(people["id"] == one.id)[0]]
            np.multiply(vertices, np.float32(STEP), out=one.vertices[row])


def _contents(file: IO[bytes]) -> Iterator[bytes]:
    """Entries up to the first torn one."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        length, crc = _HEAD.unpack(head)
        content = file.read(length) if length <= _LONGEST else b""
        if len(content) < length or zlib.crc32(content) != crc:
            return
        yield content


def made_from(content: Any) -> Made:
    """`Made` from JSON; raises ValueError when it is something else."""
    if not isinstance(content, dict):
        raise ValueError("it does not say what made it")
    known = {item.name for item in dataclasses.fields(Made)}
    texts = {name: str(value) for name, value in content.items() if name in known - {"history"}}
    if "model" not in texts:
        raise ValueError("it does not name the model")
    return Made(**texts, history=tuple(map(str, content.get("history", ()))))


def _row(content: bytes) -> Row:
    frame = np.frombuffer(content, _FRAME, 1)[0].copy()
    start, text = _FRAME.itemsize, int(frame["text"])
    kind = _person(int(frame["vertices"]), int(frame["joints"]))
    people = np.frombuffer(content, kind, int(frame["people"]), start + text)
    return Row(frame, people, parse_json(content[start : start + text]))


def _take(made: Made, rows: list[Row]) -> Take:
    frames = np.stack([row.frame for row in rows])
    ids = sorted({int(person["id"]) for row in rows for person in row.people})
    return Take(
        made,
        frames["time"].astype(np.float64),
        frames["index"].astype(np.int64),
        frames["size"].astype(np.int32),
        frames["hops"].astype(np.int16),
        tuple(_performer(number, rows) for number in ids),
    )


def _performer(number: int, rows: list[Row]) -> Performer:
    """A person whose vertices are still to be filled in."""
    found = [
        (place, row.people[k], row.diagnostics[k])
        for place, row in enumerate(rows)
        for k in np.flatnonzero(row.people["id"] == number)[:1]
    ]
    places, people, told = zip(*found, strict=True)
    names = sorted(set().union(*told))
    (count,) = {int(rows[place].frame["vertices"]) for place in places}
    return Performer(
        number,
        np.array(places, np.int64),
        np.zeros((len(people), count, 3), np.float32),
        np.stack([person["joints"] for person in people]).astype(np.float32),
        np.stack([person["camera"] for person in people]).astype(np.float64),
        np.stack([person["box"] for person in people]).astype(np.float32),
        np.zeros(len(people), bool),
        {name: np.array([one.get(name, np.nan) for one in told], np.float32) for name in names},
    )
