"""Help, Save report…: what is known about the running window, with versions and the last errors, in a zip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QObject, Signal
from PySide6.QtGui import QGuiApplication

from app.gui.background import PATIENCE, BackgroundJob
from app.pipeline.sources import camera_index

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow


class ReportJob(QObject):
    """Written in a thread; `done(path, fault)`, one of them empty."""

    done = Signal(str, str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job = BackgroundJob(self)
        self._job.done.connect(lambda path, fault: self.done.emit(path or "", fault))

    def start(self, path: Path) -> None:
        """Write the report to `path`."""
        facts = window_facts(self._window)

        def write() -> str:
            from app.report import write_report

            write_report(path, facts)
            return str(path)

        self._job.start(write)

    def shutdown(self) -> None:
        """The window closes: a report that is being written is waited for."""
        self._job.wait(PATIENCE)


def window_facts(window: MainWindow) -> dict[str, str]:
    """State, model, source and drawing of a window; what the source is called is nobody's business."""
    info, record = window.info, window.record
    facts = {
        "Qt": f"{QLibraryInfo.version().toString()} on {QGuiApplication.platformName()}",
        "screens": ", ".join(
            f"{screen.size().width()}x{screen.size().height()} x{screen.devicePixelRatio():g}"
            for screen in QGuiApplication.screens()
        ),
        "mesh view": window.parts.studio.name or "none",
        "model": f"{info.title} on {info.device}, {info.body}" if info else "none",
        "state": window.state.value,
        "message": _without_names(window.parts.status.sentence, window),
        "banner": _without_names(window.parts.banner.text.text(), window),
        "source": source_kind(window.spec),
        "masks": str(window.masking.hops),
        "records shown": str(window.shown),
    }
    if record is not None:
        height, width = record.frame.image.shape[:2]
        timings = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in record.timings.items())
        facts["last frame"] = (
            f"{record.frame.index}, {width}x{height}, {len(record.people)} people, {timings}"
        )
    return facts


def _without_names(text: str, window: MainWindow) -> str:
    """A sentence that may tell what the source is called, without that."""
    spec = window.spec
    if spec is None or camera_index(spec) is not None:
        return text
    for name in (str(spec), Path(spec).name, Path(spec).stem):
        text = text.replace(name, "<source>") if name else text
    return text


def source_kind(spec: str | Path | None) -> str:
    """What sort of source is open."""
    if spec is None:
        return "none"
    if camera_index(spec) is not None:
        return str(spec)
    return "a folder" if Path(spec).is_dir() else f"a file {Path(spec).suffix}"
