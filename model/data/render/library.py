"""Everything that the renderer takes from files: garments, hair, textures, panoramas; prepared once.

An appearance folder holds `clothes/NAME/*.obj|.mhclo|*diffuse*.png`, `hair/NAME/…` (MakeHuman, CC0) and
`panoramas/NAME.exr` with `NAME_ldr.jpg` beside; what is missing is left out. Or it is in the compact form of
model.data.render.compact, as the one that ships.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

import assets
from model.cv import cv2
from model.data.render.basemesh import BaseMesh, Carrier
from model.data.render.body import Body
from model.data.render.compact import is_compact, read_panoramas, read_patterns
from model.data.render.figure import Rig
from model.data.render.garments import Garment, Pattern, read_pattern, sew
from model.data.render.lighting import LUMINANCE, Key, Light, Panorama
from model.data.render.painting import paint_skins
from model.data.render.textures import decoded, pack_texture
from model.errors import UserError
from model.paths import cache_dir, write_atomically

_log = logging.getLogger(__name__)

VERSION = 3
PANORAMA_SIZE = (1024, 512)
SUIT, SHOES, HAIR, HAT = range(4)
_ITEM = ("rest", "faces", "shapedirs", "weights", "joints", "uv", "hidden", "lower", "about")


@dataclass(frozen=True)
class Item:
    """A garment, pair of shoes, hair or hat on the resting mean body."""

    kind: int
    rest: np.ndarray
    """(N, 3) float32."""
    faces: np.ndarray
    """(F, 3) int32."""
    shapedirs: np.ndarray
    """(N, 3, 10) float32."""
    rig: Rig
    uv: np.ndarray
    """(F, 3, 2) float32."""
    hidden: np.ndarray
    """(V,) bool: body vertices beneath it."""
    lower: np.ndarray
    """(F,) bool: trousers rather than top."""
    texture: int
    """Row in the library's textures; -1: none."""
    brightness: float
    """Mean luminance of the texture."""


@dataclass(frozen=True)
class Library:
    """What people can wear and where they can stand."""

    items: tuple[Item, ...]
    textures: np.ndarray
    """(N, TEXELS, 4) uint8; the first ones are the skins of model.data.render.painting."""
    panoramas: np.ndarray
    """(P, 512, 1024, 3) sRGB uint8."""
    lights: tuple[Light, ...]
    """One per panorama."""

    def of_kind(self, kind: int) -> list[Item]:
        """All items of one kind."""
        return [item for item in self.items if item.kind == kind]


