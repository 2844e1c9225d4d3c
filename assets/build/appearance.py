"""Make the appearance that ships: `python -m assets.build.appearance APPEARANCE`; seconds.

APPEARANCE is the full folder: MakeHuman's garments and hair (CC0) as .obj and .mhclo with their textures,
and panoramas (CC0, Poly Haven / Greg Zaal) as .exr with `_ldr.jpg` beside. Nothing is left out: meshes are
put on a 16-bit grid (0.01 mm), textures and panoramas get the renderer's own size, of the HDR pictures only
the light stays that the renderer takes from them.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

import assets
from model.cv import cv2
from model.data.render.basemesh import BaseMesh
from model.data.render.compact import write_arrays
from model.data.render.library import made_panoramas, made_patterns
from model.data.render.textures import SIDE
from model.paths import write_atomically

TEXTURE_QUALITY, PANORAMA_QUALITY = 88, 90
"""Of WebP."""


def main() -> None:
    """Read, reduce, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("appearance", type=Path)
    parser.add_argument("--output", type=Path, default=assets.APPEARANCE)
    options = parser.parse_args()
    patterns = made_patterns(options.appearance, BaseMesh.shipped().vertices)
    pictures, lights = made_panoramas(options.appearance)
    places = [path.stem for path in sorted((options.appearance / "panoramas").glob("*.exr"))]
    write_arrays(options.output, patterns, places, lights.astype(np.float32))
    for pattern in patterns:
        if pattern.texture is not None:
            texture = cv2.cvtColor(_reduced(pattern.texture), cv2.COLOR_RGBA2BGRA)
            name = Path(pattern.name).name
            _write(options.output / "textures" / f"{name}.webp", texture, TEXTURE_QUALITY)
    for place, picture in zip(places, pictures, strict=True):
        shown = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        _write(options.output / "panoramas" / f"{place}.webp", shown, PANORAMA_QUALITY)
    files = [path for path in options.output.rglob("*") if path.is_file()]
    print(f"{options.output}: {len(patterns)} garments, {len(places)} panoramas,", end=" ")
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes")


def _reduced(texture: np.ndarray) -> np.ndarray:
    """At the size of the renderer's finest level."""
    way = cv2.INTER_AREA if len(texture) >= SIDE else cv2.INTER_LINEAR
    return cv2.resize(texture, (SIDE, SIDE), interpolation=way)


def _write(path: Path, picture: np.ndarray, quality: int) -> None:
    settings = [cv2.IMWRITE_WEBP_QUALITY, quality]
    write_atomically(path, partial(_encode, picture, settings))


def _encode(picture: np.ndarray, settings: list[int], path: Path) -> None:
    if not cv2.imwrite(str(path), picture, settings):
        raise OSError("WebP cannot be written here")


if __name__ == "__main__":
    main()
