"""Starts Qt and the window; the only door from the command line."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.gui.alarm import Alarm
from app.gui.bridge import Bridge
from app.gui.endings import Endings
from app.gui.main_window import MainWindow
from app.gui.model_choice import ModelChoice
from app.gui.model_info import ModelInfo
from app.log import start_log
from app.malloc import use_few_arenas
from app.pipeline.pipeline import Pipeline
from app.pipeline.worker import Worker

Build = Callable[[], tuple[Pipeline, ModelInfo]]
"""Loads the model; called on the worker's thread, so that the window is there before it."""


def create_application() -> QApplication:
    """The one QApplication of the process.

    On X11, Qt must talk to the screen through EGL: its GLX and Open3D's EGL cannot share a thread.
    """
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    os.environ.setdefault("QT_XCB_GL_INTEGRATION", "xcb_egl")
    application = QApplication(sys.argv[:1])
    application.setApplicationName("PointHMR")
    application.setStyle("Fusion")
    return application


def share_the_interpreter() -> None:
    """Let the worker's many small calls into torch wait less for the interpreter: 7 -> 9 fps on two cores.

    A thread that wants Python's lock gets it after the switch interval; the default is 5 ms, as long as a
    whole stage of the network.
    """
    sys.setswitchinterval(0.0005)


def create_window(
    build: Build,
    *,
    sample: str | Path | None = None,
    theme: str | None = None,
    settings_path: Path | None = None,
) -> MainWindow:
    """A window with its worker, neither shown nor started; `window.start(spec)` does the rest."""
    bridge = Bridge()

    def pipeline() -> Pipeline:
        made, info = build()
        if isinstance(build, ModelChoice):
            made.on_cpu = build.rescue(bridge.on_model)
        bridge.on_model(info)
        return made

    worker = Worker(pipeline, bridge.on_record, bridge.on_status, on_leave=bridge.forget)
    worker.set_loop(True)
    choice = build if isinstance(build, ModelChoice) else ModelChoice()
    window = MainWindow(
        worker, bridge, choice=choice, sample=sample, theme=theme, settings_path=settings_path
    )
    bridge.setParent(window)
    return window


def run_window(spec: str | Path | None, build: Build, *, sample: str | Path | None = None) -> int:
    """Show the window on a source (None: the sample) until it is closed; returns the exit code."""
    use_few_arenas()
    application = create_application()
    share_the_interpreter()
    start_log()
    window = create_window(build, sample=sample)
    alarm = Alarm(window)
    alarm.raised.connect(window.parts.banner.say)
    alarm.install()

    def end() -> None:
        window.close()
        application.quit()

    endings = Endings(end)
    window.show()
    window.start(spec)
    window.recording.offer_unfinished()
    code = application.exec()
    endings.stop()
    alarm.remove()
    if any(thread.daemon and thread.is_alive() for thread in threading.enumerate()):
        # A thread that is still inside torch or a driver cannot be ended: it would abort the interpreter.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    return code
