"""The log: kept, rotated, shared by two windows, no reason to stop. The report: no pictures, no names."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTimer, qWarning
from PySide6.QtWidgets import QFileDialog

from app.gui.alarm import Alarm
from app.gui.report_job import source_kind, window_facts
from app.log import KEPT, NAME, SharedLog, log_files
from app.report import report_text, scrub, write_report
from model.errors import UserError
from tests.app import gui_fakes

ROOT = Path(__file__).resolve().parents[2]


def record(text: str, line: int = 1) -> logging.LogRecord:
    return logging.LogRecord("test", logging.WARNING, __file__, line, text, None, None)


def test_a_full_log_is_put_aside_and_the_oldest_dropped(tmp_path: Path) -> None:
    log = SharedLog(tmp_path / NAME, most_bytes=1000)
    for number in range(400):
        log.emit(record(f"{number:04} " + 60 * "x", number))
    log.emit(record("0400", 400))
    files = log_files(tmp_path)
    assert [file.name for file in files] == [NAME, *(f"{NAME}.{n}" for n in range(1, KEPT + 1))]
    assert all(file.stat().st_size < 1200 for file in files)
    assert "0400" in files[0].read_text()
    lines = "".join(file.read_text() for file in reversed(files)).splitlines()
    assert lines == sorted(lines) and len(lines) > 45


WRITER = """
import logging, sys
from logging import LogRecord
from pathlib import Path
from app.log import SharedLog
log = SharedLog(Path(sys.argv[1]), most_bytes=20_000)
for number in range(300):
    text = f"{sys.argv[2]}{number:04}" + 40 * "x"
    log.emit(LogRecord("t", logging.WARNING, "f", number, text, None, None))
