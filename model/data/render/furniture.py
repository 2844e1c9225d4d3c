"""Boxes that stand on the floor: chairs to sit on, and things that hide a part of the person."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from model.data.render import colours
from model.data.render.camera import Framing, View
from model.data.render.soup import BLOTCHES, PLAIN, STRIPES, WOOD, Piece, material

_CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
_SIDES = _CORNERS[_QUADS]  # (6, 4, 3): corners are not shared, so that edges stay sharp
_FACES = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * side for side in range(6)]).astype(np.int32)


def box(centre: np.ndarray, size: np.ndarray, turn: np.ndarray, surface: np.ndarray) -> Piece:
    """A box with centre (3,), edge lengths (3,) and rotation (3, 3)."""
    local = _SIDES.reshape(-1, 3) * size
    points = (local @ turn.T + centre).astype(np.float32)
    return Piece(points, _FACES, surface, rest=local.astype(np.float32))


def surface(rng: np.random.Generator) -> np.ndarray:
    """Wood, paint or upholstery."""
    colour = colours.pick(rng, colours.FURNITURE)
    kind = int(rng.choice([WOOD, PLAIN, STRIPES, BLOTCHES], p=[0.4, 0.4, 0.1, 0.1]))
    second = colour * rng.uniform(0.55, 0.9)
    gloss = (float(rng.uniform(0.005, 0.05)), 20.0)
    return material(colour, second=second, pattern=kind, period=float(rng.uniform(0.05, 0.3)), gloss=gloss)


def chair(points: np.ndarray, part: np.ndarray, joints: np.ndarray, rng: np.random.Generator) -> list[Piece]:
    """A chair, stool or block beneath the pelvis of a seated body standing on y = 0; [] where none fits."""
    pelvis = points[part == 0]
    top = float(pelvis[:, 1].min()) + 0.015
    if top < 0.12:
        return []
    across = joints[3] - joints[2]
    yaw = np.arctan2(across[0], across[2]) - np.pi / 2
    turn = Rotation.from_euler("y", yaw).as_matrix()
    front = turn @ np.array([0.0, 0.0, 1.0])
    centre = pelvis.mean(axis=0) + 0.04 * front
    width, depth = rng.uniform(0.36, 0.52), rng.uniform(0.36, 0.46)
    wood = surface(rng)

    def put(x: float, y: float, z: float, size: tuple[float, float, float]) -> Piece:
        place = centre * [1, 0, 1] + turn @ np.array([x, 0, z]) + [0, y, 0]
        return box(place, np.array(size), turn, wood)

    if rng.random() < 0.3:
        return [put(0, top / 2, 0, (width, top, depth))]
    pieces = [put(0, top - 0.02, 0, (width, 0.04, depth))]
    right, forth = width / 2 - 0.02, depth / 2 - 0.02
    pieces += [put(x, top / 2, z, (0.035, top, 0.035)) for x in (-right, right) for z in (-forth, forth)]
    behind = points[np.isin(part, (3, 6, 9))] - centre
    back = float((behind @ front).min()) - 0.03
    if rng.random() < 0.6 and back > -0.45:
        height = rng.uniform(0.3, 0.55)
        pieces.append(put(0, top + height / 2 + 0.08, min(back, -depth / 2), (width, height, 0.03)))
    return pieces


def occluder(view: View, points: np.ndarray, framing: Framing, rng: np.random.Generator) -> list[Piece]:
    """Something between the camera and a body: a desk, a box, a post, a counter."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    towards = (view.position - middle) * [1, 0, 1]
    distance = float(np.linalg.norm(towards))
    towards = towards / max(distance, 1e-6)
    across = np.array([towards[2], 0, -towards[0]])
    turn = Rotation.from_euler("y", np.arctan2(towards[0], towards[2]) + rng.normal(0, 0.3)).as_matrix()
    reach = float(np.abs((points - middle) @ towards).max())
    if framing is Framing.WEBCAM:
        place = middle + towards * (reach + 0.05 + rng.uniform(0, 0.1))
        height = float(points[:, 1].max()) - rng.uniform(0.5, 0.75)
        size = np.array([rng.uniform(0.9, 1.8), 0.04, 0.4])
        return [box(place * [1, 0, 1] + [0, height, 0], size, turn, surface(rng))]
    space = distance - reach
    if space < 0.7:
        return []
    place = middle + towards * (reach + rng.uniform(0.15, 0.55) * space) + across * rng.normal(0, 0.45)
    share = rng.random()
    if share < 0.25:
        size = np.array([rng.uniform(0.06, 0.2), 3.0, rng.uniform(0.06, 0.2)])
    elif share < 0.65:
        size = np.array([rng.uniform(0.25, 0.7), rng.uniform(0.3, 1.1), rng.uniform(0.2, 0.6)])
    else:
        size = np.array([rng.uniform(1.0, 2.0), rng.uniform(0.35, 0.9), rng.uniform(0.3, 0.6)])
    return [box(place * [1, 0, 1] + [0, size[1] / 2, 0], size, turn, surface(rng))]
