"""Puts the pieces together: a pipeline from names and files."""

from __future__ import annotations

from pathlib import Path

import torch

from app.pipeline.detector import Detector
from app.pipeline.examiner import examiner_for
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import Reconstructor, load_reconstructor
from app.pipeline.tracker import Tracker
from model.bodies import BodyCard
from model.config import DEFAULT_WEIGHTS
from model.machine import available_cores


def leave_a_core() -> None:
    """Keep torch off one core, for the thread that draws.

    Torch's threads wait for one another: two of them on two cores, one of which draws, halve the frame rate.
    """
    torch.set_num_threads(max(1, available_cores() - 1))


def load_pipeline(
    weights: str | Path = DEFAULT_WEIGHTS, body: Path | BodyCard | None = None, device: str = "auto"
) -> tuple[Pipeline, Reconstructor]:
    """Detector, tracker and reconstructor, ready for the first frame. Raises UserError."""
    reconstructor = load_reconstructor(weights, body, device)
    return Pipeline(Detector(), Tracker(), reconstructor, examiner_for(reconstructor)), reconstructor
