"""Bodies that a user adds: what is found, what is kept, and which network may make them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.bodies import (
    FREE_BODY,
    add_body,
    bodies_dir,
    body_card,
    check_fit,
    findings,
    fit_notice,
    list_bodies,
    load_with_hierarchy,
)
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.weights import ANY, FREE, SMPL, ModelCard
from tests.model.foreign import chumpy_members, foreign_pickle, metro_members, small_smpl, smpl_like


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield


@pytest.fixture
def smpl_file(tmp_path: Path) -> Path:
    """An official-looking pickle with METRO's file beside it."""
    path = tmp_path / "smpl" / "basicmodel_f_lbs_10_207_0_v1.1.0.pkl"
    path.parent.mkdir()
    path.write_bytes(foreign_pickle(chumpy_members(smpl_like())))
    np.savez(path.parent / "mesh_downsampling.npz", **metro_members(load_hierarchy()))
    return path


def network(body: str) -> ModelCard:
    return ModelCard("net", "network", "body-lite", "", "", body=body)


def test_companions_are_found_beside_the_body(smpl_file: Path) -> None:
    card = body_card(smpl_file)
    assert (card.kind, Path(card.downsampling).name, card.regressor) == ("smpl", "mesh_downsampling.npz", "")
    told = {finding.what: finding for finding in findings(card)}
    assert "6,890 vertices" in told["Body"].detail and "13,776 faces" in told["Body"].detail
    assert told["Variant"].detail == "female, version 1.1.0, by the file's name"
    assert told["Shape directions"].detail == "10, of which 10 are used"
    assert told["Mesh hierarchy"].found and not told["Human3.6M joints"].found
    np.save(smpl_file.parent / "J_regressor_h36m_correct.npy", np.zeros((17, 6890)))
    assert Path(body_card(smpl_file).regressor).name == "J_regressor_h36m_correct.npy"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SMPL_NEUTRAL.pkl", "neutral, by the file's name"),
        ("basicModel_m_lbs_10_207_0_v1.0.0.pkl", "male, version 1.0.0, by the file's name"),
        ("SMPL_FEMALE.npz", "female, by the file's name"),
        ("body.pkl", "not told"),
    ],
)
def test_the_variant_is_read_off_the_name(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / name).write_bytes(foreign_pickle(small_smpl()))
    assert findings(body_card(tmp_path / name))[1].detail == told


def test_an_added_body_is_listed_and_loads(smpl_file: Path) -> None:
    card = add_body(body_card(smpl_file))
    assert list_bodies() == [FREE_BODY, card]
    model, mesh = load_with_hierarchy(card)
    assert (model.kind, mesh.origin, mesh.hierarchy.num_coarse) == ("smpl", "file", 431)
    assert add_body(card) == card and len(list_bodies()) == 2


def test_a_body_whose_companion_is_wrong_is_not_kept(smpl_file: Path) -> None:
    np.save(smpl_file.parent / "J_regressor_h36m_correct.npy", np.zeros((17, 5)))
    with pytest.raises(UserError, match="17 x 6890"):
        add_body(body_card(smpl_file))
    assert list_bodies() == [FREE_BODY]


def test_a_spoilt_card_is_left_out(tmp_path: Path) -> None:
    bodies_dir().mkdir(parents=True)
    for number, text in enumerate(("", "[1]", '{"name": "x"}', '{"name":"x","kind":"free","path":"/x"}')):
        (bodies_dir() / f"{number}.json").write_text(text)
    assert list_bodies() == [FREE_BODY]


def test_a_network_of_the_free_body_makes_no_smpl() -> None:
    with pytest.raises(UserError, match=r"^net was trained on the free body"):
        check_fit(network(FREE), "smpl")
    for body in (FREE, SMPL, ANY):
        check_fit(network(body), "free")
        with pytest.raises(UserError, match="hand"):
            check_fit(network(body), "mano")
    for body in (SMPL, ANY):
        check_fit(network(body), "smpl")


def test_the_notice_says_what_keeps_the_mesh_from_being_right() -> None:
    card = network(SMPL)
    assert "over the free body" in fit_notice(card, "free", "ships")
    assert "mesh_downsampling.npz" in fit_notice(card, "smpl", "built")
    assert fit_notice(card, "smpl", "file") == ""
    assert fit_notice(dataclasses.replace(card, body=ANY), "free", "ships") == ""
