"""OpenCV, without what its import does to everybody else in the process.

The wheel's `import cv2` points QT_QPA_PLATFORM_PLUGIN_PATH and QT_QPA_FONTDIR at a Qt of its own; PySide6
then finds no platform plugin and ends the program. So both are put back right after the import: the one
place where this program touches its environment, and the reason why everyone else writes
`from model.cv import cv2`. Its own lines on stderr, and FFmpeg's, are silenced, because a broken file is
reported as one sentence of ours; a user's setting goes before.
"""

from __future__ import annotations

import os

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

__all__ = ["cv2"]
