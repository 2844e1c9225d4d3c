"""Keeps the shown frame as a case and opens cases again, also without the model that made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.export.case import Case, is_case, load_case, save_case
from app.facts import packages
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.choices import Choices
from app.gui.layout import shortcut
from app.gui.model_info import ModelInfo, case_model, info_of
from app.gui.settings import Settings
from app.pipeline.frames import Hops, Record

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

MEASURES = {"mpjpe": "MPJPE", "pa_mpjpe": "PA-MPJPE", "pve": "PVE"}
"""Errors that `evaluate` keeps with a case, in millimetres, and how a person reads them."""


class Cases(QObject):
    """One job at a time; the banner tells how it went. `case` is the one that is shown.

    What comes from the worker passes here: while a case is shown, it may be about something else.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.case: Case | None = None
        self._running: ModelInfo | None = None
        """The worker's model while a case is shown; it need not be the case's."""
        self._choices: tuple[Choices, Choices] | None = None
        """While a case is shown: the person's own, and those of the case."""
        self._wanted: Path | None = None
        """The folder of the case that is to be looked at."""
        self._saving, self._opening = BackgroundJob(self), BackgroundJob(self)
        self._saving.done.connect(self._saved)
        self._opening.done.connect(self._opened)
        window.parts.failures.save.clicked.connect(self.ask)
        window.bridge.record_arrived.connect(self._record_came)
        window.bridge.model_ready.connect(self._model_came)
        window.commands.open_case.triggered.connect(lambda _=False: self.ask_open())
        shortcut(window, "Save this frame as a case", "Ctrl+S", self.ask)

    def ask(self) -> None:
        """Choose where the case goes."""
        record = self._window.record
        if self._window.takes.on_page:
            self._window.parts.banner.say("A take keeps no pictures, so none of its frames can be a case.")
            return
        if record is None:
            self._window.parts.banner.say("There is no frame to keep.")
            return
        name = f"{Path(record.frame.source).stem or 'camera'}-{record.frame.index + 1:05d}"
        folder = Path(self._window.settings.last_folder or Path.home()) / name
        path, _ = QFileDialog.getSaveFileName(self._window, "Save case (a folder)", str(folder))
        if path:
            self.save(Path(path))

    def save(self, folder: Path) -> None:
        """Write the shown frame in the background."""
        window = self._window
        if window.record is None or window.info is None:
            return
        settings: dict[str, Any] = {
            "pins": list(window.pins.vertices),
            "colour_by": window.parts.mesh.colour_by.currentText(),
            "colour_map": window.parts.image.map.currentText(),
        }
        if measured := self._measured(window.record):
            settings["errors"] = measured
        record = replace(window.record.unsmoothed, attention=None)
        model = case_model(window.info)
        chosen = window.person.box.id if window.person is not None else None
        window.settings.last_folder = str(folder.parent)
        kept = self._case_of(window.record)
        versions = kept.versions if kept is not None else packages()
        self._saving.start(lambda: _save(folder, Case(record, model, chosen, settings, versions)))

    def shutdown(self) -> None:
        """The window closes: a case that is being written is waited for."""
        self._saving.wait(PATIENCE)

    def _saved(self, folder: object, fault: str) -> None:
        self._window.parts.banner.say(fault or f"Saved {folder}", serious=bool(fault))

    def ask_open(self) -> None:
        """Choose the folder of a case."""
        start = self._window.settings.last_folder or str(Path.home())
        path = QFileDialog.getExistingDirectory(self._window, "Open a case", start)
        if path:
            self._window.open_source(Path(path))

    def takes_over(self, spec: str | Path) -> bool:
        """Read a case in the background and show it; False for every other source."""
        if not is_case(spec):
            self._wanted = None
            return False
        folder = self._wanted = Path(spec)
        self._opening.start(lambda: load_case(folder))
        return True

    def forget(self) -> None:
        """The case is left: the model and the controls are again what they were before it.

        A control that the person has moved since then stays.
        """
        own, case, self.case, self._choices = self._own, self.case, None, None
        if case is None:
            return
        if self._running is not None:
            self._window.set_model_info(self._running)
        else:
            self._window.info = None  # The worker's model is still on its way.
        if own is not None:
            own.set(self._window)
        self._window.show_commands()

    def remember(self, settings: Settings) -> None:
        """The settings keep the person's own choices, not those of the case that is shown."""
        if (own := self._own) is not None:
            own.remember(settings)

    @property
    def _own(self) -> Choices | None:
        """The person's choices, were the shown case left now; None when none is shown."""
        if self._choices is None:
            return None
        before, shown = self._choices
        return before.after(shown, Choices.of(self._window))

    def errors(self, record: Record | None) -> str:
        """What was measured of a record when its case was made, for the status line; else nothing."""
        measured = self._measured(record)
        values = {name: measured.get(key) for key, name in MEASURES.items()}
        parts = [f"{name} {value:.0f}" for name, value in values.items() if isinstance(value, int | float)]
        return f"{' · '.join(parts)} mm" if parts else ""

    def _measured(self, record: Record | None) -> dict[str, Any]:
        """The errors that the shown case keeps, where they are those of this record."""
        case = self._case_of(record)
        measured = case.settings.get("errors") if case is not None else None
        return measured if isinstance(measured, dict) else {}

    def _case_of(self, record: Record | None) -> Case | None:
        """The shown case, where its meshes are those of this record: under other masks they are not."""
        case = self.case
        same = case is not None and record is not None and _seen(record) == _seen(case.record)
        return case if same else None

    def _opened(self, case: object, fault: str) -> None:
        if self._opening.busy or self._wanted is None:
            return  # Meanwhile another case was opened, or another source.
        if fault or not isinstance(case, Case):
            self._window.parts.banner.say(fault)
            return
        self._window.leave_for(self._wanted)
        self.case = case
        self._window.worker.adopt(case.record, case.model.sha256)
        self._show(case)

    def _model_came(self, info: ModelInfo) -> None:
        """A case goes on being shown with the mesh that its numbers mean."""
        if self.case is None:
            self._window.set_model_info(info)
        else:
            self._running = info

    def _record_came(self, record: Record) -> None:
        """Of a case's frame only: the last one of the source before may come after the case."""
        case, running = self.case, self._running
        if case is not None:
            if record.frame is not case.record.frame:
                return
            if running is not None and (running.sha256, running.body) != (case.model.sha256, case.model.body):
                # Another model was chosen, and has done the case's frame anew: it is no case any more.
                self.forget()
        self._window.show_record(record)

    def _show(self, case: Case) -> None:
        window = self._window
        self._running = window.info
        before = Choices.of(window)
        window.set_model_info(info_of(case.model))
        count = len(case.model.arrays["part_of_vertex"])
        pins = case.settings.get("pins")
        if isinstance(pins, list) and all(isinstance(v, int) and 0 <= v < count for v in pins):
            window.pins.reset(pins)
        for choice, name in (
            (window.parts.mesh.colour_by, "colour_by"),
            (window.parts.image.map, "colour_map"),
        ):
            wanted = case.settings.get(name)
            if isinstance(wanted, str) and choice.findText(wanted) >= 0:
                choice.setCurrentText(wanted)
        window.commands.isolate.setChecked(case.record.isolate)
        window.commands.mirror.setChecked(case.record.mirror)
        window.masking.set_hops(case.record.hops)
        window.lab.pin(case.record.study.baseline, plain=case.record.study.baseline_plain)
        self._choices = before, Choices.of(window)
        window.people.choose(case.chosen)
        window.show_record(case.record)
        window.show_commands()


def _seen(record: Record) -> tuple[int, Hops, bool, bool]:
    """Which frame a record is about, and how it was looked at."""
    return record.frame.index, record.hops, record.isolate, record.mirror


def _save(folder: Path, case: Case) -> Path:
    save_case(folder, case)
    return folder
