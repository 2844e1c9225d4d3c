"""Temporary files and folders beside their target, and what killed processes left behind of them.

A process that is killed in mid-write cannot tidy up. Each temporary is therefore locked while it is written;
the system unlocks it when its process ends, however that came. The next process that writes into the same
folder removes those that nobody holds. Windows cannot lock that way: what is left there stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_NEW, _OLD = ".pointhmr-new-", ".pointhmr-old-"
_OURS = re.compile(rf"({re.escape(_NEW)}|{re.escape(_OLD)})[a-z0-9_]{{8}}(\.[^.]*)?")
"""The eight characters are `tempfile`'s."""
_YOUNG = 10.0
"""Seconds in which a temporary may not be locked yet."""
_looked_at: set[Path] = set()
"""Folders are looked through once by a process: one that writes thousands of files would do so each time."""


@contextlib.contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """An empty file beside `target` with the same suffix; removed at the end if it is still there.

    Raises OSError when the folder takes none.
    """
    _clear_once(target.parent)
    handle, name = tempfile.mkstemp(prefix=_NEW, suffix=target.suffix, dir=target.parent)
    os.close(handle)
    path = Path(name)
    try:
        with _held(path):
            yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`; removed with all it holds at the end if it is still there.

    Raises OSError when the parent takes none.
    """
    _clear_once(target.parent)
    path = Path(tempfile.mkdtemp(prefix=_NEW, dir=target.parent))
    try:
        with _held(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def replace_folder(folder: Path, made: Path) -> None:
    """Put `made` in the place of `folder`, which comes back if that fails. Raises OSError.

    A folder cannot be replaced in one step. Who is killed between the two leaves the old one aside, from
    where `clear_abandoned` brings it back.
    """
    if not folder.exists():
        made.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=_OLD, dir=folder.parent))
    old = aside / folder.name
    with _held(aside):
        folder.rename(old)
        try:
            made.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def clear_abandoned(folder: Path) -> None:
    """Remove this user's temporaries in `folder` whose process has gone; whatever cannot be removed stays."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    _remove_abandoned(path)


def _clear_once(folder: Path) -> None:
    if folder not in _looked_at:
        _looked_at.add(folder)
        clear_abandoned(folder)


def _remove_abandoned(path: Path) -> None:
    """Raises OSError when it is in use, or somebody else's."""
    if sys.platform == "win32":
        return
    with _lock(path) as descriptor:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.geteuid() or time.time() - facts.st_mtime < _YOUNG:
            return
        if not stat.S_ISDIR(facts.st_mode):
            path.unlink()
            return
        if path.name.startswith(_OLD):
            _bring_back(path)
        shutil.rmtree(path)


def _bring_back(aside: Path) -> None:
    for old in aside.iterdir():
        if not (aside.parent / old.name).exists():
            old.rename(aside.parent / old.name)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Locked meanwhile. A disk without locks is no reason not to write: nobody will clear up there either."""
    with contextlib.ExitStack() as stack:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                stack.enter_context(_lock(path))
        yield


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    """A descriptor of a locked file or folder. Raises OSError when it is locked already, or a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
