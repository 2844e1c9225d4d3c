"""The window in which something is exported; non-modal, so that the view can be turned meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMessageBox, QProgressBar, QVBoxLayout, QWidget

from app.export.take_options import TakeOptions
from app.gui.export_form import ExportForm
from app.gui.export_words import Subject, replace_text, saved_text
from app.gui.settings import Settings
from app.gui.theme import Theme
from app.gui.widgets import label, push_button


class ExportDialog(QDialog):
    """`wanted(path, options, of the take)`; `cancelled` while it is written."""

    wanted = Signal(Path, TakeOptions, bool)
    cancelled = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(560)
        self.form = ExportForm(settings)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName("Progress of the export")
        self.outcome = label("", "", "How the export went")
        self.outcome.setWordWrap(True)
        self.reveal = push_button("Show in folder", "Open the folder of what was written")
        self.copy = push_button("Copy path", "Put the path on the clipboard")
        self.start = push_button("Export", "Write it (Enter)", primary=True)
        self.start.setDefault(True)
        self.stop = push_button("Cancel", "Stop writing, or close this window (Esc)")
        self._busy = False
        self._written = ""
        self._lay_out()
        self.start.clicked.connect(self._begin)
        self.stop.clicked.connect(self.reject)
        self.reveal.clicked.connect(self.show_folder)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._written))
        self.form.changed.connect(self._fit_height)

    def _lay_out(self) -> None:
        after = QHBoxLayout()
        after.addWidget(self.outcome, 1)
        after.addWidget(self.reveal)
        after.addWidget(self.copy)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.start)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 14)
        column.setSpacing(12)
        column.addWidget(self.form)
        column.addWidget(self.progress)
        column.addLayout(after)
        column.addStretch(1)
        column.addLayout(buttons)

    def set_theme(self, theme: Theme) -> None:
        """Arrows of the choices."""
        self.form.set_theme(theme)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._busy

    def open_for(self, subject: Subject) -> None:
        """Show it, with the choices for this; as it is where it is open on the same already."""
        self.follow(subject, again=self.isVisible())
        self.show()
        self.raise_()
        self.start.setFocus()

    def follow(self, subject: Subject, *, again: bool = True) -> None:
        """What is looked at has changed; `again`: on the same take the choices stay."""
        if self._busy:
            return
        if again and subject.take is self.form.subject.take:
            self.form.show_subject(subject)
            return
        self.form.open_for(subject)
        self._show_busy(busy=False)
        self.outcome.setText("")
        self.reveal.hide()
        self.copy.hide()

    def _fit_height(self) -> None:
        """No lower than what is shown needs, and no higher."""
        if self.isVisible():
            self.form.grid.activate()
            self._column.activate()
            self.resize(self.width(), self._column.totalHeightForWidth(self.width()))

    def _begin(self) -> None:
        if not self.form.place.text().strip():
            self.outcome.setText("Say where to write it.")
            return
        self.form.complete()
        wish = (self.form.path, self.form.options, self.form.of_take)
        if there := self.form.replaced:
            self._ask(there, lambda: self._write(*wish))
        else:
            self._write(*wish)

    def _ask(self, there: list[Path], go_on: Callable[[], None]) -> None:
        """Nothing that is there already goes without a question."""
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Export")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(replace_text(there))
        replace = box.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        replace.clicked.connect(go_on)
        box.open()

    def _write(self, path: Path, options: TakeOptions, of_take: bool) -> None:
        self.form.remember()
        self.outcome.setText("")
        self._show_busy(busy=True)
        self.wanted.emit(path, options, of_take)

    def show_progress(self, part: float) -> None:
        """So much of it is done."""
        self.progress.setValue(round(1000 * part))

    def show_result(self, path: str, fault: str, note: str) -> None:
        """It is written, or it is told why not."""
        self._written = path
        self._show_busy(busy=False)
        self.outcome.setText(fault or saved_text(path, note))
        self.reveal.setVisible(not fault)
        self.copy.setVisible(not fault)
        self._fit_height()

    def show_folder(self) -> None:
        """In the desktop's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self._written).parent)))

    def _show_busy(self, *, busy: bool) -> None:
        self._busy = busy
        self.progress.setValue(0)
        self.progress.setVisible(busy)
        self.stop.setText("Cancel" if busy else "Close")
        self.form.setEnabled(not busy)
        self.start.setEnabled(not busy)

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
