"""One frozen description of a network; the presets that exist by name."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from model.errors import UserError
from model.json_text import parse_json

Backbone = Literal["hrnet-w32", "blazepose-full", "blazepose-heavy"]
Hops = tuple[int | None, ...]
"""One attention-mask threshold per encoder, in hops on the coarse mesh; None is off."""

PAPER_HOPS: Hops = (7, 5, 3, 1)
LARGEST_SIZE, LARGEST_GRID, MOST_WEIGHTS = 4096, 256, 500_000_000
"""What a description may ask for, at most; the published encoders have 13 million weights."""
DEFAULT_WEIGHTS = "body-lite"
"""The model that runs when nobody names another."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """All that decides the shapes and the arithmetic of a network."""

    name: str
    backbone: Backbone
    image_size: int
    """Side of the square input in pixels."""
    crop_scale: float = 1.0
    """Side of the square that it looks at over that of a person's usual square."""
    image_mean: tuple[float, float, float]
    image_std: tuple[float, float, float]
    heatmap_size: int
    """Side of the heatmaps in cells."""
    grid_size: int
    """Side of the grid of global tokens."""
    num_vertices: int = 431
    """Vertices of the coarse mesh."""
    num_joints: int = 14
    num_landmarks: int = 0
    """Landmarks of the backbone that become tokens of their own."""
    token_width: int
    """Features of a sampled token."""
    position_width: int
    """Learned features that tell tokens apart, appended to each."""
    position_scale: float = 2 * math.pi
    """The sine encoding's slowest angle runs over (0, position_scale] across the picture."""
    position_temperature: float = 10000.0
    """Ratio of the sine encoding's slowest to its fastest wave; below 1 the others are faster."""
    widths: tuple[int, int, int, int]
    """Token width in each encoder; the first is token_width + position_width."""
    layers: tuple[int, int, int, int]
    heads: tuple[int, int, int, int]
    feedforward: tuple[int, int, int, int]
    activation: Literal["relu", "gelu"] = "relu"
    dropout: float = 0.1
    hops: Hops = PAPER_HOPS
    """Thresholds that the network was trained with."""
    lifter_width: int = 0
    """Hidden width of the lifter from landmarks to a first mesh; 0: none, the mesh is regressed from zero."""
    lifter_cells: int = 0
    """Side of the grid of picture features that the lifter sees beside the landmarks; 0: landmarks only."""
    guide: Backbone | None = None
    """A larger BlazePose whose landmarks and presence replace the backbone's own (with tuned_levels only)."""
    guide_features: bool = False
    """Whether the decoders see the guide's features beside those of the trained copy."""
    tuned_levels: bool = False
    """Whether a trained copy of BlazePose's deeper levels feeds the decoders (lite decoders only)."""
    heatmap_channels: int = 0
    """Features below the heatmaps (lite decoders only)."""
    trunk_channels: int = 0
    bottleneck_channels: int = 0
    heatmap_gain: float = 1.0
    """Factor on the heatmap weights: Adam grows unscaled logits too slowly."""

    def __post_init__(self) -> None:
        if not isinstance(self.crop_scale, int | float) or not 0.5 <= self.crop_scale <= 4:
            raise UserError(f"A network's crop_scale is from 0.5 to 4, not {self.crop_scale}.")
        self._check_sizes()

    def _check_sizes(self) -> None:
        """A file may describe what no memory could hold: told before anything is built."""
        grids = self.grid_size, self.lifter_cells, self.heatmap_size
        values = [getattr(self, each.name) for each in dataclasses.fields(self)]
        numbers = [n for value in values for n in (value if isinstance(value, tuple) else (value,))]
        if _above(numbers, LARGEST_SIZE) or _above(grids, LARGEST_GRID):
            raise UserError(f"A network's sizes are at most {LARGEST_SIZE}, of its grids {LARGEST_GRID}.")
        try:
            weights = self.lifter_cells**2 * self.token_width * self.lifter_width
            for layers, width, inner in zip(self.layers, self.widths, self.feedforward, strict=True):
                weights += layers * width * (4 * width + 2 * inner)
        except (TypeError, ValueError):
            return  # No sizes at all: nothing can be built of them.
        if weights > MOST_WEIGHTS:
            raise UserError(f"A network with {weights:,} weights is larger than any that could be used here.")

    @property
    def num_tokens(self) -> int:
        """Camera, grid, landmarks, joints, vertices."""
        return 1 + self.grid_size**2 + self.num_landmarks + self.num_joints + self.num_vertices

    def to_json(self) -> str:
        """The config as one line of JSON, for the metadata of a weight file."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> NetworkConfig:
        """Inverse of `to_json`; raises UserError when the text does not describe a network.

        What an older file does not tell is as in the preset of its name.
        """
        try:
            raw = parse_json(text)
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            known = PRESETS.get(fields.get("name", ""))
            return dataclasses.replace(known, **fields) if known else NetworkConfig(**fields)
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f"The file's network description cannot be read: {error}.") from error


def _above(values: Iterable[Any], most: int) -> bool:
    return any(isinstance(value, int) and value > most for value in values)


_LITE = NetworkConfig(
    name="body-lite",
    backbone="blazepose-full",
    image_size=256,
    crop_scale=1.2,  # Chosen on the training part; crops in training have 0.9 to 1.4 of the usual square.
    image_mean=(0.0, 0.0, 0.0),
    image_std=(1.0, 1.0, 1.0),
    heatmap_size=32,
    grid_size=8,
    num_landmarks=33,
    token_width=96,
    position_width=32,
    position_scale=math.pi,
    position_temperature=1 / 32,
    widths=(128, 128, 64, 64),
    layers=(1, 1, 1, 1),
    heads=(4, 4, 2, 2),
    feedforward=(256, 256, 128, 128),
    activation="gelu",
    dropout=0.0,
    lifter_width=512,
    lifter_cells=8,
    tuned_levels=True,
    heatmap_channels=64,
    trunk_channels=128,
    bottleneck_channels=64,
    heatmap_gain=8.0,
)

_PUBLISHED = NetworkConfig(
    name="body-hrnet-w32",
    backbone="hrnet-w32",
    image_size=224,
    image_mean=(0.485, 0.456, 0.406),
    image_std=(0.229, 0.224, 0.225),
    heatmap_size=56,
    grid_size=7,
    token_width=512,
    position_width=128,
    widths=(640, 640, 128, 128),
    layers=(2, 2, 2, 2),
    heads=(4, 4, 4, 4),
    feedforward=(1024, 1024, 512, 512),
)
"""As published (CVPR 2023, supplement table 1; released checkpoint)."""

PRESETS: dict[str, NetworkConfig] = {
    "body-hrnet-w32": _PUBLISHED,
    # FreiHAND (paper, supplement): the same network over MANO's 195 coarse vertices and 21 joints.
    "hand-hrnet-w32": dataclasses.replace(_PUBLISHED, name="hand-hrnet-w32", num_vertices=195, num_joints=21),
    # The embedded default: small enough for a plain CPU, trained by us.
    "body-lite": _LITE,
    # The same network led by BlazePose heavy, its landmarks and its features: better and slower.
    "body-quality": dataclasses.replace(
        _LITE, name="body-quality", guide="blazepose-heavy", guide_features=True
    ),
}


def preset(name: str) -> NetworkConfig:
    """The preset of this name; raises UserError with the names that exist."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UserError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.") from None
