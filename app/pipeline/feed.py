"""The thread that opens sources and empties cameras, and that may be left behind.

Opening and reading a device can block for ever inside a driver. So both happen here, on a daemon thread
that nobody waits for: who owns a feed only looks at it, and a feed that hangs is abandoned. It alone closes
what it has opened and not handed over.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from app.pipeline.frames import Frame
from app.pipeline.sources import FrameError, Source, SourceError

_log = logging.getLogger(__name__)
Opener = Callable[[str | Path], Source]


class Feed:
    """One source on its way: opening, then handed over (a file) or read here (a live one).

    Holds the newest frame only: whoever takes it late misses the older ones.
    """

    def __init__(self, spec: str | Path, opener: Opener, wake: Callable[[], None]) -> None:
        self.spec = spec
        self.source: Source | None = None
        self.error: str | None = None
        """Set once the source could not be opened or read on."""
        self.last_arrival = time.monotonic()
        self.last_change = time.monotonic()
        """When a frame came that was not the same as the one before, to the last bit."""
        self._opener = opener
        self._wake = wake
        self._newest: Frame | None = None
        self._digest = 0
        self._stopped = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="pointhmr-feed", daemon=True)
        self._thread.start()

    def take(self) -> Frame | None:
        """The newest frame, once."""
        with self._lock:
            frame, self._newest = self._newest, None
        return frame

    def stop(self, patience: float = 0.3) -> None:
        """Ends the thread, or abandons it if it hangs for longer than `patience` seconds."""
        with self._lock:
            self._stopped = True
            handed_over = self.source is not None and not self.source.live
        if handed_over and self.source is not None:
            self.source.close()
        self._thread.join(patience)
        if self._thread.is_alive():
            _log.warning("%s does not answer; its thread is left behind", self.spec)

    def _run(self) -> None:
        try:
            source = self._opener(self.spec)
            with self._lock:
                stopped = self._stopped
                self.source = source
            if stopped:
                source.close()
            elif source.live:
                self._pump(source)
        except SourceError as error:
            self.error = str(error)
        except Exception as error:
            _log.exception("feed of %s", self.spec)
            self.error = f"{self.spec} failed: {error}."
        self._wake()

    def _pump(self, source: Source) -> None:
        self.last_arrival = self.last_change = time.monotonic()
        self._wake()
        try:
            while not self._stopped:
                self._pump_one(source)
        finally:
            source.close()

    def _pump_one(self, source: Source) -> None:
        try:
            frame = source.read()
        except FrameError as error:
            _log.warning("%s", error)
            return
        if frame is None:
            raise SourceError(f"The {source.name} has ended.")
        self.last_arrival = time.monotonic()
        digest = zlib.crc32(frame.image[::8, ::8].tobytes())
        if digest != self._digest:
            self._digest, self.last_change = digest, self.last_arrival
        with self._lock:
            self._newest = frame
        self._wake()
