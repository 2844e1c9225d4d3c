"""Every fault of reliability.md has a test here, and the watch that all of them rely on works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.handlings import MUTATIONS, Mutation
from tests.faults.harness import ANSWERS_WITHIN, Live
from tests.faults.index import FAULTS, covered
from tests.faults.mutations import ROOT, copy, noticed_by


@pytest.mark.parametrize("number", FAULTS)
def test_every_fault_is_tested(number: int) -> None:
    assert covered()[number], f"nothing covers {FAULTS[number]}"


def test_the_watch_sees_a_window_that_is_held_up(live: Callable[..., Live]) -> None:
    one = live()
    seconds = 3 * (ANSWERS_WITHIN + one.pulse.room)  # on a machine that stutters the watch lets more pass
    one.do(lambda: time.sleep(seconds))
    assert one.pulse.worst > 0.9 * seconds
    assert one.pulse.worst > ANSWERS_WITHIN + one.pulse.room, "a fault test would have failed"
    one.pulse.worst = 0.0
    lock = threading.Lock()
    with lock:
        one.do(lambda: lock.acquire(timeout=seconds))
    assert one.pulse.worst > ANSWERS_WITHIN + one.pulse.room
    one.pulse.worst = 0.0


def test_every_fault_has_a_handling_that_can_be_taken_out() -> None:
    """The handlings are found where `mutations` looks for them; that they are missed is a slow check."""
    assert {one.fault for one in MUTATIONS} == FAULTS.keys()
    for one in MUTATIONS:
        assert any(one.tests in test for test in covered()[one.fault]), one.what
        assert one.old in (ROOT / one.file).read_text(encoding="utf-8"), (one.file, one.old)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: f"{one.fault} {one.what}")
def test_a_handling_that_is_taken_out_is_missed(tmp_path: Path, one: Mutation) -> None:
    copy(tmp_path)
    assert noticed_by(tmp_path, one)
