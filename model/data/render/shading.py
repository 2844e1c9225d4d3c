"""Colour of every pixel that shows a triangle: albedo, folds, ambient light, sun, highlight."""

from __future__ import annotations

import numpy as np

from model.data.render.compiled import compiled
from model.data.render.light import Lamp, ambient_light, sunlit
from model.data.render.soup import (
    BLOTCHES,
    BLUE,
    BLUE2,
    CHECKS,
    DOTS,
    DYE,
    FOLD,
    FOLD_SIZE,
    GLOSS,
    GREEN,
    GREEN2,
    PATTERN,
    PERIOD,
    POWER,
    PRINT,
    RED,
    RED2,
    RINGS,
    STRIPES,
    TEXTURE,
    WOOD,
    WRAP,
    Soup,
)
from model.data.render.textures import LEVELS, SIDE, sample_texture

GRID = 32
NOISE = np.random.default_rng(11).standard_normal((GRID, GRID, GRID)).astype(np.float32)
SHOULDER = 0.22  # |x| on the resting body beyond which cloth belongs to a sleeve
BUMP = 0.01  # metres above the surface from which shadows are looked up
SAME_SURFACE = 0.012  # relative difference of depth between samples that share their colour
BRIGHTEST = 3.0  # a sun on wet eyes would outshine its whole pixel
TAPS = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.6, 0.6), (-0.6, 0.6), (0.6, -0.6), (-0.6, -0.6))


@compiled
def noise_at(x: float, y: float, z: float) -> float:
    """Smooth solid noise of unit variance or less, with grains of size 1."""
    ix, iy, iz = np.floor(x), np.floor(y), np.floor(z)
    fx, fy, fz = x - ix, y - iy, z - iz
    i, j, k = int(ix), int(iy), int(iz)
    total = 0.0
    for a in range(2):
        wa = fx if a else 1 - fx
        for b in range(2):
            wb = fy if b else 1 - fy
            for c in range(2):
                wc = fz if c else 1 - fz
                total += wa * wb * wc * NOISE[(i + a) & 31, (j + b) & 31, (k + c) & 31]
    return total


@compiled
def pattern_at(kind: int, period: float, x: float, y: float, z: float) -> float:
    """Share of the second colour at a resting place, in [0, 1]."""
    along = y if abs(x) < SHOULDER else SHOULDER - abs(x)
    across = x + 0.6 * z if abs(x) < SHOULDER else y + 0.6 * z
    s, t = along / period, across / period
    s, t = s - np.floor(s), t - np.floor(t)
    if kind == RINGS:
        return 1.0 if s < 0.4 else 0.0
    if kind == STRIPES:
        return 1.0 if t < 0.3 else 0.0
    if kind == CHECKS:
        return 0.5 * (1.0 if s < 0.5 else 0.0) + 0.5 * (1.0 if t < 0.5 else 0.0)
    if kind == DOTS:
        return 1.0 if (s - 0.5) ** 2 + (t - 0.5) ** 2 < 0.06 else 0.0
    if kind == BLOTCHES:
        return min(max(noise_at(x / period, y / period, z / period) * 3 + 0.5, 0.0), 1.0)
    if kind == PRINT:
        inside = abs(x) < 0.085 and 0.16 < y < 0.34 and z > 0.0
        return 1.0 if inside and noise_at(x / 0.022, y / 0.03, 5.0) > -0.1 else 0.0
    if kind == WOOD:
        return min(max(0.5 + 0.5 * np.sin(19 * (s + 0.1 * noise_at(x * 3, y * 12, z * 3))), 0.0), 1.0)
    return 0.0


@compiled
def _texture_level(soup: Soup, face: int, pixels_per_metre: float) -> int:
    """The texture level whose texels are about as large as pixels."""
    points, (a, b, c) = soup.points, (soup.faces[face, 0], soup.faces[face, 1], soup.faces[face, 2])
    ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
    ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
    vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    area = np.sqrt(nx * nx + ny * ny + nz * nz) * pixels_per_metre**2 + 1e-9
    uv = soup.uv[face]
    su, sv, tu, tv = uv[1, 0] - uv[0, 0], uv[1, 1] - uv[0, 1], uv[2, 0] - uv[0, 0], uv[2, 1] - uv[0, 1]
    texels = abs(su * tv - tu * sv) * SIDE * SIDE + 1e-9
    return int(min(max(0.5 * np.log2(texels / area) + 0.5, 0.0), LEVELS - 1.0))


