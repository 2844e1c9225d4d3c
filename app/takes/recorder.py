"""Records takes: results go to the disk as they come, so that little is lost whatever happens."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from app.pipeline.frames import Record
from app.takes.journal import frame_entry, head, read_journal
from app.takes.take import Made, Take
from model.errors import UserError
from model.paths import data_dir

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_log = logging.getLogger(__name__)
ENDING = ".recording"
LONGEST_BYTES = 2 << 30
"""Of a recording, half of what it needs as a take: some 27 minutes of one person at 30 frames a second."""
NO_FRAME = "Nothing was recorded: no frame came while it was on."
_SYNC_EVERY = 1.0
_WAITING = 256
"""Frames that may wait for a slow disk before the recording ends."""


def recordings_dir() -> Path:
    """Where recordings lie until they have been saved or thrown away."""
    return data_dir() / "recordings"


class Recorder:
    """One take in the making.

    `add` may be called from any thread and costs a fraction of a millisecond a person; a thread of the
    recorder writes. When the disk is full, the source jumps back or the body changes, the recording ends by
    itself: `ended` says why in one sentence, and what was recorded stays.
    """

    def __init__(self, made: Made, folder: Path | None = None) -> None:
        """Begins the file. Raises UserError when that is impossible."""
        self.ended = ""
        """Why the recording ended by itself; empty while it goes on."""
        self.frames = 0
        """Recorded so far."""
        self.seconds = 0.0
        """From the first frame to the last."""
        self.bytes = 0
        """Size of the file."""
        folder = folder or recordings_dir()
        started = made.started or datetime.now().astimezone().isoformat(timespec="seconds")
        self.made = replace(made, started=started)
        self.path, self._file = _begin(folder, head(self.made))
        self._lock = threading.Lock()
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._first = self._last = 0.0
        self._vertices = 0
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="take-recorder", daemon=True)
        self._thread.start()

    def add(self, record: Record) -> bool:
        """Keep a result; False once the recording has ended. The same frame again is left out."""
        content = frame_entry(record)
        with self._lock:
            if self._closed or self.ended:
                return False
            if self.frames and record.frame.time <= self._last:
                if record.frame.time < self._last:
                    self.ended = "The source went back in time, so the recording has ended."
                return not self.ended
            vertices = len(record.people[0].vertices) if record.people else self._vertices
            if self._vertices not in (0, vertices):
                self.ended = "Another body was chosen, so the recording has ended."
                return False
            if self.bytes + len(content) > LONGEST_BYTES:
                self.ended = f"The recording has reached {LONGEST_BYTES >> 30} GB and has ended."
                return False
            return self._put(content, record.frame.time, vertices)

    def _put(self, content: bytes, now: float, vertices: int) -> bool:
        try:
            self._queue.put_nowait(content)
        except queue.Full:
            self.ended = "The disk is too slow to record any more; what was recorded is kept."
            return False
        self._first = self._first if self.frames else now
        self._last, self._vertices = now, vertices
        self.frames += 1
        self.seconds = now - self._first
        self.bytes += len(content)
        return True

    def finish(self) -> Take:
        """Ends the recording and reads it back. Its file stays until `forget`, once the take is saved.

        Takes as long as the disk: call it from a thread. Raises UserError when nothing was recorded; then
        no file stays.
        """
        self.close()
        if self.frames == 0:
            forget(self.path)
            raise UserError("Nothing was recorded." if self.ended else NO_FRAME)
        return read_journal(self.path)

    def close(self) -> None:
        """Ends the recording; its file stays and is found again by `find_unfinished`."""
        with self._lock:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._queue.put(None)
        self._thread.join()

    def discard(self) -> None:
        """Ends the recording and throws it away."""
        self.close()
        forget(self.path)

    def _write(self) -> None:
        synced, written = time.monotonic(), 0
        with self._file:
            while (content := self._queue.get()) is not None:
                try:
                    _write_all(self._file, content)
                    written += 1
                    if time.monotonic() - synced > _SYNC_EVERY:
                        os.fsync(self._file.fileno())
                        synced = time.monotonic()
                except OSError as error:
                    self._fail(error, written)
                    self._drain()
                    return

    def _fail(self, error: OSError, written: int) -> None:
        """written: frames that are in the file whole."""
        _log.warning("recording: %s", error)
        kept = " What came before is kept." if written else ""
        with self._lock:
            self.frames = min(self.frames, written)
            self.ended = f"The recording has ended, for the disk refused: {error.strerror or error}.{kept}"

    def _drain(self) -> None:
        """Takes what still comes, so that nobody waits for a thread that has gone."""
        while self._queue.get() is not None:
            pass


def _hold(file: IO[bytes]) -> None:
    """Lock a file until it is closed; raises OSError when another process, or another open file, holds it."""
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_all(file: IO[bytes], content: bytes) -> None:
    """An unbuffered file may take less than it is given; the next attempt then says why."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _begin(folder: Path, content: bytes) -> tuple[Path, IO[bytes]]:
    """A new file of a name that nobody has, held against `find_unfinished`."""
    stem = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    path = folder / f"{stem}_{os.getpid()}_{time.monotonic_ns()}{ENDING}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("xb", buffering=0)
        try:
            _hold(file)
            _write_all(file, content)
        except OSError:
            file.close()
            path.unlink()
            raise
    except OSError as error:
        raise UserError(f"Nothing can be recorded in {folder}: {error.strerror or error}.") from error
    return path, file


@dataclass(frozen=True)
class Unfinished:
    """A recording that its process left behind."""

    path: Path
    changed: float
    """When its last frame came, in seconds since 1970."""
    bytes: int


def find_unfinished(folder: Path | None = None) -> list[Unfinished]:
    """Recordings that nobody is writing to and that were neither saved nor thrown away, the newest first."""
    folder = folder or recordings_dir()
    found = []
    for path in folder.glob(f"*{ENDING}"):
        try:
            with path.open("rb") as file:
                _hold(file)
                facts = os.fstat(file.fileno())
        except OSError:
            continue
        found.append(Unfinished(path, facts.st_mtime, facts.st_size))
    return sorted(found, key=lambda one: -one.changed)


def recover(path: Path) -> Take:
    """The take in a recording that was left behind, up to its last whole frame. Raises UserError."""
    return read_journal(path)


def forget(path: Path) -> None:
    """Throw a recording away, once its take is saved or not wanted. Raises UserError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be removed: {error.strerror or error}.") from error
