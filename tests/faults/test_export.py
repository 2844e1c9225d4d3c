"""Fault 18: whatever stops a writer, there is the old file or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.export.mesh import NamedMesh
from app.export.result import ResultWriter
from app.export.take_options import TakeOptions
from app.export.writers import WRITERS
from app.gui import export_desk
from app.pipeline.worker import WorkerState
from model import paths
from model.errors import UserError
from tests.app import gui_fakes
from tests.faults.harness import Live, is_sentence

Make = Callable[..., Live]
OLD = b"the old file"


def meshes() -> list[NamedMesh]:
    body = gui_fakes.body()
    return [NamedMesh("person 1", gui_fakes.person().vertices, body["faces"])]


def results(path: Path) -> None:
    """A `result.json` with its meshes, in the folder of `path`."""
    writer = ResultWriter(path.parent, {"name": "fake", "sha256": "0"}, "free body")
    writer.add(gui_fakes.record())
    writer.close().replace(path)


WRITE: dict[str, Callable[[Path], object]] = {
    ending: (lambda path, write=write: write(path, meshes())) for ending, write in WRITERS.items()
}
every_writer = pytest.mark.parametrize("ending", WRITE)
pytestmark = pytest.mark.fault(18)


def refused(path: Path, ending: str) -> str:
    """The sentence with which the writer refuses; the old file is whole and nothing lies beside it."""
    others = set(path.parent.iterdir()) if path.parent.is_dir() else set()
    with pytest.raises(UserError) as caught:
        WRITE[ending](path)
    sentence = str(caught.value)
    assert is_sentence(sentence) and path.with_suffix("").name in sentence
    if path.parent.is_dir():
        assert set(path.parent.iterdir()) == others
    return sentence


def old_file(folder: Path, ending: str) -> Path:
    path = folder / f"mesh.{ending}"
    path.write_bytes(OLD)
    return path


@every_writer
def test_a_full_disk(tmp_path: Path, ending: str) -> None:
    """The kernel itself stops the file after some bytes."""
    path = old_file(tmp_path, ending)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        sentence = refused(path, ending)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be written" in sentence and path.read_bytes() == OLD


@every_writer
def test_a_disk_that_is_full_when_the_file_is_put_in_place(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(paths.os, "fsync", full)
    path = old_file(tmp_path, ending)
    assert "No space left" in refused(path, ending)
    assert path.read_bytes() == OLD


@every_writer
def test_a_place_that_takes_no_file(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkstemp", denied)  # root may write to a read-only folder
        path = old_file(tmp_path, ending)
        assert "Permission denied" in refused(path, ending)
        assert path.read_bytes() == OLD
    (tmp_path / "a file").touch()
    refused(tmp_path / "a file" / f"mesh.{ending}", ending)
    (tmp_path / f"folder.{ending}").mkdir()
    refused(tmp_path / f"folder.{ending}", ending)


@every_writer
def test_a_target_that_somebody_reads(tmp_path: Path, ending: str) -> None:
    """Who has the old file open goes on reading the old one; where the system forbids it, it is told."""
    path = old_file(tmp_path, ending)
    with path.open("rb") as reader:
        WRITE[ending](path)
        assert reader.read() == OLD
    assert path.read_bytes() != OLD


@every_writer
def test_a_target_that_the_system_keeps_locked(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows does with a file that another program has open."""

    def locked(self: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "The file is used by another process", str(target))

    path = old_file(tmp_path, ending)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", locked)
        assert "used by another process" in refused(path, ending)
    assert path.read_bytes() == OLD


@every_writer
def test_long_and_foreign_names(tmp_path: Path, ending: str) -> None:
    deep = tmp_path.joinpath(*["a folder with a long name"] * 12)
    path = deep / f"größe 人 🏃.{ending}"
    assert len(str(path)) > 260
    WRITE[ending](path)
    assert path.stat().st_size > 1000
    with pytest.raises(UserError, match="too long"):
        WRITE[ending](tmp_path / f"{'x' * 300}.{ending}")
    assert list(tmp_path.iterdir()) == [tmp_path / "a folder with a long name"]


KILLED = """
import os, signal, sys
from pathlib import Path
from model import paths
from tests.faults.test_export import WRITE
replace = os.fsync
def die(handle):
    os.kill(os.getpid(), signal.SIGKILL)
paths.os.fsync = die
WRITE[sys.argv[2]](Path(sys.argv[1]))
"""


@every_writer
def test_a_program_that_is_killed_in_mid_write(tmp_path: Path, ending: str) -> None:
    path = old_file(tmp_path, ending)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), ending], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    WRITE[ending](path)
    assert path.read_bytes() != OLD, "what was left behind is in nobody's way"


def test_results_name_only_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results(tmp_path / "mine.json")
    writer = ResultWriter(tmp_path / "new", {"name": "fake", "sha256": "0"}, "free body")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(UserError, match="No space left"):
        writer.add(gui_fakes.record())
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [UserError("The disk is full."), MemoryError(), ValueError("odd mesh")],
    ids=lambda e: type(e).__name__,
)
def test_the_window_tells_and_goes_on(
    live: Make, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    one = live()
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)
    with monkeypatch.context() as patch:
        patch.setitem(export_desk.WRITERS, "obj", fail)
        one.do(lambda: one.window.exports.write(tmp_path / "me.obj", TakeOptions("obj"), of_take=False))
        one.wait(lambda: one.banner)
    assert is_sentence(one.banner)
    one.do(lambda: one.window.exports.write(tmp_path / "me.obj", TakeOptions("obj"), of_take=False))
    one.wait(lambda: "Saved" in one.banner)
    assert (tmp_path / "me.obj").stat().st_size > 1000


def test_a_disk_that_hangs_holds_up_neither_the_window_nor_its_end(
    live: Make, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(export_desk, "PATIENCE", 0.2)
    monkeypatch.setitem(export_desk.WRITERS, "obj", lambda *_, **__: release.wait(60))
    one = live()
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)
    for _ in range(3):
        one.do(lambda: one.window.exports.write(tmp_path / "me.obj", TakeOptions("obj"), of_take=False))
    one.goes_on(picture)
    start = time.monotonic()
    one.window.exports.shutdown()
    assert time.monotonic() - start < 1.0 + one.pulse.room
    release.set()
