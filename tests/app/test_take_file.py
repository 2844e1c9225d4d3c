"""`.take` files: exact, whole or not at all, and hostile ones refused in one sentence."""

from __future__ import annotations

import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.takes.journal import STEP
from app.takes.take import Take
from app.takes.take_file import load_take, save_take
from model.errors import UserError
from tests.app import take_fakes


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "Jörg’s walk.take"
    save_take(path, take_fakes.take(4, ids=(1, 7), seen=[True, False, True, True]))
    return path


def members(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


def spoil(path: Path, **changes: np.ndarray) -> None:
    """Write the file again with other members."""
    content = members(path) | changes
    with path.open("wb") as file:
        np.savez(file, **content)


def test_a_take_comes_back(saved: Path) -> None:
    there = take_fakes.take(4, ids=(1, 7), seen=[True, False, True, True])
    back = load_take(saved)
    assert back.made == there.made and len(back) == 4
    for one, other in zip(back.people, there.people, strict=True):
        assert one.id == other.id and np.array_equal(one.frames, other.frames)
        assert np.abs(one.vertices - other.vertices).max() <= STEP / 2 + 1e-6
        assert np.array_equal(one.joints, other.joints) and np.array_equal(one.cameras, other.cameras)
        assert np.array_equal(one.diagnostics["presence"], other.diagnostics["presence"])
    again = saved.with_name("again.take")
    save_take(again, back)
    assert all(np.array_equal(value, members(again)[name]) for name, value in members(saved).items())


def test_the_old_file_stays_when_the_new_one_is_refused(saved: Path) -> None:
    before = saved.read_bytes()
    take = take_fakes.take(2)
    bad = replace(take.people[0], vertices=np.full_like(take.people[0].vertices, np.nan))
    with pytest.raises(UserError, match="not finite"):
        save_take(saved, replace(take, people=(bad,)))
    with pytest.raises(UserError, match="no frame"):
        save_take(saved, replace(take, times=np.zeros(0), people=()))
    assert saved.read_bytes() == before


def test_a_cut_file_is_refused_wherever_it_is_cut(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    cut = tmp_path / "cut.take"
    for length in (0, 10, 1000, len(data) // 2, len(data) - 10):
        cut.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"cut\.take"):
            load_take(cut)


def test_a_flipped_byte_is_noticed(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 0xFF
    saved.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        load_take(saved)


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.trace,)


def test_a_pickle_in_the_file_is_never_run(saved: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    hostile = np.empty(4, object)
    hostile[:] = [Bomb(trace)] * 4
    with saved.open("wb") as file:
        np.savez(file, allow_pickle=True, about=hostile, times=hostile)
    with pytest.raises(UserError):
        load_take(saved)
    saved.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(UserError):
        load_take(saved)
    assert not trace.exists()


def test_a_header_that_promises_more_than_there_is_is_refused(saved: Path) -> None:
    content = members(saved)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, value in content.items():
            with archive.open(f"{name}.npy", "w") as file:
                shape = (1 << 40,) if name == "times" else value.shape
                facts = {"descr": value.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, facts)
                file.write(value.tobytes())
    with pytest.raises(UserError, match="cut off"):
        load_take(saved)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("times", lambda value: value[::-1]),
        ("times", lambda value: value * np.nan),
        ("times", lambda value: value[:2]),
        ("person0_frames", lambda value: value + 3),
        ("person0_frames", lambda value: value[::-1]),
        ("person1_cameras", lambda value: value * np.inf),
        ("person1_vertices", lambda value: value.astype(np.float32)),
        ("person1_vertices", lambda value: value[:1]),
    ],
)
def test_contents_that_make_no_sense_are_refused(name: str, change: object, saved: Path) -> None:
    with np.errstate(invalid="ignore"):
        spoil(saved, **{name: change(members(saved)[name])})  # type: ignore[operator]
    with pytest.raises(UserError) as fault:
        load_take(saved)
    assert "\n" not in str(fault.value)


def test_takes_of_the_future_and_other_files_are_told_apart(saved: Path, tmp_path: Path) -> None:
    about = json.loads(members(saved)["about"].tobytes())
    spoil(saved, about=np.frombuffer(json.dumps(about | {"version": 2}).encode(), np.uint8))
    with pytest.raises(UserError, match="version 2"):
        load_take(saved)
    spoil(saved, about=np.frombuffer(b"[" * 5000, np.uint8))
    with pytest.raises(UserError):
        load_take(saved)
    other = tmp_path / "other.take"
    np.savez(other.with_suffix(".npz"), a=np.zeros(3))
    with pytest.raises(UserError, match="not a take"):
        load_take(other.with_suffix(".npz"))
    with pytest.raises(UserError, match="cannot be read"):
        load_take(other)


def test_a_take_without_people_is_a_take(tmp_path: Path) -> None:
    path = tmp_path / "nobody.take"
    nobody: Take = replace(take_fakes.take(3), people=())
    save_take(path, nobody)
    assert load_take(path).people == ()
