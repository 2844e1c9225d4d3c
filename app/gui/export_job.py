"""Writes files beside the running window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.export.mesh import NamedMesh, Origin
from app.export.obj import write_obj
from app.gui.background import BackgroundJob

PATIENCE = 2.0
"""Seconds that the closing window waits for a file; one that hangs is left, and the old file stays."""


class ExportJob(QObject):
    """One export after the other in a thread; `done(path, fault)`, one of them empty."""

    done = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job = BackgroundJob(self)
        self._job.done.connect(lambda path, fault: self.done.emit(path or "", fault))

    def start(self, path: Path, meshes: Sequence[NamedMesh], origin: Origin) -> None:
        """Write the meshes to `path`."""

        def write() -> str:
            write_obj(path, meshes, origin=origin)
            return str(path)

        self._job.start(write)

    def stop(self) -> None:
        """Wait for a file that is being written, but not for ever."""
        self._job.wait(PATIENCE)
