"""The reader of the wheel and the command of the body's generator."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import assets
from assets.build.body.__main__ import compare, main, save
from assets.build.body.makehuman import PREFIX, MakeHuman
from model.errors import UserError

OBJ = """# a comment
v 1 0 0
v -1 0 0
v 0 2 0
v 0 0 3
vt 0.25 0.5
vt 0.75 0.5
g body
f 1/1 2/2 3/1 4/2
g joint-l-hand
f 4/1 3/1 2/2 1/2
"""
RIG = {
    "bones": {
        "cube": {"head": {"strategy": "CUBE", "cube_name": "joint-l-hand"}},
        "one": {"head": {"strategy": "VERTEX", "vertex_index": 2}},
        "mean": {"head": {"strategy": "MEAN", "vertex_indices": [0, 3]}},
    }
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "small.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(PREFIX + "3dobjs/base.obj", OBJ)
        file.writestr(PREFIX + "mesh_metadata/hm08.mirror", "0 1 r\n1 0 l\n2 2 m\n3 3 m\n")
        file.writestr(PREFIX + "targets/a/b.target.gz", gzip.compress(b"# note\n2 .5 0 -1\n"))
        file.writestr(PREFIX + "targets/a/none.target.gz", gzip.compress(b"# note\n"))
        file.writestr(PREFIX + "rigs/standard/rig.default.json", json.dumps(RIG))
        weights = {"weights": {"jaw": [[0, 0.25], [1, 1.0]], "root": [[0, 0.75]]}}
        file.writestr(PREFIX + "rigs/standard/weights.default.json", json.dumps(weights))
    return path


def test_the_reader_turns_decimetres_into_metres(wheel: Path) -> None:
    source = MakeHuman(wheel)
    np.testing.assert_allclose(source.base.vertices[2:], [[0, 0.2, 0], [0, 0, 0.3]])
    assert source.base.faces["body"].tolist() == [[0, 1, 2, 3]]
    assert source.base.face_uvs["body"].tolist() == [[0, 1, 0, 1]]
    assert source.mirror.tolist() == [1, 0, 2, 3]
    offsets = source.target("a/b")
    assert offsets is not None
    np.testing.assert_allclose(offsets, [[0, 0, 0], [0, 0, 0], [0.05, 0, -0.1], [0, 0, 0]])


def test_targets_may_be_empty_or_missing(wheel: Path) -> None:
    source = MakeHuman(wheel)
    empty = source.target("a/none")
    assert empty is not None
    assert not empty.any()
    assert source.target("a/other") is None


def test_the_reader_knows_the_rig(wheel: Path) -> None:
    source = MakeHuman(wheel)
    names, weights = source.bone_weights
    assert names == ["jaw", "root"]
    assert weights.tolist() == [[0.25, 0.75], [1, 0], [0, 0], [0, 0]]
    heads = [source.bone_head(bone).tolist() for bone in ("cube", "one", "mean")]
    assert heads == [[0, 1, 2, 3], [2], [0, 3]]


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.whl"
    text.write_text("no zip")
    with pytest.raises(UserError, match=r"text\.whl"):
        MakeHuman(text)
    empty = tmp_path / "empty.whl"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(UserError, match=r"base\.obj"):
        MakeHuman(empty)


def test_bad_arguments_end_with_one_sentence(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "out")
    bad = [
        (["--wheel", str(wheel)], "sha256"),
        (["--wheel", str(tmp_path / "no.whl")], "no wheel"),
        (["--compare", str(tmp_path)], "compare"),
    ]
    for arguments, word in bad:
        assert main(["--output", output, *arguments]) == 2
        message = capsys.readouterr().err
        assert word in message
        assert message.count("\n") == 1
    assert not Path(output).exists()


def arrays(**changes: np.ndarray) -> dict[str, np.ndarray]:
    matrix = {"U1_row": np.array([0, 1]), "U1_col": np.array([0, 1]), "U1_val": np.array([0.5, 1.0])}
    mesh = {"f": np.arange(6).reshape(2, 3), "v_template": np.zeros((6, 3)), "names": np.array(["a"])}
    return {**mesh, **matrix, **changes}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"v_template": np.full((6, 3), 5e-5)}, True),
        ({"v_template": np.full((6, 3), 5e-4)}, False),
        ({"f": np.arange(6)[::-1].reshape(2, 3)}, False),
        ({"f": np.arange(9).reshape(3, 3)}, False),
        ({"names": np.array(["b"])}, False),
        ({"extra": np.zeros(1)}, False),
        ({"U1_row": np.array([1, 0]), "U1_col": np.array([1, 0]), "U1_val": np.array([1.0, 0.5])}, True),
        ({"U1_val": np.array([0.6, 1.0])}, False),
    ],
)
def test_compare_sees_another_body(
    change: dict[str, np.ndarray], same: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare("body.npz", arrays(**change), arrays()) is same
    assert ("differs" in capsys.readouterr().out) is not same


def test_saving_replaces_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    save(path, {"x": np.arange(3)})
    with np.load(path) as data:
        assert data["x"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_generator_rebuilds_the_shipped_body(tmp_path: Path) -> None:
    assert main(["--output", str(tmp_path), "--compare", str(assets.BODY)]) == 0
