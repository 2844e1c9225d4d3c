"""The mesh hierarchy of any body: the free body's, a user's METRO file, or one built from the faces.

A built one takes about a minute and is kept in the cache folder under the digest of its body.
"""

from __future__ import annotations

import logging
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import scipy.sparse as sp

from model.array_files import save_npz
from model.body_data import BodyData, Kind
from model.coarsen import SIZES, SkinnedMesh, build_levels, part_importance
from model.errors import UserError
from model.hierarchy import Hierarchy, hop_distances, load_hierarchy
from model.metro_hierarchy import read_metro_hierarchy
from model.paths import cache_dir, sha256, write_atomically
from model.upsampling import posed_people, with_fitted_up

_log = logging.getLogger(__name__)

Origin = Literal["ships", "file", "built"]

DOWNSAMPLING: dict[Kind, str] = {"smpl": "mesh_downsampling.npz", "mano": "mano_downsampling.npz"}
"""What METRO's files are called; they are found beside the body."""
_SIZES: dict[Kind, tuple[int, ...]] = {"smpl": SIZES, "mano": (195,)}
_HANDS, _FEET, _HEAD = [22, 23], [10, 11], [15]
_BENDS = 60.0
"""Degrees about each axis up to which a joint is turned in the people to whom upsampling is fitted."""
_VERSION = 2
"""Raise it when the recipe changes, so that no old cache is taken for a new one."""


@dataclass(frozen=True)
class BodyHierarchy:
    """A hierarchy and where it came from."""

    hierarchy: Hierarchy
    origin: Origin


def body_hierarchy(body: BodyData, downsampling: Path | None = None) -> BodyHierarchy:
    """The hierarchy for a body: METRO's file where given, else built from the faces; each only once.

    Raises UserError when the file is damaged, hostile or made for another body, or the faces are no mesh
    that could be made coarser.
    """
    if body.kind == "free":
        return BodyHierarchy(load_hierarchy(), "ships")
    name = body.sha256 if downsampling is None else f"{body.sha256[:32]}-{sha256(downsampling)[:32]}"
    origin: Origin = "built" if downsampling is None else "file"
    cached = cache_dir() / "hierarchies" / f"{name}-{_VERSION}.npz"
    try:
        return BodyHierarchy(read_hierarchy(cached), origin)
    except (OSError, ValueError, EOFError, KeyError, IndexError, zipfile.BadZipFile, zlib.error):
        pass  # Not there, or spoilt: make it again.
    if downsampling is None:
        hierarchy = build_hierarchy(body)
    else:
        faces, template = body.arrays["f"], body.arrays["v_template"]
        hierarchy = read_metro_hierarchy(downsampling, faces, template, _SIZES[body.kind][-1])
    write_atomically(cached, lambda target: save_hierarchy(target, hierarchy))
    return BodyHierarchy(hierarchy, origin)


def downsampling_beside(path: Path, kind: Kind) -> Path | None:
    """METRO's file in the folder of a body, where it lies there."""
    beside = path.parent / DOWNSAMPLING.get(kind, "")
    return beside if kind in DOWNSAMPLING and beside.is_file() else None


def build_hierarchy(body: BodyData) -> Hierarchy:
    """Simplify a body's mesh to the paper's sizes: 6890 to 1723 to 431 vertices; a hand 778 to 195.

    The way back is fitted to posed people (model.upsampling): it keeps the body's volume.

    The coarse vertices are chosen by this program: they are not those that a released checkpoint knows.
    Raises UserError when the faces allow no mesh of that size.
    """
    arrays = body.arrays
    sizes = _SIZES[body.kind]
    if len(arrays["v_template"]) <= sizes[0]:
        raise UserError(
            f"The {body.name} mesh is too small for a hierarchy: {sizes[0] + 1} vertices at least."
        )
    _log.warning(
        "Building the mesh hierarchy of %s from its faces: about a minute, and only once.", body.name
    )
    weights = arrays["weights"].astype(float)
    importance = np.ones(len(weights))
    if body.kind != "mano":
        importance = part_importance(*(weights[:, part].sum(axis=1) for part in (_HANDS, _FEET, _HEAD)))
    faces = arrays["f"].astype(int)
    mesh = SkinnedMesh(arrays["v_template"].astype(float), faces, None, weights, importance)
    try:
        levels = build_levels(mesh, sizes)
    except (ValueError, IndexError) as error:
        raise UserError(f"The {body.name} mesh cannot be made coarser: {error}.") from error
    if [len(level.kept) for level in levels] != list(sizes):
        raise UserError(f"The {body.name} mesh cannot be made as coarse as {sizes[-1]} vertices.")
    people = posed_people(arrays, _BENDS, np.random.default_rng(0))
    levels = with_fitted_up(levels, people)
    up = [sp.csr_matrix(level.up, dtype=np.float32) for level in levels]
    down = [sp.csr_matrix(level.down, dtype=np.float32) for level in levels]
    coarse = [level.faces.astype(np.int32) for level in levels]
    if len(levels) == 1:  # a hand's mid mesh is its coarse one
        identity = sp.identity(sizes[0], np.float32, "csr")
        up, down, coarse = [*up, identity], [*down, identity], [*coarse, *coarse]
    return Hierarchy(
        faces=(arrays["f"].astype(np.int32), coarse[0], coarse[1]),
        up=(up[0], up[1]),
        down=(down[0], down[1]),
        hops=hop_distances(coarse[1], sizes[-1]),
    )


def save_hierarchy(path: Path, hierarchy: Hierarchy) -> None:
    """Every array of a hierarchy in one .npz."""
    arrays: dict[str, np.ndarray] = {"hops": hierarchy.hops}
    arrays |= {f"faces{level}": faces for level, faces in enumerate(hierarchy.faces)}
    for name, matrices in (("up", hierarchy.up), ("down", hierarchy.down)):
        for step, matrix in enumerate(matrices):
            parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
            parts["shape"] = np.array(matrix.shape)
            arrays |= {f"{name}{step}_{part}": array for part, array in parts.items()}
    save_npz(path, arrays)


def read_hierarchy(path: Path) -> Hierarchy:
    """Inverse of `save_hierarchy`; raises OSError, ValueError, KeyError or BadZipFile for other files."""
    with np.load(path, allow_pickle=False) as archive:

        def matrix(name: str) -> sp.csr_matrix:
            parts = tuple(archive[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
            return sp.csr_matrix(parts, shape=tuple(archive[f"{name}_shape"]))

        return Hierarchy(
            faces=(archive["faces0"], archive["faces1"], archive["faces2"]),
            up=(matrix("up0"), matrix("up1")),
            down=(matrix("down0"), matrix("down1")),
            hops=archive["hops"],
        )
