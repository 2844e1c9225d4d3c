"""Files of arrays: those that a user brings (.npz and pickles, told apart by content, read without running
them), and those that are written here."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import UserError
from model.unpickle import loads

MAX_BYTES = 4 << 30
"""Unpacked size beyond which an archive is taken for a trap."""


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Compressed arrays, in a file of exactly this name."""
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path) -> dict[str, Any]:
    """Name -> array or scipy matrix (or text, number, list) of an .npz or of a pickled dictionary.

    Raises UserError when the file is missing, damaged, refused, or holds no dictionary.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data:
        raise UserError(f"{path.name} is empty.")
    content = _load_npz(data, path.name) if data[:2] == b"PK" else loads(data, path.name)
    if not isinstance(content, dict):
        raise UserError(f"{path.name} holds a {type(content).__name__}, not named arrays.")
    return {str(name): value for name, value in content.items()}


def _load_npz(data: bytes, label: str) -> dict[str, Any]:
    """All members; those that numpy wrote through pickle pass the list of model.unpickle."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise UserError(f"{label} would unpack to more than {MAX_BYTES >> 30} GiB.")
            members = {name: archive.read(name) for name in archive.namelist()}
        return {
            name.removesuffix(".npy"): _load_npy(content, f"{label} ({name})")
            for name, content in members.items()
        }
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError) as error:
        raise UserError(f"{label} is damaged or not an .npz file: {error}.") from error


def _load_npy(data: bytes, label: str) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _shape, _fortran, dtype = read(stream)
    if dtype.hasobject:
        return loads(data[stream.tell() :], label)
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
