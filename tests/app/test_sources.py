"""Sources: every odd file is either read or refused with one clear sentence."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from app.pipeline import pictures
from app.pipeline.pictures import as_rgb, header_size
from app.pipeline.sources import (
    CameraSource,
    FolderSource,
    FrameError,
    ImageSource,
    SourceError,
    VideoSource,
    camera_index,
    open_source,
)
from model.cv import cv2
from model.errors import UserError

RED = (200, 30, 10)


def picture(width: int = 24, height: int = 16) -> np.ndarray:
    """BGR: red, but for a blue left top quarter."""
    image = np.full((height, width, 3), RED[::-1], np.uint8)
    image[: height // 2, : width // 2] = (220, 0, 0)
    return image


def write(path: Path, image: np.ndarray, *options: int) -> Path:
    done, data = cv2.imencode(path.suffix, image, list(options))
    assert done
    path.write_bytes(data.tobytes())
    return path


def is_red(rgb: np.ndarray, tolerance: int = 12) -> bool:
    return bool((np.abs(rgb.astype(int) - RED) <= tolerance).all())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at 25 fps; frame i has the grey value 6 i."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    for i in range(40):
        writer.write(np.full((48, 64, 3), 6 * i, np.uint8))
    writer.release()
    return path


def number(image: np.ndarray) -> int:
    return round(float(image.mean()) / 6)


# Pictures


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff", ".gif", ".ppm"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"ünï cødé 人{suffix}", picture())
    assert header_size(path.read_bytes()) == (24, 16)
    source = open_source(path)
    frame = source.read()
    assert isinstance(source, ImageSource) and frame is not None
    assert frame.image.shape == (16, 24, 3) and frame.image.dtype == np.uint8
    assert is_red(frame.image[10:, 16:].mean((0, 1)), 25)
    assert frame.source == str(path)
    assert source.read() is None
    source.seek(0)
    assert source.read() is not None


@pytest.mark.fault(7)
@pytest.mark.parametrize("value, expected", [(0, 0), (65535, 255), (0x8000, 128)])
def test_sixteen_bits_and_grey(tmp_path: Path, value: int, expected: int) -> None:
    path = write(tmp_path / "deep.png", np.full((5, 4), value, np.uint16))
    assert (pictures.read_picture(path) == expected).all()


def test_alpha_is_laid_on_white(tmp_path: Path) -> None:
    image = np.dstack([picture(), np.full((16, 24), 255, np.uint8)])
    image[:, 12:, 3] = 0
    seen = pictures.read_picture(write(tmp_path / "alpha.png", image))
    assert (seen[:, 12:] == 255).all() and is_red(seen[8:, :12], 0)


@pytest.mark.fault(7)
def test_exif_turns_the_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "phone.jpg", picture(32, 16), cv2.IMWRITE_JPEG_QUALITY, 100)
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)  # 6: turn by 90 degrees clockwise
    exif = b"Exif\0\0" + tiff
    plain = path.read_bytes()
    path.write_bytes(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:])
    seen = pictures.read_picture(path)
    assert seen.shape == (32, 16, 3)
    assert seen[4, 12, 2] > 150, "the blue quarter went from left top to right top"


@pytest.mark.fault(7)
def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = Path(__file__).parents[1] / "fixtures" / "cmyk.jpg"
    seen = pictures.read_picture(path)
    assert seen.shape == (16, 16, 3)
    assert seen[..., 0].mean() > 150 > 60 > seen[..., 2].mean(), "it is red, not its negative"


@pytest.mark.fault(4)
def test_float_pictures_with_holes(tmp_path: Path) -> None:
    image = np.full((6, 6, 3), 0.5, np.float32)
    image[0] = np.nan
    image[1] = np.inf
    seen = pictures.read_picture(write(tmp_path / "float.tiff", image))
    assert (seen[0] == 0).all() and (seen[1] == 255).all() and (np.abs(seen[2:].astype(int) - 127) <= 1).all()


@pytest.mark.fault(4)
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.int16])
def test_whatever_a_camera_sends_becomes_rgb(shape: tuple[int, ...], dtype: type) -> None:
    rgb = as_rgb(np.ones(shape, dtype))
    assert rgb.shape == (4, 5, 3) and rgb.dtype == np.uint8 and rgb.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 5, 2), (4,), (1, 4, 5, 3)])
def test_no_picture_at_all(shape: tuple[int, ...]) -> None:
    with pytest.raises(SourceError):
        as_rgb(np.zeros(shape, np.uint8))


@pytest.mark.fault(7)
def test_one_pixel(tmp_path: Path) -> None:
    assert pictures.read_picture(write(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))).shape == (
        1,
        1,
        3,
    )


@pytest.mark.fault(7)
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10000)))
    )
    monkeypatch.setattr(pictures, "_decode", lambda data: pytest.fail("decoded"))
    with pytest.raises(SourceError, match="20000 x 20000"):
        open_source(path)


BROKEN = {
    "text.png": b"hello, I am a text file\n" * 9,
    "text.mp4": b"hello, I am a text file\n" * 9,
    "empty.jpg": b"",
    "empty.mp4": b"",
    "cut.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02",
    "head.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "junk.mp4": b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4,
    "zeros.tiff": b"II*\0" + bytes(40),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_say_so_in_one_sentence(tmp_path: Path, name: str, capfd: pytest.CaptureFixture) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(SourceError) as caught:
        open_source(path)
    text = str(caught.value)
    assert isinstance(caught.value, UserError)
    assert name in text and "\n" not in text and text.endswith(".")
    assert capfd.readouterr().err == "", "nothing but our sentence"


@pytest.mark.parametrize("spec", ["no/such/file.mp4", "https://example.org/a.mp4", "nul\0byte.png"])
def test_missing_files(spec: str) -> None:
    with pytest.raises(SourceError):
        open_source(spec)


# Folders


def test_folder_in_natural_order_over_a_broken_picture(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "1.png"):
        write(tmp_path / name, picture())
    (tmp_path / "2.PNG").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(tmp_path)
    assert isinstance(source, FolderSource) and source.length == 4
    names, failed = [], 0
    while True:
        try:
            frame = source.read()
        except FrameError as error:
            assert "2.PNG" in str(error)
            failed += 1
            continue
        if frame is None:
            break
        names.append((frame.index, Path(frame.source).name))
    assert names == [(0, "1.png"), (2, "9.png"), (3, "10.png")] and failed == 1
    source.seek(2)
    again = source.read()
    assert again is not None and again.index == 2


def test_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path)


# Videos


def test_video_from_start_to_end(clip: Path) -> None:
    source = open_source(clip)
    assert isinstance(source, VideoSource) and source.fps == 25 and source.length == 40
    frames = list(iter(source.read, None))
    assert [frame.index for frame in frames] == list(range(40)) == [number(frame.image) for frame in frames]
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(40) / 25, atol=0.002)
    source.close()
    source.close()


@pytest.mark.parametrize("path", [[30, 3, 4, 5, 39, 0, 0, 20], [0, 1, 1, 0], [39, 38, 37], [5, 5, 12, 11]])
def test_video_seeks_exactly(clip: Path, path: list[int]) -> None:
    source = VideoSource(clip)
    for index in path:
        source.seek(index)
        frame = source.read()
        assert frame is not None and (frame.index, number(frame.image)) == (index, index)
        assert frame.time == pytest.approx(index / 25, abs=0.002)
    source.close()


def test_video_seek_behind_the_end_is_the_last_frame(clip: Path) -> None:
    source = VideoSource(clip)
    source.seek(10**9)
    frame = source.read()
    assert frame is not None and frame.index == 39
    source.close()


@pytest.mark.fault(6)
def test_truncated_video_plays_as_far_as_it_goes(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.avi"
    data = clip.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = open_source(path)
    frames = list(iter(source.read, None))
    assert 0 < len(frames) < 40 and source.length == len(frames)
    source.seek(0)
    assert source.read() is not None
    source.close()


class LyingCapture:
    """A video of three frames whose header says what it likes."""

    def __init__(self, fps: float, count: float, stamp: float = 0.0) -> None:
        self.answers = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count, cv2.CAP_PROP_POS_MSEC: stamp}
        self.left = 3

    def get(self, what: int) -> float:
        return self.answers.get(what, 0.0)

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, picture()) if self.left >= 0 else (False, None)

    def release(self) -> None:
        """Nothing is held."""


@pytest.mark.fault(6)
@pytest.mark.parametrize("fps", [0.0, 1000.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("count", [-9e18, 52e6, 0.0, float("nan")])
def test_insane_headers(clip: Path, monkeypatch: pytest.MonkeyPatch, fps: float, count: float) -> None:
    monkeypatch.setattr(VideoSource, "_open", lambda self: LyingCapture(fps, count, stamp=-5e12))
    source = VideoSource(clip)
    assert source.fps == 30.0 and source.length is None
    times = [frame.time for frame in iter(source.read, None)]
    np.testing.assert_allclose(times, [0, 1 / 30, 2 / 30])
    assert source.length == 3


@pytest.mark.fault(7)
def test_animated_gif_is_a_video_and_a_still_one_a_picture(tmp_path: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((20, 30, 3), value, np.uint8) for value in (0, 100, 200)]
    animation.durations = [40, 40, 40]
    path = tmp_path / "moving.gif"
    assert cv2.imwriteanimation(str(path), animation)
    source = open_source(path)
    assert isinstance(source, VideoSource)
    assert len(list(iter(source.read, None))) == 3
    source.close()
    assert isinstance(open_source(write(tmp_path / "still.gif", picture())), ImageSource)


# Cameras


class Capture:
    """A cv2.VideoCapture that returns these answers, then fails for ever."""

    def __init__(self, answers: list[np.ndarray | None], opened: bool = True) -> None:
        self.answers = iter(answers)
        self.opened = opened
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        image = next(self.answers, None)
        return image is not None, image

    def release(self) -> None:
        self.released = True


def test_camera_survives_changes_and_a_hiccup_and_tells_its_end() -> None:
    noisy = np.full((4, 4, 3), np.nan, np.float32)
    capture = Capture([picture(), None, picture(8, 8)[..., 0], np.ones((4, 4), np.uint16), noisy])
    camera = CameraSource(1, open_capture=lambda index: capture)
    frames = [camera.read() for _ in range(4)]
    assert [frame.image.shape for frame in frames if frame] == [(16, 24, 3), (8, 8, 3), (4, 4, 3), (4, 4, 3)]
    assert [frame.index for frame in frames if frame] == [0, 1, 2, 3]
    with pytest.raises(SourceError, match="disconnected"):
        camera.read()
    with pytest.raises(SourceError):
        camera.seek(0)
    camera.close()
    assert capture.released


def test_camera_that_is_not_there() -> None:
    with pytest.raises(SourceError, match=r"camera 987|Camera 987"):
        CameraSource(987, open_capture=lambda index: Capture([], opened=False))


def test_camera_names() -> None:
    assert [camera_index(spec) for spec in ("camera", "camera:0", "camera:12")] == [0, 0, 12]
    assert [camera_index(spec) for spec in ("camera:", "camera:x", "my camera", Path("a.mp4"))] == [None] * 4


# OpenCV


@pytest.mark.parametrize("before", [None, "/usr/lib/qt6"])
def test_opencv_leaves_qt_alone(before: str | None) -> None:
    names = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
    code = f"import os, model.cv; print([os.environ.get(name) for name in {names}])"
    environment = {"PYTHONPATH": ".", "PATH": ""} | (dict.fromkeys(names, before) if before else {})
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([before, before])
