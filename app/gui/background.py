"""Work that would hold up the window, on a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from model.errors import UserError

_log = logging.getLogger(__name__)
PATIENCE = 2.0
"""Seconds that a window waits at its close for what is being written."""


class BackgroundJob(QObject):
    """One piece of work at a time; `done(result, fault)` comes in the GUI's thread, one of them empty."""

    done = Signal(object, str)
    _ended = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._pending = 0
        self._ended.connect(self._tell)

    @property
    def busy(self) -> bool:
        """Whether something is being worked on, or done and not told yet."""
        return self._pending > 0

    def start(self, work: Callable[[], object]) -> None:
        """Do it, after what is being done."""
        self._pending += 1
        before = self._thread
        self._thread = threading.Thread(target=self._run, args=(work, before), name="background", daemon=True)
        self._thread.start()

    def wait(self, patience: float) -> bool:
        """Wait for the last piece of work; False if it is not done after so many seconds."""
        if self._thread is not None:
            self._thread.join(patience)
        return self._thread is None or not self._thread.is_alive()

    def _run(self, work: Callable[[], object], before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        result: object = None
        fault = ""
        try:
            result = work()
        except UserError as error:
            fault = str(error)
        except Exception as error:
            _log.exception("background")
            fault = f"Something went wrong: {str(error).rstrip('.') or type(error).__name__}."
        with contextlib.suppress(RuntimeError):  # The window is gone: nobody is left to be told.
            self._ended.emit(result, fault)

    def _tell(self, result: object, fault: str) -> None:
        self._pending -= 1
        self.done.emit(result, fault)
