"""One picture of all listed cases: goes to each, takes the image view as it is drawn, and writes a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QFileDialog

from app.gui.asked import asked_file
from app.gui.background import PATIENCE, BackgroundJob
from app.gui.failure_list import title_of
from app.gui.layout import shortcut
from app.gui.theme import Theme
from app.pipeline.history import Failure
from model.errors import UserError
from model.paths import write_atomically

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

MOST = 60
"""Cases on one sheet: the first of the list."""
CELL, CAPTION, GAP, COLUMNS = (320, 240), 34, 10, 5
LATE = 15_000
"""Milliseconds after which a case that is not drawn is left out."""


class Sheet(QObject):
    """One sheet at a time; the button of the list says how far it is and stops it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._path: Path | None = None
        self._waiting: list[Failure] = []
        self._taken: list[tuple[Failure, QImage]] = []
        self._button = window.parts.failures.sheet
        self._job = BackgroundJob(self)
        self._job.done.connect(self._saved)
        self._late = QTimer(self, singleShot=True, interval=LATE)
        self._late.timeout.connect(self._skip)
        self._button.clicked.connect(self._press)
        window.record_shown.connect(self._look)
        shortcut(window, "A picture of all listed cases", "Ctrl+Shift+S", self._press)

    @property
    def busy(self) -> bool:
        """Whether cases are being drawn."""
        return self._path is not None

    def stop(self) -> None:
        """Leave it; nothing is written."""
        self._late.stop()
        self._path, self._waiting, self._taken = None, [], []
        self._button.setText("Sheet…")

    def shutdown(self) -> None:
        """The window closes: a sheet that is being written is waited for."""
        self.stop()
        self._job.wait(PATIENCE)

    def _press(self) -> None:
        failures = self._window.parts.failures.failures[:MOST]
        if self.busy:
            self.stop()
        elif not failures:
            self._window.parts.banner.say("Nothing is flagged, so there is nothing to draw.")
        else:
            start = str(Path(self._window.settings.last_folder or Path.home()) / "cases.png")
            path, _ = QFileDialog.getSaveFileName(self._window, "Picture of all cases", start, "PNG (*.png)")
            if path and (file := asked_file(path, ".png", self._window.parts.banner.say)) is not None:
                self.start(file, failures)

    def start(self, path: Path, failures: Sequence[Failure]) -> None:
        """Go to one case after the other."""
        self._path, self._waiting, self._taken = path, list(failures), []
        self._next()

    def _next(self) -> None:
        reaches = self._window.watch.reaches
        while self._waiting and not reaches(self._waiting[0].index):
            del self._waiting[0]
        if not self._waiting:
            self._write()
            return
        done = len(self._taken)
        self._button.setText(f"Stop {done + 1}/{done + len(self._waiting)}")
        self._late.start()
        self._window.watch.go_to(self._waiting[0])
        self._look()

    def _look(self) -> None:
        if not self._waiting or not self._window.watch.shows(self._waiting[0]):
            return
        view = self._window.parts.image.view
        view.refine()
        ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        self._taken.append((self._waiting.pop(0), view.grab().toImage().scaled(*CELL, *ways)))
        QTimer.singleShot(0, self, self._go_on)

    def _go_on(self) -> None:
        if self.busy:
            self._next()

    def _skip(self) -> None:
        self._waiting = self._waiting[1:]
        self._next()

    def _write(self) -> None:
        path, taken, theme = self._path, self._taken, self._window.themes.theme
        self.stop()
        if path is None or not taken:
            self._window.parts.banner.say("None of the cases could be drawn.")
            return
        self._job.start(lambda: _save(path, draw_sheet(taken, theme)))

    def _saved(self, path: object, fault: str) -> None:
        self._window.parts.banner.say(fault or f"Saved {path}", serious=bool(fault))


def draw_sheet(taken: Sequence[tuple[Failure, QImage]], theme: Theme) -> QImage:
    """Pictures in rows, each with its frame, person and reasons below. Any thread."""
    columns = min(COLUMNS, len(taken))
    rows = -(-len(taken) // columns)
    width, height = CELL[0] + GAP, CELL[1] + CAPTION + GAP
    sheet = QImage(columns * width + GAP, rows * height + GAP, QImage.Format.Format_RGB32)
    sheet.fill(QColor(theme.window))
    painter = QPainter(sheet)
    font = painter.font()
    font.setPixelSize(12)
    painter.setFont(font)
    for place, (failure, picture) in enumerate(taken):
        corner = QPointF(GAP + (place % columns) * width, GAP + (place // columns) * height)
        middle = QPointF((CELL[0] - picture.width()) / 2, (CELL[1] - picture.height()) / 2)
        painter.drawImage(corner + middle, picture)
        who = f"Frame {failure.index + 1}, person {failure.person_id}: severity {failure.severity:.1f}"
        why = ", ".join(title_of(flag.kind) for flag in failure.flags)
        for line, (text, role) in enumerate(((who, "text"), (why, "muted"))):
            painter.setPen(QColor(getattr(theme, role)))
            place_of = QRectF(corner.x(), corner.y() + CELL[1] + 2 + 16 * line, CELL[0], 16)
            short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, CELL[0])
            painter.drawText(place_of, Qt.AlignmentFlag.AlignLeft, short)
    painter.end()
    return sheet


def _save(path: Path, sheet: QImage) -> Path:
    def write(file: Path) -> None:
        if not sheet.save(str(file)):
            raise UserError(f"{path} could not be written.")

    write_atomically(path, write)
    return path