@compiled
def _albedo(
    soup: Soup, textures: np.ndarray, face: int, bary: tuple, rest: tuple, pixels_per_metre: float
) -> tuple[float, float, float]:
    row = soup.materials[soup.material[face]]
    red, green, blue = row[RED], row[GREEN], row[BLUE]
    shade = 1.0
    if row[TEXTURE] >= 0:
        uv = soup.uv[face]
        u = bary[0] * uv[0, 0] + bary[1] * uv[1, 0] + bary[2] * uv[2, 0]
        v = bary[0] * uv[0, 1] + bary[1] * uv[1, 1] + bary[2] * uv[2, 1]
        level = _texture_level(soup, face, pixels_per_metre)
        texel = sample_texture(textures[int(row[TEXTURE])], level, u, v)
        if row[DYE] > 0:
            shade = (0.2126 * texel[0] + 0.7152 * texel[1] + 0.0722 * texel[2]) / row[DYE]
            red, green, blue = red * shade, green * shade, blue * shade
        else:
            red, green, blue = red * texel[0], green * texel[1], blue * texel[2]
    kind = int(row[PATTERN])
    if kind > 0:
        share = pattern_at(kind, row[PERIOD], rest[0], rest[1], rest[2])
        if kind != BLOTCHES and kind != PRINT:  # finer than pixels: even
            blend = min(max(row[PERIOD] * pixels_per_metre / 3 - 0.6, 0.0), 1.0)
            share = 0.35 + blend * (share - 0.35)
        red += share * (row[RED2] * shade - red)
        green += share * (row[GREEN2] * shade - green)
        blue += share * (row[BLUE2] * shade - blue)
    return min(red, 0.92), min(green, 0.92), min(blue, 0.92)


@compiled
def _blend(values: np.ndarray, corners: np.ndarray, bary: tuple) -> tuple[float, float, float]:
    a, b, c = corners[0], corners[1], corners[2]
    return (
        bary[0] * values[a, 0] + bary[1] * values[b, 0] + bary[2] * values[c, 0],
        bary[0] * values[a, 1] + bary[1] * values[b, 1] + bary[2] * values[c, 1],
        bary[0] * values[a, 2] + bary[1] * values[b, 2] + bary[2] * values[c, 2],
    )


@compiled
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = np.sqrt(x * x + y * y + z * z) + 1e-9
    return x / length, y / length, z / length


@compiled
def _folded(normal: tuple, rest: tuple, depth: float, size: float) -> tuple[float, float, float]:
    """A normal bent as folds do, which hang: long along y, short across."""
    x, y, z = rest[0] / size, rest[1] / (2.2 * size), rest[2] / size
    return _unit(
        normal[0] + depth * noise_at(x, y, z),
        normal[1] + 0.6 * depth * noise_at(x + 7.3, y + 3.1, z),
        normal[2] + depth * noise_at(x + 3.7, y + 11.9, z + 5.5),
    )


