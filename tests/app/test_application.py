"""The window on the real worker: its thread, a real picture, and a pipeline that needs no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.gui.application import create_window
from app.pipeline.frames import Frame, Hops, Record
from app.pipeline.worker import WorkerState
from model.cv import cv2
from tests.app import gui_fakes


class FakePipeline:
    """Finds the free body in every picture; `tracker` is itself."""

    rejected: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.tracker = self
        self.calls: list[Hops] = []

    def process(self, frame: Frame, hops: Hops, *, isolate: bool = False, mirror: bool = False) -> Record:
        return Record(frame, (gui_fakes.person(),), hops, {"encode": 20.0}, isolate=isolate, mirror=mirror)

    def regress_again(self, record: Record, hops: Hops) -> Record:
        self.calls.append(hops)
        return replace(record, hops=hops)

    def follow(self, everyone: bool, chosen: int | None) -> None:
        pass

    def reset(self) -> None:
        pass


def test_a_picture_is_opened_shown_remasked_and_closed(qtbot, tmp_path: Path) -> None:
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), np.full((480, 640, 3), 120, np.uint8))
    pipeline = FakePipeline()

    def build() -> tuple[Any, Any]:
        return pipeline, gui_fakes.model_info()

    window = create_window(build, theme="dark", settings_path=tmp_path / "pointhmr.ini")
    window.show()
    window.start(path)
    assert window.info is None, "the model is loaded beside the window, not before it"
    qtbot.waitUntil(lambda: window.shown > 0 and window.state is WorkerState.ENDED, timeout=30_000)
    assert window.info is not None
    window.masking.set_hops((None, None, 3, 1))
    qtbot.waitUntil(lambda: window.record.hops == (None, None, 3, 1))
    assert pipeline.calls[-1] == (None, None, 3, 1)
    window.open_source(tmp_path / "gone.png")
    qtbot.waitUntil(lambda: window.state is WorkerState.FAULTED)
    assert window.parts.banner.isVisible()
    window.close()
    assert not window.worker._thread.is_alive()
    window.deleteLater()
