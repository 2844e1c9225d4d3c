"""`result.json`: what was found in each picture, as numbers; the meshes lie beside it as .npz files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from app.pipeline.frames import Person, Record
from model.array_files import save_npz
from model.errors import UserError
from model.paths import write_atomically

SCHEMA = 1
NAME = "result.json"


def remove_result(folder: Path) -> None:
    """Take away the JSON of an earlier run, before its meshes are written over. Raises UserError."""
    try:
        (folder / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{folder / NAME} cannot be replaced: {error.strerror}.") from error


class ResultWriter:
    """Collects records into one folder; `close` writes the JSON, so that it only ever names whole files.

    The JSON of an earlier run goes first. Raises UserError when it cannot.
    """

    def __init__(self, folder: Path, model: dict[str, str], body: str) -> None:
        remove_result(folder)
        self.folder = folder
        self._content: dict[str, Any] = {"schema": SCHEMA, "model": model, "body": body, "frames": []}

    def add(self, record: Record) -> str:
        """Write one frame's meshes, remember its numbers; returns the stem of the frame's files.

        vertices (P, V, 3) metres in camera axes, mid-hip origin; P people in the order of `people`.
        """
        frame = record.frame
        stem = self._stem(frame.source, frame.index)
        meshes = {}
        if record.people:
            meshes["vertices"] = np.stack([person.vertices for person in record.people])
            write_atomically(self.folder / f"{stem}.npz", lambda file: save_npz(file, meshes))
        self._content["frames"].append(
            {
                "source": frame.source,
                "index": frame.index,
                "time": round(frame.time, 4),
                "size": [frame.image.shape[1], frame.image.shape[0]],
                "masks": list(record.hops),
                "isolate": record.isolate,
                "mirror": record.mirror,
                "people": [
                    person_numbers(person, f"{stem}.npz", row) for row, person in enumerate(record.people)
                ],
            }
        )
        return stem

    def close(self) -> Path:
        """Write `result.json`; returns its path."""
        path = self.folder / NAME
        text = json.dumps(self._content, indent=1)
        write_atomically(path, lambda file: file.write_text(text + "\n", encoding="utf-8"))
        return path

    def _stem(self, source: str, index: int) -> str:
        """A file name that no other frame of this result has."""
        name = re.sub(r"[^\w.-]+", "_", Path(source).stem).strip("._")[:80] or "frame"
        return f"{len(self._content['frames']):06d}_{name}_{index}"


def person_numbers(person: Person, meshes: str, row: int) -> dict[str, Any]:
    """One person as JSON.

    diagnostics: see `app.pipeline.diagnostics.MEASURES`, and the flags with their reasons.
    joints: 14 in LSP order. camera: pixel = s * (X, Y) + (tx, ty) in the full picture.
    """
    scale, tx, ty = person.camera
    examined = {} if person.diagnostics is None else person.diagnostics.numbers()
    return {
        "id": person.box.id,
        "box": [round(float(value), 2) for value in person.box.xywh],
        "camera": {"s": scale, "tx": tx, "ty": ty},
        "joints3d": np.round(person.joints3d.astype(float), 5).tolist(),
        "joints2d": np.round(person.joints2d.astype(float), 2).tolist(),
        "vertices": meshes,
        "row": row,
        "diagnostics": {"presence": round(person.presence, 4), **examined},
    }
