"""FreiHAND as distributed: training/rgb, evaluation/rgb and JSON lists beside them.

training_K, _xyz (21 keypoints), _mano (48 pose, 10 shape, 3 camera), _verts (778), one entry for each of the
32,560 hands; each hand has four pictures, one a background. evaluation_K, _xyz, _verts, one an picture.
Zimmermann et al., "FreiHAND" (ICCV 2019). Metres, camera axes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.data.people import Bodies, Labels, make_sample, project_pinhole
from model.data.pictures import read_picture
from model.data.sample import Sample
from model.errors import UserError

Part = Literal["training", "evaluation"]
SIDE = 224
CHUNK = 1 << 20


class FreihandDataset:
    """Pictures of 224 x 224 pixels with a right hand in the middle."""

    def __init__(self, folder: Path, part: Part, bodies: Bodies) -> None:
        self.name = f"freihand-{part}"
        self._folder = folder / part / "rgb"
        self._bodies = bodies
        if bodies.neutral.kind != "mano":
            raise UserError("FreiHAND shows hands: give a MANO file as the body.")

        def rows(name: str, shape: tuple[int, ...]) -> np.ndarray:
            return read_rows(folder / f"{part}_{name}.json", shape)

        self._intrinsics, self._joints = rows("K", (3, 3)), rows("xyz", (21, 3))
        self._verts: np.ndarray | None = None
        self._mano: np.ndarray | None = None
        if (folder / f"{part}_verts.json").is_file():
            self._verts = rows("verts", (bodies.neutral.num_vertices, 3))
        else:
            self._mano = rows("mano", (61,))
        pictures = len(sorted(self._folder.glob("*.jpg")))
        hands = min(len(self._joints), len(self._intrinsics))
        if not pictures or not hands:
            raise UserError(f"{self._folder} holds no pictures of FreiHAND.")
        self._hands, self._length = hands, pictures

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        hand = index % self._hands
        joints, intrinsics = self._joints[hand], self._intrinsics[hand]
        key = f"{self.name}/{index:08d}.jpg"
        mesh, pose, betas = self._mesh(hand, joints)
        joints2d = project_pinhole(joints, intrinsics)
        labels = Labels(
            joints2d=np.c_[joints2d, np.ones(len(joints2d))],
            joints3d=joints,
            mesh=mesh,
            mesh2d=project_pinhole(mesh, intrinsics),
            pose=pose,
            betas=betas,
            key=key,
        )
        image = read_picture(self._folder / f"{index:08d}.jpg")
        return make_sample(self._bodies.neutral, image, np.full(2, SIDE / 2), SIDE, labels)

    def _mesh(self, hand: int, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """The mesh as stored, or posed and moved to the labelled wrist."""
        if self._verts is not None:
            return self._verts[hand], None, None
        assert self._mano is not None
        row = self._mano[hand]
        # FreiHAND's angles count from MANO's mean pose, which its layer adds.
        pose, betas = row[:48], row[48:58]
        mesh = self._bodies.mesh(pose, betas)
        wrist = self._bodies.neutral.keypoint_regressor.numpy()[0] @ mesh
        return mesh - wrist + joints[0], pose, betas


def read_rows(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """(N, *shape) float32 of a JSON list; a row that is no such array becomes NaN, for its reader to refuse.

    Read in pieces: the vertices of the training set are 1.5 GB of text. Raises UserError for a file that is
    no list.
    """
    rows = [_row(value, shape) for value in _items(path)]
    return np.stack(rows) if rows else np.zeros((0, *shape), np.float32)


def _row(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.asarray(value, np.float32).reshape(shape)
    except (TypeError, ValueError):
        return np.full(shape, np.nan, np.float32)


def _items(path: Path) -> Iterator[Any]:
    """The entries of a JSON list, one after the other."""
    decoder, text, position = json.JSONDecoder(), "", 0
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(CHUNK).lstrip()
            if not text.startswith("["):
                raise UserError(f"{path.name} is no list.")
            text, position = text[1:], 0
            while True:
                while position < len(text) and text[position] in ", \r\n\t":
                    position += 1
                if position < len(text) and text[position] == "]":
                    return
                try:
                    value, end = decoder.raw_decode(text, position)
                    # A number at the end of what was read may go on.
                    complete = end < len(text)
                except (ValueError, RecursionError):
                    complete = False
                if complete:
                    yield value
                    position = end
                    continue
                more = file.read(CHUNK)
                if not more:
                    raise UserError(f"{path.name} is cut off or damaged.")
                text, position = text[position:] + more, 0
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error
