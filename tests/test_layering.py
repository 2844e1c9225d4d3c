"""The rules of the house: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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


def test_opencv_is_imported_in_one_place_only() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("app", "model")
        for path in (ROOT / folder).rglob("*.py")
        if "cv2" in imports(path)
    ]
    assert found == ["model/cv.py"]


def test_the_product_never_reads_the_shared_folder() -> None:
    mentions = [
        path
        for folder in ("app", "model")
        for path in (ROOT / folder).rglob("*.py")
        if "../shared" in path.read_text(encoding="utf-8")
    ]
    assert mentions == []
