"""The two-stage network: masks act in the second stage alone, and only between vertices."""

from __future__ import annotations

import json
import weakref

import pytest
import torch

from model.config import PRESETS, NetworkConfig, preset
from model.encoder import HopMasks, SelfAttention
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.layers import SamplePointsWithLoss, sample_points, sine_positions
from model.pointhmr import Features, PointHMR


@pytest.fixture(scope="module")
def lite() -> PointHMR:
    torch.manual_seed(0)
    return PointHMR(preset("body-lite")).eval()


@pytest.fixture(scope="module")
def published() -> PointHMR:
    torch.manual_seed(0)
    return PointHMR(preset("body-hrnet-w32")).eval()


@pytest.fixture(scope="module")
def features(lite: PointHMR) -> Features:
    with torch.inference_mode():
        return lite.encode(torch.rand(2, 3, 256, 256))


def test_shapes_of_both_stages(lite: PointHMR, features: Features) -> None:
    with torch.inference_mode():
        mesh = lite.regress(features)
    assert features.heatmaps.shape == (2, 431, 32, 32)
    assert torch.allclose(features.heatmaps.sum((2, 3)), torch.ones(2, 431), atol=1e-4)
    assert mesh.joints.shape == (2, 14, 3)
    assert mesh.coarse.shape == (2, 431, 3)
    assert mesh.mid is not None and mesh.mid.shape == (2, 1723, 3)
    assert mesh.fine is not None and mesh.fine.shape == (2, 6890, 3)
    assert mesh.camera.shape == (2, 3)
    assert mesh.attention == ()


@torch.inference_mode()
def test_both_stages_are_the_whole_forward(lite: PointHMR) -> None:
    image = torch.rand(1, 3, 256, 256)
    assert torch.equal(lite(image).coarse, lite.regress(lite.encode(image)).coarse)


@torch.inference_mode()
def test_changing_masks_never_runs_the_backbone(lite: PointHMR, features: Features) -> None:
    calls = []
    hook = lite.backbone.register_forward_hook(lambda *_: calls.append(1))
    meshes = [lite.regress(features, hops).coarse for hops in ((7, 5, 3, 1), (1, 1, 1, 1), (None,) * 4)]
    hook.remove()
    assert calls == []
    assert not torch.allclose(meshes[0], meshes[1])
    assert not torch.allclose(meshes[0], meshes[2])


@torch.inference_mode()
def test_the_diameter_is_the_same_as_off(lite: PointHMR, features: Features) -> None:
    diameter = lite.hierarchy.diameter
    assert torch.equal(
        lite.regress(features, (diameter,) * 4).coarse, lite.regress(features, (None,) * 4).coarse
    )


@torch.inference_mode()
def test_attention_is_zero_exactly_where_masked(lite: PointHMR, features: Features) -> None:
    attention = lite.regress(features, (7, 5, 3, 1), attention=True).attention
    allowed = torch.from_numpy(lite.hierarchy.allowed(1))
    last = attention[3][0][0, 0]
    between_vertices = last[-431:, -431:]
    assert (between_vertices[~allowed] == 0).all()
    assert (between_vertices[allowed] > 0).all()
    assert (last[:-431] > 0).all()
    assert (last[:, :-431] > 0).all()
    assert torch.allclose(last.sum(-1), torch.ones(len(last)), atol=1e-5)


