"""In which numbers each part of a network is computed: the ways there are, and which fits a processor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from model.config import NetworkConfig
from model.machine import cpu_has_bfloat16

_WIDE = ("decoders.heatmap.0", "decoders.heatmap.1", "decoders.feature")
_LAST_OF_BACKBONE = ("backbone.stage4.2.branches.0", "backbone.stage4.2.fuse_layers.0")


@dataclass(frozen=True)
class Recipe:
    """A way to compute both stages in OpenVINO."""

    name: str
    hint: Literal["f32", "bf16"] = "f32"
    """Precision of the first stage where it is not integers; the second is float32."""
    int8: tuple[str, ...] = ()
    """Parts of the first stage that are integers, as prefixes of module names."""
    kept: tuple[str, ...] = ()
    """Parts of those that stay float32."""
    regress_int8: bool = False

    @property
    def key(self) -> str:
        """Name of the folder with its graphs: recipes that differ in the hint alone share one."""
        return self.name if self.int8 or self.regress_int8 else "f32"

    def rounds(self, operation: str) -> bool:
        """Whether an operation of the first stage, by its name in the graph, becomes integers."""
        name = operation.partition("network.")[2].partition("/")[0]
        # By whole parts of the name: "stage4.2" is no prefix of "stage4.20".
        parts = [f"{part}." for part in self.int8], [f"{part}." for part in self.kept]
        return f"{name}.".startswith(tuple(parts[0])) and not f"{name}.".startswith(tuple(parts[1]))


FLOAT32 = Recipe("f32")
BFLOAT16 = Recipe("bf16", hint="bf16")
INT8_DECODERS = Recipe("int8-decoders", int8=_WIDE)
INT8 = Recipe("int8", int8=(*_WIDE, "backbone"), kept=("backbone.conv1", *_LAST_OF_BACKBONE))
INT8_ALL = Recipe(
    "int8-all", int8=(*_WIDE, "backbone", "decoders"), kept=("backbone.conv1",), regress_int8=True
)
LITE_INT8 = Recipe("int8", int8=("backbone", "decoders"), kept=("backbone.stem", "decoders.mix"))


def cpu_has_int8() -> bool:
    """Whether the processor multiplies bytes faster than floats (VNNI, AMX)."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in ("avx512_vnni", "avx_vnni", "avx2_vnni", "amx_int8"))


def frontier(config: NetworkConfig, *, bfloat16: bool | None = None) -> tuple[Recipe, ...]:
    """All recipes of a network that run on this processor, for the table; the most exact first.

    Integers make the lite network centimetres wrong, so that they are not tried on its larger tier.
    """
    half = (BFLOAT16,) if (cpu_has_bfloat16() if bfloat16 is None else bfloat16) else ()
    if config.backbone == "hrnet-w32":
        return (FLOAT32, *half, INT8_DECODERS, INT8, INT8_ALL)
    return (FLOAT32, *half) if config.guide else (FLOAT32, *half, LITE_INT8)


def preferred(
    config: NetworkConfig, *, int8: bool | None = None, bfloat16: bool | None = None
) -> tuple[Recipe, ...]:
    """In which order to try, by what the processor has. Each must pass `model.inference.deviation`.

    The lite network gains nothing from integers: its convolutions are narrow, and its answers would change.
    """
    ways: list[Recipe] = []
    if config.backbone == "hrnet-w32":
        if cpu_has_int8() if int8 is None else int8:
            ways += [INT8, INT8_DECODERS]
        if cpu_has_bfloat16() if bfloat16 is None else bfloat16:
            ways.append(BFLOAT16)
    return (*ways, FLOAT32)
