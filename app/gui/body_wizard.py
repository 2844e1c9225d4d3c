"""Adding one's own SMPL or MANO: choose the file, see what it has and what is missing, convert, use."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.background import BackgroundJob
from app.gui.banner import Banner
from app.gui.icons import pixmap
from app.gui.theme import DARK, Theme
from app.gui.widgets import Card, label, push_button
from model.bodies import BodyCard, Finding, add_body, body_card, findings

BODIES = "Body models (*.pkl *.npz);;All files (*)"
COMPANIONS = {
    "Human3.6M joints": ("Human3.6M's joint regressor", "Joint regressor (*.npy);;All files (*)"),
    "Mesh hierarchy": ("METRO's mesh hierarchy", "Mesh hierarchy (*.npz);;All files (*)"),
}
"""Findings for which the person can bring a file: what it is, and the filter of the dialog."""
EXPLANATION = (
    "Your file stays where it is and nothing in it is run. Its arrays are converted once, into the cache. "
    "SMPL and MANO are not part of this program: get them from their makers, under their licence."
)


class BodyWizard(QDialog):
    """`added(BodyCard)` once a body is kept; `use_wanted(BodyCard)` when it shall be used at once."""

    added = Signal(object)
    use_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add SMPL or MANO")
        self.resize(600, 440)
        self._job = BackgroundJob(self)
        self._theme: Theme = DARK
        self.body: BodyCard | None = None
        self.found: tuple[Finding, ...] = ()
        self.kept = False
        self.banner = Banner()
        self.file = label("No file yet", "value")
        self.choose_file = push_button("Choose file…", "SMPL or MANO, .pkl or .npz; told apart by content")
        self.rows = QGridLayout()
        self.companions: dict[str, QPushButton] = {}
        self.progress = QProgressBar()
        self.add = push_button(
            "Convert and add", "Check every file, make the mesh hierarchy, keep the body", primary=True
        )
        self.use = push_button("Use", "Run it now")
        self.cancel = push_button("Close", "Back to the models (Esc)")
        self._build()
        self._job.done.connect(self._done)
        self.choose_file.clicked.connect(self.ask_file)
        self.add.clicked.connect(self.add_now)
        self.use.clicked.connect(self._use)
        self.cancel.clicked.connect(self.close)
        self._show_state()

    def _build(self) -> None:
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        explanation = label(EXPLANATION, "muted")
        explanation.setWordWrap(True)
        self.file.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(self.file, 1)
        top.addWidget(self.choose_file)
        card = Card("Found")
        self.rows.setContentsMargins(14, 4, 14, 12)
        self.rows.setHorizontalSpacing(12)
        self.rows.setVerticalSpacing(8)
        self.rows.setColumnStretch(2, 1)
        card.body.addLayout(self.rows)
        card.body.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for part in (self.add, self.use, self.cancel):
            buttons.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        column.addWidget(self.banner)
        column.addWidget(explanation)
        column.addLayout(top)
        column.addWidget(card, 1)
        column.addWidget(self.progress)
        column.addLayout(buttons)

    def open_wizard(self) -> None:
        """Show it from the start."""
        self.body, self.found, self.kept = None, (), False
        self.file.setText("No file yet")
        self.banner.hide()
        self._show_rows()
        self._show_state()
        self.show()
        self.raise_()
        self.choose_file.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self._theme = theme
        self.banner.set_theme(theme)
        self._show_rows()

    # Steps

    def ask_file(self) -> None:
        """Choose the body."""
        path, _ = QFileDialog.getOpenFileName(self, "Choose SMPL or MANO", str(Path.home()), BODIES)
        if path:
            self.inspect(Path(path))

    def inspect(self, path: Path, downsampling: Path | None = None, regressor: Path | None = None) -> None:
        """Read the body in the background and show what it brings along."""
        self.kept = False

        def work() -> tuple[BodyCard, tuple[Finding, ...]]:
            card = body_card(path, downsampling, regressor)
            return card, findings(card)

        self._start(work)

    def ask_companion(self, what: str) -> None:
        """Choose a file that does not lie beside the body."""
        title, files = COMPANIONS[what]
        folder = str(Path(self.body.path).parent) if self.body else str(Path.home())
        path, _ = QFileDialog.getOpenFileName(self, f"Choose {title}", folder, files)
        if path:
            self.bring(what, Path(path))

    def bring(self, what: str, path: Path) -> None:
        """Take a companion file along."""
        if self.body is None:
            return
        hierarchy, joints = Path(self.body.downsampling), Path(self.body.regressor)
        downsampling = path if what == "Mesh hierarchy" else hierarchy if self.body.downsampling else None
        regressor = path if what == "Human3.6M joints" else joints if self.body.regressor else None
        self.inspect(Path(self.body.path), downsampling, regressor)

    def add_now(self) -> None:
        """Convert and keep, in the background."""
        body = self.body
        if body is not None:
            self._start(lambda: add_body(body))

    def _start(self, work: object) -> None:
        self.banner.hide()
        self._job.start(work)  # type: ignore[arg-type]
        self._show_state(busy=True)

    def _done(self, result: object, fault: str) -> None:
        if fault:
            self.banner.say(fault)
        elif isinstance(result, BodyCard):
            self.kept = True
            self.banner.say(f"{result.name} is added.", serious=False)
            self.added.emit(result)
        elif isinstance(result, tuple):
            self.body, self.found = result
            self.file.setText(self.body.path)
            self._show_rows()
        self._show_state()

    def _use(self) -> None:
        if self.body is not None:
            self.use_wanted.emit(self.body)
            self.close()

    # What is shown

    def _show_state(self, busy: bool = False) -> None:
        self.progress.setVisible(busy)
        self.choose_file.setEnabled(not busy)
        self.add.setEnabled(not busy and self.body is not None and not self.kept)
        self.use.setEnabled(not busy and self.kept)
        for companion in self.companions.values():
            companion.setEnabled(not busy)

    def _show_rows(self) -> None:
        while (item := self.rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.companions = {}
        for row, finding in enumerate(self.found):
            self.rows.addWidget(self._mark(finding.found), row, 0, Qt.AlignmentFlag.AlignTop)
            self.rows.addWidget(label(finding.what, "muted"), row, 1, Qt.AlignmentFlag.AlignTop)
            detail = label(finding.detail)
            detail.setWordWrap(True)
            self.rows.addWidget(detail, row, 2)
            if finding.what in COMPANIONS and not finding.found:
                choose = push_button("Choose…", f"Bring {COMPANIONS[finding.what][0]}")
                choose.clicked.connect(lambda _=False, what=finding.what: self.ask_companion(what))
                self.companions[finding.what] = choose
                self.rows.addWidget(choose, row, 3)

    def _mark(self, found: bool) -> QLabel:
        mark = QLabel()
        colour = self._theme.success if found else self._theme.warning
        mark.setPixmap(pixmap("check" if found else "info", colour, 16, self.devicePixelRatioF()))
        mark.setAccessibleName("found" if found else "missing")
        mark.setToolTip("Found" if found else "Missing; something stands in")
        return mark
