"""The window: takes records and states from the worker, shows them, and ends everything at its close."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QPushButton, QToolButton

from app.gui.actions import Actions
from app.gui.bridge import Bridge, Controls
from app.gui.cases import Cases
from app.gui.commands import Commands
from app.gui.export_desk import ExportDesk
from app.gui.fading import Fading
from app.gui.finder import Finder
from app.gui.lab import Lab
from app.gui.layout import set_checked
from app.gui.model_choice import ModelChoice, ModelSwitch
from app.gui.model_info import ModelInfo
from app.gui.parts import Parts
from app.gui.people_choice import PeopleChoice
from app.gui.pins import Pins
from app.gui.recording import Recording
from app.gui.settings import default_path, load_settings, save_settings
from app.gui.sheet import Sheet
from app.gui.steadying import Steadying
from app.gui.take_desk import TakeDesk
from app.gui.theme import Theme, ThemeSwitch
from app.gui.tier import TierDesk
from app.gui.truth_view import TruthView
from app.gui.warmup import Warmup
from app.gui.watch import Watch
from app.pipeline.frames import Hops, Person, Record
from app.pipeline.sources import camera_index
from app.pipeline.worker import Status, WorkerState

NUMBERS_EVERY = 0.15
"""Seconds between two updates of the strip and the facts while frames run: nobody reads faster."""
LOADED = (WorkerState.RUNNING, WorkerState.PAUSED, WorkerState.ENDED)
WELCOME = "Drop a picture, a video or a folder here,\nor choose a source above."


class MainWindow(QMainWindow):
    """See `start` for the life of a window. `record_shown` counts the records that were drawn."""

    record_shown = Signal(int)
    status_shown = Signal(object)

    def __init__(
        self,
        worker: Controls,
        bridge: Bridge,
        model_info: ModelInfo | None = None,
        *,
        choice: ModelChoice | None = None,
        settings_path: Path | None = None,
        sample: str | Path | None = None,
        theme: str | None = None,
    ) -> None:
        """`sample` is the bundled clip; `theme` goes before the remembered one; the worker is not started."""
        super().__init__()
        self.setWindowTitle("PointHMR")
        self.setAcceptDrops(True)
        self.setMinimumSize(1080, 680)
        self.worker, self.bridge, self.sample = worker, bridge, sample
        self.info: ModelInfo | None = None
        self.spec: str | Path | None = None
        self.record: Record | None = None
        self.state = WorkerState.IDLE
        self.shown = 0
        self._settings_path = settings_path or default_path()
        self.settings, self._complaint = load_settings(self._settings_path)
        self._settings_before = replace(self.settings)
        self.themes = ThemeSwitch(self)
        self.pins = Pins(self)
        self.warmup = Warmup(self)
        self.models = ModelSwitch(worker, bridge, choice or ModelChoice(), self)
        self.commands = Actions(self)
        self.people = PeopleChoice(self.commands, self)
        self.parts = Parts(self, self.settings, self.pins, self.themes.theme)
        self.masking = self.parts.masking
        self.people.button = self.commands.build_toolbar()
        self.parts.build_menus(self.commands)
        self.recording = Recording(self)
        self.takes = TakeDesk(self)
        self.exports = ExportDesk(self)
        self._runs = Commands(self)
        self.lab, self.finder, self.watch = Lab(self), Finder(self), Watch(self)
        self.steadying, self.fading = Steadying(self), Fading(self)
        self.cases, self.truth, self.sheet = Cases(self), TruthView(self), Sheet(self)
        self.tier = TierDesk(self)
        self._mesh_later = QTimer(self, singleShot=True, interval=0)
        self._numbers_later = QTimer(self, singleShot=True, interval=200)
        self._facts_later = QTimer(self, singleShot=True, interval=0)
        self._numbers_at = 0.0
        self._connect()
        self.themes.choose(theme or self.settings.theme)
        self.parts.restore()
        self._set_state(Status(WorkerState.IDLE))
        if model_info is not None:
            self.set_model_info(model_info)

    def _connect(self) -> None:
        parts = self.parts
        self.bridge.status_changed.connect(self._set_state)
        self.themes.changed.connect(self._set_theme)
        self.pins.changed.connect(self._show_pins)
        self.warmup.ready.connect(parts.enable_views)
        self.warmup.failed.connect(parts.banner.say)
        for told in (self.warmup.ready, self.warmup.failed):
            told.connect(self.show_hints)
        self._mesh_later.timeout.connect(self._show_mesh)
        self._numbers_later.timeout.connect(self._show_numbers)
        self._facts_later.timeout.connect(self._show_facts)
        parts.masking.hops_changed.connect(self._set_hops)
        parts.image.view.person_clicked.connect(self.people.choose)
        parts.mesh.view.person_picked.connect(self.people.choose)
        parts.mesh.view.picked.connect(self.pins.add)
        parts.mesh.view.pick_undone.connect(self.pins.take_back)
        self.people.chosen_changed.connect(self._choose_person)
        self.people.everyone_changed.connect(self.worker.set_all_people)
        self.recording.numbers.connect(lambda: self.commands.recorded.setText(self.recording.text()))

    # Life

    def start(self, spec: str | Path | None = None) -> None:
        """Start the worker and open a source, or the sample when there is none."""
        self.worker.start()
        self.worker.set_hops(self.masking.hops)
        self.worker.set_all_people(self.people.everyone)
        self.worker.set_isolate(self.commands.isolate.isChecked())
        self.worker.set_mirror(self.commands.mirror.isChecked())
        self.steadying.tell()
        spec = self.sample if spec is None else spec
        if spec is not None:
            self.open_source(spec)
        if self._complaint:  # After the source, which takes away what was told about another one.
            self.parts.banner.keep(self._complaint)

    def showEvent(self, event: QShowEvent) -> None:
        """Load Open3D once the window can be seen."""
        super().showEvent(event)
        self.parts.mesh.view.setFocus()
        QTimer.singleShot(0, self.warmup.start)

    def changeEvent(self, event: QEvent) -> None:
        """The switch for the full screen follows the window, whoever has changed it."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            set_checked(self.commands.full_screen, self.isFullScreen())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus; Qt leaves that to some systems only."""
        button, enter = self.focusWidget(), event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and isinstance(button, QPushButton | QToolButton) and not event.isAutoRepeat():
            button.click()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End every thread and timer, keep the settings."""
        self._remember()
        self.hide()  # Before what may take a second, so that nobody looks at a window that doesn't answer.
        self.bridge.blockSignals(True)
        self.worker.close()
        self.warmup.stop()
        for desk in (self.recording, self.takes, self.exports, self.cases, self.sheet, self._runs.report):
            desk.shutdown()
        self._mesh_later.stop()
        self._numbers_later.stop()
        self._facts_later.stop()
        self.watch.stop()
        self.parts.shutdown()
        super().closeEvent(event)

    def _remember(self) -> None:
        self.settings.theme = self.themes.choice
        if self.info is not None:  # Before a model is there, the remembered ones still wait for it.
            self.settings.pins = self.pins.own
        self.parts.remember()
        self.cases.remember(self.settings)
        self.steadying.remember(self.settings)
        self.fading.remember(self.settings)
        save_settings(self._settings_path, self.settings, self._settings_before)

    # Model, records and states

    def set_model_info(self, info: ModelInfo) -> None:
        """The model is loaded; may come before or after the first show."""
        remembered = self.settings.pins
        if self.info is not None:
            self._forget_record()
            remembered = self.pins.own if self.info.body == info.body else None
        self.info = info
        self.finder.clear()  # Its vertices are the former mesh's.
        self.parts.set_model_info(info)
        self.commands.mirror.setVisible(info.has_mirror)
        if not info.has_mirror:
            self.commands.mirror.setChecked(False)
        self.pins.recall(remembered, info.default_pins(), len(info.part_of_vertex))
        self.show_hints()

    @property
    def views_ready(self) -> bool:
        """Whether Open3D is there and the meshes can be drawn."""
        return bool(self.parts.studio.name)

    @property
    def person(self) -> Person | None:
        """The person whose heatmaps are shown."""
        return self.record.person(self.people.chosen) if self.record else None

    def show_record(self, record: Record) -> None:
        """Show a new record: the picture now, the mesh in the next turn of the event loop."""
        self.record = record
        self.people.seen(record)
        self.parts.image.view.set_record(self.lab.seen(record), self.people.chosen)
        self.commands.export.setEnabled(self.takes.on_page or bool(record.people))
        self._mesh_later.start()
        if time.monotonic() - self._numbers_at >= NUMBERS_EVERY:
            self._show_numbers()
        else:
            self._numbers_later.start()

    def _show_numbers(self) -> None:
        """The strip and the facts of the newest record."""
        self._numbers_later.stop()
        self._numbers_at = time.monotonic()
        self.parts.strip.set_record(self.record, self.people.chosen)
        self._show_facts()

    def _show_mesh(self) -> None:
        record, view = self.record, self.parts.mesh.view
        if record is None:
            return
        view.hint = self._mesh_hint(record)
        view.set_record(self.lab.seen(record))
        self._mark_pins()
        self.parts.status.set_record(record, view.draw_ms + self.parts.image.view.draw_ms)
        self.shown += 1
        self.record_shown.emit(self.shown)

    def _set_state(self, status: Status) -> None:
        self.state = status.state
        self.parts.status.set_status(status)
        self.show_commands()
        if status.state is WorkerState.FAULTED:
            self.parts.banner.say(status.message or "The source stopped.")
        self.show_hints()
        self.status_shown.emit(status)

    def show_commands(self) -> None:
        """What can be done now, with the source or with the take that is looked at."""
        self.commands.show_state(
            playing=self.takes.playing if self.takes.on_page else self.state is WorkerState.RUNNING,
            loaded=self.state in LOADED and self.cases.case is None,
            again=self.state is WorkerState.FAULTED and self.spec is not None,
            take=self.takes.on_page,
            case=self.cases.case is not None,
            people=self.record is not None and bool(self.record.people),
            theme=self.themes.theme,
        )

    def show_hints(self) -> None:
        """Words where there is no picture yet, the badge of a frozen one, a veil over an old one."""
        opening = self.state is WorkerState.OPENING
        loading = "Loading the model…" if self.info is None else "Opening…"
        image, mesh = self.parts.image.view, self.parts.mesh.view
        waiting = self.state in (WorkerState.IDLE, WorkerState.FAULTED)
        image.hint = loading if opening else WELCOME if waiting else ""
        mesh.hint = self._mesh_hint(self.record) if self.record else loading if opening else ""
        image.badge = "Frozen" if self.commands.freeze.isChecked() else ""
        image.stale = mesh.stale = self.state is WorkerState.FAULTED
        image.update()
        mesh.update()

    def _mesh_hint(self, record: Record) -> str:
        """Why no mesh is drawn; on a busy machine Open3D may come long after a picture."""
        if not record.people:
            return "No person found in this frame."
        return "" if self.views_ready else self.warmup.fault or "Loading the 3D view…"

    def _set_theme(self, theme: Theme) -> None:
        self.parts.set_theme(theme)
        self.commands.set_theme(theme)
        for action in self.commands.themes.actions():
            action.setChecked(action.data() == self.themes.choice)

    # What the person does

    def open_source(self, spec: str | Path) -> None:
        """Show another source; a fault comes back as a state and is told in the banner."""
        reading = self.takes.takes_over(spec), self.cases.takes_over(spec)  # Each forgets its older wish.
        if not any(reading):
            self.leave_for(spec)
            self.worker.open(spec)

    def leave_for(self, spec: str | Path) -> None:
        """Show and keep nothing more of the source, the case or the take on the page; `spec` comes next."""
        self.takes.leave()
        self.recording.leave("Another source was opened.")
        self.setWindowTitle(f"{Path(spec).name} – PointHMR")
        self.parts.banner.hide()
        self.spec = spec
        self.people.forget()
        self._forget_record()
        self.cases.forget()
        self.sheet.stop()
        if self.finder.spot is not None:
            self.finder.clear()
        self.truth.look(spec)

    def _forget_record(self) -> None:
        """Show nothing until the next record: the last one is another source's or another model's."""
        self.record = None
        self.parts.image.view.set_record(None, None)
        self.parts.mesh.view.set_record(None)
        self.watch.forget(live=camera_index(self.spec or "") is not None)
        self._show_numbers()
        self._numbers_at = 0.0

    def _set_hops(self, hops: Hops) -> None:
        self.worker.set_hops(hops)
        self._facts_later.start()

    def _choose_person(self, person_id: int | None) -> None:
        self.worker.choose_person(person_id)
        if self.record is not None:
            self.parts.image.view.set_record(self.lab.seen(self.record), person_id)
            self.parts.strip.set_record(self.record, person_id)
        self._mark_pins()
        self._show_facts()

    def _show_pins(self) -> None:
        self.parts.image.view.set_pins(self.pins.shown)
        self._mark_pins()
        self._show_facts()

    def _mark_pins(self) -> None:
        person = self.person
        self.parts.mesh.view.set_pins(self.pins.items, self.pins.chosen, person.box.id if person else None)

    def _show_facts(self) -> None:
        person = self.person
        count = len(self.record.people) + len(self.record.others) if self.record else 0
        self.parts.vertex.show_vertex(self.info, person, self.pins.chosen, self.masking.hops)
        self.parts.person.show_person(person, count)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders of this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first one."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self._runs.open_path(paths[0])
