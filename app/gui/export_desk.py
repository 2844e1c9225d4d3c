"""Exporting: what is looked at goes to the dialog, and from there to the disk in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.export.colours import vertex_colours
from app.export.mesh import Origin
from app.export.people import camera_of, meshes_of
from app.export.take_options import TakeOptions, Watch
from app.export.writers import WRITERS
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.export_dialog import ExportDialog
from app.gui.export_words import Subject, saved_text
from app.gui.model_info import ModelInfo
from app.gui.take_scene import record_at
from app.pipeline.frames import Record
from app.takes.take import Take

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class ExportDesk(QObject):
    """One export at a time; `done(path, fault, note)` with an empty fault when it went well."""

    done = Signal(str, str, str)
    progress = Signal(float)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: ExportDialog | None = None
        self._cancel = threading.Event()
        self._path = ""
        self._job = BackgroundJob(self)
        self._job.done.connect(self._done)
        window.takes.trimmed.connect(self._show_subject)
        window.takes.studio.ready.connect(self._show_subject)
        window.parts.pages.currentChanged.connect(self._show_subject)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._job.busy

    def subject(self) -> Subject | None:
        """The take that is looked at, or the frame of the source; None where nobody is there."""
        window, desk = self._window, self._window.takes
        if desk.on_page and desk.take is not None and desk.studio.info is not None:
            name, kept = desk.path.stem if desk.path is not None else "take", (desk.first, desk.last)
            count, studio = len(desk.studio.info.part_of_vertex), desk.studio
            return Subject(name, count, desk.take, *kept, studio.edit, studio.fit.residual(*kept))
        if desk.on_page or window.record is None or window.info is None or not window.record.people:
            return None
        return Subject("person", len(window.info.part_of_vertex))

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
            self.dialog.form.range_wanted.connect(self._window.takes.trim)
            self.progress.connect(self.dialog.show_progress)
            self.done.connect(self.dialog.show_result)
            self.dialog.set_theme(self._window.themes.theme)
            self._window.themes.changed.connect(self.dialog.set_theme)
        self.dialog.open_for(subject)

    def _show_subject(self) -> None:
        """Another range, edit or residual, another take or the source, while the dialog is open."""
        if self.dialog is None or not self.dialog.isVisible():
            return
        if (subject := self.subject()) is not None:
            self.dialog.follow(subject)

    # Writing

    def write(self, path: Path, options: TakeOptions, of_take: bool) -> None:
        """Write this frame to a file, or the take as the options say, in the background."""
        subject = self.subject()
        if subject is None:
            self._tell(str(path), "There is no person to export.")
            return
        if of_take and subject.take is None:
            self._tell(str(path), "The take is not looked at any more.")
            return
        if self.busy:
            self._window.parts.banner.say("Another export is still being written.")
            return
        self._cancel, self._path = threading.Event(), str(path)
        watch = Watch(self.progress.emit, self._cancel.is_set)
        if of_take and subject.take is not None:
            self._job.start(self._take_work(subject.take, path, options, watch))
        else:
            self._job.start(self._frame_work(path, options, watch))

    def _take_work(self, take: Take, path: Path, options: TakeOptions, watch: Watch) -> Callable[[], str]:
        """Work that returns what the person should know about it."""
        body = self._window.takes.studio.body

        def work() -> str:
            from app.export.take import export_take  # brings torch along, for which the window does not wait
            from app.takes.bodies import body_of

            done = export_take(take, body or body_of(take), path, options, watch)
            fit = "" if done.residual is None else f"The skeleton is {done.residual:.1f} mm off the meshes."
            return done.warning or fit

        return work

    def _frame_work(self, path: Path, options: TakeOptions, watch: Watch) -> Callable[[], str]:
        record, info, origin = self._frame(options)

        def work() -> str:
            colours = vertex_colours(info.part_names, info.part_of_vertex) if options.colours else None
            meshes = meshes_of(record, info.faces, info.uv, info.uv_faces, options.camera, colours)
            watch.at(0.3)
            WRITERS[options.kind](path, meshes, options.preset, origin)
            return ""

        return work

    def _frame(self, options: TakeOptions) -> tuple[Record, ModelInfo, Origin]:
        """The frame that is looked at, its topology, and what the file tells of it."""
        window, desk = self._window, self._window.takes
        shown = desk.studio.shown if desk.on_page else None
        more: tuple[tuple[str, str], ...] = ()
        if shown is not None and desk.studio.info is not None:
            record, info = record_at(shown, desk.frame), desk.studio.info
            model, digest = shown.made.model, shown.made.sha256
            more += (("edits", "; ".join(shown.made.history) or "none"),)
        else:
            assert window.record is not None and window.info is not None  # `subject` has looked.
            record, info = window.record, window.info
            model, digest = info.model_name, info.sha256
        height, width = record.frame.image.shape[:2]
        camera = camera_of(width, height) if options.camera else None
        return record, info, Origin(model, digest, record.hops, more, camera)

    def cancel(self) -> None:
        """Stop after the frame that is being written; the old files stay."""
        self._cancel.set()

    def _done(self, note: str | None, fault: str) -> None:
        self._tell(self._path, fault, note or "")

    def _tell(self, path: str, fault: str, note: str = "") -> None:
        self._window.parts.banner.say(fault or saved_text(path, note), serious=bool(fault))
        self.done.emit(path, fault, note)

    def shutdown(self) -> None:
        """The window closes: nothing half written stays."""
        self.cancel()
        self._job.wait(PATIENCE)
        if self.dialog is not None:
            self.dialog.close()
