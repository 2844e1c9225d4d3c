"""The two scenes of the sample: who, where, in which light, seen from where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from assets.build.sample.camera import Camera
from assets.build.sample.person import Look, Person, Surface
from model.data.render.lighting import Key, Light, Panorama
from model.data.render.motion import load_sequence, walk
from model.data.render.skin import Skin

SOLE = 0.05  # metres above the lowest point of the shoes that may touch the ground, toes included


@dataclass(frozen=True)
class Scene:
    """One shot: files, frames and the stage; turn: degrees that the person turns about the vertical."""

    name: str
    look: Look
    sequence: str
    start: int
    count: int
    turn: float
    camera: Camera
    panorama: str
    ahead: float  # azimuth of the panorama straight ahead
    key: Key
    exposure: float
    samples: int

    def poses(self, motion: Path) -> np.ndarray:
        """Poses (count, 24, 3), turned to face the camera."""
        poses = load_sequence(motion, self.sequence, self.start, self.count)
        turn = Rotation.from_euler("y", self.turn, degrees=True)
        poses[:, 0] = (turn * Rotation.from_rotvec(poses[:, 0])).as_rotvec()
        return poses

    def stage(self, appearance: Path) -> tuple[Panorama, Light]:
        """Background and light."""
        panorama = Panorama.load(appearance / "panoramas" / f"{self.panorama}.exr", self.ahead)
        return panorama, panorama.light(self.key)


CLIP = Scene(
    name="salsa",
    look=Look(
        suit="male_casualsuit03",
        shoes="shoes05",
        hair="short02",
        betas=(0.8, -0.8, -0.6, 0, 0, 0, 0, 0, 0, 0),
        hair_tint=(0.6, 0.5, 0.45),
    ),
    sequence="acrnn/salsa_04",
    start=196,
    count=240,
    turn=195.0,
    camera=Camera((0.0, 1.5, 5.0), (0.0, 0.9, 0.0), 35.0, 640, 480),
    panorama="blender_sunset",
    ahead=0.0,
    key=Key(elevation=38.0, swing=20.0, strength=6.0, saturation=0.4),
    exposure=1.6,
    samples=4,
)
STILL = Scene(
    name="still",
    look=Look(
        suit="female_casualsuit02",
        shoes="shoes06",
        hair="ponytail01",
        suit_tint=(0.04, 0.2, 0.22),
        betas=(-0.6, 1.2, -0.8, 0, 0, 0, 0, 0, 0, 0),
        skin=Skin(tone=(0.2, 0.1, 0.06), lips=(0.2, 0.07, 0.06)),
        hair_tint=(0.25, 0.2, 0.18),
    ),
    sequence="acrnn/indian_06",
    start=450,
    count=1,
    turn=-152.0,
    camera=Camera((0.0, 1.5, 4.6), (0.0, 0.9, 0.0), 34.0, 640, 480),
    panorama="blender_city",
    ahead=60.0,
    key=Key(),
    exposure=1.0,
    samples=4,
)


def grounded(person: Person, poses: np.ndarray) -> np.ndarray:
    """Translations (T, 3) that keep the person's soles on the ground."""
    rest = np.concatenate([part.mesh.vertices for part in person.parts])
    shoes = np.concatenate(
        [np.full(len(part.mesh.vertices), part.surface is Surface.LEATHER) for part in person.parts]
    )
    lowest = rest[shoes, 1].min()
    soles = np.flatnonzero(shoes & (rest[:, 1] < lowest + SOLE))
    tracks = np.stack([np.concatenate(person.posed(pose))[soles] for pose in poses])
    return walk(tracks)
