"""Live windows, and a check that nothing of them is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from app.pipeline.orders import Patience
from model.cv import cv2
from tests.app.fakes import gradient
from tests.faults.harness import EVENT, Live


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests is read or changed."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def live(qtbot: Any, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Makes a live window on fake cameras: `live({0: Capture()})`."""
    before = set(threading.enumerate())
    made: list[Live] = []

    def make(captures: dict[int, Any] | None = None, patience: Patience | None = None) -> Live:
        made.append(Live(qtbot, tmp_path, patience or Patience(), captures or {}))
        return made[-1]

    yield make
    for one in made:
        one.end()
        assert not [timer for timer in one.window.findChildren(QTimer) if timer.isActive()]
    for thread in set(threading.enumerate()) - before:
        thread.join(EVENT)
        assert not thread.is_alive(), thread


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that opens."""
    path = tmp_path / "good.png"
    assert cv2.imwrite(str(path), np.ascontiguousarray(gradient()[..., ::-1]))
    return path
