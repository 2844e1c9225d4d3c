"""Pictures in a zip file or on their own, and label arrays beside them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.cv import cv2
from model.errors import UserError
from model.paths import write_atomically

_DAMAGED = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading an archive may raise."""


class ZippedPictures:
    """JPEGs of a zip file by name, kept compressed in memory: no file handle to share between processes."""

    def __init__(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                self._bytes = {name: archive.read(name) for name in archive.namelist()}
        except _DAMAGED as error:
            raise UserError(f"The pictures in {path} cannot be read: {error}.") from error
        self._path = path

    def __getitem__(self, name: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB; raises UserError for a missing or broken picture."""
        if name not in self._bytes:
            raise UserError(f"The picture {name} in {self._path} is missing or broken.")
        return decode_picture(self._bytes[name], f"picture {name} in {self._path}")


def decode_picture(data: bytes, label: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB; raises UserError, naming `label`, when it is no picture."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise UserError(f"The {label} is missing or broken.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a file; raises UserError when it is missing or broken."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"The picture {path} cannot be read: {error.strerror or error}.") from error
    return decode_picture(data, f"picture {path}")


def write_picture(path: Path, image: np.ndarray, settings: Sequence[int] = ()) -> None:
    """(H, W, 3) uint8 RGB, as what the path's ending says. Raises UserError.

    settings: OpenCV's, such as (IMWRITE_JPEG_QUALITY, 95). Its `imwrite` does not tell why it fails.
    """
    if not cv2.haveImageWriter(str(path)):
        raise UserError(f"{path} does not end as a picture that can be written, such as .png or .jpg.")
    good, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    if not good:
        raise UserError(f"The picture {path} cannot be encoded.")
    write_atomically(path, lambda file: file.write_bytes(data.tobytes()))


def read_labels(path: Path, *needed: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; pickled objects are refused. Raises UserError, also if one is lacking."""
    try:
        with np.load(path, allow_pickle=False) as data:
            missing = [name for name in needed if name not in data.files]
            if missing:
                raise UserError(f"{path} holds no {missing[0]}.")
            return dict(data)
    except _DAMAGED as error:
        raise UserError(f"The labels in {path} cannot be read: {error}.") from error
