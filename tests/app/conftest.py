"""Windows for tests: with a fake worker, their own settings, and a check that nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer

from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from tests.app import gui_fakes

MakeWindow = Callable[..., MainWindow]


@pytest.fixture
def make_window(qtbot, tmp_path: Path) -> Iterator[MakeWindow]:
    """Makes shown windows of a fixed size, or the remembered one; each is closed and checked at the end."""
    windows: list[MainWindow] = []
    before = set(threading.enumerate())

    def make(
        *people, fault: str = "", info: bool = True, size: tuple[int, int] | None = (1280, 800)
    ) -> MainWindow:
        bridge = Bridge()
        record = gui_fakes.record(people or None)
        worker = gui_fakes.FakeWorker(bridge, record, fault)
        window = MainWindow(
            worker,
            bridge,
            gui_fakes.model_info() if info else None,
            settings_path=tmp_path / "pointhmr.ini",
            theme="dark",
        )
        window.recording.folder = tmp_path / "takes"
        window.recording.recordings = tmp_path / "recordings"
        windows.append(window)
        if size is not None:
            window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in windows:
        window.close()
        assert not [(t.parent(), t.interval()) for t in window.findChildren(QTimer) if t.isActive()]
        window.deleteLater()
    windows.clear()
    # Else pytest keeps them, and styles them anew with every later window.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    # A fit that is being computed cannot be stopped, but it has to end by itself.
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= before, timeout=20_000)


@pytest.fixture
def shown(make_window: MakeWindow, qtbot) -> Callable[..., MainWindow]:
    """Makes a window that has drawn its first record with Open3D."""

    def make(*people, **more) -> MainWindow:
        window = make_window(*people, **more)
        window.start("fake.mp4")
        qtbot.waitUntil(lambda: window.shown > 0 and window.views_ready, timeout=20_000)
        return window

    return make
