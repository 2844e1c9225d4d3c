"""Open3D, without the half of its import that this program has no use for.

`import open3d` also imports dash, plotly and pydantic, which draw in notebooks: half of its time. They all
hang on one module of Open3D, so that one is kept out, and everybody here writes `import_open3d()`.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Any, NoReturn

_NOTEBOOKS = "open3d.visualization.draw_plotly"
_lock = threading.Lock()


def import_open3d() -> Any:
    """The module, also beside another thread that imports, too. Raises ImportError, OSError or RuntimeError.

    While it is imported, Open3D goes through `sys.modules` and fails if another thread adds to it meanwhile.
    The second time most of it is there, so nobody waits long for a thread that is not interrupted.
    """
    with _lock:
        if "open3d.ml" in sys.modules:  # the last thing that its import does
            return sys.modules["open3d"]
        sys.modules.setdefault(_NOTEBOOKS, _no_notebooks())
        try:
            return importlib.import_module("open3d")
        except RuntimeError:
            return _once_more()


def _no_notebooks() -> ModuleType:
    """Stands where Open3D would draw by plotly: says so to whoever asks for that."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotImplementedError("Open3D was imported without plotly.")

    module = ModuleType(_NOTEBOOKS)
    for name in ("get_plotly_fig", "draw_plotly", "draw_plotly_server"):
        setattr(module, name, refuse)
    return module


def _once_more() -> ModuleType:
    for name in [name for name in list(sys.modules) if name.startswith("open3d.")]:
        if "pybind" not in name and name != _NOTEBOOKS:  # compiled modules cannot be loaded twice
            del sys.modules[name]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5.0)
    try:
        return importlib.import_module("open3d")
    finally:
        sys.setswitchinterval(interval)
