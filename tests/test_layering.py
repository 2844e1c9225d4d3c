"""The rules of the house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DRAWING = ("PySide6", "pyqtgraph")
FORBIDDEN = {
    "model": ("app", "open3d", *DRAWING),
    "app/pipeline": ("app.gui", "app.commands", "open3d", *DRAWING),
    "app/export": ("app.gui", "app.commands", "open3d", *DRAWING),
    "app/takes": ("app.gui", "app.commands", "open3d", *DRAWING),
    "app/gui": ("app.commands",),
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_layers_import_only_downwards(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    broken = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imports(path)
        if any(within(module, package) for package in FORBIDDEN[folder])
    ]
    assert broken == []


@pytest.mark.parametrize(("name", "places"), [("cv2", ["model/cv.py"]), ("open3d", []), ("openvino", [])])
def test_what_is_imported_with_care_is_imported_in_one_place_only(name: str, places: list[str]) -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("app", "model")
        for path in (ROOT / folder).rglob("*.py")
        if name in imports(path)
    ]
    assert found == places


def test_every_docstring_stands_under_what_it_explains() -> None:
    """Of two in a row, one has lost its name."""
    stray = [
        f"{path.relative_to(ROOT)}:{after.lineno}"
        for folder in ("app", "model", "assets", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef)
        for before, after in pairwise(node.body)
        if is_text(before) and is_text(after)
    ]
    assert stray == []


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_product_never_reads_the_shared_folder() -> None:
    mentions = [
        path
        for folder in ("app", "model")
        for path in (ROOT / folder).rglob("*.py")
        if "../shared" in path.read_text(encoding="utf-8")
    ]
    assert mentions == []


def test_the_window_is_there_before_torch() -> None:
    """The window is shown first; what takes seconds to import comes after it, on threads."""
    slow = ("torch", "scipy", "open3d", "openvino", "pyqtgraph", "safetensors", "smplx")
    code = f"import sys, app.gui.application\nprint(*[name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
