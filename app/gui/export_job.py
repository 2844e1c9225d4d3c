"""Writes files beside the running window."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.export.mesh import NamedMesh, Origin
from app.export.obj import write_obj
from app.gui.model_info import ModelInfo
from app.gui.scene import placements
from app.pipeline.frames import Record
from model.errors import UserError


def meshes_of(record: Record, info: ModelInfo) -> list[NamedMesh]:
    """Everyone in a record; the first keeps the origin of the hips, others stand beside as in the view."""
    spots = placements(record.people, record.frame.image.shape[1])
    return [
        NamedMesh(
            name=f"person_{person.box.id}",
            vertices=person.vertices + (spot - spots[0]).astype(np.float32),
            faces=info.faces,
            uv=info.uv,
            uv_faces=info.uv_faces,
        )
        for person, spot in zip(record.people, spots, strict=True)
    ]


class ExportJob(QObject):
    """One export at a time in a thread; `done(path, fault)` with an empty fault when it went well."""

    done = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None

    def start(self, path: Path, meshes: Sequence[NamedMesh], info: ModelInfo) -> None:
        """Write the meshes to `path`."""
        self.stop()
        self._thread = threading.Thread(target=self._run, args=(path, meshes, info), name="export")
        self._thread.start()

    def _run(self, path: Path, meshes: Sequence[NamedMesh], info: ModelInfo) -> None:
        try:
            write_obj(path, meshes, origin=Origin(info.model_name, info.sha256))
        except UserError as error:
            self.done.emit(str(path), str(error))
        else:
            self.done.emit(str(path), "")

    def stop(self) -> None:
        """Wait for a file that is being written: half a second at most."""
        if self._thread is not None:
            self._thread.join()
