"""From the worker's thread to the window: Qt signals, and never more than one waiting record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.gui.model_info import ModelInfo
from app.pipeline.frames import Hops, Record, Study
from app.pipeline.pipeline import Pipeline
from app.pipeline.worker import Status


class Controls(Protocol):
    """What the window asks of the worker; `app.pipeline.worker.Worker` is one, a fake is another."""

    def start(self) -> None: ...
    def close(self, timeout: float = 2.0) -> bool: ...
    def open(self, spec: str | Path) -> None: ...
    def switch(self, pipeline_factory: Callable[[], Pipeline], done: Callable[[str], None]) -> None: ...
    def play(self) -> None: ...
    def pause(self) -> None: ...
    def step(self, delta: int = 1) -> None: ...
    def seek(self, index: int) -> None: ...
    def adopt(self, record: Record, sha256: str) -> None: ...
    def set_isolate(self, on: bool) -> None: ...
    def set_mirror(self, on: bool) -> None: ...
    def set_smoothing(self, strength: float) -> None: ...
    def set_hops(self, hops: Hops) -> None: ...
    def set_study(self, study: Study) -> None: ...
    def set_every_frame(self, on: bool) -> None: ...
    def set_all_people(self, on: bool) -> None: ...
    def choose_person(self, person_id: int | None) -> None: ...


class Bridge(QObject):
    """Give `on_record` and `on_status` to the worker; connect to the signals in the GUI thread.

    A record that arrives before the last one was taken replaces it, so a slow window skips frames instead
    of falling behind.
    """

    record_arrived = Signal(object)
    status_changed = Signal(object)
    model_ready = Signal(object)
    _knock = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._newest: Record | None = None
        self._model: ModelInfo | None = None
        self.tap: Callable[[Record], object] | None = None
        """Gets every record on the worker's thread, also those that a slow window skips."""
        self._knock.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def on_record(self, record: Record) -> None:
        """Any thread: keep the newest record and wake the GUI thread once."""
        if (tap := self.tap) is not None:
            tap(record)
        with self._lock:
            waiting = self._newest is not None or self._model is not None
            self._newest = record
        if not waiting:
            self._knock.emit()

    def forget(self) -> None:
        """Any thread: drop the record that still waits, for its source is being left."""
        with self._lock:
            self._newest = None

    def on_status(self, status: Status) -> None:
        """Any thread: pass the worker's state on, in order."""
        self.status_changed.emit(status)

    def on_model(self, info: ModelInfo) -> None:
        """Any thread: records from here on are this model's; one of the last that still waits is dropped."""
        with self._lock:
            waiting = self._newest is not None or self._model is not None
            self._newest, self._model = None, info
        if not waiting:
            self._knock.emit()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            record, self._newest = self._newest, None
            info, self._model = self._model, None
        if info is not None:
            self.model_ready.emit(info)
        if record is not None:
            self.record_arrived.emit(record)
