"""Video files, whose headers lie about rate and length more often than one would think."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from app.pipeline.frames import Frame
from app.pipeline.pictures import SourceError, as_rgb
from model.cv import cv2

_DEFAULT_FPS = 30.0
_SANE_FPS = (1.0, 240.0)
_MOST_FRAMES = 10_000_000
_NEAR = 90
"""A jump forward of up to this many frames is decoded through, which is exact; a longer one is a seek."""


class VideoSource:
    """A video file. Frame numbers and times survive headers that lie about rate and length."""

    live = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._capture = self._open()
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._honest = _SANE_FPS[0] <= fps <= _SANE_FPS[1]
        self.fps: float | None = fps if self._honest else _DEFAULT_FPS
        count = float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        most = min(_MOST_FRAMES, path.stat().st_size)  # a frame has at least a byte
        self.length: int | None = int(count) if math.isfinite(count) and 1 <= count <= most else None
        self._next = 0
        self._time = -math.inf
        self._pending: np.ndarray | None = self._grab_image()
        if self._pending is None:
            self.close()
            raise SourceError(f"{path} holds no frame that can be read.")

    def read(self) -> Frame | None:
        """The next frame; None at the end, where `length` becomes what was really there."""
        image, self._pending = self._pending, None
        if image is None:
            image = self._grab_image()
        if image is None:
            self.length = self._next
            return None
        frame = Frame(as_rgb(image), self._next, self._frame_time(), self.name)
        self._next += 1
        return frame

    def seek(self, index: int) -> None:
        """Makes frame `index` (or the last one, if it lies behind the end) the next one."""
        index = max(0, index if self.length is None else min(index, self.length - 1))
        ahead = index - self._next
        if ahead == 0:
            return
        if self._pending is not None:
            self._pending, self._next, ahead = None, self._next + 1, ahead - 1
        self._time = -math.inf
        if not 0 <= ahead <= _NEAR and not self._jump(index):
            self._capture.release()
            self._capture = self._open()
            self._next = 0
        while self._next < index and self._capture.grab():
            self._next += 1

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()

    def _open(self) -> Any:
        try:
            capture = cv2.VideoCapture(str(self._path))
            if capture.isOpened():
                return capture
        except cv2.error as error:
            raise SourceError(f"{self._path} cannot be read as a video: {error.err}.") from error
        raise SourceError(f"{self._path} is neither a picture nor a video that can be read.")

    def _jump(self, index: int) -> bool:
        """Lets the decoder seek; False where it did not land."""
        landed = self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        if landed and int(self._capture.get(cv2.CAP_PROP_POS_FRAMES)) == index:
            self._next = index
            return True
        return False

    def _grab_image(self) -> np.ndarray | None:
        try:
            good, image = self._capture.read()
        except cv2.error as error:
            raise SourceError(f"{self.name} cannot be read on: {error.err}.") from error
        return image if good and image is not None and image.size else None

    def _frame_time(self) -> float:
        """The decoder's time stamp where it makes sense (variable rates), else number / rate."""
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        even = self._next / (self.fps or _DEFAULT_FPS)
        sane = self._honest and stamp > self._time and abs(stamp - even) <= 1.0 + even
        self._time = stamp if sane else max(even, self._time)
        return self._time
