"""Dress a posed body: skin, hair, garments or shells, shoes, hats."""

from __future__ import annotations

import numpy as np

from model.data.render import colours
from model.data.render.figure import Figure, Poser
from model.data.render.library import HAIR, HAT, SHOES, SUIT, Item, Library
from model.data.render.painting import SHARES
from model.data.render.shells import Tailor, any_corner
from model.data.render.soup import Piece, material

GARMENT_SHARE = 0.45
HAIR_CUTOUT = 0.4
SKIRT_LIFT = 50.0  # degrees by which a thigh may be raised before a skirt would burst


class Wardrobe:
    """Everything that a person can wear."""

    def __init__(self, library: Library, poser: Poser) -> None:
        self._library = library
        self._poser = poser
        self._tailor = Tailor(poser)
        self._items = {kind: library.of_kind(kind) for kind in (SUIT, SHOES, HAIR, HAT)}

    def dress(self, figure: Figure, rng: np.random.Generator) -> list[Piece]:
        """All pieces of a person, the visible skin first."""
        pieces: list[Piece] = []
        hidden = np.zeros(len(figure.points), bool)
        outfit = self._garments if self._items[SUIT] and rng.random() < GARMENT_SHARE else self._shells
        for piece, below in (*outfit(figure, rng), *self._feet(figure, rng), *self._head(figure, rng)):
            pieces.append(piece)
            hidden |= below
        return [self._skin(figure, hidden, rng), *pieces]

    def _skin(self, figure: Figure, hidden: np.ndarray, rng: np.random.Generator) -> Piece:
        poser = self._poser
        seen = any_corner(~hidden, poser.faces)
        tint = np.exp(rng.normal(0, 0.1)) * np.exp(rng.normal(0, 0.03, 3))
        surface = material(
            tint,
            texture=int(rng.choice(len(SHARES), p=SHARES)),
            gloss=(float(rng.uniform(0.02, 0.06)), float(rng.uniform(10, 24))),
            wrap=float(rng.uniform(0.08, 0.25)),
        )
        return Piece(figure.points, poser.faces[seen], surface, poser.rest, poser.uv[seen])

    def _garments(self, figure: Figure, rng: np.random.Generator) -> list[tuple[Piece, np.ndarray]]:
        item = _one(rng, self._items[SUIT])
        points = figure.carry(item.rest, item.shapedirs, item.rig)
        groups = [item.lower, ~item.lower] if 0.02 < item.lower.mean() < 0.98 else [item.lower >= 0]
        keep_colours = item.texture >= 0 and rng.random() < 0.35
        result = []
        for group in groups:
            surface = self._fabric(item, keep_colours, rng)
            piece = Piece(points, item.faces[group], surface, item.rest, item.uv[group])
            result.append((piece, item.hidden))
        return result

    @staticmethod
    def _fabric(item: Item, keep_colours: bool, rng: np.random.Generator) -> np.ndarray:
        """The item's own texture, dyed or as it is; a pattern for items without a texture."""
        if keep_colours:
            return material(np.full(3, np.exp(rng.normal(0, 0.2))), texture=item.texture, fold=0.15)
        if item.texture < 0:
            return colours.cloth(rng)
        return colours.cloth(rng, texture=item.texture, dye=item.brightness, plain=0.8)

    def _shells(self, figure: Figure, rng: np.random.Generator) -> list[tuple[Piece, np.ndarray]]:
        return [self._lower(figure, rng), self._upper(figure, rng)]

    def _lower(self, figure: Figure, rng: np.random.Generator) -> tuple[Piece, np.ndarray]:
        tailor = self._tailor
        kind = str(rng.choice(["trousers", "leggings", "shorts", "skirt"], p=[0.54, 0.1, 0.18, 0.18]))
        if kind == "skirt" and figure.thigh_lift > SKIRT_LIFT:
            kind = "trousers"
        nothing = np.zeros(len(figure.points), bool)
        if kind == "skirt":
            hem = tailor.knee + rng.uniform(-0.28, 0.16)
            return tailor.skirt(rng, figure, hem, colours.cloth(rng)), nothing
        hem, loose = {
            "trousers": (tailor.ankle + rng.uniform(-0.04, 0.05), rng.uniform(0.008, 0.042)),
            "leggings": (tailor.ankle + rng.uniform(-0.02, 0.1), 0.003),
            "shorts": (tailor.knee + rng.uniform(-0.06, 0.18), rng.uniform(0.012, 0.04)),
        }[kind]
        jeans = kind == "trousers" and rng.random() < 0.45
        surface = colours.denim(rng, clipped=True) if jeans else colours.cloth(rng, clipped=True, plain=0.85)
        cut = tailor.trousers(rng, hem, loose)
        return tailor.shell(figure, cut, surface, smooth=3 if loose > 0.01 else 0)

    def _upper(self, figure: Figure, rng: np.random.Generator) -> tuple[Piece, np.ndarray]:
        tailor = self._tailor
        kind = str(rng.choice(["tee", "long", "tank"], p=[0.48, 0.42, 0.1]))
        sleeve = {
            "tee": rng.uniform(tailor.shoulder + 0.08, tailor.elbow + 0.02),
            "long": tailor.wrist + rng.uniform(-0.07, 0.01),
            "tank": tailor.shoulder - rng.uniform(0.01, 0.05),
        }[kind]
        hem = tailor.pelvis - rng.uniform(-0.05, 0.12)
        loose = rng.uniform(0.006, 0.05 if kind == "long" else 0.042)
        surface = colours.cloth(rng, clipped=True, print_share=0.12)
        cut = tailor.top(rng, sleeve, hem, loose)
        return tailor.shell(figure, cut, surface, smooth=4 if loose > 0.015 else 1)

    def _feet(self, figure: Figure, rng: np.random.Generator) -> list[tuple[Piece, np.ndarray]]:
        draw = rng.random()
        if self._items[SHOES] and draw < 0.8:
            item = _one(rng, self._items[SHOES])
            surface = colours.cloth(
                rng,
                colour=colours.pick(rng, colours.LEATHER),
                texture=item.texture,
                dye=item.brightness,
                plain=1,
            )
            if item.texture >= 0 and rng.random() < 0.5:
                surface = material((1.0, 1.0, 1.0), texture=item.texture, gloss=(0.05, 20.0))
            return [(self._worn(figure, item, surface), item.hidden)]
        if draw < 0.92:
            surface = colours.cloth(rng, clipped=True, plain=0.85)
            return [self._tailor.shell(figure, self._tailor.socks(rng, rng.uniform(0, 0.12)), surface, 2)]
        return []

    def _head(self, figure: Figure, rng: np.random.Generator) -> list[tuple[Piece, np.ndarray]]:
        nothing = np.zeros(len(figure.points), bool)
        result: list[tuple[Piece, np.ndarray]] = []
        draw = rng.random()
        colour = colours.pick(rng, colours.HAIR)
        hat = rng.random() < 0.12
        if self._items[HAIR] and draw < 0.88:
            item = _one(rng, self._items[HAIR])
            surface = material(
                colour,
                texture=item.texture,
                dye=item.brightness,
                cutout=HAIR_CUTOUT,
                gloss=(0.04, 14.0),
                fold=0.1,
            )
            result.append((self._worn(figure, item, surface), nothing))
        elif draw < 0.97:
            dark = colours.pick(rng, colours.HAIR[:4])
            cropped = material(dark, clipped=True, fold=0.5, fold_size=0.006)
            result.append(
                (self._tailor.shell(figure, self._tailor.scalp(rng, 0.004, 0.006), cropped, 0)[0], nothing)
            )
        if hat and self._items[HAT] and rng.random() < 0.5:
            item = _one(rng, self._items[HAT])
            result.append((self._worn(figure, item, colours.cloth(rng, plain=1.0)), nothing))
        elif hat:
            cut = self._tailor.scalp(rng, rng.uniform(0.014, 0.03))
            beanie = colours.cloth(rng, clipped=True, plain=0.8)
            result.append((self._tailor.shell(figure, cut, beanie, 1)[0], nothing))
        return result

    @staticmethod
    def _worn(figure: Figure, item: Item, surface: np.ndarray) -> Piece:
        points = figure.carry(item.rest, item.shapedirs, item.rig)
        return Piece(points, item.faces, surface, item.rest, item.uv)


def _one(rng: np.random.Generator, items: list[Item]) -> Item:
    return items[rng.integers(len(items))]
