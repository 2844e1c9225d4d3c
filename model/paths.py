"""Where the user's own files live, by the XDG base directory specification; and how files are written."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from model.errors import UserError
from model.temporaries import temporary_file

APPLICATION = "pointhmr"


def data_dir() -> Path:
    """What the user imported: $XDG_DATA_HOME/pointhmr, or ~/.local/share/pointhmr."""
    return _base("XDG_DATA_HOME", ".local/share")


def cache_dir() -> Path:
    """What can be made again: $XDG_CACHE_HOME/pointhmr, or ~/.cache/pointhmr."""
    return _base("XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """What the program notes about its runs: $XDG_STATE_HOME/pointhmr, or ~/.local/state/pointhmr."""
    return _base("XDG_STATE_HOME", ".local/state")


def _base(variable: str, default: str) -> Path:
    value = Path(os.environ.get(variable, ""))
    # The specification wants relative paths ignored.
    return (value if value.is_absolute() else Path.home() / default) / APPLICATION


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file. Raises UserError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place: the old file or the new one.

    Makes the folder when there is none. Raises UserError when the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            write(temporary)
            _to_the_disk(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Raise UserError unless a file could be written there: before long work, not after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with temporary_file(path):
            pass
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error


def _to_the_disk(path: Path) -> None:
    """Else a power cut soon after could leave the new name on a file without content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
