"""Take one picture: a dressed person somewhere, with everything that is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from model.cv import cv2
from model.data.people import turn_root
from model.data.render import furniture
from model.data.render.backdrop import ground_below, panorama_behind, room_behind
from model.data.render.camera import PICTURE, REGION, Framing, View, choose_view
from model.data.render.figure import free_poser
from model.data.render.library import Library
from model.data.render.light import Lamp, exposure_for, lamp_over
from model.data.render.photo import develop
from model.data.render.pose_mixture import Poses
from model.data.render.raster import project_points, rasterise, vertex_normals32
from model.data.render.rooms import plain_light, random_room, room_light
from model.data.render.shading import openness, shade
from model.data.render.soup import Builder, Piece, Soup
from model.data.render.wardrobe import Wardrobe

FRAMINGS = (Framing.FULL, Framing.CUT, Framing.WEBCAM)
FRAMING_SHARES = (0.57, 0.23, 0.20)
SAMPLES = 2
"""Samples along the side of a pixel of people and things (the shader counts on two)."""
OCCLUDED, ACCOMPANIED, INDOORS, EDGED, BLURRED = 0.25, 0.15, 0.5, 0.35, 0.35
BEHIND_CLOTH = 0.08  # metres that a vertex may lie behind what the picture shows and count as seen
GREY = np.full((1, 2, 3), 128, np.uint8)


class Person(NamedTuple):
    """A dressed person on the ground: body vertices (V, 3), joints (14, 3) in the world, pieces.

    pose (24, 3) axis-angle, joint 0 in the world, and betas (10,) are the body's; seat: the chair's pieces.
    """

    points: np.ndarray
    joints: np.ndarray
    pieces: list[Piece]
    pose: np.ndarray
    betas: np.ndarray
    seat: tuple[Piece, ...] = ()

    @property
    def all_pieces(self) -> list[Piece]:
        """Those of the person, then the seat's."""
        return [*self.pieces, *self.seat]

    def moved(self, offset: np.ndarray) -> Person:
        """The same person somewhere else."""
        pieces = [piece.moved(offset) for piece in self.pieces]
        seat = tuple(piece.moved(offset) for piece in self.seat)
        points = (self.points + offset).astype(np.float32)
        return self._replace(points=points, joints=self.joints + offset, pieces=pieces, seat=seat)


@dataclass(frozen=True)
class Wish:
    """What a picture must show; None leaves it to chance."""

    framing: Framing | None = None
    accompanied: bool | None = None
    occluded: bool | None = None
    overlapping: bool = False
    """Whether the companion stands so near that both overlap in the picture."""


ANYTHING = Wish()


@dataclass(frozen=True)
class Shot:
    """A picture and its truth."""

    image: np.ndarray
    """(PICTURE, PICTURE, 3) uint8 RGB; the crop is the REGION square in its middle."""
    points: np.ndarray
    """(V, 3) float32 body vertices in camera axes, metres."""
    pixels: np.ndarray
    """(V, 2) their places in the picture."""
    visible: np.ndarray
    """(V,) bool: in the region, and nothing but the person's own surface (or chair) before it."""
    person: np.ndarray
    """(PICTURE, PICTURE) bool: pixels that show the person, and not the chair."""
    hidden: float
    """Share of the body vertices within the crop before which something else stands."""
    framing: Framing
    view: View
    pose: np.ndarray
    """(24, 3) axis-angle, joint 0 in camera axes."""
    betas: np.ndarray
    """(10,) standard deviations."""
    companion: np.ndarray | None = None
    """(V, 3) body vertices of somebody else, in camera axes."""