@compiled
def openness(nearest: np.ndarray, focal: float, radius: float) -> np.ndarray:
    """(s/2, s/2) share of ambient light that nearby surfaces in the picture leave, in [0.35, 1]."""
    size = len(nearest)
    result = np.ones((size // 2, size // 2), np.float32)
    for y in range(0, size - 1, 2):
        for x in range(0, size - 1, 2):
            if nearest[y, x] <= 0:
                continue
            z = 1 / nearest[y, x]
            reach = radius * focal / z
            hidden = 0.0
            for tap in TAPS:
                for ring in (0.45, 1.0):
                    column, row = int(x + tap[0] * ring * reach), int(y + tap[1] * ring * reach)
                    if 0 <= column < size and 0 <= row < size and nearest[row, column] > 0:
                        step = z - 1 / nearest[row, column]
                        if step < 3 * radius:
                            hidden += min(max((step - 0.15 * radius) / radius, 0.0), 1.0)
            result[y // 2, x // 2] = max(1 - hidden / 10, 0.35)
    return result


@compiled
def shade(
    soup: Soup,
    normals: np.ndarray,
    textures: np.ndarray,
    lamp: Lamp,
    eye: np.ndarray,
    focal: float,
    index: np.ndarray,
    bary: np.ndarray,
    nearest: np.ndarray,
    ambient_share: np.ndarray,
) -> np.ndarray:
    """(s/2, s/2, 4) premultiplied linear radiance and cover. eye: (3,) camera in the world; focal: of s.

    Samples of one pixel that lie on one surface are shaded once.
    """
    size = len(index) // 2
    image = np.zeros((size, size, 4), np.float32)
    for y in range(size):
        for x in range(size):
            seen, depth, red, green, blue = -1, 0.0, 0.0, 0.0, 0.0
            for sample in range(4):
                row, column = 2 * y + sample // 2, 2 * x + sample % 2
                face, z = index[row, column], nearest[row, column]
                if face < 0:
                    continue
                if soup.material[face] != seen or abs(z - depth) > SAME_SURFACE * z:
                    b1, b2 = bary[row, column, 0], bary[row, column, 1]
                    place = (1 - b1 - b2, b1, b2)
                    red, green, blue = _radiance(
                        soup, normals, textures, lamp, eye, face, place, ambient_share[y, x], 0.5 * focal * z
                    )
                    seen, depth = soup.material[face], z
                image[y, x, 0] += 0.25 * min(red, BRIGHTEST)
                image[y, x, 1] += 0.25 * min(green, BRIGHTEST)
                image[y, x, 2] += 0.25 * min(blue, BRIGHTEST)
                image[y, x, 3] += 0.25
    return image


@compiled
def _highlight(normal: tuple, view: tuple, towards: np.ndarray, gloss: float, power: float) -> float:
    """Blinn's lobe between the eye and the sun."""
    hx, hy, hz = _unit(view[0] + towards[0], view[1] + towards[1], view[2] + towards[2])
    aligned = max(normal[0] * hx + normal[1] * hy + normal[2] * hz, 0.0)
    return gloss * aligned**power * (power + 8) / (8 * np.pi)


@compiled
def _radiance(
    soup: Soup,
    normals: np.ndarray,
    textures: np.ndarray,
    lamp: Lamp,
    eye: np.ndarray,
    face: int,
    place: tuple,
    open_share: float,
    zoom: float,
) -> tuple[float, float, float]:
    """Light that leaves a place on a face towards the eye; zoom: pixels per metre there."""
    row = soup.materials[soup.material[face]]
    corners = soup.faces[face]
    px, py, pz = _blend(soup.points, corners, place)
    rest = _blend(soup.rest, corners, place)
    normal = _blend(normals, corners, place)
    normal = _unit(normal[0], normal[1], normal[2])
    view = _unit(eye[0] - px, eye[1] - py, eye[2] - pz)
    facing = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    if facing < -0.15:
        normal = (-normal[0], -normal[1], -normal[2])
    if row[FOLD] > 0:
        normal = _folded(normal, rest, row[FOLD], row[FOLD_SIZE])
    albedo = _albedo(soup, textures, face, place, rest, zoom)
    ambient = ambient_light(lamp, normal[0], normal[1], normal[2])
    towards = lamp.towards
    cosine = normal[0] * towards[0] + normal[1] * towards[1] + normal[2] * towards[2]
    lit = max((cosine + row[WRAP]) / (1 + row[WRAP]), 0.0)
    shine = 0.0
    if lit > 0:
        lit *= sunlit(lamp, px + BUMP * normal[0], py + BUMP * normal[1], pz + BUMP * normal[2])
        shine = lit * _highlight(normal, view, towards, row[GLOSS], row[POWER])
    return (
        albedo[0] / np.pi * (open_share * ambient[0] + lit * lamp.colour[0]) + shine * lamp.colour[0],
        albedo[1] / np.pi * (open_share * ambient[1] + lit * lamp.colour[1]) + shine * lamp.colour[1],
        albedo[2] / np.pi * (open_share * ambient[2] + lit * lamp.colour[2]) + shine * lamp.colour[2],
    )
