"""Fault 19: settings that are cut, of wrong types, of the future, or used by two windows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.gui.settings import Settings, load_settings, save_settings
from app.pipeline.worker import Status, WorkerState
from app.takes.recorder import Recorder
from app.takes.take import Made
from tests.app import gui_fakes
from tests.faults.harness import Live, is_sentence

pytestmark = pytest.mark.fault(19)
OTHER = Settings(theme="light", pins=(5, 7), hops=(None, 5, 3, 1), mesh_opacity=0.3, last_folder="/tmp")


def whole(path: Path) -> bytes:
    save_settings(path, OTHER)
    return path.read_bytes()


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 3],
    "wrong types": lambda data: data.replace(b"mesh_opacity=0.3", b"mesh_opacity=@Invalid()"),
    "a future version": lambda data: data.replace(b"version=1", b"version=2"),
    "another program's": lambda data: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_kept_aside_and_the_window_opens(
    live: Callable[..., Live], picture: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "pointhmr.ini"
    data = BROKEN[name](whole(path))
    path.write_bytes(data)
    os.utime(path, (0, time.time() + 5))  # Qt keeps what it wrote to a file of the same size and time.
    one = live()
    assert "pointhmr.bad" in one.banner and is_sentence(one.banner)
    assert (tmp_path / "pointhmr.bad").read_bytes() == data
    assert one.window.masking.hops == Settings().hops, "the defaults"
    one.goes_on(picture)
    one.window.close()
    assert load_settings(path)[1] == "", "the next start has good ones"
    one.window.show()


def test_wide_masks_outlive_the_time_before_the_model_is_there(qtbot: Any, tmp_path: Path) -> None:
    """As the program starts: the window is there before the mesh whose diameter bounds the masks."""
    path, wide = tmp_path / "pointhmr.ini", (20, 15, 12, None)
    save_settings(path, replace(OTHER, hops=wide))
    bridge = Bridge()
    worker = gui_fakes.FakeWorker(bridge, gui_fakes.record())
    window = MainWindow(worker, bridge, settings_path=path)
    window.warmup.start = lambda: None  # type: ignore[method-assign]
    assert window.masking.hops == wide
    with qtbot.waitSignal(bridge.model_ready):
        bridge.on_model(gui_fakes.model_info())
    assert window.masking.hops == wide
    window.close()
    assert load_settings(path)[0].hops == wide
    window.deleteLater()


def test_it_is_told_though_a_source_opens_at_once(qtbot: Any, tmp_path: Path) -> None:
    """As the program starts: on its clip."""
    path = tmp_path / "pointhmr.ini"
    path.write_bytes(b"\xff")
    bridge = Bridge()
    worker = gui_fakes.FakeWorker(bridge, gui_fakes.record())
    window = MainWindow(worker, bridge, gui_fakes.model_info(), settings_path=path)
    window.warmup.start = lambda: None  # type: ignore[method-assign]
    window.show()
    window.start("fake.mp4")
    qtbot.waitUntil(lambda: window.record is not None)
    banner = window.parts.banner
    assert banner.isVisible() and "pointhmr.bad" in banner.text.text()
    for fault in ("It is not there.", "It is still not there."):
        bridge.on_status(Status(WorkerState.FAULTED, fault))
        qtbot.waitUntil(lambda told=fault: banner.text.text().endswith(told))
        assert "pointhmr.bad" in banner.text.text()
    assert "It is not there." not in banner.text.text(), "the last one only"
    qtbot.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    banner.say("News.")
    assert banner.text.text() == "News.", "what was dismissed does not come back"
    window.close()
    window.deleteLater()


@pytest.mark.fault(17)
def test_it_is_told_beside_the_offer_of_a_recording_that_was_not_saved(qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "pointhmr.ini").write_bytes(b"\xff")
    recorder = Recorder(Made("m"), tmp_path / "recordings")
    recorder.add(gui_fakes.record())
    recorder.close()
    bridge = Bridge()
    worker = gui_fakes.FakeWorker(bridge, gui_fakes.record())
    window = MainWindow(worker, bridge, gui_fakes.model_info(), settings_path=tmp_path / "pointhmr.ini")
    window.warmup.start = lambda: None  # type: ignore[method-assign]
    window.recording.recordings = tmp_path / "recordings"
    window.show()
    window.start("fake.mp4")
    window.recording.offer_unfinished()
    banner = window.parts.banner
    qtbot.waitUntil(lambda: "was not saved" in banner.text.text())
    assert banner.isVisible() and "pointhmr.bad" in banner.text.text()
    banner.say("The model is slow here.")
    assert "was not saved" in banner.text.text() and banner.text.text().endswith("slow here.")
    assert [button.text() for button in banner.buttons] == ["Open", "Discard"]
    qtbot.mouseClick(banner.buttons[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not list((tmp_path / "recordings").glob("*")))
    assert not banner.isVisible()
    window.close()
    window.deleteLater()


def test_a_file_that_nobody_may_read_is_one_sentence(
    qapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pointhmr.ini"
    whole(path)

    def denied(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(Path, "read_bytes", denied)
    monkeypatch.setattr("app.gui.settings.os.replace", denied)
    settings, sentence = load_settings(path)
    assert settings == Settings() and is_sentence(sentence)


def test_two_windows_keep_what_each_of_them_changed(qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "pointhmr.ini"
    whole(path)

    def window() -> MainWindow:
        bridge = Bridge()
        worker = gui_fakes.FakeWorker(bridge, gui_fakes.record())
        one = MainWindow(worker, bridge, gui_fakes.model_info(), settings_path=path)
        one.warmup.start = lambda: None  # type: ignore[method-assign]
        return one

    first, second = window(), window()
    first.masking.set_hops((2, 2, 2, 2))
    second.themes.choose("dark")
    second.settings.last_folder = "/second"
    first.close()
    second.close()
    kept, complaint = load_settings(path)
    assert not complaint
    assert kept.hops == (2, 2, 2, 2), "of the first window, although the second one closed later"
    assert kept.theme == "dark" and kept.last_folder == "/second"
    assert kept.pins == OTHER.pins, "of neither"
    for one in (first, second):
        one.deleteLater()


def test_for_the_same_setting_the_last_window_counts(qapp: Any, tmp_path: Path) -> None:
    path = tmp_path / "pointhmr.ini"
    whole(path)
    before, _ = load_settings(path)
    save_settings(path, replace(before, theme="dark"), before)
    save_settings(path, replace(before, theme="system"), before)
    assert load_settings(path)[0] == replace(OTHER, theme="system")


def test_no_two_states_share_the_time_by_which_qt_knows_them(qapp: Any, tmp_path: Path) -> None:
    """Though the clock is coarse, or was set back: the file's time is ahead of it here."""
    path = tmp_path / "pointhmr.ini"
    whole(path)
    ahead = time.time() + 3600
    os.utime(path, (ahead, ahead))
    times = [path.stat().st_mtime_ns // 1_000_000]
    for folder in "abc":
        save_settings(path, replace(OTHER, last_folder=folder))
        times.append(path.stat().st_mtime_ns // 1_000_000)
        assert load_settings(path)[0].last_folder == folder
    assert times == sorted(set(times))


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from app.gui.settings import load_settings, save_settings
path, name, values = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split()
for value in values * 30:
    before, complaint = load_settings(path)
    assert not complaint, complaint
    save_settings(path, replace(before, **{name: value}), before)
"""


def test_two_programs_that_write_at_once_never_see_half_a_file(qapp: Any, tmp_path: Path) -> None:
    path = tmp_path / "pointhmr.ini"
    whole(path)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, values])
        for name, values in (("last_folder", "/a /b"), ("colour_map", "Viridis Magma"))
    ]
    while any(writer.poll() is None for writer in writers):
        assert load_settings(path)[1] == ""
    assert [writer.wait() for writer in writers] == [0, 0]
    kept, _ = load_settings(path)
    assert kept == replace(OTHER, last_folder="/b", colour_map="Magma")
    assert not (tmp_path / "pointhmr.bad").exists()
