"""Z-buffers in numba: which triangle each pixel shows, and how deep the sun's rays reach.

Pixel (0, 0) has its centre at (0.5, 0.5). Depth is kept as 1 / z, which is linear on the screen.
"""

from __future__ import annotations

import numpy as np

from model.data.render.compiled import compiled
from model.data.render.soup import CLIPPED, CUTOUT, TEXTURE, Soup
from model.data.render.textures import sample_texture

NEAR = 0.08  # metres


@compiled
def project_points(points: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Camera points (V, 3) -> (V, 3): pixel x, y and 1 / z (0 behind the near plane)."""
    focal, cx, cy = intrinsics
    screen = np.zeros_like(points)
    for i in range(len(points)):
        z = points[i, 2]
        if z > NEAR:
            screen[i, 2] = 1 / z
            screen[i, 0] = focal * points[i, 0] / z + cx
            screen[i, 1] = focal * points[i, 1] / z + cy
    return screen


@compiled
def _open(soup: Soup, textures: np.ndarray, face: int, b0: float, b1: float, b2: float) -> bool:
    """Whether the surface has a hole at a place inside a face."""
    row = soup.materials[soup.material[face]]
    if row[CLIPPED] > 0:
        a, b, c = soup.faces[face, 0], soup.faces[face, 1], soup.faces[face, 2]
        if b0 * soup.clip[a] + b1 * soup.clip[b] + b2 * soup.clip[c] < 0:
            return True
    if row[CUTOUT] > 0 and row[TEXTURE] >= 0:
        uv = soup.uv[face]
        u = b0 * uv[0, 0] + b1 * uv[1, 0] + b2 * uv[2, 0]
        v = b0 * uv[0, 1] + b1 * uv[1, 1] + b2 * uv[2, 1]
        return sample_texture(textures[int(row[TEXTURE])], 1, u, v)[3] < row[CUTOUT]
    return False


@compiled
def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """First and last pixel whose centre lies between two coordinates."""
    first = max(np.ceil(low - 0.5), 0.0)
    last = min(np.floor(high - 0.5), size - 1.0)
    return int(first), int(last)


@compiled
def _may_be_open(soup: Soup, face: int) -> bool:
    """Whether `_open` has to be asked for the places inside a face."""
    row = soup.materials[soup.material[face]]
    if row[CUTOUT] > 0:
        return True
    a, b, c = soup.faces[face, 0], soup.faces[face, 1], soup.faces[face, 2]
    return row[CLIPPED] > 0 and min(soup.clip[a], soup.clip[b], soup.clip[c]) < 0


@compiled
def _triangle(
    places: np.ndarray, a: int, b: int, c: int
) -> tuple[float, float, float, float, float, float, float]:
    """First corner, the two edges that leave it, and 1 / (twice the area); the last is 0 for a sliver."""
    ax, ay = places[a, 0], places[a, 1]
    bx, by, cx, cy = places[b, 0] - ax, places[b, 1] - ay, places[c, 0] - ax, places[c, 1] - ay
    area = bx * cy - cx * by
    return ax, ay, bx, by, cx, cy, (0.0 if abs(area) < 1e-9 else 1 / area)


@compiled
def rasterise(soup: Soup, screen: np.ndarray, textures: np.ndarray, size: int) -> tuple:
    """Nearest face of each pixel: index (s, s) int32 or -1, barycentrics (s, s, 2), 1 / z (s, s)."""
    nearest = np.zeros((size, size), np.float32)
    index = np.full((size, size), -1, np.int32)
    bary = np.zeros((size, size, 2), np.float32)
    for t in range(len(soup.faces)):
        a, b, c = soup.faces[t, 0], soup.faces[t, 1], soup.faces[t, 2]
        za, zb, zc = screen[a, 2], screen[b, 2], screen[c, 2]
        if za <= 0 or zb <= 0 or zc <= 0:
            continue
        ax, ay, bx, by, cx, cy, inverse = _triangle(screen, a, b, c)
        if inverse == 0:
            continue
        x0, x1 = _span(ax + min(0.0, bx, cx), ax + max(0.0, bx, cx), size)
        y0, y1 = _span(ay + min(0.0, by, cy), ay + max(0.0, by, cy), size)
        holes = _may_be_open(soup, t)
        for y in range(y0, y1 + 1):
            dy = y + 0.5 - ay
            for x in range(x0, x1 + 1):
                dx = x + 0.5 - ax
                w1, w2 = (dx * cy - cx * dy) * inverse, (bx * dy - dx * by) * inverse
                if w1 < 0 or w2 < 0 or w1 + w2 > 1:
                    continue
                z = (1 - w1 - w2) * za + w1 * zb + w2 * zc
                if z <= nearest[y, x]:
                    continue
                b1, b2 = w1 * zb / z, w2 * zc / z
                if holes and _open(soup, textures, t, 1 - b1 - b2, b1, b2):
                    continue
                nearest[y, x], index[y, x] = z, t
                bary[y, x, 0], bary[y, x, 1] = b1, b2
    return index, bary, nearest


@compiled
def depth_towards(soup: Soup, places: np.ndarray, size: int) -> np.ndarray:
    """Greatest places[:, 2] over each cell of a grid (s, s): an orthographic depth map.

    places: (V, 3) column and row in cells, and height along the rays. Cut faces count by their corners.
    """
    depth = np.full((size, size), -1e9, np.float32)
    for t in range(len(soup.faces)):
        a, b, c = soup.faces[t, 0], soup.faces[t, 1], soup.faces[t, 2]
        clipped = soup.materials[soup.material[t], CLIPPED] > 0
        if clipped and min(soup.clip[a], soup.clip[b], soup.clip[c]) < 0:
            continue
        ax, ay, bx, by, cx, cy, inverse = _triangle(places, a, b, c)
        if inverse == 0:
            continue
        x0, x1 = _span(ax + min(0.0, bx, cx), ax + max(0.0, bx, cx), size)
        y0, y1 = _span(ay + min(0.0, by, cy), ay + max(0.0, by, cy), size)
        for y in range(y0, y1 + 1):
            dy = y + 0.5 - ay
            for x in range(x0, x1 + 1):
                dx = x + 0.5 - ax
                w1, w2 = (dx * cy - cx * dy) * inverse, (bx * dy - dx * by) * inverse
                if w1 >= 0 and w2 >= 0 and w1 + w2 <= 1:
                    height = (1 - w1 - w2) * places[a, 2] + w1 * places[b, 2] + w2 * places[c, 2]
                    depth[y, x] = max(depth[y, x], height)
    return depth


@compiled
def vertex_normals32(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3)."""
    normals = np.zeros_like(points)
    for t in range(len(faces)):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
        vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(len(normals)):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        scale = 1 / (np.sqrt(x * x + y * y + z * z) + 1e-12)
        normals[i, 0], normals[i, 1], normals[i, 2] = x * scale, y * scale, z * scale
    return normals


@compiled
def skin_points(points: np.ndarray, weights: np.ndarray, joints: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Linear blend skinning: weights and joints (V, K) of the heaviest joints, turns (24, 3, 4)."""
    result = np.zeros_like(points)
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for k in range(weights.shape[1]):
            w = weights[i, k]
            if w == 0:
                continue
            turn = turns[joints[i, k]]
            for axis in range(3):
                moved = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] * z + turn[axis, 3]
                result[i, axis] += w * moved
    return result
