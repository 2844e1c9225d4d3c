"""Weight files of strangers: what is good comes through, each fault has its own sentence, nothing runs."""

import argparse
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from model.errors import UserError
from model.safe_load import check_state, load_checkpoint
from tests.model.foreign import Touch, TouchBySystem

ZIP_AND_LEGACY = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def some_state() -> dict[str, Tensor]:
    return {"a.weight": torch.arange(6.0).view(2, 3), "a.count": torch.tensor(7)}


def save(content: Any, path: Path, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def assert_same(got: dict[str, Tensor]) -> None:
    want = some_state()
    assert got.keys() == want.keys()
    for key in want:
        torch.testing.assert_close(got[key], want[key])


@pytest.mark.fault(14)
@ZIP_AND_LEGACY
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"module." + key: value for key, value in state.items()},
        lambda state: {"module.module." + key: value for key, value in state.items()},
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}, "step": 5},
        lambda state: {key: nn.Parameter(v) if v.is_floating_point() else v for key, v in state.items()},
        lambda state: {key: v.half() if v.is_floating_point() else v for key, v in state.items()},
        lambda state: {key: v.double() if v.is_floating_point() else v for key, v in state.items()},
    ],
    ids=["plain", "module", "module twice", "state_dict", "nested", "parameters", "fp16", "float64"],
)
def test_every_wrapping_gives_the_same_weights(tmp_path: Path, wrap: Any, zipped: bool) -> None:
    assert_same(load_checkpoint(save(wrap(some_state()), tmp_path / "w.bin", zipped)))


def test_safetensors_under_any_name(tmp_path: Path) -> None:
    save_file(some_state(), tmp_path / "weights.pkl")
    assert_same(load_checkpoint(tmp_path / "weights.pkl"))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)


@ZIP_AND_LEGACY
@pytest.mark.filterwarnings("ignore")
def test_a_whole_network_is_refused_with_the_way_to_convert_it(tmp_path: Path, zipped: bool) -> None:
    path = save(Network(), tmp_path / "model.bin", zipped)
    with pytest.raises(
        UserError, match=r"whole pickled network \(.*Network\).*torch\.save\(model\.state_dict"
    ):
        load_checkpoint(path)


@pytest.mark.fault(14)
@ZIP_AND_LEGACY
@pytest.mark.parametrize("kind", [Touch, TouchBySystem])
def test_a_hostile_checkpoint_never_runs(tmp_path: Path, kind: type[Touch], zipped: bool) -> None:
    mark = tmp_path / "ran"
    path = save(some_state() | {"b": kind(mark)}, tmp_path / "state_dict.bin", zipped)
    with pytest.raises(UserError, match=r"^state_dict\.bin was refused: opening it would call \w+"):
        load_checkpoint(path)
    assert not mark.exists()
    torch.load(path, weights_only=False)
    assert mark.exists(), "the bait itself must work, or this test proves nothing"


def test_the_hostile_call_is_named(tmp_path: Path) -> None:
    path = save({"a": TouchBySystem(tmp_path / "ran")}, tmp_path / "w.bin")
    with pytest.raises(UserError, match=f"{os.system.__module__}.system"):
        load_checkpoint(path)
    path = save({"a": torch.ones(1), "args": argparse.Namespace()}, tmp_path / "w.bin")
    with pytest.raises(UserError, match=r"argparse\.Namespace"):
        load_checkpoint(path)


def messages(folder: Path) -> dict[str, str]:
    """The sentence that each kind of broken file gets."""
    whole = save(some_state(), folder / "good.bin").read_bytes()
    legacy = save(some_state(), folder / "good.bin", zipped=False).read_bytes()
    save_file(some_state(), folder / "good.safetensors")
    files = {
        "empty": b"",
        "cut": whole[: len(whole) * 2 // 3],
        "cut legacy": legacy[:-30],
        "cut safetensors": (folder / "good.safetensors").read_bytes()[:-3],
        "text": b"hello world, I am no weights",
        "plain pickle": pickle.dumps({"a": np.ones(3)}),
    }
    sentences = {}
    for name, data in files.items():
        (folder / "w.bin").write_bytes(data)
        with pytest.raises(UserError) as caught:
            load_checkpoint(folder / "w.bin")
        sentences[name] = str(caught.value)
    return sentences


@pytest.mark.fault(14)
def test_each_broken_file_has_its_sentence(tmp_path: Path) -> None:
    sentences = messages(tmp_path)
    assert sentences["empty"] == "w.bin is empty."
    assert sentences["cut"] == sentences["cut legacy"] == "w.bin is cut off or damaged."
    assert sentences["cut safetensors"].startswith("w.bin is cut off or damaged (")
    assert sentences["text"] == "w.bin is not a weight file (torch or safetensors)."
    assert "plain pickle" in sentences["plain pickle"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": torch.ones(1), "epoch": 3}, "epoch is a int"),
        ([1, 2], "holds no weights, but a list"),
        ({}, "holds no weights"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a holds numbers that are not finite"),
    ],
)
def test_what_is_no_state_dict_says_so(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_checkpoint(save(content, tmp_path / "w.bin"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        load_checkpoint(tmp_path / "w.bin")
    with pytest.raises(UserError, match="directory"):
        load_checkpoint(tmp_path)


EXPECTED = {f"layer.{i}": (i + 1, 2) for i in range(6)}


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"layer.2": (9, 2), "layer.4": (1,)},
            "w does not fit the net: layer.2 is 9 x 2, not 3 x 2 (and 1 more).",
        ),
        ({"layer.1": None}, "w is incomplete: the net needs layer.1."),
        ({"layer.1": None, "layer.5": None}, "w is incomplete: the net needs layer.1 (and 1 more)."),
        ({"odd": (1,)}, "w holds what the net does not know: odd."),
        (
            {f"layer.{i}": None for i in range(4)} | {"odd": (1,)},
            "w is another architecture, not a net: it shares 2 of 6 tensors.",
        ),
    ],
)
def test_check_state_says_what_is_wrong(change: dict[str, Any], sentence: str) -> None:
    shapes = {key: shape for key, shape in (EXPECTED | change).items() if shape is not None}
    state = {key: torch.zeros(shape) for key, shape in shapes.items()}
    with pytest.raises(UserError) as caught:
        check_state(state, EXPECTED, "w", "net")
    assert str(caught.value) == sentence


def test_check_state_accepts_what_fits() -> None:
    check_state({key: torch.zeros(shape) for key, shape in EXPECTED.items()}, EXPECTED, "w", "net")


@ZIP_AND_LEGACY
def test_a_file_with_spoilt_bytes_is_read_or_told(tmp_path: Path, zipped: bool) -> None:
    """torch's readers raise AssertionError, IndexError and MemoryError of such files, too."""
    good = save(some_state(), tmp_path / "good.pt", zipped).read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / "spoilt.pt"
    told = 0
    for _ in range(300):
        spoilt = bytearray(good)
        for place in rng.integers(len(spoilt), size=3):
            spoilt[place] = rng.integers(256)
        path.write_bytes(spoilt)
        try:
            load_checkpoint(path)
        except UserError:
            told += 1
    assert told > 30
