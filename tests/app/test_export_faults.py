"""Whatever stops an export, the old file is intact, nothing half written stays, and it is told why."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.export.take import export_take
from app.export.take_options import KINDS, TakeOptions, Watch
from model.body import BodyModel, load_body
from model.errors import UserError
from tests.app.mesh_files import small_files_only
from tests.app.take_fakes import take

TOO_SMALL = 3000
"""Bytes: less than any export."""


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


def target(folder: Path, kind: str) -> Path:
    return folder / ("walk" if kind in ("obj", "ply") else f"walk.{KINDS[kind].ending}")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_take_that_is_cancelled_or_does_not_fit_leaves_the_old_one(
    kind: str, body: BodyModel, tmp_path: Path
) -> None:
    walk, path = take(3), target(tmp_path, kind)
    export_take(walk, body, path, TakeOptions(kind))
    before = contents(tmp_path)
    for asked in ([False], [False, False]):
        watch = Watch(cancelled=partial(next, iter(asked), True))
        with pytest.raises(UserError, match="cancelled; nothing was changed"):
            export_take(walk, body, path, TakeOptions(kind, start=0.03), watch)
        assert contents(tmp_path) == before
    with small_files_only(TOO_SMALL), pytest.raises(UserError, match="cannot be written: File too large"):
        export_take(walk, body, path, TakeOptions(kind))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["fbx-shapes", "glb-shapes", "obj", "ply"])
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_disk_and_a_folder_that_may_not_be_written_are_told_by_name(
    kind: str, fault: int, body: BodyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk, path = take(2), target(tmp_path, kind)
    export_take(walk, body, path, TakeOptions(kind))
    before = contents(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    for name in ("mkstemp", "mkdtemp"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    with pytest.raises(UserError, match=f"walk.* cannot be written: {os.strerror(fault)}"):
        export_take(walk, body, path, TakeOptions(kind))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["glb-shapes", "obj"])
def test_names_of_other_scripts_are_kept_and_too_long_ones_told(
    kind: str, body: BodyModel, tmp_path: Path
) -> None:
    walk, ending = take(2), "" if kind == "obj" else ".glb"
    for name in ("Jörg’s 步 🕺", "with  two blanks", "x" * 240):
        export_take(walk, body, tmp_path / f"{name}{ending}", TakeOptions(kind))
        assert (tmp_path / f"{name}{ending}").exists()
    before = contents(tmp_path)
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        export_take(walk, body, tmp_path / ("y" * 260 + ending), TakeOptions(kind))
    assert contents(tmp_path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
import model.paths
from app.export.sequence import write_sequence
from app.export.mesh import Origin
from app.export.presets import Y_UP_METRES
from app.export.writers import WRITERS
from tests.app.mesh_files import mesh

written = []
def killed(path):
    written.append(path)
    if len(written) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

model.paths._to_the_disk = killed
path, kind = Path(sys.argv[1]), sys.argv[2]
if path.suffix:
    WRITERS[kind](path, [mesh()])
else:
    write_sequence(path, ((i, [mesh()]) for i in range(9)), kind, Y_UP_METRES, Origin(), lambda: True)
"""


@pytest.mark.parametrize(("name", "kind", "moment"), [("body.fbx", "fbx", 1), ("walk", "ply", 3)])
def test_who_is_killed_leaves_the_old_file(name: str, kind: str, moment: int, tmp_path: Path) -> None:
    path = tmp_path / name
    old = path if path.suffix else path / f"{name}_000000.{kind}"
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"the old one")
    command = [sys.executable, "-c", KILLED, str(path), kind, str(moment)]
    done = subprocess.run(command, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert old.read_bytes() == b"the old one"
    seen = [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")]
    assert seen == [name], "what was being written is hidden"


def test_a_number_that_is_not_finite_is_never_written(body: BodyModel, tmp_path: Path) -> None:
    walk = take(2)
    walk.people[0].vertices[1, 5] = np.nan
    for kind in KINDS:
        with pytest.raises(UserError, match="not finite"):
            export_take(walk, body, target(tmp_path, kind), TakeOptions(kind))
    assert contents(tmp_path) == {}