def load_library(folder: Path) -> Library:
    """The library of an appearance folder, from the cache where it was prepared before.

    Raises UserError when the folder holds nothing that can be used.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise UserError(f"The appearance folder {folder} is missing or empty.")
    listing = "\n".join(f"{path.relative_to(folder)} {path.stat().st_size}" for path in files)
    digest = hashlib.sha256(f"{VERSION}\n{listing}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    cached = cache_dir() / "appearance" / f"{digest}.npz"
    try:
        return read_library(cached)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        pass  # Not there, or spoilt: make it again.
    _log.warning("Preparing the clothes and panoramas of %s: a minute, and only once.", folder)
    arrays = _prepare(folder)
    write_atomically(cached, lambda target: _save(target, arrays))
    return read_library(cached)


@lru_cache(maxsize=1)
def read_library(path: Path) -> Library:
    """A prepared library; shared by all datasets of a process."""
    with np.load(path, allow_pickle=False) as archive:
        return _unpacked(dict(archive))


def _save(target: Path, arrays: dict[str, np.ndarray]) -> None:
    with target.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _unpacked(arrays: dict[str, np.ndarray]) -> Library:
    items = []
    for number in range(int(arrays["items"])):
        part = {name: arrays[f"{name}{number}"] for name in _ITEM}
        kind, texture, brightness = part.pop("about")
        rig = Rig(part.pop("weights"), part.pop("joints"))
        items.append(
            Item(kind=int(kind), texture=int(texture), brightness=float(brightness), rig=rig, **part)
        )
    lights = tuple(
        Light(row[:3], row[3:6], 0.0, row[6:].reshape(9, 3)) for row in arrays["lights"].astype(np.float64)
    )
    return Library(tuple(items), arrays["textures"], arrays["panoramas"], lights)


def _prepare(folder: Path) -> dict[str, np.ndarray]:
    body = Body.load(assets.BODY)
    carrier = Carrier.build(BaseMesh.shipped(), body)
    textures = paint_skins(body)
    arrays: dict[str, np.ndarray] = {}
    number = 0
    compact = is_compact(folder)
    for pattern in read_patterns(folder) if compact else made_patterns(folder, carrier.base.vertices):
        kind = _kind(pattern.name)
        garment = sew(pattern, carrier, on_head=kind in (HAIR, HAT))
        about = [kind, -1, 0.5]
        if garment.texture is not None:
            about = [kind, len(textures), _brightness(garment.texture)]
            textures.append(pack_texture(garment.texture))
        part = _item_arrays(garment, about)
        arrays |= {f"{name}{number}": part[name] for name in _ITEM}
        number += 1
    arrays["items"], arrays["textures"] = np.array(number), np.stack(textures)
    pictures, lights = read_panoramas(folder) if compact else made_panoramas(folder)
    arrays["panoramas"], arrays["lights"] = pictures, lights
    if not number and not len(arrays["lights"]):
        raise UserError(f"{folder} holds no clothes, hair or panoramas.")
    return arrays


def made_patterns(folder: Path, base: np.ndarray) -> list[Pattern]:
    """The garments and hair of a full folder that can be used, bound to the base mesh's vertices."""
    patterns = []
    for path in [*sorted((folder / "clothes").glob("*")), *sorted((folder / "hair").glob("*"))]:
        try:
            pattern = read_pattern(path, base)
        except (OSError, ValueError, IndexError, StopIteration) as error:
            _log.warning("left out %s: %s", path.name, error or type(error).__name__)
            continue
        # Sheets of hair are strands only through their texture.
        if pattern.texture is not None or _kind(pattern.name) != HAIR:
            patterns.append(pattern)
    return patterns


def _kind(name: str) -> int:
    """By a pattern's name, `clothes/NAME` or `hair/NAME`."""
    group, _, own = name.partition("/")
    if group == "hair":
        return HAIR
    if "shoes" in own:
        return SHOES
    return HAT if "fedora" in own or "hat" in own else SUIT


def _brightness(texture: np.ndarray) -> float:
    """Mean luminance of what is opaque; at least that of black cloth."""
    opaque = texture[..., 3] > 128
    pixels = texture[opaque] if opaque.any() else texture.reshape(-1, 4)
    return max(float((decoded(pixels[:, :3]) @ LUMINANCE).mean()), 0.03)


def _item_arrays(garment: Garment, about: list[float]) -> dict[str, np.ndarray]:
    mesh = garment.mesh
    rig = Rig.of(mesh.weights)
    return {
        "rest": mesh.vertices.astype(np.float32),
        "faces": mesh.faces.astype(np.int32),
        "shapedirs": mesh.shapedirs.astype(np.float32),
        "weights": rig.weights,
        "joints": rig.joints,
        "uv": garment.uv.astype(np.float32),
        "hidden": garment.hidden,
        "lower": _lower(mesh.vertices, mesh.faces),
        "about": np.array(about),
    }


def _lower(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(F,) bool: faces of connected pieces whose middle lies below the navel (the body's origin is near)."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(vertices),) * 2)
    _, piece = connected_components(graph, directed=False)
    height = np.bincount(piece, vertices[:, 1]) / np.bincount(piece)
    return (height < -0.05)[piece][faces[:, 0]]


def made_panoramas(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Of a full folder: pictures (P, 512, 1024, 3) sRGB uint8 and their lights (P, 33)."""
    pictures, lights = [], []
    for path in sorted((folder / "panoramas").glob("*.exr")):
        picture = cv2.imread(str(path.with_name(f"{path.stem}_ldr.jpg")), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        light = Panorama.load(path, 0.0).light(Key(saturation=0.35))
        pictures.append(cv2.cvtColor(cv2.resize(picture, PANORAMA_SIZE), cv2.COLOR_BGR2RGB))
        lights.append(np.concatenate([light.key_direction, light.key_irradiance, light.ambient.ravel()]))
    shape = (len(pictures), PANORAMA_SIZE[1], PANORAMA_SIZE[0], 3)
    return np.array(pictures, np.uint8).reshape(shape), np.array(lights).reshape(len(lights), 33)
