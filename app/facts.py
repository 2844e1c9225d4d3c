"""What this machine and this installation are, in one line each."""

from __future__ import annotations

import importlib.metadata
import platform

from model.machine import available_cores

PACKAGES = (
    *("pointhmr", "torch", "numpy", "scipy", "opencv-python", "PySide6-Essentials", "pyqtgraph"),
    *("open3d-cpu", "open3d", "openvino", "smplx"),
)


def system() -> str:
    """Operating system, Python, cores."""
    return f"{platform.platform()}, Python {platform.python_version()}, {available_cores()} cores"


def packages() -> str:
    """Installed versions of what matters."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def gpus() -> str:
    """Names of the CUDA devices, or that there is none."""
    import torch

    if not torch.cuda.is_available():
        return "no CUDA device"
    return ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
