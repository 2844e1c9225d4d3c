"""Procedural skins as textures of the free body."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

import assets
from model.data.render.body import Body
from model.data.render.raster import rasterise
from model.data.render.skin import Face, Skin
from model.data.render.soup import Soup, material
from model.data.render.textures import SIDE, TEXELS, pack_texture

Colour = tuple[float, float, float]
TONES: tuple[Colour, ...] = (
    (0.66, 0.45, 0.36),
    (0.6, 0.38, 0.285),
    (0.53, 0.315, 0.22),
    (0.45, 0.26, 0.17),
    (0.34, 0.185, 0.115),
    (0.26, 0.135, 0.08),
    (0.18, 0.09, 0.055),
    (0.11, 0.056, 0.036),
)
"""Linear RGB, light to dark."""
SHARES = (0.19, 0.18, 0.17, 0.14, 0.11, 0.09, 0.07, 0.05)
"""How often each is seen."""
BROWS: tuple[Colour, ...] = ((0.14, 0.08, 0.045), (0.06, 0.036, 0.022), (0.03, 0.02, 0.015))
IRISES: tuple[Colour, ...] = ((0.1, 0.16, 0.22), (0.09, 0.1, 0.05), (0.07, 0.045, 0.03))


def paint_skins(body: Body) -> list[np.ndarray]:
    """One packed texture per tone."""
    points, face, nearest = _places(body)
    eyes = body.eyes[body.mesh.faces].all(axis=1)[face]
    features = Face.of(body)
    packed = []
    for number, tone in enumerate(TONES):
        shade = min(number // 2, 2)
        lips = (tone[0] * 0.78, tone[1] * 0.5, tone[2] * 0.55)
        skin = Skin(tone=tone, lips=lips, iris=IRISES[shade], brows=BROWS[shade])
        colour = skin.albedo(points, features)
        colour[eyes] = skin.eye_albedo(points[eyes], features)
        encoded = np.clip(colour, 0, 1) ** (1 / 2.2) * 255 + 0.5
        packed.append(pack_texture(encoded.astype(np.uint8)[nearest]))
    return packed


def _places(body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Resting point (P, 3) and face (P,) of each painted texel, and the nearest of them per texel (s, s)."""
    with np.load(assets.BODY / "body.npz", allow_pickle=False) as data:
        uv = data["vt"][data["ft"].astype(np.int64)].astype(np.float32)
    corners = uv.reshape(-1, 2)
    screen = np.column_stack([corners[:, 0] * SIDE, (1 - corners[:, 1]) * SIDE, np.ones(len(corners))])
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    flat = Soup(
        points=screen.astype(np.float32),
        rest=screen.astype(np.float32),
        clip=np.ones(len(corners), np.float32),
        faces=faces,
        uv=uv,
        material=np.zeros(len(faces), np.int32),
        materials=material((1.0, 1.0, 1.0))[None],
    )
    index, bary, _ = rasterise(flat, flat.points, np.zeros((1, TEXELS, 4), np.uint8), SIDE)
    painted = index >= 0
    share = np.column_stack([1 - bary[painted].sum(axis=1), bary[painted]])
    points = np.einsum("pc,pca->pa", share, body.mesh.vertices[body.mesh.faces[index[painted]]])
    number = np.cumsum(painted).reshape(painted.shape) - 1
    row, column = distance_transform_edt(~painted, return_distances=False, return_indices=True)
    return points, index[painted], number[row, column]
