"""What the flags find on rendered pictures, easy and broken ones, and what isolating a person is worth.

Broken: PA-MPJPE over 120 mm. With --calibrate the estimate of the error is first trained
and all thresholds are fitted, on other pictures of other clips, and kept.
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
from app.benchmark.diagnosed import BROKEN, Finding, Rates, find, fit, rates
from app.benchmark.estimator_fit import held_out_estimates, train_estimator
from app.benchmark.training_crops import SEED, Table, build_table, findings_in, read_table, write_table
from app.commands.options import add_model_arguments, add_render_arguments
from app.pipeline.calibration import Calibration, calibration_for, write_calibration
from app.pipeline.error_estimate import ErrorEstimator, write_estimator
from app.pipeline.examiner import Examiner
from app.pipeline.frames import PAPER_HOPS
from app.pipeline.pipeline import Pipeline
from app.pipeline.reconstructor import Reconstructor
from app.pipeline.sources import open_source
from app.pipeline.speed import load_fastest
from model.errors import UserError
from model.tables import markdown

MEASURED, CALIBRATED = 1, 2
"""Seeds; the second is for networks without landmarks. Others are calibrated on other clips altogether."""
SHARES = {"alone": 0.5, "overlap": 1.0, "occluded": 0.5, "truncated": 0.5, "noise": 0.1}
"""Pictures of each kind over `--count`."""
CLIP_FRAMES = 30
JERK_MARGIN = 1.5
"""A motion jerks when it is this many times the worst of the bundled clip, which is followed well."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The renderer's files, the model, and the form of the answer."""
    add_render_arguments(parser)
    parser.add_argument(
        "--count", type=int, default=200, metavar="N", help="two-person pictures; others less"
    )
    parser.add_argument("--calibrate", action="store_true", help="fit the thresholds anew and keep them")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="where to keep them; else in assets/diagnostics"
    )
    parser.add_argument(
        "--training-crops",
        type=int,
        default=700,
        metavar="N",
        help="pictures that the estimate of the error is trained on, up to four crops each",
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="keep what was measured of the training crops, or read it"
    )
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="numbers instead of Markdown tables"
    )
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Calibrate if wished, measure, print."""
    if options.appearance is None or options.motion is None:
        raise UserError("The pictures are rendered: give --appearance a folder and --motion a file.")
    if options.count < 10:
        raise UserError("Rates need at least 10 pictures.")
    pipeline, reconstructor = load_fastest(options.weights, options.body, options.device)
    calibration = calibration_for(reconstructor.model_name, reconstructor.sha256)
    path = options.calibration or assets.DIAGNOSTICS / f"{reconstructor.model_name}.json"
    estimator = None
    if options.calibrate:
        calibration, estimator = calibrated(pipeline, reconstructor, options)
    measured = findings_of(pipeline, options, MEASURED)
    table = rates(calibration, measured)
    result = numbers(measured, table)
    if estimator is not None:
        write_estimator(path.with_suffix(".safetensors"), estimator)
    if options.calibrate:
        calibration = dataclasses.replace(calibration, made={**calibration.made, "measured": result})
        write_calibration(path, calibration)
    model = {"model": reconstructor.model_name, "sha256": reconstructor.sha256}
    if options.json:
        sys.stdout.write(json.dumps({**model, **result}) + "\n")
    else:
        sys.stdout.write(report(calibration, measured, table))
    return 0


def calibrated(
    pipeline: Pipeline, reconstructor: Reconstructor, options: argparse.Namespace
) -> tuple[Calibration, ErrorEstimator | None]:
    """Trains the estimate of the error and fits thresholds to held-out ones; the examiner gets it.

    A network without landmarks has no estimate: its thresholds are fitted to other such pictures.
    """
    name, sha256 = reconstructor.model_name, reconstructor.sha256
    if not reconstructor.network.config.num_landmarks:
        learned = findings_of(pipeline, options, CALIBRATED)
        made = {"clips": "val", "seed": CALIBRATED, "overlaps": options.count}
        return fit(name, sha256, learned, JERK_MARGIN * worst_jerk(pipeline), made), None
    examiner = pipeline.examiner
    assert isinstance(examiner, Examiner)
    table = table_of(pipeline, examiner, sha256, options)
    estimates = held_out_estimates(table.inputs, table.errors, table.groups, BROKEN)
    estimator = train_estimator(table.inputs, table.errors, BROKEN, sha256)
    examiner.estimator = estimator
    made = {
        "clips": "train", "seed": SEED, "pictures": table.pictures, "crops": len(table.errors),
        "held_out": quality(table, estimates),
    }  # fmt: skip
    learned = findings_in(table, estimates, BROKEN)
    jerk = JERK_MARGIN * worst_jerk(pipeline)
    return fit(name, sha256, learned, jerk, made), estimator


def table_of(pipeline: Pipeline, examiner: Examiner, sha256: str, options: argparse.Namespace) -> Table:
    """Read where it was kept, else measured (and kept where wished)."""
    if options.table is not None and options.table.is_file():
        return read_table(options.table, sha256)
    maker = CaseMaker(options.appearance, options.motion, SEED, "train")
    with tqdm(total=options.training_crops, leave=False, disable=not sys.stderr.isatty()) as bar:
        table = build_table(pipeline, examiner, sha256, maker, options.training_crops, bar.update)
    if options.table is not None:
        write_table(options.table, table)
    return table


def quality(table: Table, estimates: np.ndarray) -> dict[str, float]:
    """Of held-out estimates on overlaps: mean deviation in mm, correlation."""
    mine = table.overlaps
    apart = np.abs(estimates[mine] - table.errors[mine]).mean()
    same = np.corrcoef(estimates[mine], table.errors[mine])[0, 1]
    return {"mean_deviation_mm": round(float(apart), 2), "correlation": round(float(same), 3)}


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
        people = () if frame is None else pipeline.process(frame, PAPER_HOPS).people
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
