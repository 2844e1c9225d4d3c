"""Gives a running reconstructor its fastest engine, without making anybody wait for it."""

from __future__ import annotations

import atexit
import logging
import shutil
import subprocess
import threading
from pathlib import Path

import torch

from app.pipeline.loading import load_pipeline
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import Reconstructor
from model.bodies import BodyCard
from model.calibration import calibration_images
from model.config import DEFAULT_WEIGHTS
from model.engine import Engine, HalfEngine
from model.graphs import can_export, export_folder, start_export
from model.inference import compare
from model.openvino_engine import OpenVinoEngine
from model.recipes import FLOAT32, Recipe, preferred

_log = logging.getLogger(__name__)
PATIENCE = 600.0
"""Seconds that the export may take; it runs only when the machine has nothing better to do."""
MOST_DEVIATION_MM = 1.0
"""Mean distance of the vertices from the reference's, beyond which a faster engine is not taken."""


def speed_up(reconstructor: Reconstructor) -> threading.Thread | None:
    """Go over to the first of the preferred engines that works here and gives the same people.

    Where its graphs are kept and exact that happens at once. Else on a thread, which is returned: a process
    makes the graphs, and an engine that is new or that rounds is compared with torch first. torch goes on
    working until then, and for good if everything fails.
    """
    if reconstructor.device.startswith("cuda"):
        return _in_background(reconstructor, _take_half)
    if not (reconstructor.weights_path and reconstructor.sha256 and can_export(reconstructor.network)):
        return None
    recipes = preferred(reconstructor.network.config)
    if recipes[0] == FLOAT32 and export_folder(reconstructor.sha256).is_dir():
        _take(reconstructor, FLOAT32, compared=False)
        return None
    return _in_background(reconstructor, _take_first)


def load_fastest(
    weights: str | Path = DEFAULT_WEIGHTS, body: Path | BodyCard | None = None, device: str = "auto"
) -> tuple[Pipeline, Reconstructor]:
    """As `load_pipeline`, and waits for the fastest engine. Raises UserError."""
    pipeline, reconstructor = load_pipeline(weights, body, device)
    thread = speed_up(reconstructor)
    if thread is not None:
        thread.join()
    return pipeline, reconstructor


def _in_background(reconstructor: Reconstructor, work: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=(reconstructor,), name="engine", daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _take_first(reconstructor: Reconstructor) -> None:
    for recipe in preferred(reconstructor.network.config):
        folder = export_folder(reconstructor.sha256, recipe)
        kept = folder.is_dir()
        if not (kept or _export(reconstructor, recipe, folder)):
            continue
        if _take(reconstructor, recipe, compared=not kept or recipe != FLOAT32):
            return


def _take_half(reconstructor: Reconstructor) -> None:
    try:
        card = reconstructor.network.point_positions.device
        torch.cuda.set_device(card)  # A thread begins on the first one.
        engine = HalfEngine(reconstructor.network)
        _add(reconstructor, engine, compared=True)
    except (RuntimeError, torch.OutOfMemoryError) as error:
        _log.info("no half precision: %s", error)


def _export(reconstructor: Reconstructor, recipe: Recipe, folder: Path) -> bool:
    try:
        process = start_export(reconstructor.weights_path, folder, recipe)
    except OSError as error:
        _log.info("no OpenVINO graphs: %s", error)
        return False
    atexit.register(process.kill)
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired as error:
        process.kill()
        _log.info("no OpenVINO graphs: %s", error)
        return False
    finally:
        atexit.unregister(process.kill)
    if code:
        _log.info("no OpenVINO graphs: the export ended with %d", code)
    return code == 0


def _take(reconstructor: Reconstructor, recipe: Recipe, *, compared: bool) -> bool:
    folder = export_folder(reconstructor.sha256, recipe)
    try:
        engine = OpenVinoEngine(reconstructor.network, folder, recipe)
        if _add(reconstructor, engine, compared=compared):
            return True
        useless = recipe == FLOAT32  # The others are compared at every start, and made slowly.
    except (RuntimeError, ImportError) as error:
        _log.info("the OpenVINO graphs in %s cannot be used: %s", folder, error)
        useless = True
    if useless:
        shutil.rmtree(folder, ignore_errors=True)
    return False


def _add(reconstructor: Reconstructor, engine: Engine, *, compared: bool) -> bool:
    """compared: warm it up by holding it against the network; False where they are too far apart."""
    if compared:
        images = calibration_images(reconstructor.network, 3)
        image = images[len(images) // 2].to(reconstructor.device)
        apart = compare(engine, reconstructor.network, image)
        if not apart.mean_mm <= MOST_DEVIATION_MM:
            _log.info("%s is %.1f mm off: not taken", engine.name, apart.mean_mm)
            return False
    reconstructor.engine.add(engine)
    return True
