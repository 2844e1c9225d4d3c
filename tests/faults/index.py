"""The twenty faults, and which tests cover each: read from the marks in the test files, nothing is run.

`python -m tests.faults.index` prints the table; `pytest --fault 7` runs the tests of one fault.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FAULTS = {
    1: "Camera returns (False, None) from frame 30",
    2: "Camera returns the same buffer for ever",
    3: "read() blocks for ever",
    4: "Resolution, grey, 16-bit or NaN-float change in mid-stream",
    5: "Camera denied, in use, or absent",
    6: "Video truncated, empty, renamed text; headers that lie; variable frame rate",
    7: "Image 1x1, bomb, CMYK, 16-bit, EXIF-rotated, GIF, unicode path, a directory",
    8: "NaN or Inf in one vertex or all, camera scale <= 0",
    9: "A body turned inside out, ten times too large or collapsed",
    10: "Out of memory on the GPU",
    11: "No CUDA, or a device assert",
    12: "A 500 ms model under a 60 fps camera for 60 s",
    13: "200 slider moves a second",
    14: "A hostile, wrong or broken checkpoint",
    15: "SMPL .pkl with chumpy arrays, renamed or hostile; no SMPL at all",
    16: "Close in every state, 50 times",
    17: "SIGTERM and a killed process",
    18: "Export: disk full, read-only, target open, long path, unicode, killed in mid-write",
    19: "Settings truncated, of wrong types, of a future version, or used by two windows",
    20: "Thirty minutes of the bundled clip",
}


@cache
def covered() -> dict[int, list[str]]:
    """Number of each fault -> `file::test` of every test that is marked with it."""
    table: dict[int, list[str]] = {number: [] for number in FAULTS}
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        whole = {n for node in tree.body if _assigns(node, "pytestmark") for n in _marks(node)}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in sorted(whole | {n for mark in node.decorator_list for n in _marks(mark)}):
                    table[number].append(f"{path.relative_to(TESTS.parent)}::{node.name}")
    return table


def _assigns(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(t, ast.Name) and t.id == name for t in node.targets
    )


def _marks(node: ast.AST) -> Iterator[int]:
    """Numbers in every `pytest.mark.fault(number)` below a node."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.fault":
            yield ast.literal_eval(call.args[0])


def main() -> None:
    """Print the table."""
    for number, tests in covered().items():
        sys.stdout.write(f"{number:>2}  {FAULTS[number]}\n")
        sys.stdout.writelines(f"      {test}\n" for test in tests)


if __name__ == "__main__":
    main()
