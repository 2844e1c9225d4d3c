"""From radiance to a photograph: motion, focus, exposure, colour, noise, compression."""

from __future__ import annotations

import numpy as np

from model.cv import cv2
from model.data.render.lighting import LUMINANCE


def develop(
    radiance: np.ndarray, rng: np.random.Generator, grain: np.random.Generator | None = None
) -> np.ndarray:
    """(s, s, 3) linear float32 -> sRGB uint8 as some camera would have recorded it.

    grain: draws the noise alone, so that one camera's pictures can differ by that; None: `rng` does.
    """
    image = radiance
    if rng.random() < 0.12:
        image = cv2.filter2D(image, -1, _streak(rng))
    image = image * np.float32(np.exp(rng.normal(0, 0.2)))
    image = cv2.transform(image, _colour_matrix(rng))
    image = _encoded(image)
    image = _resampled(image, rng)
    contrast, offset = np.exp(rng.normal(0, 0.08)), rng.normal(0, 0.02)
    image = (image - 0.5) * np.float32(contrast) + np.float32(0.5 + offset)
    if rng.random() < 0.7:
        image = image + _noise(image.shape, rng, rng if grain is None else grain)
    result = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(35, 95))
        _, data = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, quality])
        result = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return result


def _encoded(linear: np.ndarray) -> np.ndarray:
    """sRGB with a soft shoulder: highlights above 0.7 are pressed together instead of cut."""
    clear = np.maximum(linear, 0)
    pressed = np.where(clear > 0.7, 0.7 + 0.3 * np.tanh((clear - 0.7) / 0.6), clear)
    return cv2.pow(pressed.astype(np.float32), 1 / 2.2)


def _colour_matrix(rng: np.random.Generator) -> np.ndarray:
    """(3, 3) float32 white balance and saturation; now and then black and white."""
    saturation = 0.0 if rng.random() < 0.04 else rng.uniform(0.7, 1.1)
    matrix = saturation * np.eye(3) + (1 - saturation) * LUMINANCE
    warmth = rng.normal(0, 0.06)
    balance = np.exp([warmth, rng.normal(0, 0.015), -warmth])
    return (matrix * balance[:, None] if saturation else matrix).astype(np.float32)


def _streak(rng: np.random.Generator) -> np.ndarray:
    """A short line as a kernel: the camera moved."""
    side = 2 * int(rng.integers(2, 5)) + 1
    kernel = np.zeros((side, side), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (side // 2)
    ends = np.round([side // 2 - reach, side // 2 + reach]).astype(int).tolist()
    cv2.line(kernel, ends[0], ends[1], 1.0, 1)
    return kernel / kernel.sum()


def _resampled(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, enlarged from fewer pixels, or sharpened."""
    draw, size = rng.random(), len(image)
    if draw < 0.25:
        return cv2.GaussianBlur(image, (0, 0), float(np.exp(rng.uniform(np.log(0.4), np.log(1.6)))))
    if draw < 0.42:
        small = int(size * rng.uniform(0.35, 0.8))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    if draw < 0.6:
        return image + np.float32(rng.uniform(0.2, 0.8)) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    return image


def _noise(shape: tuple[int, ...], rng: np.random.Generator, grain: np.random.Generator) -> np.ndarray:
    sigma = np.float32(np.exp(rng.uniform(np.log(0.004), np.log(0.04))))
    channels = 1 if rng.random() < 0.3 else 3
    noise = grain.standard_normal((*shape[:2], channels), dtype=np.float32)
    if rng.random() < 0.4:
        return cv2.GaussianBlur(noise, (0, 0), 0.8).reshape(noise.shape) * (2 * sigma)
    return noise * sigma