class Studio:
    """People, clothes, places; every picture is drawn from one random generator."""

    def __init__(self, library: Library, poses: Poses) -> None:
        self.poser = free_poser()
        self._library = library
        self._poses = poses
        self.wardrobe = Wardrobe(library, self.poser)

    def shoot(self, rng: np.random.Generator, wish: Wish = ANYTHING) -> Shot:
        """One picture; a wish for anything changes nothing of what a generator gives."""
        chance = FRAMINGS[rng.choice(3, p=FRAMING_SHARES)]
        framing = wish.framing or chance
        person = self._person(rng, webcam=framing is Framing.WEBCAM)
        view, box = choose_view(framing, person.points, person.joints, self.poser.part, rng)
        builder = Builder(person.all_pieces)
        other = None
        if _granted(wish.accompanied, rng.random() < ACCOMPANIED):
            other = self._companion(person, view, rng, overlapping=wish.overlapping)
            builder.pieces += other.all_pieces
        if _granted(wish.occluded, rng.random() < OCCLUDED):
            builder.pieces += furniture.occluder(view, person.points, framing, rng)
        soup = builder.build()
        radiance, index, nearest = self.radiance(soup, view, rng)
        image = develop(_edged(radiance, box, rng) if framing is not Framing.FULL else radiance, rng)
        mine = np.concatenate([soup.material < len(person.all_pieces), [False]])[index]
        local = view.to_camera(person.points)
        beside = None if other is None else view.to_camera(other.points)
        pixels = view.flat(local)
        inside, own, front = _within(local, pixels, nearest, mine)
        hidden = float((~own & (front < local[:, 2] - BEHIND_CLOTH))[inside].mean()) if inside.any() else 1.0
        seen = inside & own & (local[:, 2] < front + BEHIND_CLOTH)
        body = np.concatenate([soup.material < len(person.pieces), [False]])
        shown = body[index[::SAMPLES, ::SAMPLES]]
        pose = turn_root(person.pose, view.rotation)
        return Shot(
            image, local, pixels, seen, shown, hidden, framing, view, pose, person.betas, companion=beside
        )

    def _person(self, rng: np.random.Generator, *, webcam: bool) -> Person:
        """Someone on (or in the air over) the origin; those who sit get a chair."""
        posed = self._poses.draw(rng, webcam=webcam)
        turn = Rotation.from_euler("y", rng.uniform(-np.pi, np.pi))
        pose = posed.pose
        pose[0] = (turn * Rotation.from_rotvec(pose[0])).as_rotvec()
        betas = np.clip(rng.normal(0, 1, 10), -2.5, 2.5)
        figure = self.poser.pose(pose, betas)
        pieces = self.wardrobe.dress(figure, rng)
        lowest = min(float(piece.points[piece.faces[:, 0], 1].min()) for piece in pieces)
        middle = (figure.points.min(axis=0) + figure.points.max(axis=0)) / 2
        leap = rng.uniform(0, 0.3) if posed.activity == "jumping" and rng.random() < 0.4 else 0.0
        person = Person(figure.points, self.poser.keypoints(figure.points), pieces, pose, betas)
        person = person.moved(np.array([-middle[0], leap - lowest, -middle[2]], np.float32))
        if posed.activity == "sit_chair":
            chair = furniture.chair(person.points, self.poser.part, person.joints, rng)
            person = person._replace(seat=tuple(chair))
        return person

    def _companion(
        self, person: Person, view: View, rng: np.random.Generator, *, overlapping: bool = False
    ) -> Person:
        """Somebody else beside, behind or (less often) before the person."""
        other = self._person(rng, webcam=False)
        towards = (view.position - person.points.mean(axis=0)) * [1, 0, 1]
        towards /= max(float(np.linalg.norm(towards)), 1e-6)
        across = np.array([towards[2], 0, -towards[0]]) * rng.choice([-1, 1])
        depth = rng.uniform(0.2, 0.6) if rng.random() < 0.25 else -rng.uniform(0.2, 1.8)
        apart = rng.uniform(0.1, 0.45) if overlapping else rng.uniform(0.45, 1.3)
        return other.moved((across * apart + towards * depth).astype(np.float32))

    def radiance(
        self,
        soup: Soup,
        view: View,
        rng: np.random.Generator,
        *,
        size: int = PICTURE,
        space: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Linear picture (size, size, 3), and face and 1 / z of each of its samples.

        space: (N, 3) what the place must have room for, if more than the soup. With the same generator,
        view and space the place and its light are the same, whatever happens there.
        """
        panoramas, lights = self._library.panoramas, self._library.lights
        place = int(rng.integers(len(lights))) if lights else -1
        light = lights[place] if lights else plain_light(rng)
        panorama = panoramas[place] if lights else GREY
        indoors = not lights or rng.random() < INDOORS
        light = room_light(light, rng) if indoors else light
        seen_from = -view.rotation[2].astype(np.float64)
        lamp = lamp_over(soup, light, exposure_for(light, seen_from) * float(np.exp(rng.normal(0, 0.12))))
        ground = ground_below(soup)
        if indoors:
            room = random_room(soup.points if space is None else space, view.position, rng)
            behind = room_behind(view, room, panorama, lamp, ground, size)
        else:
            gain = float(np.exp(rng.normal(0, 0.15)))
            behind = panorama_behind(view, panorama, gain, lamp, ground, size)
        if rng.random() < BLURRED:
            behind = cv2.GaussianBlur(behind, (0, 0), float(rng.uniform(0.5, 2.2)))
        front, index, nearest = self._front(soup, view, lamp, size)
        cover = front[..., 3:]
        return behind * (1 - cover) + front[..., :3], index, nearest

    def _front(
        self, soup: Soup, view: View, lamp: Lamp, size: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Premultiplied radiance and cover (size, size, 4) of everything that is triangles."""
        textures = self._library.textures
        intrinsics = view.intrinsics * SAMPLES
        local = np.ascontiguousarray(view.to_camera(soup.points), np.float32)
        screen = project_points(local, intrinsics)
        index, bary, nearest = rasterise(soup, screen, textures, size * SAMPLES)
        focal = float(intrinsics[0])
        ambient = openness(nearest, focal, 0.09)
        normals = vertex_normals32(soup.points, soup.faces)
        image = shade(soup, normals, textures, lamp, view.position, focal, index, bary, nearest, ambient)
        return image, index, nearest


def _granted(wished: bool | None, chance: bool) -> bool:
    return chance if wished is None else wished


def _within(
    local: np.ndarray, pixels: np.ndarray, nearest: np.ndarray, mine: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each body vertex (V,): in the crop? its pixel the person's? how far is what that pixel shows?"""
    margin = (PICTURE - REGION) / 2
    inside = ((pixels > margin) & (pixels < PICTURE - margin)).all(axis=1) & (local[:, 2] > 0.1)
    column, row = np.clip(pixels * SAMPLES, 0, PICTURE * SAMPLES - 1).astype(np.int64).T
    return inside, mine[row, column], 1 / np.maximum(nearest[row, column], 1e-6)


def _edged(radiance: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Now and then the photograph ends near the shown part's edges: black beyond, as a padded crop."""
    if rng.random() > EDGED:
        return radiance
    result = radiance.copy()
    low, high = np.clip(np.round(box + rng.normal(0, 4, (2, 2))), 0, PICTURE).astype(int)
    result[high[1] :] = 0
    if rng.random() < 0.3:
        result[:, : max(low[0] - 12, 0)] = 0
    if rng.random() < 0.3:
        result[:, min(high[0] + 12, PICTURE) :] = 0
    return result
