"""The BlazePose module against the original runtime's outputs, kept in tests/fixtures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.blazepose import (
    VARIANTS,
    BlazePose,
    BlazePoseOutput,
    DeepLevels,
    DepthwiseConv2d,
    load_blazepose,
)
from model.errors import UserError

FIXTURES = Path(__file__).parents[1] / "fixtures"
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP, LEFT_ANKLE, RIGHT_ANKLE = 11, 12, 23, 24, 27, 28


@pytest.fixture(scope="module")
def network() -> BlazePose:
    return load_blazepose()


@pytest.fixture(scope="module")
def figure() -> torch.Tensor:
    picture = cv2.imread(str(FIXTURES / "figure.png"))[:, :, ::-1].copy()
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def output(network: BlazePose, figure: torch.Tensor) -> BlazePoseOutput:
    return network(figure)


@pytest.mark.parametrize("variant", ["full", "heavy"])
def test_agrees_with_the_original_runtime(variant: str, figure: torch.Tensor) -> None:
    expected = np.load(FIXTURES / f"blazepose_{variant}.npz")
    output = load_blazepose(variant)(figure)
    own = {
        "fpn64": output.fpn64[:, :, ::8, ::8],
        "heatmaps": output.heatmaps[:, :, ::8, ::8],
        "s32x": output.s32x[:, ::8],
        "landmarks": output.landmarks.flatten(1),
        "world": output.world.flatten(1),
        "presence": output.presence[None],
    }
    assert set(own) == set(expected.files)
    for name, tensor in own.items():
        size = np.abs(expected[name]).max()
        np.testing.assert_allclose(tensor.numpy(), expected[name], atol=2e-4 * size, err_msg=name)


def test_finds_the_person_in_the_drawing(output: BlazePoseOutput) -> None:
    assert output.presence.item() > 0.9
    x, y = output.landmarks[0, :, 0], output.landmarks[0, :, 1]
    assert x[LEFT_SHOULDER] > x[RIGHT_SHOULDER]
    assert y[LEFT_SHOULDER] < y[LEFT_HIP] < y[LEFT_ANKLE]
    world = output.world[0]
    hips = (world[LEFT_HIP] + world[RIGHT_HIP]) / 2
    assert hips.norm() < 0.02
    legs = (world[[LEFT_ANKLE, RIGHT_ANKLE]] - hips).norm(dim=1)
    assert ((legs > 0.6) & (legs < 1.1)).all()


def test_no_person_in_noise(network: BlazePose) -> None:
    noise = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    assert network(noise).presence.item() < 0.1


def test_taps_are_the_features_of_forward(
    network: BlazePose, figure: torch.Tensor, output: BlazePoseOutput
) -> None:
    fpn64, s32x = network.taps(figure)
    assert torch.equal(fpn64, output.fpn64)
    assert torch.equal(s32x, output.s32x)


def test_a_fresh_copy_of_the_deeper_levels_answers_as_the_original(
    network: BlazePose, output: BlazePoseOutput
) -> None:
    copy = DeepLevels()
    copy.start_from(network)
    fpn64, s32x = copy(output.stride4, output.stride8)
    torch.testing.assert_close(fpn64, output.fpn64, atol=1e-4, rtol=0)
    torch.testing.assert_close(s32x, output.s32x, atol=1e-4, rtol=0)
    assert all(parameter.requires_grad for parameter in copy.parameters())


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_convolutions_are_float32_under_autocast(stride: int) -> None:
    torch.manual_seed(0)
    layer = DepthwiseConv2d(8, 5, stride)
    given = torch.randn(2, 8, 16, 16).bfloat16().float().requires_grad_()
    layer(given).sum().backward()
    gradients = given.grad, layer.weight.grad
    given.grad, layer.weight.grad = None, None
    with torch.autocast("cpu", torch.bfloat16):
        answer = layer(given.bfloat16())
    assert answer.dtype is torch.bfloat16
    answer.sum().backward()
    torch.testing.assert_close(given.grad, gradients[0], rtol=2**-7, atol=1e-3)
    torch.testing.assert_close(layer.weight.grad, gradients[1], rtol=1e-5, atol=1e-4)


def test_each_picture_of_a_batch_stands_alone(
    network: BlazePose, figure: torch.Tensor, output: BlazePoseOutput
) -> None:
    batch = network(torch.cat([torch.zeros_like(figure), figure]))
    torch.testing.assert_close(batch.landmarks[1:], output.landmarks, atol=0.02, rtol=0)
    assert batch.presence.shape == (2,)
    assert batch.presence[0] < batch.presence[1]


def test_loaded_network_is_frozen(network: BlazePose) -> None:
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_trace_gives_the_same_tuple(
    network: BlazePose, figure: torch.Tensor, output: BlazePoseOutput
) -> None:
    traced = torch.jit.trace(network, figure, check_trace=False)
    for own, other in zip(output, traced(figure), strict=True):
        torch.testing.assert_close(own, other, atol=0.02, rtol=1e-3)


@pytest.mark.parametrize(("variant", "channels"), [("full", 864), ("heavy", 1632)])
def test_shapes_of_each_variant(variant: str, channels: int) -> None:
    assert variant in VARIANTS
    with torch.device("meta"):
        output = BlazePose(variant)(torch.zeros(2, 3, 256, 256))
    shapes = [tuple(tensor.shape) for tensor in output]
    assert shapes == [
        (2, 48, 64, 64),
        (2, channels, 8, 8),
        (2, 39, 64, 64),
        (2, 39, 5),
        (2, 39, 3),
        (2,),
        (2, 24 if variant == "full" else 32, 64, 64),
        (2, 32 if variant == "full" else 56, 32, 32),
    ]


def test_missing_or_foreign_weights_are_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        load_blazepose("full", tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing of use")
    with pytest.raises(UserError):
        load_blazepose("full", tmp_path / "broken.safetensors")
    shipped = Path(__file__).parents[2] / "assets/weights/blazepose-full.safetensors"
    with pytest.raises(UserError):
        load_blazepose("heavy", shipped)
