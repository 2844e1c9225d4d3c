"""One picture, whatever its format, as (H, W, 3) uint8 RGB.

The size is read from the file's header before anything is decoded, so that a small file which unpacks to
gigabytes is refused at no cost.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np

from model.cv import cv2
from model.errors import UserError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: three bytes each, several copies on the way, for a crop of 256 pixels."""
SUFFIXES = frozenset(
    "." + name
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "bmp", "dib", "gif", "webp", "avif"),
        *("tif", "tiff", "jp2", "pbm", "pgm", "ppm", "pnm"),
    )
)


class SourceError(UserError):
    """A source that cannot be opened or read on; the text is for the person at the keyboard."""


class FrameError(SourceError):
    """One frame cannot be read; the next `read` goes on with the one after it."""


def read_picture(path: Path) -> np.ndarray:
    """Picture file -> (H, W, 3) uint8 RGB, turned as its EXIF says; of a GIF the first frame.

    Raises:
        SourceError: missing, unreadable, not a picture, broken, or of `MAX_PIXELS` and more.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}.") from error
    size = header_size(data)
    if size is None:
        raise SourceError(f"{path} is not a picture in a format that this program knows.")
    if size[0] * size[1] >= MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise SourceError(f"{path} has {size[0]} x {size[1]} pixels; {limit} megapixels are too many.")
    image = _decode(np.frombuffer(data, np.uint8))
    if image is None:
        raise SourceError(f"{path} is a broken picture or in a variant that cannot be read.")
    return as_rgb(image)


def as_rgb(image: np.ndarray) -> np.ndarray:
    """What OpenCV hands out -> contiguous (H, W, 3) uint8 RGB.

    Takes (H, W), (H, W, 1), BGR and BGRA (laid on white), of 8 or 16 bits or float (0..1, or 0..255 if any
    value is above 1); NaN and infinity become black and white.

    Raises:
        SourceError: no picture at all, or another number of channels.
    """
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.size == 0 or image.shape[2] not in (1, 3, 4):
        raise SourceError(f"A picture of shape {image.shape} cannot be shown.")
    image = _as_uint8(image)
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.uint16)
        image = ((image[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(image[..., ::-1])


def header_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) that the header of a picture file promises; None if the format is unknown."""
    try:
        return _header_size(data)
    except (struct.error, IndexError):
        return None


def _as_uint8(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return (image >> 8).astype(np.uint8)
    floats = np.nan_to_num(image.astype(np.float32), nan=0.0, posinf=255.0, neginf=0.0)
    if np.issubdtype(image.dtype, np.floating) and floats[np.isfinite(image)].max(initial=0.0) <= 1.0:
        floats = floats * 255.0
    return np.clip(floats, 0.0, 255.0).astype(np.uint8)


def _decode(data: np.ndarray) -> np.ndarray | None:
    """The bytes as OpenCV decodes them, alpha kept if there is any; None if it cannot."""
    colour = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        if data[:2].tobytes() != b"\xff\xd8":  # a JPEG has no alpha
            image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if image is not None and image.ndim == 3 and image.shape[2] == 4:
                return image
        image = cv2.imdecode(data, colour)
        return image if image is not None else cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        return None


def _header_size(data: bytes) -> tuple[int, int] | None:
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _pair(">II", data, 16)
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _pair("<HH", data, 6)
    if data[:2] == b"BM":
        width, height = _pair("<ii", data, 18)
        return abs(width), abs(height)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff_size(data)
    if data[4:8] == b"ftyp" and b"avi" in data[8:32]:
        return _boxed_size(data, b"ispe", 4)
    if data[4:8] == b"jP  ":
        width_first = _boxed_size(data, b"ihdr", 0)
        return width_first and (width_first[1], width_first[0])
    text = re.match(rb"P[1-6](?:\s+#[^\n]*)*\s+(\d+)(?:\s+#[^\n]*)*\s+(\d+)", data[:512])
    return (int(text[1]), int(text[2])) if text else None


def _pair(layout: str, data: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, offset)
    return first, second


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Size in the first start-of-frame segment (SOF0..15 but DHT, JPG and DAC)."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _pair(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    """Tags 256 and 257 of the first directory."""
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, directory)
    found: dict[int, int] = {}
    for at in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, kind = _pair(order + "HH", data, at)
        if tag in (256, 257):
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 8)
    return (found[256], found[257]) if len(found) == 2 else None


def _boxed_size(data: bytes, name: bytes, skip: int) -> tuple[int, int] | None:
    """The two big-endian numbers behind the first ISO box of this name."""
    at = data.find(name, 0, 65536)
    return None if at < 0 else _pair(">II", data, at + 4 + skip)
