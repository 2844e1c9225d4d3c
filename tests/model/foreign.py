"""Pickles as chumpy, old scipy and strangers would have written them, made without those packages."""

import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

import assets
from model.body_data import REQUIRED
from model.hierarchy import Hierarchy


class Ch:
    """As chumpy.ch.Ch pickles: its attributes, with the array as `x`."""

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)
        self._dirty_vars: set[str] = set()


class Select(Ch):
    """As chumpy.reordering.Select."""


class MatVecMult(Ch):
    """As a chumpy expression that is not evaluated here."""


class CscMatrix:
    """As scipy 0.x pickled a csc_matrix."""

    def __init__(self, matrix: Any) -> None:
        matrix = sp.csc_matrix(matrix)
        self.__dict__.update(
            _shape=matrix.shape, data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, maxprint=50
        )


class Touch:
    """Runs `touch PATH` when a careless reader opens its pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class TouchBySystem(Touch):
    """The same by os.system."""

    def __reduce__(self) -> Any:
        import os

        return os.system, (f"touch {self.path}",)


_NAMES = {
    Ch: ("chumpy.ch", "Ch"),
    Select: ("chumpy.reordering", "Select"),
    MatVecMult: ("chumpy.extras", "MatVecMult"),
    CscMatrix: ("scipy.sparse.csc", "csc_matrix"),
}


@contextmanager
def under_foreign_names() -> Iterator[None]:
    """While open, the classes above are importable (and pickled) under the names of their models."""
    modules = {"chumpy"} | {module for module, _ in _NAMES.values()}
    saved = {name: sys.modules.get(name) for name in modules}
    sys.modules["chumpy"] = types.ModuleType("chumpy")
    own = {kind: (kind.__module__, kind.__qualname__) for kind in _NAMES}
    for kind, (module, name) in _NAMES.items():
        fake = types.ModuleType(module)
        setattr(fake, name, kind)
        sys.modules[module] = fake
        kind.__module__, kind.__qualname__ = module, name
    try:
        yield
    finally:
        for kind, (module, name) in own.items():
            kind.__module__, kind.__qualname__ = module, name
        for module_name, original in saved.items():
            if original is None:
                del sys.modules[module_name]
            else:
                sys.modules[module_name] = original


def foreign_pickle(content: Any, protocol: int = 2) -> bytes:
    """The bytes that chumpy and scipy would have written."""
    with under_foreign_names():
        return pickle.dumps(content, protocol=protocol)


def small_smpl(vertices: int = 40, joints: int = 24, seed: int = 0) -> dict[str, Any]:
    """The members of an official SMPL pickle, small: chumpy shape directions, a scipy joint regressor."""
    random = np.random.default_rng(seed)
    weights = random.random((vertices, joints))
    regressor = random.random((joints, vertices)) * (random.random((joints, vertices)) < 0.3)
    regressor[:, 0] += 0.1
    parents = np.maximum(np.arange(joints) - 1, 0)
    parents[0] = 2**32 - 1
    return {
        "v_template": random.normal(size=(vertices, 3)),
        "f": random.integers(0, vertices, (60, 3)).astype(np.uint32),
        "shapedirs": random.normal(size=(vertices, 3, 10)) * 0.01,
        "posedirs": random.normal(size=(vertices, 3, 9 * (joints - 1))) * 0.001,
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.stack([parents, np.arange(joints)]).astype(np.uint32),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def chumpy_members(members: dict[str, Any]) -> dict[str, Any]:
    """The same, with the foreign objects that the official files contain."""
    shapedirs = members["shapedirs"]
    flat = Ch(x=np.concatenate([[0.0], shapedirs.ravel()]))
    return members | {
        "shapedirs": Select(a=flat, idxs=np.arange(1, shapedirs.size + 1), preferred_shape=shapedirs.shape),
        "v_template": Ch(x=members["v_template"]),
        "J_regressor": CscMatrix(members["J_regressor"]),
        "J": Ch(x=members["J_regressor"] @ members["v_template"]),
    }


def smpl_like() -> dict[str, np.ndarray]:
    """The free body with nothing that an SMPL file lacks: 6,890 vertices, 24 joints."""
    with np.load(assets.BODY / "body.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in REQUIRED}


def objects(items: list[Any]) -> np.ndarray:
    """An array of Python objects, as METRO's files hold them."""
    array = np.empty(len(items), object)
    array[:] = items
    return array


def metro_members(hierarchy: Hierarchy) -> dict[str, np.ndarray]:
    """A hierarchy as METRO's mesh_downsampling.npz holds it."""
    sizes = (hierarchy.num_fine, hierarchy.up[0].shape[1], hierarchy.num_coarse)
    return {
        "A": objects([adjacency(f, n) for f, n in zip(hierarchy.faces, sizes, strict=True)]),
        "U": objects(list(hierarchy.up)),
        "D": objects([sp.csc_matrix(d) for d in hierarchy.down]),
    }


def adjacency(faces: np.ndarray, vertices: int) -> sp.coo_matrix:
    """(V, V): ones where two vertices share an edge."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return sp.coo_matrix((np.ones(len(edges)), edges.T), shape=(vertices, vertices))
