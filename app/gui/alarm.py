"""What nobody caught, in any thread or slot: into the log, and one sentence across the window.

The program lives on: Qt calls the interpreter's hook for an exception in a slot or an event handler and goes
on with the next event.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

_log = logging.getLogger(__name__)
_LEVELS = {
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Alarm(QObject):
    """`raised` comes in the thread of whoever listens, with a sentence for the person."""

    raised = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._before: tuple[Any, Any, Any] | None = None

    def install(self) -> None:
        """Take over the interpreter's hooks and Qt's messages, until `remove`."""
        if self._before is None:
            self._before = sys.excepthook, threading.excepthook, sys.unraisablehook
            sys.excepthook = self._on_error
            threading.excepthook = self._on_thread_error
            sys.unraisablehook = _on_unraisable
            qInstallMessageHandler(_on_qt_message)

    def remove(self) -> None:
        """Give the hooks back."""
        if self._before is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
            qInstallMessageHandler(None)
            self._before = None

    def _on_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):  # Ctrl+C and exit are no faults
            sys.__excepthook__(kind, error, trace)
            return
        self._tell("uncaught", kind, error, trace)

    def _on_thread_error(self, news: threading.ExceptHookArgs) -> None:
        if isinstance(news.exc_value, Exception):
            name = news.thread.name if news.thread else "a thread"
            self._tell(f"uncaught in {name}", news.exc_type, news.exc_value, news.exc_traceback)

    def _tell(
        self, where: str, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _log.error(where, exc_info=(kind, error, trace))
        words = " ".join(str(error).rstrip(".").split())[:160] or kind.__name__
        self.raised.emit(f"Something went wrong: {words}. Help, Save report… tells more.")


def _on_unraisable(news: sys.UnraisableHookArgs) -> None:
    """An error while something is thrown away: nobody can act on it, so it is only noted."""
    _log.warning("%s %r", news.err_msg or "ignored in", news.object, exc_info=news.exc_value)


def _on_qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    level = _LEVELS.get(kind)
    if level is not None:
        logging.getLogger("qt").log(level, "%s", text)