"""


def test_two_programs_lose_nothing_and_mix_no_lines(tmp_path: Path) -> None:
    path = tmp_path / NAME
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = "".join(file.read_text() for file in log_files(tmp_path)).splitlines()
    assert sorted(lines) == sorted(f"{name}{n:04}" + 40 * "x" for name in "ab" for n in range(300))


def test_the_same_line_over_and_over_is_left_out_after_a_while(tmp_path: Path) -> None:
    log = SharedLog(tmp_path / NAME)
    for _ in range(1000):
        log.emit(record("every frame"))
    log.emit(record("another", 2))
    lines = (tmp_path / NAME).read_text().splitlines()
    assert len(lines) == 21 and lines[-1] == "another"


def test_a_disk_that_takes_no_log_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    SharedLog(tmp_path / "file" / NAME).emit(record("lost"))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("frame 3 of /home/ada/Videos/my holiday.mp4 failed", ["ada", "Videos", "holiday"]),
        ("frame 3 of holiday.mp4", ["holiday"]),
        ("C:\\Users\\Ada\\Desktop\\me.jpg cannot be read", ["Ada", "Desktop", "me."]),
        (f"{Path.home()}/secret/weights.bin is damaged", ["secret", "weights."]),
        (f"{ROOT}-of-ada/secret/weights.bin is damaged", ["secret", "weights.", "ada"]),
        (f"{Path.home()}-of-ada/secret/weights.bin is damaged", ["secret", "weights.", "ada"]),
        ("/mnt/disk/family/ cannot be written: full", ["family", "disk"]),
    ],
)
def test_nobodys_files_are_named(text: str, hidden: list[str]) -> None:
    clean = scrub(text)
    assert not [word for word in hidden if word in clean], clean


def test_what_mends_a_fault_stays() -> None:
    trace = (
        f'  File "{ROOT}/app/pipeline/session.py", line 12, in turn\n'
        f'  File "{sys.prefix}/lib/python3.11/site-packages/torch/nn/modules/module.py", line 9, in _call\n'
        "RuntimeError: shapes 1/2 do not fit: 3 x 4"
    )
    clean = scrub(trace)
    assert '"<program>/app/pipeline/session.py", line 12' in clean
    assert '"<python>/lib/python3.11/site-packages/torch/nn/modules/module.py", line 9' in clean
    assert "shapes 1/2 do not fit: 3 x 4" in clean


def test_a_report_has_versions_facts_and_the_last_errors(tmp_path: Path) -> None:
    SharedLog(tmp_path / NAME).emit(record("odd masks in /home/ada/x.mp4"))
    path = tmp_path / "report.zip"
    write_report(path, {"state": "running", "banner": "Saved /home/ada/me.obj"}, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [NAME, "report.txt"]
        report, log = (archive.read(name).decode() for name in ("report.txt", NAME))
    assert "torch 2" in report and "CUDA: " in report and "Python 3" in report and "state: running" in report
    assert "odd masks" in log and "ada" not in log + report
    with pytest.raises(UserError):
        write_report(path / "below a file.zip", {})


def test_a_report_is_text_of_one_line_a_fact() -> None:
    assert all(": " in line for line in report_text({"a": "b"}).splitlines())


def test_the_kind_of_a_source_and_not_its_name(tmp_path: Path) -> None:
    kinds = [source_kind(spec) for spec in (None, "camera:1", tmp_path, tmp_path / "me.mp4")]
    assert kinds == ["none", "camera:1", "a folder", "a file .mp4"]


# The window


@pytest.fixture
def alarm(qtbot: Any) -> Iterator[Alarm]:
    one = Alarm()
    with qtbot.captureExceptions():
        one.install()
        yield one
        one.remove()


def test_what_nobody_caught_is_one_sentence_and_the_window_lives(
    make_window: Any, qtbot: Any, alarm: Alarm, caplog: pytest.LogCaptureFixture
) -> None:
    window = make_window()
    alarm.raised.connect(window.parts.banner.say)

    def slot() -> None:
        raise ValueError("odd slot")

    QTimer.singleShot(0, slot)
    qtbot.waitUntil(lambda: "odd slot" in window.parts.banner.text.text())
    assert window.parts.banner.isVisible() and "\n" not in window.parts.banner.text.text()

    def work() -> None:
        raise RuntimeError("odd thread")

    thread = threading.Thread(target=work, name="worker bee")
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: "odd thread" in window.parts.banner.text.text())
    qWarning("odd widget")
    assert {"odd slot", "odd thread"} <= {str(r.exc_info[1]) for r in caplog.records if r.exc_info}
    assert "worker bee" in caplog.text and "odd widget" in caplog.text
    window.start("fake.mp4")
    qtbot.waitUntil(lambda: window.record is not None)


def test_help_saves_a_report(make_window: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "mine.zip"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window = make_window()
    window.start("fake.mp4")
    qtbot.waitUntil(lambda: window.record is not None)
    window.commands.report.trigger()
    qtbot.waitUntil(lambda: "mine.zip" in window.parts.banner.text.text(), timeout=20_000)
    with zipfile.ZipFile(path) as archive:
        text = archive.read("report.txt").decode()
    assert "model: body-lite" in text and "source: a file .mp4" in text and "fake.mp4" not in text
    assert not [name for name in zipfile.ZipFile(path).namelist() if not name.endswith((".txt", ".log"))]


def test_a_report_of_a_window_does_not_tell_what_the_source_is_called(shown, qtbot):
    window = shown()
    window.open_source("/home/anna/Anna Schmidt birthday.mp4")
    shown_one = gui_fakes.record()
    named = replace(shown_one.frame, source="/home/anna/Anna Schmidt birthday.mp4")
    qtbot.wait(300)  # The line is told a few times a second only.
    window.bridge.record_arrived.emit(replace(shown_one, frame=named))
    window.parts.banner.say("Anna Schmidt birthday.mp4 cannot be read.")
    qtbot.waitUntil(lambda: "Anna" in window.parts.status.message.text())
    told = report_text(window_facts(window))
    assert "Anna" not in told and "cannot be read" in told
