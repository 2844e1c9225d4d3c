"""Loading Open3D beside a thread that imports; in its own process, because it can be loaded only once."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import sys, threading, time, types
import numpy as np
from app.gui.render import RayRenderer, describe_renderer
from app.gui.o3d import import_open3d

stop, count = threading.Event(), 0

def grow():
    global count
    while not stop.is_set():
        count += 1
        sys.modules[f"made_up_{count}"] = types.ModuleType("made_up")
        time.sleep(0 if count % 50 else 0.0002)

sys.setswitchinterval(2e-6)
thread = threading.Thread(target=grow)
thread.start()
try:
    import_open3d()
finally:
    stop.set()
    thread.join()
assert sys.getswitchinterval() < 1e-4
assert import_open3d() is import_open3d() is sys.modules['open3d']
assert not {'dash', 'plotly', 'pydantic'} & set(sys.modules)
triangle = np.array([[4.0, 4, 0], [28, 4, 0], [16, 28, 0]])
picture = RayRenderer(32, 32).draw(triangle, np.array([[0, 1, 2]], np.int32), np.full((3, 3), 0.8))
assert picture[..., 3].any()
print(describe_renderer())
"""


def test_open3d_is_loaded_whole_while_another_thread_imports() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("draws")


def test_qt_has_all_its_types_before_threads_look_for_them() -> None:
    """In a program of its own; types that are made when first asked for are made by two threads at once."""
    code = "import app.gui.warmup; from PySide6 import QtWidgets; assert 'QProxyStyle' in vars(QtWidgets)"
    environment = {name: value for name, value in os.environ.items() if name != "PYSIDE6_OPTION_LAZY"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
