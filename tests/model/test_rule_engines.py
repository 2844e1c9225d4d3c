"""The fast ways to compute the published network stay within one percent of it, with weights made by rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.graphs import export
from model.inference import compare
from model.machine import cpu_has_bfloat16
from model.openvino_engine import OpenVinoEngine
from model.pointhmr import PointHMR
from model.recipes import (
    BFLOAT16_WIDE,
    INT8_BFLOAT16,
    INT8_DECODERS,
    INT8_EARLY_BFLOAT16,
    Recipe,
    cpu_has_int8,
)
from model.verify import rule_image, rule_network


@pytest.fixture(scope="module")
def network() -> PointHMR:
    return rule_network(0).requires_grad_(False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [BFLOAT16_WIDE, INT8_BFLOAT16, INT8_EARLY_BFLOAT16, INT8_DECODERS],
    ids=lambda recipe: recipe.name,
)
@torch.inference_mode()
def test_the_mesh_stays_within_one_percent(network: PointHMR, recipe: Recipe, tmp_path: Path) -> None:
    if (recipe.bfloat16 and not cpu_has_bfloat16()) or (recipe.int8 and not cpu_has_int8()):
        pytest.skip("the processor has no such numbers")
    export(network, tmp_path / "graphs", recipe)
    found = compare(OpenVinoEngine(network, tmp_path / "graphs", recipe), network, rule_image(0))
    assert 0.01 < found.percent <= 1.0, "it rounds, and not too much"
