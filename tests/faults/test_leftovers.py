"""Fault 18: what a killed process had begun to write goes at the next writing, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.export.mesh import Origin
from app.export.presets import Y_UP_METRES
from app.export.sequence import write_sequence
from model import temporaries
from model.paths import write_atomically
from tests.app.mesh_files import mesh

pytestmark = pytest.mark.fault(18)

SEQUENCE = """
import os, signal, sys
from pathlib import Path
from model import paths, temporaries
from tests.faults.test_leftovers import sequence

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
rename = Path.rename
if moment == "in mid-write":
    paths._to_the_disk = die
elif moment == "when the old one is aside":
    Path.rename = lambda self, target: die() if "-new-" in self.name else rename(self, target)
elif moment == "when the new one is in place":
    temporaries.shutil.rmtree = die
sequence(Path(sys.argv[1]))
"""
WAITING = """
import sys
from pathlib import Path
from model.paths import write_atomically

def write(path):
    path.write_text("half of it")
    print("writing", flush=True)
    sys.stdin.readline()
    path.write_text("all of it")

write_atomically(Path(sys.argv[1]), write)
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten seconds for a leftover to be old enough."""
    monkeypatch.setattr(temporaries, "_YOUNG", -60.0)


def sequence(folder: Path) -> None:
    """A folder of two meshes."""
    write_sequence(folder, ((i, [mesh()]) for i in range(2)), "ply", Y_UP_METRES, Origin(), step=lambda: True)


def note(path: Path) -> None:
    """A file of ours."""
    write_atomically(path, lambda file: file.write_text("new"))


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def waiting(path: Path) -> subprocess.Popen[str]:
    """A process that has written half of its file."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


def test_the_next_writing_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    (tmp_path / "mesh.obj").write_text("old")
    process = waiting(tmp_path / "mesh.obj")
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert [path.read_text() for path in hidden(tmp_path)] == ["half of it"]
    note(tmp_path / "other.json")
    assert hidden(tmp_path) == []
    assert (tmp_path / "mesh.obj").read_text() == "old" and (tmp_path / "other.json").read_text() == "new"


def test_what_a_second_instance_is_writing_stays(tmp_path: Path) -> None:
    process = waiting(tmp_path / "mesh.obj")
    note(tmp_path / "other.json")
    assert [path.read_text() for path in hidden(tmp_path)] == ["half of it"]
    process.communicate("go on\n", timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "mesh.obj").read_text() == "all of it" and hidden(tmp_path) == []


def test_what_this_process_is_writing_stays(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        temporaries.clear_abandoned(tmp_path)
        assert path.exists()
        path.write_text("new")

    write_atomically(tmp_path / "mesh.obj", write)
    assert (tmp_path / "mesh.obj").read_text() == "new"


def test_nobody_elses_file_is_touched(tmp_path: Path) -> None:
    names = (
        ".pointhmr-new-mine.obj",
        ".mesh-abcd1234.obj",
        "pointhmr-new-abcd1234.obj",
        ".pointhmr-abcd1234",
    )
    for name in names:
        (tmp_path / name).write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    (tmp_path / ".pointhmr-new-abcd1234").symlink_to(tmp_path / "folder")
    (tmp_path / ".pointhmr-new-abcd5678").symlink_to(tmp_path / "folder" / "file")
    others = set(tmp_path.rglob("*"))
    note(tmp_path / "other.json")
    assert set(tmp_path.rglob("*")) == others | {tmp_path / "other.json"}


def test_of_another_user_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / ".pointhmr-new-abcd1234.obj"
    left.write_text("half")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    note(tmp_path / "other.json")
    assert left.exists()


def test_what_has_just_been_made_may_not_be_locked_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporaries, "_YOUNG", 10.0)
    left = tmp_path / ".pointhmr-new-abcd1234.obj"
    left.write_text("half")
    temporaries.clear_abandoned(tmp_path)
    assert left.exists()
    long_ago = time.time() - 11
    os.utime(left, (long_ago, long_ago))
    temporaries.clear_abandoned(tmp_path)
    assert not left.exists()


def test_a_disk_without_locks_takes_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError("no locks")

    left = tmp_path / ".pointhmr-new-abcd1234.obj"
    left.write_text("half")
    monkeypatch.setattr(temporaries.fcntl, "flock", none)
    note(tmp_path / "other.json")
    assert (tmp_path / "other.json").read_text() == "new"
    assert hidden(tmp_path) == [left], "nobody can say whether it is in use"


@pytest.mark.parametrize(
    "moment", ["in mid-write", "when the old one is aside", "when the new one is in place"]
)
def test_a_sequence_whose_process_is_killed(tmp_path: Path, moment: str) -> None:
    """The old folder or the new one is there, after the next writing at the latest, and nothing else."""
    folder = tmp_path / "walk"
    folder.mkdir()
    (folder / "walk_000000.ply").write_text("old")
    done = subprocess.run([sys.executable, "-c", SEQUENCE, str(folder), moment], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert folder.exists() == (moment != "when the old one is aside")
    assert hidden(tmp_path), "the process was killed before it tidied up"
    note(tmp_path / "other.json")
    assert hidden(tmp_path) == []
    names = sorted(path.name for path in folder.iterdir())
    if moment == "when the new one is in place":
        assert names == ["walk_000000.ply", "walk_000001.ply"]
    else:
        assert names == ["walk_000000.ply"] and (folder / names[0]).read_text() == "old"
    sequence(folder)
    assert len(list(folder.iterdir())) == 2 and hidden(tmp_path) == []
