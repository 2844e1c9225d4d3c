"""A picture of the real main window, drawn without a screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.gui.main_window import MainWindow
from app.pipeline.worker import WorkerState
from model.errors import UserError
from model.paths import write_atomically


def take_screenshot(
    window: MainWindow,
    output: Path,
    size: tuple[int, int] = (1280, 800),
    *,
    records: int = 1,
    select: tuple[int, ...] = (),
    timeout: float = 120.0,
) -> None:
    """Wait until a started window has shown `records` records, pin the vertices `select`, save a PNG.

    A source that ends earlier is taken as it stands. Raises `UserError` when it shows nothing, a vertex
    does not exist, or the file cannot be written.
    """
    window.resize(*size)
    window.show()
    _wait(window, records, timeout)
    _select(window, select)
    window.resize(*size)
    _settle()
    _save(window, output)


def _drawn(window: MainWindow, records: int) -> bool:
    enough = window.shown >= records or (window.shown > 0 and window.state is WorkerState.ENDED)
    return enough and window.views_ready


def _wait(window: MainWindow, records: int, timeout: float) -> None:
    """Run the event loop until enough is drawn."""
    if _drawn(window, records):
        return
    loop = QEventLoop()

    def look() -> None:
        if _drawn(window, records) or window.state is WorkerState.FAULTED:
            loop.quit()

    late = QTimer(singleShot=True, interval=round(timeout * 1000))
    late.timeout.connect(loop.quit)
    late.start()
    signals = (window.record_shown, window.status_shown, window.warmup.ready)
    for signal in signals:
        signal.connect(look)
    loop.exec()
    for signal in signals:
        signal.disconnect(look)
    if window.state is WorkerState.FAULTED:
        raise UserError(window.parts.banner.text.text())
    if not _drawn(window, records):
        raise UserError(f"The window showed nothing within {timeout:.0f} seconds.")


def _select(window: MainWindow, vertices: tuple[int, ...]) -> None:
    count = len(window.info.part_of_vertex) if window.info else 0
    for vertex in vertices:
        if not 0 <= vertex < count:
            raise UserError(f"There is no vertex {vertex}: the mesh has {count}.")
    if vertices:
        window.pins.reset(vertices)


def _settle() -> None:
    """Let resizing and its delayed drawing come to rest."""
    loop = QEventLoop()
    QTimer.singleShot(450, loop.quit)
    loop.exec()


def _save(window: MainWindow, output: Path) -> None:
    QApplication.sendPostedEvents()
    window.parts.refine()
    picture = window.grab()

    def write(path: Path) -> None:
        if not picture.save(str(path), "PNG"):
            raise UserError(f"{output} could not be written.")

    write_atomically(output, write)
