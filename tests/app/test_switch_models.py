"""The real window with real networks: from one model to another and back while a clip plays."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

import assets
from app.gui.application import create_window
from app.gui.main_window import MainWindow
from app.gui.model_choice import ModelChoice
from app.pipeline.worker import WorkerState
from model.pointhmr import PointHMR

LITE, PUBLISHED = "body-lite:random", "body-hrnet-w32:random"


@pytest.fixture
def window(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made = create_window(ModelChoice(LITE), theme="dark", settings_path=tmp_path / "pointhmr.ini")
    made.resize(1280, 800)
    made.show()
    yield made
    made.close()
    made.worker._thread.join(60)
    made.deleteLater()
    assert not [t for t in threading.enumerate() if t.name.startswith("pointhmr")]


def networks() -> list[weakref.ref[PointHMR]]:
    return [weakref.ref(thing) for thing in gc.get_objects() if type(thing) is PointHMR]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_there_and_back_while_a_clip_plays(window: MainWindow, qtbot) -> None:
    window.start(assets.SAMPLES / "salsa.mp4")
    qtbot.waitUntil(lambda: window.record is not None and window.views_ready, timeout=60_000)
    assert window.parts.status.model.text().endswith(LITE)
    window.commands.models.trigger()
    qtbot.waitUntil(lambda: window._runs.models_page is not None, timeout=60_000)
    page = window._runs.models_page
    qtbot.waitUntil(lambda: page.list.count() > 0, timeout=60_000)
    assert page.choose(PUBLISHED)
    qtbot.mouseClick(page.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.models.choice.weights == PUBLISHED, timeout=60_000)
    assert window.parts.status.model.text().endswith(PUBLISHED)
    see_people(window, qtbot, 56)
    window.masking.set_hops((None, None, 3, 1))
    qtbot.waitUntil(lambda: window.record is not None and window.record.hops[0] is None, timeout=60_000)
    assert window.state is WorkerState.RUNNING

    window.models.use(ModelChoice(LITE))
    qtbot.waitUntil(lambda: window.models.choice.weights == LITE, timeout=60_000)
    see_people(window, qtbot, 32)
    assert window.state is WorkerState.RUNNING and not window.parts.banner.isVisible()
    gc.collect()
    alive = [ref() for ref in networks()]
    assert [network.config.name for network in alive if network is not None] == ["body-lite"]


def see_people(window: MainWindow, qtbot, heatmap_size: int) -> None:
    """Until the window shows somebody whom the network with such heatmaps has made."""
    qtbot.waitUntil(lambda: window.record is not None and bool(window.record.people), timeout=120_000)
    person = window.record.people[0]
    assert person.features.heatmaps.shape[-1] == heatmap_size
    shown = window.shown
    qtbot.waitUntil(lambda: window.shown > shown, timeout=60_000)
