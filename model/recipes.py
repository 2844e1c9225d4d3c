"""In which numbers each part of a network is computed: the ways there are, and which fits a processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from model.config import NetworkConfig
from model.machine import cpu_has_bfloat16

_HEATMAP, _FEATURE = (
    tuple(f"decoders.{decoder}.{block}.conv{number}" for block in (0, 1) for number in (1, 2))
    for decoder in ("heatmap", "feature")
)
"""The 3x3 convolutions, which are most of the arithmetic. The 1x1 ones beside and after them cost little, and
their rounding moves the mesh more than that of all these together."""
_WIDE = (*_HEATMAP, *_FEATURE)
_LAST_OF_BACKBONE = ("backbone.stage4.2.branches.0", "backbone.stage4.2.fuse_layers.0")
_TRANSFORMER = tuple(
    f"encoders.{encoder}.layers.{layer}.{part}"
    for encoder in (0, 1)
    for layer in (0, 1)
    for part in ("attention.qkv", "attention.out", "linear1", "activation", "linear2")
)
"""The linear layers of the two wide encoders. The narrow encoders after them cost little, and their rounding
goes to the vertices directly."""


@dataclass(frozen=True)
class Recipe:
    """A way to compute both stages in OpenVINO."""

    name: str
    hint: Literal["f32", "bf16"] = "f32"
    """Precision of the first stage where nothing else is said; the second is float32."""
    int8: tuple[str, ...] = ()
    """Parts of the first stage that are integers, as prefixes of module names."""
    kept: tuple[str, ...] = ()
    """Parts of those that stay float32."""
    bfloat16: tuple[str, ...] = ()
    """Parts of both stages that are bfloat16, likewise."""
    regress_int8: bool = False

    @property
    def own_graphs(self) -> bool:
        """Whether its graphs are others than those of float32."""
        return bool(self.int8 or self.bfloat16 or self.regress_int8)

    @property
    def key(self) -> str:
        """Name of the folder with its graphs: recipes that differ in the hint alone share one."""
        return self.name if self.own_graphs else FLOAT32.name

    def rounds(self, operation: str) -> bool:
        """Whether an operation of the first stage, by its name in the graph, becomes integers."""
        return _is_part(operation, self.int8) and not _is_part(operation, self.kept)

    def halves(self, operation: str) -> bool:
        """Whether an operation of either stage, by its name in the graph, becomes bfloat16."""
        return _is_part(operation, self.bfloat16)


def _is_part(operation: str, modules: tuple[str, ...]) -> bool:
    name = operation.partition("network.")[2].partition("/")[0]
    # By whole parts of the name: "stage4.2" is no prefix of "stage4.20".
    return f"{name}.".startswith(tuple(f"{module}." for module in modules))


FLOAT32 = Recipe("f32")
BFLOAT16 = Recipe("bf16", hint="bf16")
BFLOAT16_WIDE = Recipe("bf16-wide", bfloat16=(*_WIDE, *_TRANSFORMER))
INT8_BFLOAT16 = Recipe("int8-bf16", int8=_FEATURE, bfloat16=(*_HEATMAP, *_TRANSFORMER))
INT8_EARLY_BFLOAT16 = Recipe(
    "int8-early-bf16",
    int8=(*_WIDE[1:], "backbone.layer1", "backbone.stage2"),
    bfloat16=(_WIDE[0], *_TRANSFORMER),
)
"""The backbone's first levels round to little, and the first convolution of the heatmaps to much."""
INT8_DECODERS = Recipe("int8-decoders", int8=_WIDE)
INT8 = Recipe("int8", int8=(*_WIDE, "backbone"), kept=("backbone.conv1", *_LAST_OF_BACKBONE))
INT8_ALL = Recipe("int8-all", int8=("backbone", "decoders"), kept=("backbone.conv1",), regress_int8=True)
LITE_INT8 = Recipe("int8", int8=("backbone", "decoders"), kept=("backbone.stem", "decoders.mix"))


def cpu_has_int8() -> bool:
    """Whether the processor multiplies bytes faster than floats (VNNI, AMX)."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in ("avx512_vnni", "avx_vnni", "avx2_vnni", "amx_int8"))


def frontier(config: NetworkConfig, *, bfloat16: bool | None = None) -> tuple[Recipe, ...]:
    """All recipes of a network that run on this processor, for the table; the most exact first.

    Integers make the lite network centimetres wrong, so that they are not tried on its larger tier.
    """
    half = cpu_has_bfloat16() if bfloat16 is None else bfloat16
    if config.backbone == "hrnet-w32":
        if not half:
            return (FLOAT32, INT8_DECODERS, INT8, INT8_ALL)
        mixed = (BFLOAT16_WIDE, INT8_BFLOAT16, INT8_DECODERS, INT8_EARLY_BFLOAT16)
        return (FLOAT32, *mixed, INT8, INT8_ALL)
    lite = (FLOAT32, BFLOAT16) if half else (FLOAT32,)
    return lite if config.guide else (*lite, LITE_INT8)


def preferred(
    config: NetworkConfig, *, int8: bool | None = None, bfloat16: bool | None = None
) -> tuple[Recipe, ...]:
    """In which order to try, by what the processor has. Each must pass `model.inference.deviation`.

    The fastest comes first. The lite network gains nothing: its convolutions are narrow, and its answers
    would change.
    """
    if config.backbone != "hrnet-w32":
        return (FLOAT32,)
    integers = cpu_has_int8() if int8 is None else int8
    half = cpu_has_bfloat16() if bfloat16 is None else bfloat16
    if integers and half:
        return (INT8_EARLY_BFLOAT16, INT8_BFLOAT16, BFLOAT16_WIDE, FLOAT32)
    if integers:
        return (INT8, INT8_DECODERS, FLOAT32)
    return (BFLOAT16_WIDE, FLOAT32) if half else (FLOAT32,)
