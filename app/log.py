"""The log file: what went wrong, in a place from where a user can attach it."""

from __future__ import annotations

import faulthandler
import logging
import os
import time
from pathlib import Path

from model.paths import state_dir

NAME = "pointhmr.log"
CRASHES = "crashes.log"
MOST_BYTES = 500_000
"""A file that has grown beyond this is put aside; the oldest of those is dropped."""
KEPT = 3
"""Files put aside: pointhmr.log.1 is the newest of them."""
_MOST_ALIKE = 20
_ALIKE_SECONDS = 60.0
_LOCK_SECONDS = 10.0
"""A lock older than this belongs to a process that was killed."""


def start_log(folder: Path | None = None) -> SharedLog:
    """From now on warnings, errors and crashes of the interpreter are kept in `folder`, or in state_dir."""
    folder = state_dir() if folder is None else folder
    handler = SharedLog(folder / NAME)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        crashes = (folder / CRASHES).open("a", encoding="utf-8")
    except OSError:
        return handler  # A disk that takes no log is no reason not to start.
    handler.crashes = crashes
    faulthandler.enable(crashes)
    return handler


def log_files(folder: Path | None = None) -> list[Path]:
    """The files that there are, newest first, and the crashes last."""
    folder = state_dir() if folder is None else folder
    names = [NAME, *(f"{NAME}.{number}" for number in range(1, KEPT + 1)), CRASHES]
    return [folder / name for name in names if (folder / name).is_file()]


class SharedLog(logging.Handler):
    """Appends to a file that other windows write, too; rotates it.

    The file is opened for every record, so nobody goes on writing to one that was put aside. A record that
    comes again and again, from every frame that is painted, is left out after twenty in a minute.
    """

    crashes: object = None
    """Kept open for `faulthandler`."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.path = path
        self._most_bytes = most_bytes
        self._alike: dict[tuple[str, int], tuple[float, int]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a disk that is full or read-only loses it and nothing else."""
        if self._too_often(record):
            return
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write((self.format(record) + "\n").encode("utf-8", "backslashreplace"))
                full = file.tell() > self._most_bytes
            if full:
                self._rotate()
        except OSError:
            return

    def _too_often(self, record: logging.LogRecord) -> bool:
        place = (record.pathname, record.lineno)
        since, count = self._alike.get(place, (record.created, 0))
        if record.created - since > _ALIKE_SECONDS:
            since, count = record.created, 0
        self._alike[place] = since, count + 1
        return count >= _MOST_ALIKE

    def _rotate(self) -> None:
        """Under a lock; whoever finds it taken leaves the work to the other."""
        lock = self.path.with_name(NAME + ".lock")
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            if time.time() - lock.stat().st_mtime > _LOCK_SECONDS:
                lock.unlink(missing_ok=True)
            return
        try:
            if self.path.stat().st_size > self._most_bytes:
                for number in range(KEPT, 0, -1):
                    older = self.path.with_name(f"{self.path.name}.{number}")
                    newer = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
                    if newer.exists():
                        newer.replace(older)
        finally:
            lock.unlink(missing_ok=True)
