"""Proof that the fault tests watch: each handling is taken out of a copy, and its tests must fail.

`python -m tests.faults.mutations [--fault N …]` prints fault, handling and the test that failed, in minutes.
Exit code 1 when a handling can be taken out and nobody notices.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.handlings import MUTATIONS, Mutation
from tests.faults.index import FAULTS, covered

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("app", "model", "tests", "pyproject.toml")


def copy(folder: Path) -> None:
    """The program without its data, which is linked to."""
    listed = subprocess.run(["git", "ls-files", *PARTS], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    (folder / "assets").symlink_to(ROOT / "assets")


def failing(folder: Path, some: Sequence[Mutation]) -> str:
    """The first of their tests that fails there; empty when all pass."""
    marks = covered()
    tests = {test for one in some for test in marks[one.fault] if one.tests in test}
    names = " or ".join(sorted({test.split("::")[1] for test in tests}))
    files = sorted({test.split("::")[0] for test in tests})
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [*command, "-k", names, "--timeout", "150", *files],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    why = re.search(r"^E +(.+)", done.stdout, re.MULTILINE)
    if found and why:
        return f"{found[1]}: {why[1][:120]}"
    return found[1] if found else f"ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"


def noticed_by(folder: Path, one: Mutation) -> str:
    """The test that noticed; empty when nobody did.

    Raises ValueError when the handling is not there.
    """
    path = folder / one.file
    text = path.read_text(encoding="utf-8")
    if text.count(one.old) < 1:
        raise ValueError(f"{one.file} has no longer: {one.old!r}")
    path.write_text(text.replace(one.old, one.new), encoding="utf-8")
    try:
        return failing(folder, [one])
    finally:
        path.write_text(text, encoding="utf-8")


def main() -> int:
    """Take out one handling after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", type=int, nargs="*", default=list(FAULTS))
    parser.add_argument("--no-baseline", dest="baseline", action="store_false", help="trust the tests")
    parsed = parser.parse_args()
    wanted = parsed.fault
    unnoticed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy(folder)
        some = [one for one in MUTATIONS if one.fault in wanted]
        if parsed.baseline and (broken := failing(folder, some)):
            sys.stdout.write(f"With all handlings in place: {broken}\n")
            return 1
        for one in some:
            noticed = noticed_by(folder, one)
            unnoticed += not noticed
            sys.stdout.write(f"{one.fault:>2}  {one.what}: {noticed or 'NOBODY NOTICED'}\n")
            sys.stdout.flush()
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
