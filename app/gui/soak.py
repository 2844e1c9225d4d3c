"""Plays a window for a long time, as a person would use it, and looks at the process now and then."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.gui.main_window import MainWindow
from app.malloc import give_back
from app.pipeline.worker import WorkerState
from app.vitals import Vitals, look
from model.errors import UserError

SAMPLES = 300
"""Looks at the process in a whole soak."""
ACTION_EVERY = 4.0
"""Seconds between two things that the person does."""


class Soak:
    """One run over a window that was started on its source."""

    def __init__(self, window: MainWindow, seconds: float, seen: Callable[[Vitals], None]) -> None:
        """seen: told of every look."""
        self.samples: list[Vitals] = []
        self._window = window
        self._seconds = seconds
        self._seen = seen
        self._loop = QEventLoop()
        self._start = time.monotonic()
        self._look = QTimer(window, interval=max(50, int(1000 * seconds / SAMPLES)))
        self._look.timeout.connect(self._sample)
        self._act = QTimer(window, interval=int(1000 * min(ACTION_EVERY, seconds / 40)))
        self._act.timeout.connect(self._do)
        self._actions = habits(window)

    def run(self) -> list[Vitals]:
        """Blocks, with the event loop running. Raises UserError when the source cannot be played."""
        for timer in (self._look, self._act):
            timer.start()
        self._loop.exec()
        for timer in (self._look, self._act):
            timer.stop()
        if self._window.state is WorkerState.FAULTED:
            raise UserError(self._window.parts.status.message.text())
        return self.samples

    def _sample(self) -> None:
        seconds = time.monotonic() - self._start
        give_back()
        self.samples.append(look(seconds, len(QApplication.allWidgets()), self._window.shown))
        self._seen(self.samples[-1])
        if seconds >= self._seconds or self._window.state is WorkerState.FAULTED:
            self._loop.quit()

    def _do(self) -> None:
        next(self._actions)()


def habits(window: MainWindow) -> Iterator[Callable[[], object]]:
    """What a person does, over and over: masks, pins, people, pauses, steps, themes, the source anew.

    Each round is the same, of some thirty actions, and shows every colouring: some hold more than others
    while they are chosen, so that a part of the soak could be compared with one in which others were shown.
    The warm-up of half an hour takes in three rounds: all that is made at its first use is there by then.
    """
    do, parts, pins = window.commands, window.parts, window.pins
    vertices = itertools.cycle(range(0, 6000, 611))

    def pin() -> None:
        count = len(pins.vertices)
        pins.add(next(vertices))
        if len(pins.vertices) > count:
            pins.remove(pins.vertices[0])

    def turn() -> None:
        parts.mesh.view.orbit.turn(40, 5)
        parts.mesh.view.draw()

    def size() -> None:
        window.resize(window.width() ^ 16, window.height() ^ 16)

    def reopen() -> None:
        if window.spec is not None:
            window.open_source(window.spec)

    presets = [button.click for button in parts.masking.presets]
    frozen = [do.freeze.trigger, presets[1], do.back.trigger, do.forward.trigger, do.play.trigger]
    box = parts.mesh.colour_by
    colours = [partial(box.setCurrentIndex, index) for index in (*range(1, box.count()), 0)]
    looks = [turn, pin, size, do.side.trigger, do.reset_view.trigger]
    people = [do.everyone.trigger, do.next_person.trigger, do.everyone.trigger]
    themes = [action.trigger for action in do.themes.actions()[1:]]
    again = [reopen]
    return itertools.cycle(
        [*presets, *looks, *people, *frozen, pin, *colours, *themes, pins.take_back, *again]
    )
