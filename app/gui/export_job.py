"""Writes files beside the running window."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.export.mesh import NamedMesh, Origin
from app.export.obj import write_obj
from model.errors import UserError


class ExportJob(QObject):
    """One export at a time in a thread; `done(path, fault)` with an empty fault when it went well."""

    done = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None

    def start(self, path: Path, meshes: Sequence[NamedMesh], origin: Origin) -> None:
        """Write the meshes to `path`."""
        self.stop()
        self._thread = threading.Thread(target=self._run, args=(path, meshes, origin), name="export")
        self._thread.start()

    def _run(self, path: Path, meshes: Sequence[NamedMesh], origin: Origin) -> None:
        try:
            write_obj(path, meshes, origin=origin)
        except UserError as error:
            self.done.emit(str(path), str(error))
        else:
            self.done.emit(str(path), "")

    def stop(self) -> None:
        """Wait for a file that is being written: half a second at most."""
        if self._thread is not None:
            self._thread.join()
