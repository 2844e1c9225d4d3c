"""What to export, for which program, and where; non-modal, so that the view can be turned meanwhile."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.export.presets import PRESETS, Y_UP_METRES
from app.gui.settings import Settings
from app.gui.widgets import label, push_button

FORMATS = {
    "obj": ("OBJ", "Text that every 3D program opens; it names neither its axes nor its unit.", 170),
    "fbx": ("FBX", "For Unreal, Unity and Maya: axes and unit are in the file.", 107),
    "glb": ("GLB", "For Blender, the web and viewers; y up in metres, by its specification.", 59),
    "ply": ("PLY", "For MeshLab and scripts; compact, without materials.", 65),
}
"""Ending -> name, what it is good for, bytes a vertex as measured on the free body."""


def size_of(kind: str, vertices: int, frames: int) -> str:
    """How large an export of one person will be, about."""
    size = FORMATS[kind][2] * vertices * max(frames, 1)
    return f"about {size / 1e6:.1f} MB a person"


class ExportDialog(QDialog):
    """`wanted(path, format, preset, sequence)`; `cancelled` while it is written."""

    wanted = Signal(Path, str, str, bool)
    cancelled = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(520)
        self._settings = settings
        self._vertices = self._frames = 0
        self.what = _choice("This frame, or every frame that the trim keeps")
        self.format = _choice("Format of the files")
        self.preset = _choice("The program that will open it: decides on axes and unit")
        for kind, (name, _, _) in FORMATS.items():
            self.format.addItem(name, kind)
        self.preset.addItem("Any program", "any")
        for key, preset in PRESETS.items():
            self.preset.addItem(preset.title, key)
        self.sentence = label("", "muted", "What the format is good for")
        self.sentence.setWordWrap(True)
        self.axes = label("", "muted", "Axes and unit of the files")
        self.amount = label("", "value", "Estimated size on the disk")
        self.place = QLineEdit()
        self.place.setToolTip("The file, or the folder of a sequence")
        self.place.setAccessibleName("Where to write")
        self.browse = push_button("Browse…", "Choose where to write")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the export")
        self.outcome = label("", "", "How the export went")
        self.outcome.setWordWrap(True)
        self.reveal = push_button("Show in folder", "Open the folder of what was written")
        self.copy = push_button("Copy path", "Put the path on the clipboard")
        self.start = push_button("Export", "Write it (Enter)", primary=True)
        self.start.setDefault(True)
        self.stop = push_button("Cancel", "Stop writing, or close this window (Esc)")
        self._lay_out()
        self._connect()
        self._busy = False

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        where = QHBoxLayout()
        where.addWidget(self.place, 1)
        where.addWidget(self.browse)
        rows = (
            ("What", self.what, None),
            ("Format", self.format, self.sentence),
            ("Program", self.preset, self.axes),
        )
        line = 0
        for name, control, below in rows:
            grid.addWidget(label(name, "muted", control.toolTip()), line, 0)
            grid.addWidget(control, line, 1)
            if below is not None:
                line += 1
                grid.addWidget(below, line, 1)
            line += 1
        grid.addWidget(label("Size", "muted"), line, 0)
        grid.addWidget(self.amount, line, 1)
        grid.addWidget(label("Where", "muted"), line + 1, 0)
        grid.addLayout(where, line + 1, 1)
        after = QHBoxLayout()
        after.addWidget(self.outcome, 1)
        after.addWidget(self.reveal)
        after.addWidget(self.copy)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 14)
        column.setSpacing(12)
        column.addLayout(grid)
        column.addWidget(self.progress)
        column.addLayout(after)
        column.addStretch(1)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.what.currentIndexChanged.connect(self._changed)
        self.format.currentIndexChanged.connect(self._changed)
        self.preset.currentIndexChanged.connect(self._changed)
        self.browse.clicked.connect(self.ask_place)
        self.start.clicked.connect(self._begin)
        self.stop.clicked.connect(self.reject)
        self.reveal.clicked.connect(self.show_folder)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.place.text()))

    @property
    def kind(self) -> str:
        """The format's ending."""
        return str(self.format.currentData())

    @property
    def sequence(self) -> bool:
        """Whether every kept frame is wanted."""
        return bool(self.what.currentData())

    def open_for(self, name: str, vertices: int, frames: int) -> None:
        """Show it for one frame, and for a take of so many kept frames if there is one (0: none)."""
        self._vertices, self._frames = vertices, frames
        if not self._busy:
            self.what.clear()
            self.what.addItem("This frame", False)
            if frames:
                self.what.addItem(f"Every kept frame: {frames:,} files in a folder", True)
                self.what.setCurrentIndex(1)
            self.format.setCurrentIndex(max(self.format.findData(self._settings.export_format), 0))
            self.preset.setCurrentIndex(max(self.preset.findData(self._settings.export_preset), 0))
            folder = self._settings.last_folder
            self.place.setText(str(Path(folder if folder and Path(folder).is_dir() else Path.home()) / name))
            self._show_busy(busy=False)
            self.outcome.setText("")
            self.reveal.hide()
            self.copy.hide()
            self._changed()
        self.show()
        self.raise_()
        self.start.setFocus()

    def _changed(self) -> None:
        kind = self.kind
        self.sentence.setText(FORMATS[kind][1])
        preset = PRESETS.get(str(self.preset.currentData()), Y_UP_METRES)
        self.preset.setEnabled(kind != "glb")
        used = Y_UP_METRES if kind == "glb" else preset.for_obj if kind == "obj" else preset
        self.axes.setText(f"{used.axes}, in {used.unit}")
        frames = self._frames if self.sequence else 1
        self.amount.setText(size_of(kind, self._vertices, frames))
        path = Path(self.place.text() or "person")
        bare = path.with_suffix("") if path.suffix.lstrip(".").lower() in FORMATS else path
        self.place.setText(str(bare) if self.sequence else f"{bare}.{kind}")

    def ask_place(self) -> None:
        """Choose the file or folder."""
        path, _ = QFileDialog.getSaveFileName(self, "Export", self.place.text())
        if path:
            self.place.setText(path)
            self._changed()

    def _begin(self) -> None:
        if not self.place.text().strip():
            self.outcome.setText("Say where to write it.")
            return
        path = Path(self.place.text()).expanduser()
        self._settings.export_format, self._settings.export_preset = self.kind, self.preset.currentData()
        self._settings.last_folder = str(path.parent)
        self.outcome.setText("")
        self._show_busy(busy=True)
        self.wanted.emit(path, self.kind, self.preset.currentData(), self.sequence)

    def show_progress(self, number: int, total: int) -> None:
        """So many frames are written."""
        self.progress.setRange(0, total)
        self.progress.setValue(number)

    def show_result(self, path: str, fault: str) -> None:
        """It is written, or it is told why not."""
        self._show_busy(busy=False)
        self.outcome.setText(fault or f"Saved {path}")
        self.reveal.setVisible(not fault)
        self.copy.setVisible(not fault)

    def show_folder(self) -> None:
        """In the desktop's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.place.text()).expanduser().parent)))

    def _show_busy(self, *, busy: bool) -> None:
        self._busy = busy
        self.progress.setRange(0, 0 if busy else 1)
        self.progress.setVisible(busy)
        self.stop.setText("Cancel" if busy else "Close")
        for widget in (self.what, self.format, self.preset, self.place, self.browse, self.start):
            widget.setEnabled(not busy)
        if not busy:
            self.preset.setEnabled(self.kind != "glb")

    def reject(self) -> None:
        """Stop what is being written, else close."""
        if self._busy:
            self.cancelled.emit()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing goes on behind a closed window."""
        if self._busy:
            self.cancelled.emit()
        super().closeEvent(event)


def _choice(tip: str) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    return box
