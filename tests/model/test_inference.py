"""Which engine works, in which order they are tried, and what happens when one fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from model.config import preset
from model.engine import HalfEngine
from model.inference import InferenceEngine, compare, deviation
from model.pointhmr import PointHMR
from model.quantize import best_end
from model.recipes import (
    BFLOAT16,
    BFLOAT16_WIDE,
    FLOAT32,
    INT8,
    INT8_BFLOAT16,
    INT8_DECODERS,
    INT8_EARLY_BFLOAT16,
    frontier,
    preferred,
)


class FakeEngine:
    """Answers with its name, or fails."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self.error = error

    def encode(self, images: Any, *, keep_points: bool = False) -> Any:
        if self.error is not None:
            raise self.error
        return self.name, keep_points

    def regress(self, features: Any, hops: Any) -> Any:
        return self.encode(None)[0]


def ladder(*engines: FakeEngine) -> InferenceEngine:
    engine = InferenceEngine.__new__(InferenceEngine)
    InferenceEngine.__init__(engine, None)  # type: ignore[arg-type]
    engine._engines = tuple(engines)  # type: ignore[assignment]
    return engine


def test_failing_engines_are_dropped_in_order() -> None:
    slow = FakeEngine("slow")
    engine = ladder(
        slow, FakeEngine("middle", RuntimeError("no")), FakeEngine("fast", RuntimeError("broken"))
    )
    assert engine.name == "fast"
    assert engine.encode(torch.zeros(1), keep_points=True) == ("slow", True)
    assert engine.name == "slow"
    assert engine.dropped == ("fast failed: broken", "middle failed: no")
    engine.add(FakeEngine("new"))
    assert engine.regress(None, (1, 1, 1, 1)) == "new"  # type: ignore[arg-type,comparison-overlap]


def test_the_last_engine_tells_its_error() -> None:
    engine = ladder(FakeEngine("only", RuntimeError("gone")))
    with pytest.raises(RuntimeError, match="gone"):
        engine.encode(torch.zeros(1))
    assert engine.name == "only"


def test_a_full_graphics_card_is_not_the_engines_fault() -> None:
    engine = ladder(FakeEngine("slow"), FakeEngine("fast", torch.OutOfMemoryError("full")))
    with pytest.raises(torch.OutOfMemoryError):
        engine.encode(torch.zeros(1))
    assert engine.name == "fast"


def test_the_processor_decides() -> None:
    published, lite = preset("body-hrnet-w32"), preset("body-lite")
    both = (INT8_EARLY_BFLOAT16, INT8_BFLOAT16, BFLOAT16_WIDE, FLOAT32)
    assert preferred(published, int8=True, bfloat16=True) == both
    assert preferred(published, int8=True, bfloat16=False) == (INT8, INT8_DECODERS, FLOAT32)
    assert preferred(published, int8=False, bfloat16=True) == (BFLOAT16_WIDE, FLOAT32)
    assert preferred(published, int8=False, bfloat16=False) == (FLOAT32,)
    assert preferred(lite, int8=True, bfloat16=True) == (FLOAT32,)
    assert not any(recipe.bfloat16 for recipe in frontier(published, bfloat16=False))
    assert BFLOAT16 not in frontier(lite, bfloat16=False)
    for int8 in (False, True):
        for half in (False, True):
            listed = frontier(published, bfloat16=half)
            assert set(preferred(published, int8=int8, bfloat16=half)) <= set(listed), "all can be exported"


def test_recipes_share_graphs_only_where_these_are_the_same() -> None:
    recipes = frontier(preset("body-hrnet-w32"), bfloat16=True)
    assert len({recipe.key for recipe in recipes}) == len(recipes)
    assert BFLOAT16.key == FLOAT32.key


def test_sensitive_layers_stay_float() -> None:
    def operation(name: str) -> str:
        return f"__module.network.{name}/aten::_convolution/Convolution"

    assert INT8.rounds(operation("decoders.feature.1.conv1"))
    assert INT8.rounds(operation("backbone.stage3.0.branches.0.0.conv1"))
    for kept in (
        "decoders.heatmap.2",
        "decoders.heatmap.0.downsample.0",
        "decoders.feature.0.downsample.0",
        "decoders.grid.0.conv1",
        "backbone.conv1",
        "backbone.stage4.2.branches.0.1.conv2",
    ):
        assert not INT8.rounds(operation(kept))
    for kept in (
        "decoders.heatmap.2",
        "decoders.feature.0.downsample.0",
        "backbone.conv2",
        "encoders.2.layers.0",
    ):
        assert not BFLOAT16_WIDE.halves(operation(kept))
    assert BFLOAT16_WIDE.halves(operation("encoders.1.layers.0.attention.qkv"))
    assert not INT8_BFLOAT16.halves(operation("decoders.feature.1.conv1")), "that one is integers"
    assert not FLOAT32.rounds(operation("backbone.conv2"))
    assert not INT8.rounds("aten::matmul/MatMul")


def test_the_range_leaves_outliers_out_only_where_that_pays() -> None:
    even = np.linspace(0, 1, 10_001).astype(np.float32)
    assert best_end(even, 1.0, 255) == pytest.approx(1.0)
    normal = np.abs(np.random.default_rng(0).standard_normal(100_000)).astype(np.float32)
    assert best_end(np.append(normal, 12.0), 12.0, 15) < 8.0


def test_deviation_is_in_millimetres_and_percent() -> None:
    mesh = torch.tensor([[[1.0, 0, 0], [3.0, 0, 0]]])
    found = deviation(mesh + torch.tensor([0.0, 0.02, 0.0]), mesh)
    assert found.mean_mm == pytest.approx(20)
    assert found.percent == pytest.approx(1.0)
    assert found.percent_of_spread == pytest.approx(2.0)
    assert deviation(mesh * float("nan"), mesh).mean_mm == float("inf")


def test_half_precision_gives_nearly_the_same_person() -> None:
    torch.manual_seed(0)
    network = PointHMR(preset("body-lite")).eval().requires_grad_(False)
    image = torch.rand(1, 3, 256, 256)
    engine = HalfEngine(network, torch.bfloat16)
    features = engine.encode(image, keep_points=True)
    assert engine.name == "torch bfloat16"
    assert features.heatmaps.dtype == torch.float32
    assert features.point_features is not None
    found = compare(engine, network, image)
    assert 0 < found.mean_mm < 20
