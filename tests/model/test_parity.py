"""The published network, number for number, on weights made by rule."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from model.config import PRESETS, preset
from model.errors import UserError
from model.parameters import parameter_counts, unused_count
from model.pointhmr import PointHMR
from model.released import UNUSED, ours_to_released, released_shapes, released_to_ours
from model.verify import MASKS, TOLERANCE, rule_state, rule_tensor, verify

FIXTURES = Path(__file__).parents[1] / "fixtures"
PARITY = FIXTURES / "pointhmr_parity.npz"


@pytest.fixture(scope="module")
def network() -> PointHMR:
    return PointHMR(preset("body-hrnet-w32"))


@pytest.fixture(scope="module")
def spec() -> dict[str, tuple[int, ...]]:
    return {
        key: tuple(shape)
        for key, shape in json.loads((FIXTURES / "state_dict_spec.json").read_text()).items()
    }


def test_every_stored_output_agrees() -> None:
    errors = verify(PARITY)
    assert set(errors) == set(np.load(PARITY).files) - {"seed"}
    assert set(MASKS) <= set(errors)
    assert {name: error for name, error in errors.items() if not error <= TOLERANCE} == {}


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    fixture = dict(np.load(PARITY))
    fixture["fine"][0, 5000, 2] += 1e-3
    fixture["coarse_hops_off"][0, 7, 0] = np.nan
    fixture["heatmap56"][3, 10, 10] += np.float16(0.01)
    fixture["backbone_high_sum"][0, 3] += 1.0
    np.savez(tmp_path / "wrong.npz", **fixture)
    errors = verify(tmp_path / "wrong.npz")
    wrong = {name for name, error in errors.items() if not error <= TOLERANCE}
    assert wrong == {"fine", "coarse_hops_off", "heatmap56", "backbone_high_sum"}


def test_all_released_keys_are_known(network: PointHMR, spec: dict[str, tuple[int, ...]]) -> None:
    assert len(spec) == 2023
    assert released_shapes(network) == spec


def test_released_names_go_there_and_back(network: PointHMR, spec: dict[str, tuple[int, ...]]) -> None:
    released = {key: torch.empty(shape, device="meta") for key, shape in spec.items()}
    ours = released_to_ours(released, network)
    assert ours.keys() == network.state_dict().keys()
    assert ours_to_released(ours).keys() == spec.keys() - UNUSED.keys()


def test_parameters_by_part(spec: dict[str, tuple[int, ...]]) -> None:
    """The spec's table, counted over the released keys (the two unused embeddings included)."""
    counted: dict[str, int] = {}
    for key, shape in spec.items():
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            part = key.split(".")[0]
            counted[part] = counted.get(part, 0) + int(np.prod(shape, dtype=int))
    assert counted == {
        "backbone": 29_305_536,
        "feature_extract_layer": 7_508_992,
        "heatmap_layer": 5_343_538,
        "grid_layer": 3_935_232,
        "transformer": 12_701_062,
        "cam_layer": 432,
        "cam_token_embed": 512,
        "joint_token_embed": 7_168,
        "vertex_token_embed": 220_672,
        "token_position_embed": 63_360,
    }
    assert sum(counted.values()) == 59_086_504


def test_our_modules_have_the_tables_parameters(network: PointHMR) -> None:
    """The same table on our modules, which do without the two unused embeddings."""
    counts = parameter_counts(network.config)
    assert counts == {
        "backbone": 29_305_536,
        "feature decoder": 7_508_992,
        "heatmap decoder": 5_343_538,
        "grid decoder": 3_935_232,
        "encoders": 12_701_062,
        "camera linear": 432,
        "joint embedding": 7_168,
        "position embedding": 63_360,
    }
    assert unused_count() == 512 + 220_672
    assert sum(counts.values()) == 58_865_320 == 59_086_504 - unused_count()
    assert sum(p.numel() for p in network.parameters()) == 58_865_320


def test_every_parameter_of_every_preset_is_counted() -> None:
    for config in PRESETS.values():
        counted = sum(parameter_counts(config).values())
        assert counted == sum(p.numel() for p in PointHMR(config).parameters())


def test_rule_depends_on_seed_and_key() -> None:
    first = rule_tensor("a.weight", (4, 3), seed=1)
    assert not np.allclose(first, rule_tensor("a.weight", (4, 3), seed=2))
    assert not np.allclose(first, rule_tensor("b.weight", (4, 3), seed=1))
    state = rule_state({"bn.running_var": (50,), "bn.num_batches_tracked": ()}, seed=3)
    assert bool((state["bn.running_var"] >= 1).all()) and state["bn.num_batches_tracked"].dtype == torch.int64


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_broken_fixture_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "fixture.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"fixture\.npz"):
        verify(path)


def test_a_fixture_without_outputs_says_what_is_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", seed=1, camera=np.zeros((1, 3)))
    with pytest.raises(UserError, match="joints"):
        verify(tmp_path / "other.npz")


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, [1, 2]])
def test_an_impossible_seed_is_one_sentence(tmp_path: Path, seed: object) -> None:
    np.savez(tmp_path / "other.npz", **(dict(np.load(PARITY)) | {"seed": np.array(seed)}))
    with pytest.raises(UserError, match="seed"):
        verify(tmp_path / "other.npz")