@torch.inference_mode()
def test_attention_is_captured_in_every_layer_or_let_go(published: PointHMR) -> None:
    """Off, no layer's weights outlive the layer; on, all of them do, and the mesh is the same."""
    alive: list[weakref.ref[torch.Tensor]] = []
    most = [0]

    def watch(module: object, inputs: object, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        alive.append(weakref.ref(output[1]))
        most[0] = max(most[0], sum(ref() is not None for ref in alive))

    layers = [module for module in published.modules() if isinstance(module, SelfAttention)]
    hooks = [layer.register_forward_hook(watch) for layer in layers]
    features = Features(
        torch.rand(1, 431, 56, 56), 0.1 * torch.randn(1, 431, 512), 0.1 * torch.randn(1, 49, 512)
    )
    plain = published.regress(features, (7, 5, 3, 1))
    assert (len(alive), most[0], plain.attention) == (8, 1, ())
    alive.clear()
    looked_at = published.regress(features, (7, 5, 3, 1), attention=True)
    for hook in hooks:
        hook.remove()
    assert most[0] == 8
    assert torch.equal(plain.coarse, looked_at.coarse)
    assert [[tuple(w.shape) for w in layers] for layers in looked_at.attention] == [
        [(1, 4, 495, 495)] * 2
    ] * 4


def test_masks_are_made_once() -> None:
    masks = HopMasks(load_hierarchy(), 500)
    device = torch.device("cpu")
    assert masks.get(3, device) is masks.get(3, device)
    assert masks.get(None, device) is None


def test_one_person_of_a_batch(lite: PointHMR, features: Features) -> None:
    with torch.inference_mode():
        both, second = lite.regress(features).coarse, lite.regress(features.one(1)).coarse
    assert torch.allclose(both[1:], second, atol=1e-5)


def test_sampling_takes_the_mean_under_the_heatmap() -> None:
    logits = torch.full((1, 2, 4), -40.0)
    logits[0, 0, 2] = 40.0
    logits[0, 1, :2] = 40.0
    points = torch.tensor([[[1.0], [3.0], [10.0], [20.0]]])
    heatmaps, tokens = sample_points(logits, points)
    assert torch.allclose(tokens.flatten(), torch.tensor([10.0, 2.0]))
    assert torch.allclose(heatmaps[0, 1], torch.tensor([0.5, 0.5, 0, 0]))


def test_the_fused_sampling_has_the_gradients_of_the_plain_one() -> None:
    torch.manual_seed(1)
    logits = torch.randn(2, 3, 16, dtype=torch.float64, requires_grad=True)
    points = torch.randn(2, 16, 5, dtype=torch.float64, requires_grad=True)
    cells = torch.randint(0, 16, (2, 3, 4))
    mass = torch.rand(2, 3, 4, dtype=torch.float64)
    mix = torch.randn(2, 3, 5, dtype=torch.float64)

    def gradients(fused: bool) -> tuple[torch.Tensor, ...]:
        if fused:
            tokens, loss = SamplePointsWithLoss.apply(logits, points, cells, mass)
        else:
            heatmaps, tokens = sample_points(logits, points)
            loss = -(mass * torch.log(heatmaps.gather(2, cells))).sum(-1)
        return torch.autograd.grad((tokens * mix).sum() + loss.sum(), (logits, points))

    for ours, plain in zip(gradients(True), gradients(False), strict=True):
        assert torch.allclose(ours, plain, atol=1e-5)


def test_positions_differ_between_all_cells() -> None:
    for config in PRESETS.values():
        code = sine_positions(
            config.heatmap_size,
            config.token_width,
            scale=config.position_scale,
            temperature=config.position_temperature,
        )
        assert torch.cdist(code, code).fill_diagonal_(1).min() > 0.01


def test_a_config_survives_its_json() -> None:
    for config in PRESETS.values():
        assert NetworkConfig.from_json(config.to_json()) == config


def test_an_older_file_is_completed_from_its_preset() -> None:
    fields = json.loads(preset("body-quality").to_json())
    del fields["crop_scale"], fields["lifter_cells"]
    assert NetworkConfig.from_json(json.dumps(fields)) == preset("body-quality")
    renamed = NetworkConfig.from_json(json.dumps(fields | {"name": "somebody's"}))
    assert (renamed.crop_scale, renamed.lifter_cells) == (1.0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"name": "x"}',
        '{"nonsense": 1}',
        *(f'{{"name": "body-lite", "crop_scale": {scale}}}' for scale in ("0", "NaN", '"1"', "1e9")),
    ],
)
def test_a_broken_config_is_a_users_error(text: str) -> None:
    with pytest.raises(UserError):
        NetworkConfig.from_json(text)


def test_an_unknown_preset_names_those_that_exist() -> None:
    with pytest.raises(UserError, match="body-lite"):
        preset("body-huge")
