"""Where frames come from: a camera, a video, a picture, a folder of pictures.

A source is used by one thread at a time. Pictures reach the outside as (H, W, 3) uint8 RGB only.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from app.pipeline.frames import Frame
from app.pipeline.pictures import SUFFIXES, FrameError, SourceError, as_rgb, header_size, read_picture
from app.pipeline.video import VideoSource
from model.cv import cv2

__all__ = [
    "CameraSource",
    "FolderSource",
    "FrameError",
    "ImageSource",
    "Source",
    "SourceError",
    "VideoSource",
    "camera_index",
    "open_source",
]

FOLDER_FPS = 1.0
"""Pictures of a folder pass at this pace when they are played."""
_CAMERA_PATIENCE = 0.5


class Source(Protocol):
    """A stream of frames."""

    name: str
    live: bool
    """Frames come when they come and cannot be sought."""
    length: int | None
    """Number of frames; None if it is not known (yet)."""
    fps: float | None
    """Pace in frames per second; None for a camera or a single picture."""

    def read(self) -> Frame | None:
        """The next frame; None at the end. Raises SourceError."""

    def seek(self, index: int) -> None:
        """Makes frame `index` the next one. Not for live sources."""

    def close(self) -> None:
        """Gives the device or file back. May be called twice."""


def open_source(spec: str | Path) -> Source:
    """A path, "camera" or "camera:1" -> the source.

    What a file is, is told by its content, not its name.

    Raises:
        SourceError: nothing there, or nothing that can be read.
    """
    index = camera_index(spec)
    if index is not None:
        return CameraSource(index)
    path = Path(spec)
    try:
        if path.is_dir():
            return FolderSource(path)
        with path.open("rb") as file:
            head = file.read(65536)
    except FileNotFoundError as error:
        raise SourceError(f"There is no file or folder {path}.") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be opened: {error}.") from error
    if not head:
        raise SourceError(f"{path} is empty.")
    moving = head.startswith(b"GIF8") and cv2.imcount(str(path)) > 1
    looks_still = header_size(head) is not None or path.suffix.lower() in SUFFIXES
    return ImageSource(path) if looks_still and not moving else VideoSource(path)


def camera_index(spec: str | Path) -> int | None:
    """0 of "camera", 1 of "camera:1", None of anything else."""
    match = re.fullmatch(r"camera(?::(\d{1,3}))?", str(spec))
    return int(match[1] or 0) if match else None


class CameraSource:
    """A camera of this machine, by number. Its `read` may block: call it on a thread you can do without."""

    live = True
    length: int | None = None

    def __init__(self, index: int = 0, open_capture: Callable[[int], Any] = cv2.VideoCapture) -> None:
        self.name = f"camera {index}"
        try:
            self._capture = open_capture(index)
            opened = bool(self._capture.isOpened())
        except cv2.error as error:
            raise SourceError(f"Camera {index} could not be opened: {error.err}.") from error
        if not opened:
            raise SourceError(_why_no_camera(index))
        self.fps: float | None = None
        self._index = 0
        self._start = time.monotonic()

    def read(self) -> Frame | None:
        """The next frame; waits for it. Raises SourceError if none has come for 0.5 s."""
        deadline = time.monotonic() + _CAMERA_PATIENCE
        while True:
            try:
                good, image = self._capture.read()
            except cv2.error as error:
                raise SourceError(f"The {self.name} failed: {error.err}.") from error
            if good and image is not None and image.size:
                break
            if time.monotonic() > deadline:
                raise SourceError(f"The {self.name} is disconnected.")
            time.sleep(0.02)
        frame = Frame(as_rgb(image), self._index, time.monotonic() - self._start, self.name)
        self._index += 1
        return frame

    def seek(self, index: int) -> None:
        """A camera has no past."""
        raise SourceError(f"The {self.name} is live and cannot be wound.")

    def close(self) -> None:
        """Releases the device."""
        self._capture.release()


class ImageSource:
    """One picture."""

    live = False
    length: int | None = 1
    fps: float | None = None

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._image = read_picture(path)
        self._next = 0

    def read(self) -> Frame | None:
        """The picture, once."""
        if self._next > 0:
            return None
        self._next = 1
        return Frame(self._image, 0, 0.0, self.name)

    def seek(self, index: int) -> None:
        """There is but frame 0."""
        self._next = 0

    def close(self) -> None:
        """Nothing is held."""


class FolderSource:
    """The pictures of a folder in the order a person counts them (2 before 10)."""

    live = False
    fps: float | None = FOLDER_FPS

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        try:
            files = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()]
        except OSError as error:
            raise SourceError(f"The folder {path} cannot be read: {error.strerror}.") from error
        if not files:
            raise SourceError(f"The folder {path} holds no pictures.")
        self.paths = sorted(files, key=lambda file: _natural(file.name))
        self.length: int | None = len(self.paths)
        self._next = 0

    def read(self) -> Frame | None:
        """The next picture, named by its own path. Raises FrameError for one that is broken."""
        if self._next >= len(self.paths):
            return None
        index, path = self._next, self.paths[self._next]
        self._next += 1
        try:
            return Frame(read_picture(path), index, index / FOLDER_FPS, str(path))
        except SourceError as error:
            raise FrameError(str(error)) from error

    def seek(self, index: int) -> None:
        """Makes picture `index` the next one."""
        self._next = max(0, min(index, len(self.paths) - 1))

    def close(self) -> None:
        """Nothing is held."""


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which numbers count as numbers."""
    parts = re.findall(r"(\d+)|(\D+)", name.casefold())
    return [(int(number), "") if number else (sys.maxsize, text) for number, text in parts]


def _why_no_camera(index: int) -> str:
    """On Linux the device file tells absent from denied, which OpenCV does not."""
    device = Path(f"/dev/video{index}")
    if sys.platform.startswith("linux"):
        if not device.exists():
            return f"There is no camera {index} on this machine."
        if not os.access(device, os.R_OK | os.W_OK):
            return f"You have no permission for camera {index} ({device})."
        return f"Camera {index} could not be opened; perhaps another program is using it."
    return f"Camera {index} could not be opened: it is absent, in use by another program, or denied."
