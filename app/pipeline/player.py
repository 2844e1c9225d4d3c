"""The pace of a file: frames when they are due, the late ones left out."""

from __future__ import annotations

import time

from app.pipeline.frames import Frame
from app.pipeline.sources import FrameError, Source

_FAST = 0.2
"""Frames further apart than this (seconds) are pictures to look at: none is ever left out."""
_MOST_BEHIND = 1.0
"""Seconds that may be skipped at once; with more delay the clock is set back instead."""


class FilePlayer:
    """Reads one frame ahead of its source and says when it is due. Times are those of `time.monotonic`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.grab_ms = 0.0
        """What reading the frame of the last `take` has cost."""
        self._held: Frame | None = None
        self._origin: float | None = None
        self._shown = 0.0
        """Time in the source of the frame that was shown last."""
        self._before: int | None = None
        """Sought on the way back: where this one is broken, the one before it is wanted."""
        self._cost = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next frame, or the end, is due; 0 on the first frame and when late."""
        frame = self._peek()
        if self._origin is None or self.source.fps is None:
            return 0.0
        due = self._shown + 1.0 / self.source.fps if frame is None else frame.time
        return max(0.0, self._origin + due - now)

    def take(self, now: float, *, every: bool = False) -> Frame | None:
        """The frame to show now; None at the end. `every`: late ones are not left out. Raises SourceError."""
        frame = self._peek()
        if frame is not None and self._origin is not None and self.source.fps is not None:
            late = now - self._origin - frame.time
            if not every:
                self._catch_up(frame, late)
                frame = self._peek()
            elif late > 1.0 / self.source.fps:
                self._origin = None
        self._held = None
        self.grab_ms, self._cost = self._cost, 0.0
        return frame

    def shown(self, frame: Frame, now: float) -> None:
        """Tells that this frame is through; the first time after a jump the clock starts here."""
        if self._origin is None:
            self._origin = now - frame.time
        self._shown = frame.time

    def seek(self, index: int, *, back: bool = False) -> None:
        """Makes frame `index` the next one, due at once; `back`: if it is broken, the one before it."""
        self._before = index if back else None
        if self._held is None or self._held.index != index:
            self._held = None
            self.source.seek(index)
        self._origin = None

    def stop_clock(self) -> None:
        """The next frame is due at once, however long the break."""
        self._origin = None

    def _catch_up(self, frame: Frame, late: float) -> None:
        period = 1.0 / (self.source.fps or 1.0)
        if late <= period:
            return
        if period <= _FAST:
            target = frame.index + int(min(late, _MOST_BEHIND) / period)
            if self.source.length is not None:
                target = min(target, self.source.length - 1)
            if target > frame.index:
                self._held = None
                self.source.seek(target)
        if late > _MOST_BEHIND or period > _FAST:
            self._origin = None

    def _peek(self) -> Frame | None:
        if self._held is None:
            start = time.perf_counter()
            self._held = self._read()
            self._cost += (time.perf_counter() - start) * 1000.0
        return self._held

    def _read(self) -> Frame | None:
        try:
            frame = self.source.read()
        except FrameError:
            if self._before:
                self._before -= 1
                self.source.seek(self._before)
            raise
        self._before = None
        return frame
