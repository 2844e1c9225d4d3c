"""Loads Open3D beside the running window, because its import alone takes a second."""

from __future__ import annotations

import importlib
import logging
import sys
import threading

from PySide6.QtCore import QObject, Signal

from app.gui.o3d import import_open3d
from app.gui.render import warm_up

log = logging.getLogger(__name__)


class Warmup(QObject):
    """Imports Open3D in a thread and says when views may create their renderers."""

    ready = Signal()
    failed = Signal(str)
    """Why no mesh can be drawn, in one sentence."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._cancelled = threading.Event()
        self.fault = ""
        """What `failed` told."""

    def start(self) -> None:
        """Begin, unless it has begun; `ready` or `failed` comes on the GUI thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="open3d-import", daemon=True)
            self._thread.start()

    def _load(self) -> None:
        try:
            import_open3d()
            importlib.import_module("pyqtgraph")
        except (ImportError, OSError, RuntimeError) as error:
            log.warning("Open3D", exc_info=error)
            if not self._cancelled.is_set():
                self.fault = f"Meshes cannot be drawn, because Open3D cannot be loaded: {error}."
                self.failed.emit(self.fault)
            return
        if sys.platform == "linux":
            try:
                warm_up()
            except (OSError, RuntimeError) as error:
                log.warning("OpenGL: %s", error)
        if not self._cancelled.is_set():
            self.ready.emit()

    def stop(self) -> None:
        """Wait for the import to end; no `ready` comes any more."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join()
