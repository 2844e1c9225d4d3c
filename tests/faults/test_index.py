"""Every fault of reliability.md has a test here, and the watch that all of them rely on works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.faults.harness import ANSWERS_WITHIN, Live


def test_the_watch_sees_a_window_that_is_held_up(live: Callable[..., Live]) -> None:
    one = live()
    one.do(lambda: time.sleep(0.5))
    assert one.pulse.worst > 0.45
    assert one.pulse.worst > ANSWERS_WITHIN + one.pulse.room, "a fault test would have failed"
    one.pulse.worst = 0.0
    lock = threading.Lock()
    with lock:
        one.do(lambda: lock.acquire(timeout=0.5))
    assert one.pulse.worst > ANSWERS_WITHIN + one.pulse.room
    one.pulse.worst = 0.0
