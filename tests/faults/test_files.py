"""Faults 6 and 7: videos and pictures that are cut, lie, or are something else."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import assets
from app.pipeline.sources import VideoSource
from app.pipeline.worker import WorkerState
from model.cv import cv2
from tests.app.test_sources import LyingCapture
from tests.faults.harness import Live, is_sentence

Make = Callable[..., Live]
CLIP = assets.SAMPLES / "salsa.mp4"


def bomb() -> bytes:
    """A PNG of 20000 x 20000 in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10000)))


def png(shape: tuple[int, ...], dtype: type = np.uint8) -> bytes:
    """A grey picture of this shape."""
    done, data = cv2.imencode(".png", np.full(shape, 99, dtype))
    assert done
    return data.tobytes()


VIDEOS = {
    "empty.mp4": (b"", "is empty"),
    "text.mp4": (b"some words\n" * 99, "neither a picture nor a video"),
    "head.mp4": (CLIP.read_bytes()[:600], "neither"),
}
PICTURES = {
    "bomb.png": (bomb(), "20000 x 20000"),
    "text.jpg": (b"some words\n" * 99, "not a picture"),
    "cut.png": (png((9, 9))[:30], "broken"),
}


def refused(one: Live, path: Path, content: bytes, words: str) -> None:
    """The window tells it in one sentence."""
    path.write_bytes(content)
    one.open(path)
    one.wait_state(WorkerState.FAULTED)
    assert words in one.banner and path.name in one.banner and is_sentence(one.banner)


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", VIDEOS)
def test_what_is_no_video_is_one_sentence(live: Make, picture: Path, tmp_path: Path, name: str) -> None:
    one = live()
    refused(one, tmp_path / name, *VIDEOS[name])
    one.goes_on(picture)


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", PICTURES)
def test_what_is_no_picture_is_one_sentence(live: Make, picture: Path, tmp_path: Path, name: str) -> None:
    one = live()
    refused(one, tmp_path / name, *PICTURES[name])
    one.goes_on(picture)


@pytest.mark.fault(6)
def test_a_video_that_breaks_off_plays_as_far_as_it_goes(live: Make, picture: Path, tmp_path: Path) -> None:
    path = tmp_path / "whole.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 100, (64, 48))
    for shade in range(40):
        writer.write(np.full((48, 64, 3), 6 * shade, np.uint8))
    writer.release()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    one = live()
    one.open(cut)
    one.wait_state(WorkerState.ENDED)
    assert one.window.record is not None and 0 < one.window.record.frame.index < 39
    one.goes_on(picture)


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    ("fps", "count"), [(0.0, -9e18), (1000.0, 52e6)], ids=["no rate, no length", "1000 fps, 52 M frames"]
)
def test_a_header_that_lies_changes_nothing(
    live: Make, monkeypatch: pytest.MonkeyPatch, fps: float, count: float
) -> None:
    monkeypatch.setattr(VideoSource, "_open", lambda self: LyingCapture(fps, count))
    one = live()
    one.window.worker.set_every_frame(True)  # a busy machine leaves some out
    one.open(CLIP)
    one.wait_state(WorkerState.ENDED)
    assert one.window.record is not None and one.window.record.frame.index == 2
    assert not one.banner


class UnevenCapture(LyingCapture):
    """A video of three frames whose rate varies."""

    stamps = (0.0, 0.010, 0.500)

    def get(self, what: int) -> float:
        return 1000 * self.stamps[2 - self.left] if what == cv2.CAP_PROP_POS_MSEC else super().get(what)


@pytest.mark.fault(6)
def test_a_variable_frame_rate_keeps_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VideoSource, "_open", lambda self: UnevenCapture(30.0, 3.0))
    source = VideoSource(CLIP)
    assert [frame.time for frame in iter(source.read, None)] == pytest.approx(UnevenCapture.stamps)


CMYK = Path(__file__).parents[1] / "fixtures" / "cmyk.jpg"
SHOWN = {
    "dot.png": (png((1, 1, 3)), (1, 1)),
    "line.png": (png((1, 900, 3)), (1, 900)),
    "deep.png": (png((40, 50), np.uint16), (40, 50)),
    "cmyk.jpg": (CMYK.read_bytes(), (16, 16)),
    "ünï cødé 人.png": (png((30, 20, 3)), (30, 20)),
    "no ending": (png((30, 20, 3)), (30, 20)),
}


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", SHOWN)
def test_an_odd_picture_goes_through_the_whole_window(live: Make, tmp_path: Path, name: str) -> None:
    content, shape = SHOWN[name]
    path = tmp_path / name
    path.write_bytes(content)
    one = live()
    one.open(path)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)
    assert one.window.record is not None and one.window.record.frame.image.shape == (*shape, 3)
    assert not one.banner
    one.do(lambda: one.window.parts.image.view.grab())


@pytest.mark.fault(7)
def test_a_directory_is_its_pictures_or_a_sentence(live: Make, tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder in (empty, full):
        folder.mkdir()
    (full / "1.png").write_bytes(png((30, 20, 3)))
    (full / "2.png").write_bytes(b"broken")
    one = live()
    one.open(empty)
    one.wait_state(WorkerState.FAULTED)
    assert "holds no pictures" in one.banner and is_sentence(one.banner)
    one.open(full)
    one.wait_state(WorkerState.ENDED)
    assert one.window.record is not None and one.window.record.frame.source.endswith("1.png")
    assert any("2.png" in message for message in one.messages)
