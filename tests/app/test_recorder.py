"""What a recording keeps, whatever happens to its process, its disk and its source."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.takes import recorder as module
from app.takes.journal import REACH, STEP
from app.takes.recorder import Recorder, find_unfinished, forget, recover
from model.errors import UserError
from tests.app.take_fakes import HOPS, MADE, person, record


def test_a_take_is_what_was_recorded(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    walk = [record(index, ids) for index, ids in enumerate([(1,), (1, 4), (), (4, 1)])]
    assert all(recorder.add(one) for one in walk)
    take = recorder.finish()
    assert (recorder.frames, recorder.seconds) == (4, pytest.approx(0.1))
    assert [one.id for one in take.people] == [1, 4]
    first, second = take.people
    assert (first.frames.tolist(), second.frames.tolist()) == ([0, 1, 3], [1, 3])
    assert take.times == pytest.approx([one.frame.time for one in walk])
    assert (take.masks, take.sizes[2].tolist()) == (HOPS, [320, 240])
    seen = walk[3].people[1]
    assert np.abs(first.vertices[2] - seen.vertices).max() <= STEP / 2 + 1e-6
    assert np.array_equal(first.joints[2], seen.joints3d)
    assert tuple(first.cameras[2]) == seen.camera
    assert first.boxes[2] == pytest.approx(seen.box.xywh)
    assert first.diagnostics["presence"] == pytest.approx([0.9] * 3)
    assert first.row(3) == 2 and first.row(2) is None
    assert np.abs(first.joints2d[2] - seen.project(seen.joints3d)).max() < 1e-3
    assert (take.made.model, take.made.source) == ("body-lite", "walk.mp4") and take.made.started


def test_frames_come_from_any_thread_at_little_cost(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    walk = [record(index) for index in range(60)]
    recorder.add(walk[0])
    start = time.thread_time()
    for one in walk[1:31]:
        recorder.add(one)
    assert (time.thread_time() - start) / 30 < 0.002
    thread = threading.Thread(target=lambda: [recorder.add(one) for one in walk[31:]])
    thread.start()
    thread.join()
    assert len(recorder.finish()) == 60


def test_a_frame_that_is_shown_again_is_kept_once(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    assert recorder.add(record(3)) and recorder.add(record(3)) and recorder.add(record(4))
    assert recorder.finish().indices.tolist() == [3, 4]


def test_a_source_that_goes_back_ends_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    assert recorder.add(record(3)) and not recorder.add(record(0)) and not recorder.add(record(4))
    assert "back in time" in recorder.ended
    assert recorder.finish().indices.tolist() == [3]


def test_another_body_ends_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    recorder.add(record(0))
    small = replace(person(), vertices=person().vertices[:778])
    assert not recorder.add(replace(record(1), people=(small,)))
    assert "Another body" in recorder.ended
    assert len(recorder.finish()) == 1


def test_nothing_beyond_human_reach_is_kept(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    giant = replace(person(2), vertices=person().vertices * np.float32(REACH * 2))
    recorder.add(replace(record(0), people=(giant, person(1))))
    assert [one.id for one in recorder.finish().people] == [1]


def test_a_full_disk_ends_the_recording_and_keeps_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(MADE, tmp_path)
    room = [250_000]

    class FullDisk:
        """A file on a disk with little room, which tears the last write as disks do."""

        def __init__(self, file: object) -> None:
            self.file = file

        def write(self, content: memoryview) -> int:
            count = min(len(content), room[0])
            if count == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            room[0] -= count
            return self.file.write(content[:count])  # type: ignore[attr-defined]

    honest = module._write_all
    monkeypatch.setattr(module, "_write_all", lambda file, content: honest(FullDisk(file), content))  # type: ignore[arg-type]
    going = [recorder.add(record(index)) for index in range(12)]
    for index in range(12, 200):
        if recorder.ended:
            break
        time.sleep(0.02)
        going.append(recorder.add(record(index)))
    assert "No space left" in recorder.ended and going[0]
    assert not recorder.add(record(300))
    take = recorder.finish()
    assert 1 <= len(take) < 8
    assert take.indices.tolist() == list(range(len(take)))


def test_a_disk_that_is_full_at_the_first_frame_keeps_no_empty_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    recorder = Recorder(MADE, tmp_path)
    monkeypatch.setattr(module, "_write_all", full)
    recorder.add(record(0))
    with pytest.raises(UserError, match=r"^Nothing was recorded\.$"):
        recorder.finish()
    assert "No space left" in recorder.ended and "kept" not in recorder.ended
    assert recorder.frames == 0 and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Nothing can be recorded"):
        Recorder(MADE, tmp_path / "file" / "folder")


def test_a_disk_that_is_full_at_the_start_keeps_no_empty_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_write_all", full)
    with pytest.raises(UserError, match=r"Nothing can be recorded in .*No space left"):
        Recorder(MADE, tmp_path)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
from app.takes.recorder import Recorder
from tests.app.take_fakes import MADE, record
recorder = Recorder(MADE, Path(sys.argv[1]))
for index in range(1000):
    recorder.add(record(index))
    if index == 20:
        sys.stdout.write("recorded\\n")
        sys.stdout.flush()
    time.sleep(0.005)
"""


@pytest.mark.fault(17)
def test_a_killed_process_leaves_all_but_the_last_moment(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None and process.stdout.readline() == b"recorded\n"
    assert find_unfinished(tmp_path) == []  # Somebody is writing to it.
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (left,) = find_unfinished(tmp_path)
    take = recover(left.path)
    assert len(take) >= 20 and take.people[0].frames.tolist() == list(range(len(take)))
    size = left.bytes
    while len(recover(left.path)) == len(take):  # The last frame may have been half written already.
        size -= 1000
        with left.path.open("r+b") as file:
            file.truncate(size)
    assert len(recover(left.path)) == len(take) - 1
    forget(left.path)
    assert find_unfinished(tmp_path) == []


def test_a_recording_is_found_until_it_is_forgotten(tmp_path: Path) -> None:
    recorder = Recorder(MADE, tmp_path)
    recorder.add(record(0))
    assert find_unfinished(tmp_path) == []
    recorder.close()
    assert [left.path for left in find_unfinished(tmp_path)] == [recorder.path]
    recorder.discard()
    assert list(tmp_path.iterdir()) == []
    assert find_unfinished(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not a recording"), (b"PK\3\4", "not a recording"), (b"PointHMR recording 1\n", "ends before")],
)
def test_what_is_no_recording_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.recording"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        recover(path)


def test_a_recording_without_a_frame_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no frame"):
        Recorder(MADE, tmp_path).finish()
