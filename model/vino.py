"""OpenVINO, without what it tells its makers.

`import openvino` and its converter report their use to a server by the package `openvino_telemetry`, unless
that cannot be imported. This program tells nobody what it does, so everybody here writes `import_openvino()`.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_TELEMETRY = "openvino_telemetry"


def import_openvino() -> Any:
    """The module. Raises ImportError where there is none."""
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # Python's own mark for what is not imported.
    return importlib.import_module("openvino")
