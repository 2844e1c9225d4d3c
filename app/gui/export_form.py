"""What to export, for which program, and where: the choices, and what they mean."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from app.export.obj import library_beside
from app.export.presets import PRESETS, Y_UP_METRES
from app.export.take_options import COLOURED, KINDS, TakeOptions, bvh_files, ending_of
from app.gui import export_words as words
from app.gui.export_words import FORMATS, Subject
from app.gui.people_menu import PeopleMenu
from app.gui.settings import Settings
from app.gui.theme import Theme
from app.gui.view_cards import Choice
from app.gui.widgets import NumberEdit, TickBox, label, push_button
from app.takes.edit import RATES
from app.takes.take import Take

OWN = "own"
EXACT = {"fbx": "fbx-shapes", "glb": "glb-shapes"}
"""Skinned format -> the same with a shape for each frame."""
CAMERA_TIP = (
    "People stand where the camera saw them, so that they lie over the picture; FBX and GLB get the camera.\n"
    "Blender shows an upright picture's FBX camera right once its Sensor Fit is Horizontal; GLB's at once.\n"
    "Else the hips stay in the origin."
)


class ExportForm(QWidget):
    """`changed` after every choice; `range_wanted(first, last)` when other frames are to be kept."""

    changed = Signal()
    range_wanted = Signal(int, int)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bare")
        self._settings = settings
        self.subject = Subject("person", 0)
        self._filling = False
        self.what = _choice("This frame, or the whole take")
        self.format = _choice("Format of the files")
        self.preset = _choice("The program that will open it: decides on axes and unit")
        self.rate = _choice("Frames a second")
        self.first, self.last = NumberEdit("The first frame"), NumberEdit("The last frame")
        self.people = PeopleMenu()
        self.camera = TickBox("Camera of the picture", CAMERA_TIP)
        self.colours = TickBox("Parts in colours", "Vertices have the colours of the body's parts")
        self.sentence = _words("What the format is good for")
        self.axes = _words("Axes and unit of the files")
        self.pace = _words("What the program should know about the frame rate")
        self.length = label("", "muted", "Length of what is exported")
        self.edits = label("", "value", "As on the take's page: smoothing and gaps")
        self.fit = _words("Mean distance of the skinned meshes from those of the take", "value")
        self.exact = push_button("Exact shapes instead", "Export a shape for each frame")
        self.amount = label("", "value", "Estimated size on the disk")
        self.place = QLineEdit()
        self.place.setToolTip("The file, or the folder of a sequence")
        self.place.setAccessibleName("Where to write")
        self.browse = push_button("Browse…", "Choose where to write")
        self.preset.addItem("Any program", "any")
        for key, preset in PRESETS.items():
            self.preset.addItem(preset.title, key)
        self.grid = QGridLayout(self)
        self._of_takes: list[QWidget] = []
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(12)
        self.grid.setVerticalSpacing(8)
        self.grid.setColumnStretch(1, 1)
        self._row("What", self.what)
        self._row(
            "Frames", _side_by_side(self.first, label("to", "muted"), self.last, self.length), take=True
        )
        self.people_row = self._row("People", _side_by_side(self.people), take=True)
        self._row("Edits", self.edits, take=True)
        self._row("Format", self.format, self.sentence)
        self._row("Fit", _side_by_side(self.fit, self.exact, stretch=False), take=True)
        self._row("Rate", self.rate, self.pace, take=True)
        self._row("Program", self.preset, self.axes)
        self._row("Options", _side_by_side(self.camera, self.colours))
        self._row("Size", self.amount)
        self._row("Where", _side_by_side(self.place, self.browse, stretch=False))

    def _row(
        self, name: str, control: QWidget, below: QWidget | None = None, *, take: bool = False
    ) -> tuple[QWidget, ...]:
        line = self.grid.rowCount()
        widgets: tuple[QWidget, ...] = (label(name, "muted"), control, *(() if below is None else (below,)))
        for widget, place in zip(widgets, ((line, 0), (line, 1), (line + 1, 1)), strict=False):
            self.grid.addWidget(widget, *place)
        if take:
            self._of_takes += widgets
        return widgets

    def _connect(self) -> None:
        self.what.currentIndexChanged.connect(self._offer_formats)
        for box in (self.format, self.preset, self.rate):
            box.currentIndexChanged.connect(self._changed)
        for check in (self.camera, self.colours):
            check.toggled.connect(self._changed)
        self.people.changed.connect(self._changed)
        for number in (self.first, self.last):
            number.number_changed.connect(self._want_range)
        self.exact.clicked.connect(lambda: self.choose_format(EXACT.get(self.kind, self.kind)))
        self.browse.clicked.connect(self.ask_place)
        self.place.editingFinished.connect(self.complete)

    def set_theme(self, theme: Theme) -> None:
        """Arrows and ticks."""
        for part in (self.what, self.format, self.preset, self.rate, self.camera, self.colours):
            part.set_theme(theme)

    # What is chosen

    @property
    def kind(self) -> str:
        """The format: one of `FORMATS`, or of `KINDS` for a take."""
        return str(self.format.currentData() or "obj")

    @property
    def of_take(self) -> bool:
        """Whether the whole take is wanted."""
        return bool(self.what.currentData())

    @property
    def path(self) -> Path:
        """Where to write."""
        return Path(self.place.text().strip()).expanduser()

    @property
    def ending(self) -> str:
        """Of the file; empty for the folder of a sequence."""
        return ending_of(self.kind) if self.of_take else f".{self.kind}"

    @property
    def replaced(self) -> list[Path]:
        """What is there already of what will be written."""
        path, take = self.path, self.subject.take
        files = [path]
        if self.of_take and self.kind == "bvh" and take is not None:
            ids = self.people.ids
            files = bvh_files(path, [one.name for one in take.people if not ids or one.id in ids])
        elif not self.of_take and self.kind == "obj":
            files.append(library_beside(path))
        return [file for file in files if os.path.lexists(file)]

    @property
    def options(self) -> TakeOptions:
        """The choices; a single frame uses format, program, camera and colours."""
        subject, rate = self.subject, self.rate.currentData()
        times = subject.take.times if subject.take is not None else np.zeros(1)
        return TakeOptions(
            self.kind,
            PRESETS.get(str(self.preset.currentData()), Y_UP_METRES),
            self.people.ids,
            float(times[subject.first] - times[0]),
            float(times[subject.last] - times[0]),
            None if rate in (None, OWN) else float(rate),
            subject.edit.smoothing,
            subject.edit.fill,
            self.camera.isChecked(),
            self.colours.isEnabled() and self.colours.isChecked(),
        )

    def choose_format(self, kind: str) -> None:
        """Another format."""
        self.format.setCurrentIndex(max(self.format.findData(kind), 0))

    # What there is to choose from

    def open_for(self, subject: Subject) -> None:
        """Offer what can be done with this, with the choices of the last time."""
        self._filling = True
        self.subject, settings = subject, self._settings
        self.what.clear()
        self.what.addItem("This frame", False)
        if subject.take is not None:
            self.what.addItem("The whole take", True)
            self.what.setCurrentIndex(1)
            self._fill_take(subject.take)
        self.preset.setCurrentIndex(max(self.preset.findData(settings.export_preset), 0))
        self.camera.setChecked(settings.export_camera)
        self.colours.setChecked(settings.export_colours)
        folder = settings.last_folder
        self.place.setText(
            str(Path(folder if folder and Path(folder).is_dir() else Path.home()) / subject.name)
        )
        self._filling = False
        self._offer_formats()

    def _fill_take(self, take: Take) -> None:
        self.people.set_people([person.id for person in take.people])
        self.rate.clear()
        self.rate.addItem(f"As recorded, about {take.rate:.0f} a second", OWN)
        for rate in RATES:
            self.rate.addItem(f"{rate:g} a second", f"{rate:g}")
        self.rate.setCurrentIndex(max(self.rate.findData(self._settings.take_rate), 0))
        for number in (self.first, self.last):
            number.set_range(1, len(take))

    def show_subject(self, subject: Subject) -> None:
        """The same take, with another range, edit or residual."""
        self.subject = subject
        self._changed()

    def _offer_formats(self) -> None:
        if self._filling:
            return
        blocked = self.format.blockSignals(True)
        self.format.clear()
        names = KINDS if self.of_take else FORMATS
        for key in names:
            self.format.addItem(KINDS[key].title if self.of_take else FORMATS[key][0], key)
        last = self._settings.take_format if self.of_take else self._settings.export_format
        self.choose_format(last)
        self.format.blockSignals(blocked)
        for widget in self._of_takes:
            widget.setVisible(self.of_take)
        for widget in self.people_row:
            widget.setVisible(self.of_take and self.people.count > 1)
        self._changed()

    def _changed(self) -> None:
        if self._filling:
            return
        kind, subject, options = self.kind, self.subject, self.options
        self.preset.setEnabled(not words.is_glb(kind))
        self.axes.setText(words.axes_text(options))
        self.colours.setEnabled(not self.of_take or kind in COLOURED)
        if self.of_take and subject.take is not None:
            self._show_take(subject.take, options)
        else:
            self.sentence.setText(FORMATS[kind][1])
            self.amount.setText(words.frame_size_text(kind, subject.vertices))
        self.complete()
        self.changed.emit()

    def _show_take(self, take: Take, options: TakeOptions) -> None:
        subject = self.subject
        for number, value in ((self.first, subject.first), (self.last, subject.last)):
            number.set_number(value + 1)
        self.length.setText(f"{subject.frames:,} of {len(take):,},  {words.seconds_of(options):.1f} s")
        self.edits.setText(words.edits_text(subject.edit))
        self.sentence.setText(words.meaning_text(subject, options))
        pace = words.pace_text(take, options)
        self.pace.setText(pace)
        self.pace.setVisible(bool(pace))
        self.fit.setText(words.fit_text(subject, options.kind))
        short = subject.frames <= KINDS["fbx-shapes"].most_frames
        self.exact.setVisible(words.is_rough(subject, options.kind) and options.kind in EXACT and short)
        self.amount.setText(words.take_size_text(take, options))

    # What the person does

    def complete(self) -> None:
        """The name has the ending of the format, whatever was typed."""
        bare = words.without_ending(Path(self.place.text().strip() or self.subject.name))
        self.place.setText(f"{bare}{self.ending}")

    def _want_range(self) -> None:
        first, last = self.first.number - 1, self.last.number - 1
        if self.sender() is self.first:
            last = max(first, last)
        else:
            first = min(first, last)
        self.range_wanted.emit(first, last)

    def ask_place(self) -> None:
        """Choose the file or folder; what is there is asked about when it is written."""
        quiet = QFileDialog.Option.DontConfirmOverwrite
        path, _ = QFileDialog.getSaveFileName(self, "Export", self.place.text(), options=quiet)
        if path:
            self.place.setText(path)
            self._changed()

    def remember(self) -> None:
        """Write the choices into the settings."""
        settings = self._settings
        settings.export_preset = str(self.preset.currentData())
        settings.export_camera, settings.export_colours = self.camera.isChecked(), self.colours.isChecked()
        settings.last_folder = str(self.path.parent)
        if self.of_take:
            settings.take_format, settings.take_rate = self.kind, str(self.rate.currentData())
        else:
            settings.export_format = self.kind


def _choice(tip: str) -> Choice:
    box = Choice((), "", tip)
    box.setMinimumWidth(200)
    box.setMaximumWidth(1000)
    return box


def _words(tip: str, role: str = "muted") -> QLabel:
    result = label("", role, tip)
    result.setWordWrap(True)
    return result


def _side_by_side(*widgets: QWidget, stretch: bool = True) -> QWidget:
    """stretch: room after the last one; else the first one takes it."""
    result = QWidget()
    result.setObjectName("bare")
    row = QHBoxLayout(result)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 0 if stretch or place else 1)
    if stretch:
        row.addStretch(1)
    return result
