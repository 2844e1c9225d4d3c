"""Colours that people and rooms have: mostly calm, now and then a bright one. All linear RGB."""

from __future__ import annotations

import numpy as np

from model.data.render.soup import BLOTCHES, CHECKS, DOTS, PLAIN, PRINT, RINGS, STRIPES, material
from model.data.render.textures import decoded

CLOTH = (
    *((22, 22, 24), (34, 35, 38), (58, 60, 63), (96, 98, 101), (150, 151, 152), (205, 205, 202)),
    *((236, 235, 230), (232, 226, 212), (24, 31, 52), (38, 52, 84), (62, 84, 120), (110, 136, 166)),
    *((164, 186, 208), (196, 178, 146), (150, 124, 92), (96, 70, 50), (62, 46, 38), (84, 86, 62)),
    *((58, 70, 54), (110, 120, 96), (96, 30, 38), (140, 54, 50), (180, 98, 76), (198, 160, 84)),
    *((120, 92, 110), (196, 160, 164), (44, 92, 92), (92, 140, 132)),
)
"""sRGB."""
DENIM = ((30, 40, 62), (46, 62, 92), (78, 100, 132), (122, 144, 170), (28, 29, 34))
LEATHER = ((24, 22, 21), (44, 34, 28), (84, 60, 42), (200, 198, 194), (120, 118, 116), (38, 46, 66))
HAIR = (
    (18, 15, 13),
    (32, 24, 19),
    (52, 37, 27),
    (84, 58, 38),
    (128, 92, 58),
    (176, 140, 92),
    (120, 116, 112),
)
WALL = (
    *((232, 229, 222), (222, 214, 200), (206, 208, 206), (188, 196, 200), (214, 204, 188), (176, 180, 170)),
    *((150, 160, 168), (196, 182, 164), (120, 126, 124), (214, 218, 222), (168, 146, 124), (96, 104, 112)),
)
FLOOR = (
    *((150, 118, 84), (112, 82, 56), (186, 156, 118), (84, 64, 48), (140, 136, 130), (176, 172, 166)),
    *((96, 94, 92), (120, 110, 100), (70, 76, 88), (130, 60, 52)),
)
FURNITURE = (
    *((140, 104, 68), (92, 64, 42), (60, 44, 34), (196, 170, 130), (230, 228, 224), (40, 40, 42)),
    *((90, 96, 104), (120, 70, 54), (70, 84, 78), (176, 160, 140)),
)


def pick(rng: np.random.Generator, palette: tuple, spread: float = 0.12) -> np.ndarray:
    """(3,) a colour near one of a palette."""
    colour = decoded(np.array(palette[rng.integers(len(palette))], np.uint8))
    colour = colour * np.exp(rng.normal(0, spread)) * np.exp(rng.normal(0, spread / 4, 3))
    return np.clip(colour, 0.008, 0.85)


def cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) calm in nine cases of ten, else any hue at moderate saturation."""
    if rng.random() < 0.9:
        return pick(rng, CLOTH)
    colour = decoded(rng.integers(30, 215, 3).astype(np.uint8))
    return 0.75 * colour + 0.25 * colour.mean()


def cloth(
    rng: np.random.Generator,
    *,
    colour: np.ndarray | None = None,
    texture: int = -1,
    dye: float = 0.0,
    clipped: bool = False,
    print_share: float = 0.0,
    plain: float = 0.6,
) -> np.ndarray:
    """A fabric: plain, with a pattern, or (print_share) with a print on the chest."""
    colour = cloth_colour(rng) if colour is None else colour
    pattern, period, second = PLAIN, 0.05, colour
    draw = rng.random()
    if draw < print_share:
        pattern, second = PRINT, cloth_colour(rng)
    elif draw > plain:
        pattern = int(rng.choice([RINGS, STRIPES, CHECKS, DOTS, BLOTCHES], p=[0.33, 0.22, 0.27, 0.1, 0.08]))
        period = float(np.exp(rng.uniform(np.log(0.018), np.log(0.09))))
        second = cloth_colour(rng) if rng.random() < 0.7 else colour * rng.uniform(0.4, 1.8)
    return material(
        colour,
        texture=texture,
        dye=dye,
        clipped=clipped,
        second=np.clip(second, 0, 0.85),
        pattern=pattern,
        period=period,
        gloss=(float(rng.choice([0.005, 0.015, 0.04])), float(rng.uniform(5, 14))),
        fold=float(rng.uniform(0.12, 0.5)),
        fold_size=float(rng.uniform(0.05, 0.14)),
    )


def denim(rng: np.random.Generator, *, clipped: bool) -> np.ndarray:
    """Jeans."""
    return cloth(rng, colour=pick(rng, DENIM), clipped=clipped, plain=1.0)
