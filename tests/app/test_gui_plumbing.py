"""Bridge, settings and the screenshot."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from app.gui.bridge import Bridge
from app.gui.screenshot import take_screenshot
from app.gui.settings import Settings, load_settings, save_settings
from app.gui.status_line import StatusLine
from app.pipeline.worker import Status, WorkerState
from model.errors import UserError
from tests.app import gui_fakes


def test_only_the_newest_record_reaches_a_slow_window(qtbot) -> None:
    bridge = Bridge()
    seen: list[int] = []
    bridge.record_arrived.connect(lambda record: seen.append(record.frame.index))
    records = [gui_fakes.record(people=(), index=i) for i in range(200)]
    sender = threading.Thread(target=lambda: [bridge.on_record(r) for r in records])
    sender.start()
    sender.join()
    assert seen == [], "nothing is shown on the worker's thread"
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [199]
    bridge.on_record(records[3])
    qtbot.waitUntil(lambda: seen == [199, 3])


def test_states_arrive_in_order_on_the_gui_thread(qtbot) -> None:
    bridge = Bridge()
    seen: list[tuple[WorkerState, bool]] = []
    gui = threading.get_ident()
    bridge.status_changed.connect(lambda s: seen.append((s.state, threading.get_ident() == gui)))
    states = [WorkerState.OPENING, WorkerState.RUNNING, WorkerState.ENDED]
    sender = threading.Thread(target=lambda: [bridge.on_status(Status(s)) for s in states])
    sender.start()
    sender.join()
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert seen == [(s, True) for s in states]


def test_settings_survive_a_round_trip(qapp, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "pointhmr.ini"
    kept = Settings(theme="light", pins=(5, 7), hops=(None, 5, 3, 1), geometry=b"\x00\x01=;", show_heat=False)
    kept.last_folder = "/tmp/fö ö, bar=1"
    save_settings(path, kept)
    assert load_settings(path) == (kept, "")


@pytest.mark.parametrize("pins", [None, (), (3,)])
def test_no_pins_and_default_pins_are_different(qapp, tmp_path: Path, pins) -> None:
    save_settings(tmp_path / "a.ini", Settings(pins=pins))
    assert load_settings(tmp_path / "a.ini")[0].pins == pins


@pytest.mark.parametrize(
    "text",
    [
        "[General]\nversion=99\n",
        "[General]\nversion=1\nhops=7 5 3\n",
        "[General]\nversion=1\nhops=0 5 3 1\n",
        "[General]\nversion=1\nhops=7 5 3 100000000000\n",
        "[General]\nversion=1\nmesh_opacity=nan\n",
        "[General]\nversion=1\ngeometry=half\n",
        "[General]\nversion=1\nshow_mesh=perhaps\n",
        "\x00\xff\xfe garbage",
        "",
    ],
)
def test_a_broken_file_is_kept_aside(qapp, tmp_path: Path, text: str) -> None:
    path = tmp_path / "pointhmr.ini"
    path.write_bytes(text.encode("latin1"))
    settings, sentence = load_settings(path)
    assert settings == Settings()
    assert "pointhmr.bad" in sentence
    assert not path.exists()
    assert (tmp_path / "pointhmr.bad").read_bytes() == text.encode("latin1")


def test_a_folder_that_cannot_be_written_stops_nothing(qapp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    save_settings(tmp_path / "file" / "pointhmr.ini", Settings())
    assert (tmp_path / "file").is_file()


def test_the_rate_counts_shown_records(qtbot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_status(Status(WorkerState.RUNNING))
    for k in range(40):
        line.set_record(gui_fakes.record(people=()), 12.0, now=k / 20)
    assert line.rate.text() == "20 fps"
    assert "draw 12 ms" in line.latency.text()
    line.set_status(Status(WorkerState.PAUSED))
    assert line.rate.text() == ""


def test_a_narrow_line_shortens_its_message_and_none_of_its_numbers(qtbot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    record = gui_fakes.record(people=())
    slow = dict.fromkeys(("grab", "detect", "encode", "regress"), 12345.0)
    line.set_status(Status(WorkerState.PAUSED))
    line.set_record(replace(record, frame=replace(record.frame, source="n" * 80), timings=slow), 1234.0)
    line.resize(900, line.sizeHint().height())
    line.show()
    qtbot.waitExposed(line)
    assert line.minimumSizeHint().width() <= 900
    for part in (line.model, line.latency):
        assert part.width() >= part.sizeHint().width()
        assert line.rect().contains(part.geometry())
    assert line.message.shown().endswith("…") and line.message.text().startswith(line.message.shown()[:-1])
    line.message.grab()
    assert line.message.toolTip() == line.message.text()
    line.set_record(record, 1.0)
    line.message.grab()
    assert line.message.shown() == line.message.text() and not line.message.toolTip()


def test_a_screenshot_has_the_size_asked_for_and_shows_the_pins(make_window, tmp_path: Path) -> None:
    window = make_window()
    window.start("fake.mp4")
    output = tmp_path / "shot.png"
    take_screenshot(window, output, (1100, 700), select=(10, 20), timeout=30)
    image = QImage(str(output))
    assert (image.width(), image.height()) == (1100, 700)
    assert window.pins.vertices == (10, 20)
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".png"] == ["shot.png"]


def test_a_screenshot_of_a_broken_source_or_vertex_is_a_sentence(make_window, tmp_path: Path) -> None:
    broken = make_window(fault="broken.mp4 is not a video.")
    broken.start("broken.mp4")
    with pytest.raises(UserError, match="not a video"):
        take_screenshot(broken, tmp_path / "a.png", timeout=30)
    window = make_window()
    window.start("fake.mp4")
    with pytest.raises(UserError, match="no vertex 9999"):
        take_screenshot(window, tmp_path / "b.png", select=(9999,), timeout=30)


def test_a_picture_is_made_smaller_once_whatever_is_drawn_over_it(shown, monkeypatch):
    window = shown()
    view, record = window.parts.image.view, window.record
    view.grab()
    monkeypatch.setattr("app.gui.overlay.picture_of", lambda picture: pytest.fail("the same picture again"))
    view.set_record(replace(record, hops=(1, 1, 1, 1)), None)
    view.grab()
    monkeypatch.undo()
    other = replace(record, frame=replace(record.frame, image=255 - record.frame.image))
    before = view.grab().toImage()
    view.set_record(other, None)
    assert view.grab().toImage() != before


def test_qt_calls_give_none_back(qapp) -> None:
    """PySide6 6.12.0 takes one reference of None away with each call on Python 3.11: a crash in seconds."""
    image = QImage(8, 8, QImage.Format.Format_ARGB32)
    before = sys.getrefcount(None)
    for _ in range(1000):
        image.fill(0)
    assert sys.getrefcount(None) > before - 500
