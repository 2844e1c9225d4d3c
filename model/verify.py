"""Does the published network compute what the released code computes? Weights made by rule tell.

Rule and fixture: every tensor of the released state dict is drawn from a generator seeded by its own name,
so no weights need to travel; the fixture holds what the released network answers with them.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.config import Hops, preset
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.pointhmr import Mesh, PointHMR
from model.released import released_shapes, released_to_ours

TOLERANCE = 1e-4
"""Largest error that still counts as the same number (float32, CPU)."""
MASKS: dict[str, Hops] = {
    "coarse_hops_3333": (3, 3, 3, 3),
    "coarse_hops_off": (None, None, None, None),
    "coarse_hops_off531": (None, 5, 3, 1),
}
_HEATMAP_HEAD = "heatmap_layer.2.weight"
_HEATMAP_SHARPNESS = 30.0
_REQUIRED = ("seed", "camera", "joints", "coarse", "mid", "fine", "heatmap56")


def rule_tensor(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The value that the rule gives the tensor `key` of the released state dict; float64."""
    random = np.random.RandomState((zlib.crc32(key.encode()) ^ seed) & 0xFFFFFFFF)
    normal = np.asarray(random.standard_normal(shape))
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if key.endswith("running_var"):
        return 1 + 0.2 * np.abs(normal)
    if key.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) == 1:
        return 1 + 0.1 * normal if key.endswith("weight") else 0.1 * normal
    if "embed" in key:
        return 0.5 * normal
    scaled = normal * 0.7 / np.sqrt(np.prod(shape[1:]))
    return scaled * _HEATMAP_SHARPNESS if key == _HEATMAP_HEAD else scaled


def rule_state(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """A whole released state dict made by rule; float32, counters int64."""
    state = {}
    for key, shape in shapes.items():
        dtype = torch.int64 if key.endswith("num_batches_tracked") else torch.float32
        state[key] = torch.from_numpy(rule_tensor(key, shape, seed)).to(dtype)
    return state


def rule_image(seed: int) -> Tensor:
    """[1, 3, 224, 224] float32: the input, fed as it is."""
    values = np.random.RandomState(seed).standard_normal((1, 3, 224, 224))
    return torch.from_numpy(values).float()


def rule_network(seed: int) -> PointHMR:
    """The published network in eval mode, filled by the rule; its full mesh lies on the coarser faces."""
    network = PointHMR(preset("body-hrnet-w32"), load_hierarchy(flat=True))
    state = rule_state(released_shapes(network), seed)
    network.load_state_dict(released_to_ours(state, network))
    return network.eval()


def verify(fixture_path: Path) -> dict[str, float]:
    """Largest absolute error of every stored output, by name; the fixture may be made with any seed.

    `backbone_*_sum` are sums over all cells of a branch, compared per cell: a sum of 3,136 float32 values
    carries an error of its own that depends on the number of threads.
    Raises UserError when the file is not such a fixture.
    """
    fixture = _read_fixture(fixture_path)
    seed = int(fixture["seed"])
    network = rule_network(seed)
    image = rule_image(seed)
    with torch.no_grad():
        maps = network.backbone(image)
        features = network.sample(maps)
        mesh = network.regress(features)
        computed = _outputs(mesh, features.heatmaps, maps)
        for name, hops in MASKS.items():
            computed[name] = network.regress(features, hops, upsample=False).coarse
    return {
        name: _error(name, computed[name].double().numpy(), fixture[name])
        for name in fixture
        if name in computed
    }


def _outputs(mesh: Mesh, heatmaps: Tensor, maps: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    assert mesh.mid is not None and mesh.fine is not None
    high, low = (branch.double().mean((2, 3)) for branch in maps)
    return {
        "camera": mesh.camera,
        "joints": mesh.joints,
        "coarse": mesh.coarse,
        "mid": mesh.mid,
        "fine": mesh.fine,
        "heatmap56": heatmaps[0],
        "backbone_high_sum": high,
        "backbone_low_sum": low,
    }


_CELLS = {"backbone_high_sum": 56 * 56, "backbone_low_sum": 7 * 7}


def _error(name: str, ours: np.ndarray, stored: np.ndarray) -> float:
    """Largest absolute difference; infinite when shapes differ or a number is not finite.

    What was stored as float16 is known to half a step of that type only: that much is not held against us.
    """
    if ours.shape != stored.shape:
        return float("inf")
    difference = np.abs(ours - stored.astype(np.float64) / _CELLS.get(name, 1))
    if stored.dtype == np.float16:
        difference = np.maximum(difference - np.spacing(np.abs(stored)).astype(np.float64) / 2, 0)
    return float(difference.max()) if np.isfinite(difference).all() else float("inf")


def _read_fixture(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            fixture = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is not a fixture of reference outputs (.npz): {error}.") from error
    missing = [name for name in _REQUIRED if name not in fixture]
    if missing:
        raise UserError(f"{path} is not a fixture of reference outputs: it lacks {', '.join(missing)}.")
    seed = fixture["seed"]
    if seed.size != 1 or seed.dtype.kind not in "iu" or not 0 <= int(seed) < 2**32:
        raise UserError(f"{path} is not a fixture of reference outputs: its seed is no number below 2^32.")
    return fixture
