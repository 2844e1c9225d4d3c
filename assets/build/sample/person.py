"""A dressed person: the visible body, garments, shoes and hair as one list of posable parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import numpy as np

from assets.build.sample.cover import beneath, covered, sunk
from model.data.render.basemesh import Carrier
from model.data.render.body import Body, Mesh
from model.data.render.garments import Garment, load_garment
from model.data.render.skin import Face, Skin

SCALP_DEPTH = 0.01  # metres that the head gives way beneath hair, whose sheets are coarser than the scalp


class Surface(Enum):
    """What a part is made of."""

    SKIN = 0
    EYE = 1
    CLOTH = 2
    LEATHER = 3
    HAIR = 4


@dataclass(frozen=True)
class Part:
    """A posable piece of the person. uv (F, 3, 2); texture (h, w, 4) linear float32 RGB + alpha, or None."""

    surface: Surface
    mesh: Mesh
    uv: np.ndarray
    texture: np.ndarray | None
    is_body: bool = False


@dataclass(frozen=True)
class Look:
    """A person: folders under `clothes/` and `hair/`, shape (10,), skin, tints of the textures."""

    suit: str
    shoes: str
    hair: str
    betas: tuple[float, ...]
    skin: Skin = field(default_factory=Skin)
    suit_tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    hair_tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Person:
    """A look on a body, ready to be posed."""

    body: Body
    look: Look
    parts: tuple[Part, ...]
    face: Face

    @classmethod
    def dress(cls, look: Look, carrier: Carrier, appearance: Path) -> Person:
        """Load the garments under `appearance` and cut away the skin that they hide."""
        body = carrier.body
        suit = load_garment(appearance / "clothes" / look.suit, carrier)
        shoes = load_garment(appearance / "clothes" / look.shoes, carrier)
        hair = load_garment(appearance / "hair" / look.hair, carrier, on_head=True)
        hidden = covered(body.mesh, [suit, shoes])
        seen = ~hidden[body.mesh.faces].all(axis=1)
        eyes = body.eyes[body.mesh.faces].all(axis=1)
        scalp = replace(body.mesh, vertices=sunk(body.mesh, beneath(body.mesh, [hair]), SCALP_DEPTH))
        parts = (
            _body_part(scalp, seen & ~eyes, Surface.SKIN),
            _body_part(body.mesh, eyes, Surface.EYE),
            _garment_part(suit, Surface.CLOTH, look.suit_tint),
            _garment_part(shoes, Surface.LEATHER, (1.0, 1.0, 1.0)),
            _garment_part(hair, Surface.HAIR, look.hair_tint),
        )
        return cls(body, look, parts, Face.of(body))

    def posed(self, pose: np.ndarray) -> list[np.ndarray]:
        """Vertices (V, 3) of every part, without translation."""
        betas = np.array(self.look.betas)
        transforms = self.body.transforms(pose, betas)
        corrective = self.body.corrective(pose)
        return [
            part.mesh.posed(transforms, betas, corrective if part.is_body else None) for part in self.parts
        ]


def _body_part(mesh: Mesh, keep: np.ndarray, surface: Surface) -> Part:
    faces = mesh.faces[keep]
    return Part(surface, replace(mesh, faces=faces), np.zeros((len(faces), 3, 2)), None, is_body=True)


def _garment_part(garment: Garment, surface: Surface, tint: tuple[float, float, float]) -> Part:
    texture: np.ndarray = np.ones((1, 1, 4), dtype=np.float32)
    if garment.texture is not None:
        texture = garment.texture.astype(np.float32) / 255
        texture[..., :3] **= 2.2
    texture[..., :3] *= tint
    return Part(surface, garment.mesh, garment.uv, texture)
