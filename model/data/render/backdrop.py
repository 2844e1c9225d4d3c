"""What lies behind a person: a panorama with shadows on its ground, or a room; numba, a pixel at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.cv import cv2
from model.data.render.camera import View
from model.data.render.compiled import compiled
from model.data.render.light import Lamp, ambient_light, sunlit
from model.data.render.shading import noise_at, pattern_at
from model.data.render.soup import Soup
from model.data.render.textures import LINEAR

CELLS = 96
REACH = 1.8  # metres round the person in which the ground is darkened
KNEE_HIGH = 0.7  # metres above the ground up to which things darken it
FLAT, WINDOW, SHELF, PICTURE = range(4)
FLOOR, CEILING = 2, 3  # of the sides 2 * axis + (1 at the high end)


class Ground(NamedTuple):
    """How much of the sky things on the ground y = 0 hide from it: cover (CELLS, CELLS) about middle (2,)."""

    cover: np.ndarray
    middle: np.ndarray


class Room(NamedTuple):
    """A box with its own axes, turned about the vertical; colours are linear RGB."""

    low: np.ndarray
    high: np.ndarray
    """(3,) corners in the room's axes; low[1] is 0."""
    turn: np.ndarray
    """(2,) cosine and sine of its turn."""
    colours: np.ndarray
    """(5, 3): floor, its second colour, walls, ceiling, skirting."""
    floor: np.ndarray
    """(2,) pattern and period."""
    decorations: np.ndarray
    """(K, 12): wall, u0, u1, v0, v1, kind, colour, second colour."""


def ground_below(soup: Soup) -> Ground:
    """Gather what stands on or close above the ground."""
    low = soup.points[soup.points[:, 1] < KNEE_HIGH]
    middle = (low if len(low) else soup.points)[:, [0, 2]].mean(axis=0)
    cover = np.zeros((CELLS, CELLS), np.float32)
    if len(low):
        cell = ((low[:, [0, 2]] - middle) / (2 * REACH) * CELLS + CELLS / 2).astype(np.int64)
        inside = ((cell >= 0) & (cell < CELLS)).all(axis=1)
        near = np.exp(-np.maximum(low[inside, 1], 0) / 0.16).astype(np.float32)
        np.maximum.at(cover, (cell[inside, 1], cell[inside, 0]), near)
        whole = cv2.dilate(cover, np.ones((3, 3), np.uint8))
        wide = cv2.GaussianBlur(whole, (0, 0), 6) * 1.4
        cover = np.minimum(0.5 * cv2.GaussianBlur(whole, (0, 0), 1.5) + wide, np.float32(0.9))
    return Ground(cover, middle.astype(np.float32))


@compiled
def _ray(view: View, column: int, row: int) -> tuple[float, float, float]:
    """Unit world direction through a pixel's centre."""
    x = (column + 0.5 - view.intrinsics[1]) / view.intrinsics[0]
    y = (row + 0.5 - view.intrinsics[2]) / view.intrinsics[0]
    r = view.rotation
    dx, dy, dz = x * r[0, 0] + y * r[1, 0] + r[2, 0], x * r[0, 1] + y * r[1, 1] + r[2, 1], 0.0
    dz = x * r[0, 2] + y * r[1, 2] + r[2, 2]
    length = np.sqrt(dx * dx + dy * dy + dz * dz)
    return dx / length, dy / length, dz / length


@compiled
def _covered(ground: Ground, x: float, z: float) -> float:
    """Hidden share of the sky at a place of the ground, bilinear."""
    column = (x - ground.middle[0]) / (2 * REACH) * CELLS + CELLS / 2 - 0.5
    row = (z - ground.middle[1]) / (2 * REACH) * CELLS + CELLS / 2 - 0.5
    if column < 0 or row < 0 or column >= CELLS - 1 or row >= CELLS - 1:
        return 0.0
    i, j = int(column), int(row)
    fx, fy = column - i, row - j
    top = ground.cover[j, i] * (1 - fx) + ground.cover[j, i + 1] * fx
    bottom = ground.cover[j + 1, i] * (1 - fx) + ground.cover[j + 1, i + 1] * fx
    return top * (1 - fy) + bottom * fy


