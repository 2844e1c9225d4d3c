"""Diagnosed people with real features, for histories and cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from app.export.case import Case, save_case
from app.gui.main_window import MainWindow
from app.gui.model_info import case_model
from app.pipeline.diagnostics import Diagnostics, Flag
from app.pipeline.frames import Person, Record
from model.pointhmr import Features
from tests.app import gui_fakes

FINE = Diagnostics(
    confidence=0.6, spread=0.05, modes=1.1, ambiguity=0.1, disagreement=0.01, joint_gap=12.0,
    landmark_gap=None, visibility=None, limbs=1.05, reach=0.98, symmetry=1.02, volume=1.0, stretch=1.1,
    angles=0.0, jerk=40.0, presence=0.97,
)  # fmt: skip


def flagged(*kinds: tuple[str, float]) -> Diagnostics:
    """Measures with a flag of each (kind, severity)."""
    flags = [Flag(kind, f"Its {kind} is bad.", severity) for kind, severity in kinds]
    return replace(FINE, flags=tuple(sorted(flags, key=lambda flag: -flag.severity)))


def examined(told: Diagnostics | None = FINE, person_id: int = 1) -> Person:
    """The free body with tensors for features."""
    person = gui_fakes.person(person_id)
    heatmaps = torch.from_numpy(person.heatmaps)[None]
    tokens = torch.arange(431 * 8, dtype=torch.float32).reshape(1, 431, 8) / 7
    features = Features(heatmaps, tokens, torch.rand(1, 49, 8), presence=torch.tensor([0.97]))
    return replace(person, features=features, diagnostics=told)


def record(told: Diagnostics | None = FINE, index: int = 0) -> Record:
    """A frame with one examined person on a picture that is not plain."""
    picture = torch.randint(0, 255, (240, 320, 3), dtype=torch.uint8).numpy()
    return gui_fakes.record((examined(told),), index=index, image=picture)


def measured(folder: Path, **settings: object) -> Path:
    """A case as `evaluate` keeps them: of one person alone, with its errors; and with these settings."""
    settings = {"errors": {"mpjpe": 180.2, "pa_mpjpe": 117.7, "pve": 189.1, "iou": 0.4}} | settings
    kept = replace(record(flagged(("modes", 3.0)), index=9), hops=(None, 5, 3, 1))
    save_case(folder, Case(kept, case_model(gui_fakes.model_info()), 1, settings))
    return folder


def open_case(window: MainWindow, qtbot, folder: Path) -> None:
    """Open a case and wait until it is shown."""
    window.open_source(folder)
    qtbot.waitUntil(lambda: window.cases.case is not None and not window.cases._opening.busy, timeout=30_000)
