"""Exporting: what is looked at goes to the dialog, and from there to the disk in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.export.mesh import NamedMesh, Origin
from app.export.people import meshes_of
from app.export.presets import PRESETS, Y_UP_METRES
from app.export.sequence import CANCELLED, write_sequence
from app.export.writers import WRITERS
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.export_dialog import ExportDialog
from app.gui.model_info import ModelInfo
from app.gui.take_scene import record_at
from app.pipeline.frames import Record
from app.takes.take import Take
from model.errors import UserError

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


@dataclass(frozen=True)
class Subject:
    """What is looked at and can be exported."""

    record: Record
    info: ModelInfo
    take: Take | None = None
    first: int = 0
    last: int = 0
    name: str = "person"

    def meshes(self, record: Record) -> list[NamedMesh]:
        """Everybody in a record."""
        return meshes_of(record, self.info.faces, self.info.uv, self.info.uv_faces)

    def origin(self) -> Origin:
        """What every file tells about the model."""
        made = self.take.made if self.take is not None else None
        model, digest = (made.model, made.sha256) if made else (self.info.model_name, self.info.sha256)
        return Origin(model, digest, self.record.hops)

    def frames(self) -> Iterator[tuple[int, Sequence[NamedMesh]]]:
        """Everybody in every kept frame."""
        for frame in range(self.first, self.last + 1):
            record = record_at(self.take, frame) if self.take is not None else self.record
            yield frame, self.meshes(record) if record.people else []


class ExportDesk(QObject):
    """One export at a time; `done(path, fault)` with an empty fault when it went well."""

    done = Signal(str, str)
    progress = Signal(int, int)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: ExportDialog | None = None
        self._cancel = threading.Event()
        self._path = ""
        self._job = BackgroundJob(self)
        self._job.done.connect(self._done)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._job.busy

    def subject(self) -> Subject | None:
        """The take that is looked at, or the frame of the source; None where nobody is there."""
        window, desk = self._window, self._window.takes
        if desk.on_page and desk.take is not None and desk.studio.info is not None:
            name = desk.path.stem if desk.path is not None else "take"
            record = record_at(desk.take, desk.frame)
            return Subject(record, desk.studio.info, desk.take, desk.first, desk.last, name)
        if desk.on_page or window.record is None or window.info is None or not window.record.people:
            return None
        return Subject(window.record, window.info)

    def ask(self) -> None:
        """Open the dialog on what is looked at."""
        subject = self.subject()
        if subject is None:
            self._window.parts.banner.say("There is no person to export.")
            return
        if self.dialog is None:
            self.dialog = ExportDialog(self._window.settings, self._window)
            self.dialog.wanted.connect(self.write)
            self.dialog.cancelled.connect(self.cancel)
            self.progress.connect(self.dialog.show_progress)
            self.done.connect(self.dialog.show_result)
        self.dialog.open_for(subject.name, len(subject.info.part_of_vertex), self._count(subject))

    def _count(self, subject: Subject) -> int:
        return subject.last - subject.first + 1 if subject.take is not None else 0

    def write(self, path: Path, kind: str, preset: str = "any", sequence: bool = False) -> None:
        """Write this frame to a file, or every kept frame into a folder, in the background."""
        subject = self.subject()
        if subject is None:
            self._tell(str(path), "There is no person to export.")
            return
        if self.busy:
            self._window.parts.banner.say("Another export is still being written.")
            return
        self._cancel, self._path = threading.Event(), str(path)
        self._job.start(self._work(subject, path, kind, preset, sequence, self._cancel))

    def _work(
        self, subject: Subject, path: Path, kind: str, preset: str, sequence: bool, cancel: threading.Event
    ) -> Callable[[], object]:
        chosen, origin, total = PRESETS.get(preset, Y_UP_METRES), subject.origin(), self._count(subject)
        steps = iter(range(total + 1))

        def step() -> bool:
            self.progress.emit(next(steps), total)
            return not cancel.is_set()

        def work() -> int:
            if sequence:
                return write_sequence(path, subject.frames(), kind, chosen, origin, step)
            meshes = subject.meshes(subject.record)
            if cancel.is_set():
                raise UserError(CANCELLED)
            WRITERS[kind](path, meshes, chosen, origin)
            return 1

        return work

    def cancel(self) -> None:
        """Stop after the frame that is being written; the old files stay."""
        self._cancel.set()

    def _done(self, _count: int | None, fault: str) -> None:
        self._tell(self._path, fault)

    def _tell(self, path: str, fault: str) -> None:
        self._window.parts.banner.say(fault or f"Saved {path}", serious=bool(fault))
        self.done.emit(path, fault)

    def shutdown(self) -> None:
        """The window closes: nothing half written stays."""
        self.cancel()
        self._job.wait(PATIENCE)
        if self.dialog is not None:
            self.dialog.close()
