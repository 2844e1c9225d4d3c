"""What the flags find on rendered pictures, easy and broken ones, and what isolating a person is worth.

Broken: PA-MPJPE over 120 mm. With --calibrate the thresholds are first fitted to other pictures and kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

import assets
from app.benchmark.cases import KINDS, CaseMaker
from app.benchmark.diagnosed import HOPS, Finding, Rates, find, fit, rates
from app.commands.options import add_model_arguments
from app.pipeline.calibration import Calibration, calibration_for, write_calibration
from app.pipeline.loading import load_pipeline
from app.pipeline.pipeline import Pipeline
from app.pipeline.sources import open_source
from app.pipeline.speed import speed_up
from model.errors import UserError
from model.tables import markdown

MEASURED, CALIBRATED = 1, 2
"""Seeds: no picture is both measured and calibrated on."""
SHARES = {"alone": 0.5, "overlap": 1.0, "occluded": 0.5, "truncated": 0.5, "noise": 0.1}
"""Pictures of each kind over `--count`."""
CLIP_FRAMES = 30
JERK_MARGIN = 1.5
"""A motion jerks when it is this many times the worst of the bundled clip, which is followed well."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The renderer's files, the model, and the form of the answer."""
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="poses.npz")
    parser.add_argument(
        "--count", type=int, default=200, metavar="N", help="two-person pictures; others less"
    )
    parser.add_argument("--calibrate", action="store_true", help="fit the thresholds anew and keep them")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="where to keep them; else in assets/diagnostics"
    )
    parser.add_argument("--json", action="store_true", help="numbers instead of Markdown tables")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Calibrate if wished, measure, print."""
    if options.appearance is None or options.motion is None:
        raise UserError("The pictures are rendered: give --appearance a folder and --motion a file.")
    if options.count < 10:
        raise UserError("Rates need at least 10 pictures.")
    pipeline, reconstructor = load_pipeline(options.weights, options.body, options.device)
    thread = speed_up(reconstructor)
    if thread is not None:
        thread.join()
    calibration = calibration_for(reconstructor.model_name, reconstructor.sha256)
    path = options.calibration or assets.DIAGNOSTICS / f"{reconstructor.model_name}.json"
    if options.calibrate:
        made: dict[str, object] = {"seed": CALIBRATED, "overlaps": options.count}
        learned = findings_of(pipeline, options, CALIBRATED)
        jerk = JERK_MARGIN * worst_jerk(pipeline)
        calibration = fit(reconstructor.model_name, reconstructor.sha256, learned, jerk, made)
    measured = findings_of(pipeline, options, MEASURED)
    table = rates(calibration, measured)
    result = numbers(measured, table)
    if options.calibrate:
        calibration = dataclasses.replace(calibration, made={**calibration.made, "measured": result})
        write_calibration(path, calibration)
    model = {"model": reconstructor.model_name, "sha256": reconstructor.sha256}
    if options.json:
        sys.stdout.write(json.dumps({**model, **result}) + "\n")
    else:
        sys.stdout.write(report(calibration, measured, table))
    return 0


def findings_of(pipeline: Pipeline, options: argparse.Namespace, seed: int) -> list[Finding]:
    """All kinds of pictures of one seed through the pipeline."""
    maker = CaseMaker(options.appearance, options.motion, seed)
    found: list[Finding] = []
    for kind in KINDS:
        count = max(5, round(SHARES[kind] * options.count))
        cases = tqdm(maker.cases(kind, count), kind, count, leave=False, disable=not sys.stderr.isatty())
        found += find(pipeline, cases)
    return found


def worst_jerk(pipeline: Pipeline) -> float:
    """m/s³ over the start of the bundled clip."""
    pipeline.reset()
    source = open_source(assets.SAMPLES / "salsa.mp4")
    seen = [0.0]
    for _ in range(CLIP_FRAMES):
        frame = source.read()
        people = () if frame is None else pipeline.process(frame, HOPS).people
        seen += [p.diagnostics.jerk for p in people if p.diagnostics and p.diagnostics.jerk is not None]
    source.close()
    pipeline.reset()
    return max(seen)


def numbers(found: list[Finding], table: dict[str, dict[str, Rates]]) -> dict[str, object]:
    """As JSON: counts of every flag and kind, and the errors with and without isolation."""
    flags = {name: {kind: dataclasses.asdict(r) for kind, r in row.items()} for name, row in table.items()}
    return {"flags": flags, "isolation": isolation(found)}


def isolation(found: list[Finding]) -> dict[str, float]:
    """Mean errors in mm over the overlaps, plain and isolated."""
    pairs = [f for f in found if f.kind == "overlap" and f.pve is not None]
    columns = {
        "plain_pve": [f.pve for f in pairs],
        "isolated_pve": [f.isolated_pve for f in pairs],
        "plain_pa_mpjpe": [f.pa_mpjpe for f in pairs],
        "isolated_pa_mpjpe": [f.isolated_pa_mpjpe for f in pairs],
    }
    result = {name: round(float(np.mean(np.array(v, float))), 2) for name, v in columns.items() if v}
    changes = [f.isolated_pve - f.pve for f in pairs if f.pve is not None and f.isolated_pve is not None]
    better = sum(change < 0 for change in changes)
    return {**result, "pictures": len(pairs), "better": better}


def report(calibration: Calibration, found: list[Finding], table: dict[str, dict[str, Rates]]) -> str:
    """Markdown: hit / false-alarm rates in per cent, and isolation."""
    kinds = list(table["any"])
    head = ["flag", "threshold", *(f"{kind} ({_broken(found, kind)} broken)" for kind in kinds)]
    rows = []
    for name, row in table.items():
        limit = calibration.thresholds.get(name)
        rows.append([name, "" if limit is None else f"{limit:.3g}", *(row[kind].text for kind in kinds)])
    gain = isolation(found)
    values = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in gain.items())
    title = (
        f"{calibration.model} {calibration.sha256[:12]}: hit rate / false alarms in %, broken over 120 mm\n\n"
    )
    return f"{title}{markdown(head, rows)}\nIsolation on overlaps (mm): {values}\n"


def _broken(found: list[Finding], kind: str) -> str:
    mine = [f.broken for f in found if f.kind == kind]
    return f"{sum(mine)} of {len(mine)}"
