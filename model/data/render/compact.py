"""The compact form of an appearance folder: the one that ships, made by `python -m assets.build.appearance`.

`appearance.npz` holds names (N,) of the garments and, of garment i, points{i} (V, 3), uv{i} (M, 2), faces{i}
and corners{i} (F, 3) rows of the two, covered{i} base vertices; points and uv are whole numbers on a grid
whose lowest value and step, for each axis, are points_grid{i} and uv_grid{i} (2, D). places (P,) names the
panoramas, lights (P, 33) are what their HDR pictures shed. `textures/NAME.webp` and `panoramas/NAME.webp` lie
beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.array_files import save_npz
from model.data.pictures import read_labels, read_picture
from model.data.render.garments import Pattern, read_texture
from model.errors import UserError
from model.paths import write_atomically

FILE = "appearance.npz"
FINEST = np.iinfo(np.uint16).max


def is_compact(folder: Path) -> bool:
    """Whether an appearance folder is in this form."""
    return (folder / FILE).is_file()


def read_patterns(folder: Path) -> list[Pattern]:
    """Garments and hair, bound to the base mesh. Raises UserError when the folder is damaged."""
    arrays = _arrays(folder)
    patterns = []
    for number, name in enumerate(arrays["names"].tolist()):
        points, uv = (
            on_grid(arrays[f"{which}{number}"], arrays[f"{which}_grid{number}"]) for which in ("points", "uv")
        )
        picture = folder / "textures" / f"{Path(name).name}.webp"
        patterns.append(
            Pattern(
                name,
                points,
                arrays[f"faces{number}"].astype(np.int64),
                uv[arrays[f"corners{number}"]],
                read_texture(picture) if picture.is_file() else None,
                arrays[f"covered{number}"],
            )
        )
    return patterns


def read_panoramas(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (P, 512, 1024, 3) sRGB uint8 and lights (P, 33). Raises UserError."""
    arrays = _arrays(folder)
    pictures = [read_picture(folder / "panoramas" / f"{name}.webp") for name in arrays["places"].tolist()]
    return np.stack(pictures), arrays["lights"]


def write_arrays(
    folder: Path, patterns: Sequence[Pattern], places: Sequence[str], lights: np.ndarray
) -> None:
    """Everything but the pictures."""
    arrays = {"names": np.array([p.name for p in patterns]), "places": np.array(places), "lights": lights}
    for number, pattern in enumerate(patterns):
        table, corners = np.unique(pattern.uv.reshape(-1, 2), axis=0, return_inverse=True)
        for name, values in (("points", pattern.points), ("uv", table)):
            arrays[f"{name}{number}"], arrays[f"{name}_grid{number}"] = to_grid(values)
        arrays[f"faces{number}"] = pattern.faces.astype(np.uint16)
        arrays[f"corners{number}"] = corners.reshape(-1, 3).astype(np.uint16)
        arrays[f"covered{number}"] = pattern.covered.astype(np.uint16)
    write_atomically(folder / FILE, lambda file: save_npz(file, arrays))


def to_grid(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) as whole numbers of 16 bits, and the grid (2, D): lowest value and step of each axis."""
    low = values.min(axis=0)
    step = np.maximum((values.max(axis=0) - low) / FINEST, 1e-12)
    return np.round((values - low) / step).astype(np.uint16), np.stack([low, step])


def on_grid(numbers: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(N, D) values again."""
    return numbers * grid[1] + grid[0]


def _arrays(folder: Path) -> dict[str, np.ndarray]:
    arrays = read_labels(folder / FILE)
    if not {"names", "places", "lights"} <= set(arrays):
        raise UserError(f"{folder / FILE} holds no garments and panoramas.")
    return arrays
