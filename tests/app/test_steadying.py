"""The switch and the strength of live smoothing in the window."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.gui.settings import load_settings


def asked(window) -> list[float]:
    return [value for name, value in window.worker.calls if name == "smoothing"]


def test_smoothing_is_on_at_first_and_the_switch_takes_it_off(shown, qtbot):
    window = shown()
    window.steadying.tell()
    assert asked(window)[-1] == 1.0
    qtbot.mouseClick(window.steadying.switch, Qt.MouseButton.LeftButton)
    assert asked(window)[-1] == 0.0
    assert not window.steadying.strength.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert asked(window)[-1] == 1.0 and window.steadying.strength.isEnabled()


def test_the_strength_goes_to_the_worker_and_is_remembered(shown):
    window = shown()
    window.steadying.strength.setValue(40)
    assert asked(window)[-1] == 0.4
    window.steadying.switch.click()
    window.close()
    kept, complaint = load_settings(window._settings_path)
    assert (kept.steady, kept.steadiness, complaint) == (False, 0.4, "")
