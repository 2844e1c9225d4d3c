"""Puts the pieces together: a pipeline from names and files."""

from __future__ import annotations

from pathlib import Path

from app.pipeline.detector import Detector
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import DEFAULT_WEIGHTS, Reconstructor, load_reconstructor
from app.pipeline.tracker import Tracker


def load_pipeline(
    weights: str | Path = DEFAULT_WEIGHTS, body: Path | None = None, device: str = "auto"
) -> tuple[Pipeline, Reconstructor]:
    """Detector, tracker and reconstructor, ready for the first frame. Raises UserError."""
    reconstructor = load_reconstructor(weights, body, device)
    return Pipeline(Detector(), Tracker(), reconstructor), reconstructor
