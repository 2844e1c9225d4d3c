"""What menus, buttons and keys do: each command of `Actions` is connected here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.gui.about import show_about, show_shortcuts
from app.gui.asked import asked_file
from app.gui.background import BackgroundJob
from app.gui.layout import shortcut
from app.gui.report_job import ReportJob
from app.pipeline.worker import WorkerState

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow
    from app.gui.mesh_view import MeshView
    from app.gui.models_page import ModelsPage

FILTER = (
    "Pictures, videos and takes (*.take *.jpg *.jpeg *.png *.bmp *.webp *.tif *.tiff *.gif *.mp4 *.mov *.avi"
    " *.mkv *.webm *.m4v);;All files (*)"
)


class Commands:
    """Connects the actions of one window when it is made."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.models_page: ModelsPage | None = None
        self.report = ReportJob(window)
        self._page_class = BackgroundJob(window)
        self._page_class.done.connect(self._make_page)
        self._connect_actions()
        self._connect_keys()

    def _connect_actions(self) -> None:
        window = self._window
        do, parts = window.commands, window.parts
        pairs = {
            do.open_file: self.ask_file,
            do.open_folder: self.ask_folder,
            do.open_sample: self.open_sample,
            do.play: self.play_or_pause,
            do.back: lambda: self.step(-1),
            do.forward: lambda: self.step(1),
            do.export: window.exports.ask,
            do.models: self.show_models,
            do.quit: window.close,
            do.report: self.ask_report,
            do.about: lambda: show_about(window),
            do.shortcuts: lambda: show_shortcuts(window, do.keys()),
            do.dismiss: parts.banner.hide,
            do.reset_masks: parts.masking.reset_button.click,
            do.front: lambda: self.mesh.look("front"),
            do.side: lambda: self.mesh.look("side"),
            do.top: lambda: self.mesh.look("top"),
            do.reset_view: self.reset_views,
        }
        for action, command in pairs.items():
            action.triggered.connect(lambda _=False, run=command: run())
        for camera in do.cameras:
            camera.triggered.connect(lambda _=False, action=camera: window.open_source(action.data()))
        do.freeze.toggled.connect(self.freeze)
        parts.status.model.clicked.connect(do.models.trigger)
        window.models.done.connect(self.switched)
        self.report.done.connect(self.reported)
        do.full_screen.triggered.connect(self.fill_screen)
        do.themes.triggered.connect(lambda action: window.themes.choose(action.data()))

    def _connect_keys(self) -> None:
        window, card = self._window, self._window.parts.image
        strip = window.parts.strip
        toggles = {"N": strip.absolute, "W": strip.whole_part}
        toggles |= {"B": card.boxes, "J": card.joints, "M": card.mesh, "H": card.heat}
        for key, toggle in toggles.items():
            shortcut(window, toggle.toolTip().split(" (")[0], key, toggle.toggle)
        for row, button in enumerate(window.parts.masking.presets, start=1):
            shortcut(window, f"Masks of row {row}", f"Ctrl+{row}", button.click)

    # Sources

    def ask_file(self) -> None:
        """Choose a picture or a video."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Open a picture, a video or a take", self._folder(), FILTER
        )
        self.open_path(path)

    def ask_folder(self) -> None:
        """Choose a folder of pictures."""
        self.open_path(
            QFileDialog.getExistingDirectory(self._window, "Open a folder of pictures", self._folder())
        )

    def _folder(self) -> str:
        folder = self._window.settings.last_folder
        return folder if folder and Path(folder).is_dir() else str(Path.home())

    def open_path(self, path: str) -> None:
        """Open a file or folder and remember where it is; an empty path is a cancelled dialog."""
        if path:
            self._window.settings.last_folder = str(Path(path).parent)
            self._window.open_source(Path(path))

    def open_sample(self) -> None:
        """Play the bundled clip."""
        if self._window.sample is None:
            self._window.parts.banner.say("No sample clip is installed with this program.")
        else:
            self._window.open_source(self._window.sample)

    # Playing

    def play_or_pause(self) -> None:
        """One button for source and take, and for another try at a source that has failed."""
        window = self._window
        if window.takes.on_page:
            window.takes.play_or_pause()
        elif window.state is WorkerState.FAULTED and window.spec is not None:
            window.open_source(window.spec)
        elif self._window.state is WorkerState.RUNNING:
            self._window.worker.pause()
        else:
            self._window.worker.play()

    def step(self, by: int) -> None:
        """A frame on or back, in the source or in the take."""
        if self._window.takes.on_page:
            self._window.takes.step(by)
        else:
            self._window.worker.step(by)

    @property
    def mesh(self) -> MeshView:
        """The mesh that is looked at."""
        parts = self._window.parts
        return (parts.take.mesh if self._window.takes.on_page else parts.mesh).view

    def freeze(self, on: bool) -> None:
        """Keep the frame while masks are tried on it."""
        if on:
            self._window.worker.pause()
        else:
            self._window.worker.play()
        self._window.show_hints()

    def fill_screen(self, on: bool) -> None:
        """Fill the screen, or be again as large as before; the window tells the switch how it went."""
        state, full = self._window.windowState(), Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | full if on else state & ~full)

    def reset_views(self) -> None:
        """The whole picture, and the first look at the mesh."""
        self._window.parts.image.view.fit()
        self.mesh.reset_view()

    # Models

    def show_models(self) -> None:
        """Open the Models page, or bring it to the front."""
        if self.models_page is not None:
            self.models_page.open_page()
        elif not self._page_class.busy:
            self._page_class.start(_import_page)

    def _make_page(self, page_class: type[ModelsPage] | None, fault: str) -> None:
        if page_class is None:
            self._window.parts.banner.say(fault)
            return
        self.models_page = page_class(self._window.models, self._window.themes, self._window)
        self.models_page.open_page()

    def switched(self, fault: str) -> None:
        """Another model runs, or it is told why not; a source that had stopped for want of one is opened."""
        window = self._window
        if fault:
            window.parts.banner.say(fault)
        elif window.state is WorkerState.FAULTED and window.spec is not None:
            window.open_source(window.spec)

    # Report

    def ask_report(self) -> None:
        """Choose where the report goes."""
        start = str(Path.home() / "pointhmr-report.zip")
        path, _ = QFileDialog.getSaveFileName(self._window, "Save report", start, "Zip archive (*.zip)")
        if path and (file := asked_file(path, ".zip", self._window.parts.banner.say)) is not None:
            self.report.start(file)

    def reported(self, path: str, fault: str) -> None:
        """It is saved, or it is told why not."""
        self._window.parts.banner.say(fault or f"Saved {path}", serious=bool(fault))


def _import_page() -> type[ModelsPage]:
    """It brings torch along, for which the window does not wait."""
    from app.gui.models_page import ModelsPage

    return ModelsPage
