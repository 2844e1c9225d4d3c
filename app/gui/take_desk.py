"""What is done on the page of a take: open, scrub, play, trim; and going there and back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.gui.background import PATIENCE, BackgroundJob
from app.gui.layout import set_checked, shortcut
from app.gui.recording import size_text
from app.gui.take_paint import clock
from app.gui.take_scene import record_at, tracks
from app.gui.take_studio import TakeStudio
from app.pipeline.worker import WorkerState
from app.takes.take import Take
from app.takes.take_file import ENDING, load_take

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

TICK_MS = 15
"""Milliseconds between two looks at the clock while a take plays."""


class TakeDesk(QObject):
    """Connects the page of one window when it is made. `shown_frame` after every frame that is drawn."""

    shown_frame = Signal(int)
    opened = Signal()
    """Another take is on the page."""
    trimmed = Signal(int, int)
    """The first and the last frame that are kept."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._page = window.parts.take
        self._wanted: Path | None = None
        """The file of the take that is to be looked at."""
        self.take: Take | None = None
        """As it was recorded."""
        self.path: Path | None = None
        self.frame = 0
        self.first = self.last = 0
        self.person_id: int | None = None
        self.playing = False
        self._resume = False
        self._started = (0.0, 0.0)
        """Clock of the machine and of the take when playing began."""
        self._opening = BackgroundJob(self)
        self._opening.done.connect(self._loaded)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._advance)
        self.studio = TakeStudio(self, window)
        self._connect()

    def _connect(self) -> None:
        window, bar = self._window, self._page.bar
        window.commands.take.toggled.connect(self.switch_page)
        window.recording.kept.connect(self.show_take)
        bar.to_first.clicked.connect(lambda: self.go(self.first))
        bar.to_last.clicked.connect(lambda: self.go(self.last))
        bar.back.clicked.connect(lambda: self.step(-1))
        bar.forward.clicked.connect(lambda: self.step(1))
        bar.play.clicked.connect(self.play_or_pause)
        bar.mark_in.clicked.connect(lambda: self.trim(self.frame, max(self.last, self.frame)))
        bar.mark_out.clicked.connect(lambda: self.trim(min(self.first, self.frame), self.frame))
        bar.untrim.clicked.connect(lambda: self.trim(0, len(self.take) - 1 if self.take else 0))
        bar.track.frame_wanted.connect(self._scrub)
        bar.track.range_wanted.connect(self.trim)
        bar.people.currentIndexChanged.connect(self._choose_person)
        self.studio.ready.connect(self._show_edit)
        self._page.fit.worst.clicked.connect(self.go_to_worst)
        window.commands.next_person.triggered.connect(self._next_person)
        keys = (
            ("Take: begin here", "Shift+I", bar.mark_in),
            ("Take: end here", "Shift+O", bar.mark_out),
            ("Take: keep all frames", "Shift+U", bar.untrim),
            ("Take: first frame", "Home", bar.to_first),
            ("Take: last frame", "End", bar.to_last),
            ("Take: again and again", "Shift+R", bar.repeat),
            ("Take: fill short gaps", "G", self._page.edits.fill),
        )
        self._keys = [shortcut(window, text, key, button.click) for text, key, button in keys]
        self._show_page()

    # There and back

    @property
    def on_page(self) -> bool:
        """Whether the take is looked at."""
        return self._window.parts.pages.currentWidget() is self._page

    def takes_over(self, spec: str | Path) -> bool:
        """Open a take's file; False for every other source, which is shown live."""
        if not str(spec).lower().endswith(ENDING):
            self._wanted = None
            return False
        path = self._wanted = Path(spec)
        self._opening.start(lambda: (load_take(path), path))
        return True

    def leave(self) -> None:
        """Another source is shown."""
        self._set_page(take=False)

    def _loaded(self, result: tuple[Take, Path] | None, fault: str) -> None:
        if self._wanted is None:
            return  # Meanwhile another source was opened.
        if result is None:
            self._window.parts.banner.say(fault)
        elif result[1] == self._wanted:
            self.show_take(*result)

    def show_take(self, take: Take, path: Path | None) -> None:
        """Another take on the page, all of it, from its first frame."""
        self.pause()
        self.take, self.path = take, path
        self.frame, self.first, self.last = 0, 0, len(take) - 1
        self.person_id = take.people[0].id if take.people else None
        bar = self._page.bar
        blocked = bar.people.blockSignals(True)
        bar.people.clear()
        for person in take.people:
            bar.people.addItem(person.name.replace("_", " ").capitalize(), person.id)
        bar.people.blockSignals(blocked)
        bar.people.setVisible(len(take.people) > 1)
        bar.name.setText(path.stem if path else "not saved yet")
        bar.name.setToolTip(str(path or "The recording is kept and offered at the next start"))
        self._window.commands.take.setEnabled(True)
        self._show_facts()
        self.studio.set_take(take)
        self._show_edit()
        self._set_page(take=True)
        self.opened.emit()

    def switch_page(self, take: bool) -> None:
        """To the take, or back to the source; a running source rests meanwhile."""
        if take == self.on_page or (take and self.take is None):
            self._show_page()
            return
        self._set_page(take=take)
        if not take and self._resume:
            self._window.worker.play()
            self._resume = False

    def _set_page(self, *, take: bool) -> None:
        if take and not self.on_page:
            self._resume = self._window.state in (WorkerState.OPENING, WorkerState.RUNNING)
            if self._resume:
                self._window.worker.pause()
        elif not take:
            self.pause()
        pages = self._window.parts.pages
        pages.setCurrentWidget(self._page if take else self._window.parts.columns)
        self._show_page()
        self._window.show_commands()
        (self._page.bar.track if take else self._window.parts.mesh.view).setFocus()

    def _show_page(self) -> None:
        set_checked(self._window.commands.take, self.on_page)
        people = self._window.people
        people.resting = self.on_page
        if people.button is not None:
            people.button.setEnabled(not self.on_page)
        if not self.on_page:
            self._window.parts.status.show_take("")
        for key in self._keys:
            key.setEnabled(self.on_page)

    # Frames

    def go(self, frame: int) -> None:
        """Show a frame."""
        take = self.take
        if take is None:
            return
        self.frame = max(0, min(len(take) - 1, frame))
        bar = self._page.bar
        bar.track.set_frame(self.frame)
        now, length = take.times[self.frame] - take.times[0], take.duration
        bar.clock.setText(f"{clock(now, 2)} / {clock(length, 1)}   ·   {self.frame + 1:,} / {len(take):,}")
        info = self.studio.info
        if info is not None:
            record = record_at(self.studio.shown or take, self.frame)
            self._page.mesh.view.hint = "" if record.people else "Nobody was found in this frame."
            self._page.mesh.view.set_record(record)
        self._show_fit()
        self._window.parts.status.show_take(
            f"{bar.name.text()}   ·   frame {self.frame + 1:,} of {len(take):,}"
        )
        self.shown_frame.emit(self.frame)

    def step(self, by: int) -> None:
        """Some frames on."""
        self.pause()
        self.go(self.frame + by)

    def _scrub(self, frame: int) -> None:
        self.pause()
        self.go(frame)

    def play_or_pause(self) -> None:
        """One button for both."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        """At the speed at which it was recorded; from the end, from the beginning."""
        take = self.take
        if take is None or self.last == self.first:
            return
        if not self.first <= self.frame < self.last:
            self.go(self.first)
        self.playing = True
        self._started = (time.monotonic(), float(take.times[self.frame]))
        self._page.bar.set_playing(True)
        self._window.show_commands()
        self._tick.start()

    def pause(self) -> None:
        """Stay where it is."""
        if not self.playing:
            return
        self.playing = False
        self._tick.stop()
        self._page.bar.set_playing(False)
        self._window.show_commands()

    def _advance(self) -> None:
        take = self.take
        if take is None:
            return
        now = self._started[1] + time.monotonic() - self._started[0]
        frame = int(np.searchsorted(take.times, now, side="right")) - 1
        if frame < self.last:
            if frame != self.frame:
                self.go(frame)
            return
        self.go(self.last)
        self.pause()
        if self._page.bar.repeat.isChecked():
            self.play()

    # Trim and people

    def trim(self, first: int, last: int) -> None:
        """Keep these frames, both included; the file on the disk stays whole."""
        if self.take is None:
            return
        self.first, self.last = first, last
        bar, times = self._page.bar, self.take.times
        bar.track.set_range(first, last)
        count = last - first + 1
        kept = f"{count:,} frames, {clock(times[last] - times[first])}"
        bar.kept.setText("all frames" if count == len(times) else kept)
        self._show_fit()
        self.trimmed.emit(first, last)

    def _choose_person(self, place: int) -> None:
        if place >= 0:
            self.person_id = self._page.bar.people.itemData(place)
            self._show_edit()

    def _next_person(self) -> None:
        """The curves of the next one."""
        people = self._page.bar.people
        if self.on_page and people.count():
            people.setCurrentIndex((people.currentIndex() + 1) % people.count())

    # What is shown

    def _show_edit(self) -> None:
        """The take can be drawn, or another person is looked at."""
        take = self.take
        if take is None:
            return
        shown = self.studio.shown or take
        self._page.bar.track.set_track(tracks(shown, self.person_id, self.studio.curves(self.person_id)))
        self.studio.show_person(self.person_id)
        self.trim(self.first, self.last)
        self._show_facts()
        self.go(self.frame)

    def _show_facts(self) -> None:
        take = self.take
        if take is None:
            return
        made = take.made
        facts = {
            "Length": f"{clock(take.duration)}, {take.rate:.0f} a second",
            "Frames": f"{len(take):,}",
            "People": str(len(take.people)),
            "Model": f"{made.model} {made.sha256[:8]}".rstrip(),
            "Body": made.body,
        }
        person = take.person(self.person_id) if self.person_id is not None else None
        if person is not None:
            facts["Seen"] = f"{len(person.frames):,} of {len(take):,}"
        if self.path is not None and self.path.exists():
            facts["Size"] = size_text(self.path.stat().st_size)
        self._page.facts.fill(facts)

    def _show_fit(self) -> None:
        misses = self.studio.fit.misses(self.person_id)
        self._page.fit.show_misses(misses, self.frame, (self.first, self.last))

    def go_to_worst(self) -> None:
        """The kept frame in which a skeleton is furthest from the shown person."""
        misses = self.studio.fit.misses(self.person_id)
        if misses is not None:
            kept = np.nan_to_num(misses[self.first : self.last + 1], nan=-1.0)
            self.pause()
            self.go(self.first + int(kept.argmax()))

    def shutdown(self) -> None:
        """The window closes."""
        self.pause()
        self._opening.wait(PATIENCE)
        self.studio.shutdown()
