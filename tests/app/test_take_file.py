"""`.take` files: exact, whole or not at all, and hostile ones refused in one sentence."""

from __future__ import annotations

import json
import pickle
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.takes.bodies import body_of
from app.takes.journal import STEP, frame_entry, head, read_journal
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
        ("person1_vertices", lambda value: value[:, :778]),
        ("person1_joints", lambda value: value[:, :3]),
        ("times", lambda value: value + 1e300),
        ("sizes", lambda value: value * 0),
        ("sizes", lambda value: -value),
        ("sizes", lambda value: value + (1 << 30)),
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


@pytest.mark.parametrize("ids", [(1, 1), (float("inf"), 7), (-1, 7), (1 << 70, 7), (None, 7)])
def test_people_who_cannot_be_told_apart_are_refused(ids: tuple[float, float], saved: Path) -> None:
    about = json.loads(members(saved)["about"].tobytes())
    for one, number in zip(about["people"], ids, strict=True):
        one["id"] = number
    spoil(saved, about=np.frombuffer(json.dumps(about).encode(), np.uint8))
    with pytest.raises(UserError, match="is not a take of this program"):
        load_take(saved)


def test_what_is_packed_in_another_way_is_refused(saved: Path) -> None:
    content = members(saved)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_LZMA) as archive:
        for name, value in content.items():
            archive.writestr(f"{name}.npy", value.tobytes())
    with pytest.raises(UserError, match="damaged or not a take"):
        load_take(saved)


def test_meshes_of_another_body_than_the_take_names_are_told(saved: Path) -> None:
    take = load_take(saved)
    hands = [replace(one, vertices=one.vertices[:, :778]) for one in take.people]
    assert body_of(take).num_vertices == 6890
    with pytest.raises(UserError, match="person_1 of the take has 778 vertices, and the free body 6,890"):
        body_of(take.with_people(tuple(hands)))


def test_saving_a_recording_needs_hardly_more_memory_than_its_take(tmp_path: Path) -> None:
    path, one = tmp_path / "x.recording", take_fakes.record(0)
    frames = [replace(one.frame, index=index, time=index / 30) for index in range(200)]
    path.write_bytes(head(take_fakes.MADE) + b"".join(frame_entry(replace(one, frame=f)) for f in frames))
    tracemalloc.start()
    try:
        take = read_journal(path)
        saving = tracemalloc.get_traced_memory()[1]
        held = sum(one.vertices.nbytes for one in take.people)
        tracemalloc.reset_peak()
        save_take(tmp_path / "x.take", take)
        assert max(saving, tracemalloc.get_traced_memory()[1]) < 1.25 * held
    finally:
        tracemalloc.stop()
    assert held < 2 * path.stat().st_size
    assert np.array_equal(load_take(tmp_path / "x.take").people[0].vertices, take.people[0].vertices)


def test_a_take_without_people_is_a_take(tmp_path: Path) -> None:
    path = tmp_path / "nobody.take"
    nobody: Take = replace(take_fakes.take(3), people=())
    save_take(path, nobody)
    assert load_take(path).people == ()