@compiled
def _panorama_at(panorama: np.ndarray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Linear RGB along a unit direction; columns turn clockwise seen from above, -z is the first one."""
    height, width = panorama.shape[:2]
    column = (np.arctan2(x, -z) / (2 * np.pi)) % 1.0 * width - 0.5
    row = np.arccos(min(max(y, -1.0), 1.0)) / np.pi * height - 0.5
    i, j = int(np.floor(column)), int(np.floor(row))
    fx, fy = column - i, row - j
    red, green, blue = 0.0, 0.0, 0.0
    for b in range(2):
        for a in range(2):
            share = (fx if a else 1 - fx) * (fy if b else 1 - fy)
            texel = panorama[min(max(j + b, 0), height - 1), (i + a) % width]
            red += share * LINEAR[texel[0]]
            green += share * LINEAR[texel[1]]
            blue += share * LINEAR[texel[2]]
    return red, green, blue


@compiled
def panorama_behind(
    view: View, panorama: np.ndarray, gain: float, lamp: Lamp, ground: Ground, size: int
) -> np.ndarray:
    """(s, s, 3) linear radiance: the panorama, darkened where things stand on its ground y = 0."""
    image = np.zeros((size, size, 3), np.float32)
    sky = ambient_light(lamp, 0.0, 1.0, 0.0)
    up = max(lamp.towards[1], 0.0)
    for row in range(size):
        for column in range(size):
            x, y, z = _ray(view, column, row)
            colour = _panorama_at(panorama, x, y, z)
            hidden, sun, grain = 0.0, 1.0, 1.0
            if y < -0.01:
                distance = -view.position[1] / y
                gx, gz = view.position[0] + distance * x, view.position[2] + distance * z
                hidden, sun = _covered(ground, gx, gz), sunlit(lamp, gx, 0.0, gz)
                fade = max(1 - distance / 12, 0.0)
                rough = 0.06 * noise_at(gx / 0.03, 0.5, gz / 0.03) + 0.05 * noise_at(gx / 0.3, 1.5, gz / 0.3)
                grain += fade * rough
            for channel in range(3):
                direct = lamp.colour[channel] * up
                share = (sky[channel] * (1 - hidden) + direct * sun) / (sky[channel] + direct + 1e-6)
                image[row, column, channel] = colour[channel] * gain * grain * share
    return image


@compiled
def _wall_albedo(
    room: Room, panorama: np.ndarray, wall: int, u: float, v: float
) -> tuple[float, float, float, float]:
    """Albedo of a wall at a place, and how much it glows by itself."""
    colour = room.colours[4] if v < 0.09 else room.colours[2]
    red, green, blue, glow = colour[0], colour[1], colour[2], 0.0
    for k in range(len(room.decorations)):
        row = room.decorations[k]
        if int(row[0]) != wall or u < row[1] or u > row[2] or v < row[3] or v > row[4]:
            continue
        s, t = (u - row[1]) / (row[2] - row[1]), (v - row[3]) / (row[4] - row[3])
        edge = min(u - row[1], row[2] - u, v - row[3], row[4] - v)
        kind = int(row[5])
        share = 0.0
        if kind == WINDOW:
            frame = edge < 0.05 or abs(s - 0.5) * (row[2] - row[1]) < 0.025
            if not frame:
                angle = 2.5 * s + row[1]
                red, green, blue = _panorama_at(panorama, np.sin(angle), 0.9 * t - 0.35, -np.cos(angle))
                glow = 1.6
                continue
        elif kind == SHELF:
            inside = noise_at(u / 0.035, np.floor(t * row[11]) * 3.7, 2.5)
            share = 1.0 if (t * row[11]) % 1.0 < 0.14 else min(max(0.5 + 0.5 * inside, 0.0), 0.9)
        elif kind == PICTURE and edge > 0.03:
            share = min(max(0.5 + noise_at(s * 4 + row[1] * 9, t * 4, row[3] * 7), 0.0), 1.0)
        red = row[6] + share * (row[9] - row[6])
        green = row[7] + share * (row[10] - row[7])
        blue = row[8] + share * (0.5 * (row[9] + row[10]) - row[8])
        glow = 0.0
    return red, green, blue, glow


@compiled
def _leave(origin: tuple, direction: tuple, room: Room) -> tuple[float, int]:
    """Distance at which a ray leaves a room, and through which side: 2 * axis + (1 at the high end)."""
    nearest, side = 1e9, 0
    for axis in range(3):
        if abs(direction[axis]) < 1e-9:
            continue
        end = room.high[axis] if direction[axis] > 0 else room.low[axis]
        distance = (end - origin[axis]) / direction[axis]
        if 0 < distance < nearest:
            nearest, side = distance, 2 * axis + (1 if direction[axis] > 0 else 0)
    return nearest, side


@compiled
def _corner_shade(room: Room, place: tuple, side: int) -> float:
    """Corners of a room are darker."""
    shade = 1.0
    for axis in range(3):
        if axis != side // 2:
            gap = min(place[axis] - room.low[axis], room.high[axis] - place[axis])
            shade *= 1 - 0.3 * np.exp(-max(gap, 0.0) / 0.25)
    return shade


@compiled
def _floor_albedo(room: Room, x: float, z: float) -> tuple[float, float, float]:
    """Boards, tiles or carpet at a place in the room's axes."""
    share = pattern_at(int(room.floor[0]), room.floor[1], 0.1, x, z / 0.6)
    share += 0.15 * noise_at(x / 0.05, 0.5, z / 0.4)
    first, second = room.colours[0], room.colours[1]
    return (
        first[0] + share * (second[0] - first[0]),
        first[1] + share * (second[1] - first[1]),
        first[2] + share * (second[2] - first[2]),
    )


@compiled
def _side_albedo(
    room: Room, panorama: np.ndarray, side: int, place: tuple
) -> tuple[float, float, float, float]:
    """Albedo of floor, ceiling or a wall at a place in the room's axes, and how much it glows by itself."""
    if side == FLOOR:
        red, green, blue = _floor_albedo(room, place[0], place[2])
        return red, green, blue, 0.0
    if side == CEILING:
        colour = room.colours[3]
        return colour[0], colour[1], colour[2], 0.0
    along = place[2] if side < FLOOR else place[0]
    return _wall_albedo(room, panorama, side if side < FLOOR else side - 2, along, place[1])


@compiled
def _inwards(room: Room, side: int) -> tuple[float, float, float]:
    """World normal of a side of the room."""
    sign = -1.0 if side % 2 else 1.0
    cos, sin = room.turn[0] * sign, room.turn[1] * sign
    if side // 2 == 1:
        return 0.0, sign, 0.0
    return (cos, 0.0, -sin) if side < FLOOR else (sin, 0.0, cos)


@compiled
def room_behind(
    view: View, room: Room, panorama: np.ndarray, lamp: Lamp, ground: Ground, size: int
) -> np.ndarray:
    """(s, s, 3) linear radiance of a room's inside."""
    image = np.zeros((size, size, 3), np.float32)
    cos, sin = room.turn
    ox, oy, oz = view.position
    origin = (cos * ox - sin * oz, oy, sin * ox + cos * oz)
    for row in range(size):
        for column in range(size):
            x, y, z = _ray(view, column, row)
            distance, side = _leave(origin, (cos * x - sin * z, y, sin * x + cos * z), room)
            wx, wy, wz = ox + distance * x, oy + distance * y, oz + distance * z
            place = (cos * wx - sin * wz, wy, sin * wx + cos * wz)
            red, green, blue, glow = _side_albedo(room, panorama, side, place)
            shade = _corner_shade(room, place, side)
            if side == FLOOR:
                shade *= 1 - _covered(ground, wx, wz)
            nx, ny, nz = _inwards(room, side)
            sky = ambient_light(lamp, nx, ny, nz)
            cosine = max(nx * lamp.towards[0] + ny * lamp.towards[1] + nz * lamp.towards[2], 0.0)
            sun = cosine * sunlit(lamp, wx + 0.02 * nx, wy + 0.02 * ny, wz + 0.02 * nz)
            for channel, albedo in enumerate((red, green, blue)):
                light = shade * sky[channel] + sun * lamp.colour[channel]
                image[row, column, channel] = albedo * (glow if glow > 0 else light / np.pi)
    return image
