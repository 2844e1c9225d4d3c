"""Fault 20: memory, threads and handles stay flat. Seconds here; half an hour in `pointhmr soak`."""

from __future__ import annotations

import ctypes
import json
import mmap
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from app.commands.soak import verdict, write
from app.gui.soak import Soak
from app.gui.soak_curve import curve
from app.malloc import give_back, in_use_mb
from app.pipeline.worker import WorkerState
from app.vitals import MOST_GROWTH_MB, Vitals, growth, look
from model.errors import UserError
from tests.app.fakes import gradient
from tests.faults.harness import Capture, Live

pytestmark = pytest.mark.fault(20)


def at_rest(one: Live) -> float:
    """Megabytes in use while the window shows plain meshes: other colours hold more, and are no leak."""
    one.do(one.window.worker.play)  # the last habit may have been a pause
    one.do(lambda: one.window.parts.mesh.colour_by.setCurrentIndex(0))
    found = []
    for _ in range(5):  # What a frame in work holds at the moment is no leak either.
        one.wait_records(5)
        give_back()
        found.append(look(0.0, 0, 0).memory_mb)
    return min(found)


def warmed_up(one: Live) -> float:
    """Megabytes at rest once a round of everything adds little: on a busy machine what loads comes late."""
    after = at_rest(one)
    for _ in range(8):
        before = after
        Soak(one.window, 6.0, lambda vitals: None).run()
        after = at_rest(one)
        if after - before < MOST_GROWTH_MB / 4:
            break
    return after


def test_some_seconds_of_everything_stay_flat(live: Any, tmp_path: Path) -> None:
    one: Live = live({0: Capture(lambda n: gradient((640, 480), n))})
    one.open("camera")
    one.wait_records(5)
    before = warmed_up(one)
    seen: list[Vitals] = []
    samples = Soak(one.window, 6.0, seen.append).run()
    one.pulse.worst = 0.0
    assert samples == seen and len(samples) > 5
    more = growth(samples)
    assert at_rest(one) - before <= MOST_GROWTH_MB
    assert replace(more, memory_mb=0.0).flat, verdict(samples, more)
    assert samples[-1].records > samples[len(samples) // 2].records, "it still plays"
    output = tmp_path / "soak.json"
    write(output, samples, more)
    content = json.loads(output.read_text())
    assert content["flat"] == more.flat and len(content["samples"]) == len(samples)
    assert content["samples"][-1]["threads"] >= threading.active_count() - 1
    picture = curve(samples, verdict(samples, more))
    assert isinstance(picture, QImage)
    colours = {picture.pixelColor(x, y).name() for x in range(84, 936) for y in range(60, 230)}
    assert "#2563c9" in colours, "the curve of the memory"


def test_a_source_that_stops_ends_the_soak_with_its_sentence(live: Any) -> None:
    one: Live = live({0: Capture(lambda n: gradient(shade=n) if n < 60 else None)})
    one.open("camera")
    one.wait_records(2)
    with pytest.raises(UserError, match="disconnected"):
        Soak(one.window, 60.0, lambda vitals: None).run()
    one.pulse.worst = 0.0
    assert one.window.state is WorkerState.FAULTED


def steady(**more: float) -> list[Vitals]:
    """100 looks; what is named grows evenly by so much in all."""
    base = {"memory_mb": 600.0, "in_use_mb": 400.0, "threads": 12, "handles": 20, "widgets": 300}
    return [
        Vitals(
            seconds=float(step),
            records=step,
            **{name: value + more.get(name, 0.0) * step / 100 for name, value in base.items()},  # type: ignore[arg-type]
        )
        for step in range(100)
    ]


@pytest.mark.parametrize(
    ("name", "amount"), [("memory_mb", 2 * MOST_GROWTH_MB), ("threads", 8), ("handles", 8), ("widgets", 8)]
)
def test_whatever_grows_is_seen(name: str, amount: float) -> None:
    assert growth(steady()).flat
    assert not growth(steady(**{name: amount})).flat
    assert growth(steady(**{name: -amount})).flat


def test_a_file_that_stays_open_is_a_handle_more(tmp_path: Path) -> None:
    before = look(0.0, 0, 0)
    with (tmp_path / "open").open("w"):
        assert look(0.0, 0, 0).handles == before.handles + 1
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with mmap.mmap(-1, 30_000_000, flags=private) as held:  # a large process has freed pages to reuse
        held.write(b"\1" * 30_000_000)
        assert look(0.0, 0, 0).memory_mb > before.memory_mb + 20


ARENAS = """
import ctypes, sys, threading
from app.malloc import use_few_arenas

use_few_arenas()
gate = threading.Barrier(12)
def work():
    held = [bytes(3000) for _ in range(50)]
    gate.wait(60)
    gate.wait(60)
threads = [threading.Thread(target=work) for _ in range(11)]
[thread.start() for thread in threads]
gate.wait(60)
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
stream = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(stream))
libc.fclose(ctypes.c_void_p(stream))
gate.wait(60)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="glibc's only")
def test_many_threads_share_one_arena(tmp_path: Path) -> None:
    """As malloc itself tells; besides the first thread's."""
    told = tmp_path / "malloc.xml"
    subprocess.run([sys.executable, "-c", ARENAS, str(told)], check=True, timeout=120)
    assert told.read_text().count("<heap nr=") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_memory_in_use_is_told_apart_from_what_is_kept() -> None:
    before = in_use_mb()
    pieces = [b"x" * 100_000 for _ in range(400)]
    assert 35 < in_use_mb() - before < 45
    del pieces[::2]
    assert 15 < in_use_mb() - before < 25, "half is free, whatever malloc keeps of it"
