"""SIGTERM, SIGINT and SIGHUP close the window as a person would: what is under way is kept."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


class Endings(QObject):
    """Calls `end` in the GUI's thread at the first of the signals; the second one kills as ever.

    While Qt waits for events Python's handlers don't run. The interpreter writes each signal's number into
    a socket instead, which wakes Qt.
    """

    def __init__(self, end: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._end = end
        self._here, self._there = socket.socketpair()
        for side in (self._here, self._there):
            side.setblocking(False)
        self._notifier = QSocketNotifier(self._here.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)
        self._wakeup = signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}

    def _heard(self) -> None:
        numbers = b""
        with contextlib.suppress(BlockingIOError):
            numbers = self._here.recv(64)
        if any(number in SIGNALS for number in numbers):
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            self._end()

    def stop(self) -> None:
        """Signals do again what they did before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._here.close()
        self._there.close()
