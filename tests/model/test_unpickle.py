"""The allow-list: what this field's files contain is read, everything else is refused and never runs."""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from model.array_files import load_arrays
from model.errors import UserError
from model.unpickle import Unreadable, loads
from tests.model.foreign import (
    Ch,
    CscMatrix,
    Select,
    Touch,
    TouchBySystem,
    chumpy_members,
    foreign_pickle,
    small_smpl,
)

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ARRAYS = [
    np.arange(12, dtype=np.float32).reshape(3, 4),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.arange(6, dtype=">i4"),
    np.array(True),
    np.zeros((0, 3)),
    np.array(["a", "bc"]),
    np.array([b"a", b"bc"]),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back(array: np.ndarray, protocol: int) -> None:
    back = loads(pickle.dumps({"x": array}, protocol), "x")["x"]
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_scalars_and_containers_come_back(protocol: int) -> None:
    content = {
        "a": [1, 2.5, "ü", None, b"\x00\xff"],
        ("t", 1): np.float32(3),
        "s": {1, 2},
        "n": {"deep": (1,)},
    }
    assert loads(pickle.dumps(content, protocol), "x") == content


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.csr_array, sp.coo_array])
def test_todays_scipy_matrices_come_back(kind: Any, protocol: int) -> None:
    dense = np.array([[0, 1.5, 0], [2, 0, 0]])
    back = loads(pickle.dumps(kind(dense), protocol), "x")
    np.testing.assert_array_equal(back.toarray(), dense)


@pytest.mark.fault(15)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_chumpy_and_old_scipy_become_their_values(protocol: int) -> None:
    dense = np.array([[0, 1.5], [2, 0]])
    leaf = Ch(x=np.arange(5.0))
    content = {
        "m": CscMatrix(dense),
        "c": leaf,
        "s": Select(a=leaf, idxs=np.array([4, 1]), preferred_shape=(2, 1)),
    }
    back = loads(foreign_pickle(content, protocol), "x")
    assert "chumpy" not in sys.modules
    np.testing.assert_array_equal(back["m"].toarray(), dense)
    np.testing.assert_array_equal(back["c"], np.arange(5.0))
    np.testing.assert_array_equal(back["s"], [[4.0], [1.0]])


def test_other_chumpy_expressions_are_inert() -> None:
    stream = b"cchumpy.ch\nMatVecMult\n(S'rm -rf'\ntR."
    back = loads(stream, "x")
    assert isinstance(back, Unreadable) and back.name == "chumpy MatVecMult"


@pytest.mark.fault(15)
def test_python_2_strings_are_latin1() -> None:
    python2 = b"\x80\x02}q\x00U\x01vq\x01U\x03a\xe9bq\x02s."
    assert loads(python2, "x") == {"v": "aéb"}


def test_the_official_layout_comes_back() -> None:
    members = small_smpl()
    back = loads(foreign_pickle(chumpy_members(members)), "SMPL")
    np.testing.assert_allclose(back["shapedirs"], members["shapedirs"])
    np.testing.assert_allclose(back["J_regressor"].toarray(), members["J_regressor"])
    assert back["bs_style"] == "lbs"


@pytest.mark.fault(15)
@pytest.mark.parametrize("kind", [Touch, TouchBySystem])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hostile_pickle_never_runs(tmp_path: Path, kind: type[Touch], protocol: int) -> None:
    mark = tmp_path / "ran"
    data = pickle.dumps({"v_template": np.zeros(3), "f": kind(mark)}, protocol)
    with pytest.raises(UserError, match=r"refused.*(system|Path|getattr)"):
        loads(data, "model.pkl")
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists(), "the bait itself must work, or this test proves nothing"


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "builtins.getattr",
        "numpy.load",
        "scipy.sparse.save_npz",
    ],
)
def test_names_off_the_list_are_refused_by_name(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    stream = f"c{module}\n{attribute}\n(S'1'\ntR.".encode()
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        loads(stream, "x")


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"plain text",
        pickle.dumps({"a": np.arange(9)})[:-20],
        b"cbuiltins\nset\n.",
        b"ccopyreg\n_reconstructor\n(cbuiltins\nset\ncbuiltins\nobject\nNtR.",
        b"(lp0\ng0\na.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'u1'\nI0\nI1\ntRI100\ntR.",
        b"cnumpy\nndarray\n(N(S'value'\nS'poison'\ndtb.",
    ],
    ids=[
        "empty",
        "text",
        "cut",
        "bare class",
        "foreign instance",
        "contains itself",
        "a number as data",
        "poisoned class",
    ],
)
def test_broken_streams_are_one_sentence(stream: bytes) -> None:
    with pytest.raises(UserError, match=r"^thing\.pkl .*\.$"):
        loads(stream, "thing.pkl")


@pytest.mark.fault(15)
def test_indices_beyond_a_matrix_are_not_believed() -> None:
    matrix = CscMatrix(np.eye(3))
    matrix.__dict__["indices"] = np.array([0, 10**6, 2], np.int32)
    with pytest.raises(UserError):
        loads(foreign_pickle(matrix), "x")


def test_npz_with_pickled_members(tmp_path: Path) -> None:
    matrices = np.empty(2, object)
    matrices[:] = [sp.csr_matrix(np.eye(2)), sp.csr_matrix(np.eye(3))]
    np.savez(tmp_path / "m.dat", U=matrices, plain=np.arange(3))
    back = load_arrays(tmp_path / "m.dat.npz")
    assert [m.shape for m in back["U"]] == [(2, 2), (3, 3)]
    np.testing.assert_array_equal(back["plain"], np.arange(3))


def test_a_hostile_npz_never_runs(tmp_path: Path) -> None:
    bait = np.empty(1, object)
    bait[0] = Touch(tmp_path / "ran")
    np.savez(tmp_path / "bad.npz", U=bait)
    with pytest.raises(UserError, match="refused"):
        load_arrays(tmp_path / "bad.npz")
    assert not (tmp_path / "ran").exists()


def test_files_are_recognised_by_content(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    (tmp_path / "a.npz").rename(tmp_path / "a.pkl")
    (tmp_path / "b.npz").write_bytes(pickle.dumps({"x": np.arange(4)}))
    assert len(load_arrays(tmp_path / "a.pkl")["x"]) == 3
    assert len(load_arrays(tmp_path / "b.npz")["x"]) == 4


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04cut", pickle.dumps([1, 2])])
def test_unusable_files_are_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.pkl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"file\.pkl.*\.$"):
        load_arrays(path)
