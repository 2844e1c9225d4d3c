"""Gives a running reconstructor its fastest engine, without making anybody wait for it."""

from __future__ import annotations

import atexit
import logging
import shutil
import subprocess
import threading

from app.pipeline.reconstructor import Reconstructor
from model.engine import OpenVinoEngine, can_export, export_folder, start_export

_log = logging.getLogger(__name__)
PATIENCE = 120.0
"""Seconds that the export may take."""


def speed_up(reconstructor: Reconstructor) -> threading.Thread | None:
    """Go over to OpenVINO: at once where its graphs are kept, else as soon as a process has made them.

    Returns the thread that waits for them, None where there is nothing to wait for. torch goes on working
    until then, and for good if anything fails.
    """
    if not (reconstructor.weights_path and reconstructor.sha256 and can_export(reconstructor.network)):
        return None
    if export_folder(reconstructor.sha256).is_dir():
        _switch(reconstructor)
        return None
    thread = threading.Thread(target=_export, args=(reconstructor,), name="engine-export", daemon=True)
    thread.start()
    return thread


def _export(reconstructor: Reconstructor) -> None:
    folder = export_folder(reconstructor.sha256)
    try:
        process = start_export(reconstructor.weights_path, folder)
        atexit.register(process.kill)
        code = process.wait(PATIENCE)
        atexit.unregister(process.kill)
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.info("no OpenVINO graphs: %s", error)
        return
    if code == 0:
        _switch(reconstructor)
    else:
        _log.info("no OpenVINO graphs: the export ended with %d", code)


def _switch(reconstructor: Reconstructor) -> None:
    folder = export_folder(reconstructor.sha256)
    try:
        reconstructor.engine = OpenVinoEngine(reconstructor.network, folder)
    except (RuntimeError, ImportError) as error:
        _log.info("the OpenVINO graphs in %s cannot be used: %s", folder, error)
        shutil.rmtree(folder, ignore_errors=True)
