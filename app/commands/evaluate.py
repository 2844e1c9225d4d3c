"""Measure a model: the table of its card, or any set under its protocol, beside published numbers (--set)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.commands.evaluate_paper import add_paper_arguments, run_paper
from app.commands.options import add_model_arguments
from model.blazepose import load_blazepose
from model.body import BodyModel, load_body
from model.data.lspet import LspetDataset
from model.data.rendered import RenderedDataset
from model.data.sample import Dataset
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.evaluate import evaluate_crops
from model.hierarchy import Hierarchy
from model.losses import LiteLoss
from model.tables import markdown
from model.weights import load_network

COLUMNS = {
    "samples": ("samples", "{:.0f}"),
    "mpjpe": ("MPJPE", "{:.1f}"),
    "pa_mpjpe": ("PA-MPJPE", "{:.1f}"),
    "pve": ("PVE", "{:.1f}"),
    "iou": ("IoU", "{:.3f}"),
    "pck": ("PCK@0.2", "{:.3f}"),
    "backbone_pck": ("PCK of the backbone's landmarks", "{:.3f}"),
    "heavy_pck": ("PCK of BlazePose-heavy's", "{:.3f}"),
}
EMBEDDED_SYNTHETIC = 500
"""Synthetic crops of the card's table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the data and the form of the answer."""
    parser.add_argument(
        "--preset",
        choices=("embedded",),
        help="the table of an embedded model's card: 500 crops a set, kinds apart, BlazePose heavy beside it",
    )
    parser.add_argument("--real", type=Path, metavar="DIR", help="lspet_images.zip, lspet_labels.npz")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="synthetic_images.zip, …_labels.npz")
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each set")
    parser.add_argument("--kinds", action="store_true", help="a row for each kind of picture too")
    parser.add_argument("--json", action="store_true", help="numbers instead of a Markdown table")
    add_model_arguments(parser)
    add_paper_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print one row a dataset, and one for each kind of picture where they are asked for."""
    if options.sets:
        return run_paper(options)
    network, card = load_network(options.weights)
    body, hierarchy = load_body(options.body), network.hierarchy
    sets = _datasets(options, body, hierarchy)
    if not sets or hierarchy.mirrored is None:
        raise UserError("Evaluation needs pictures: give --real, --rendered or --appearance a folder.")
    embedded = options.preset == "embedded"
    limit = options.limit or (EMBEDDED_SYNTHETIC if embedded else None)
    yardsticks = {"heavy": load_blazepose("heavy")} if embedded else {}
    joints = LiteLoss(hierarchy, body.keypoint_regressor.numpy())
    results: dict[str, dict[str, float]] = {}
    for dataset in sets:
        count = min(len(dataset), limit or len(dataset))
        errors = evaluate_crops(
            network, joints, dataset, range(count), hierarchy.mirrored, yardsticks=yardsticks
        )
        results[dataset.name] = errors.mean()
        if embedded or options.kinds:
            results |= {f"{dataset.name}, {kind}": errors.mean(kind) for kind in errors.all_kinds()}
    if options.json:
        sys.stdout.write(json.dumps({"model": card.name, "sha256": card.sha256, "results": results}) + "\n")
    else:
        sys.stdout.write(
            f"{card.name} {card.sha256[:12]}, errors in mm, crops turned upright\n{table(results)}"
        )
    return 0


def _datasets(options: argparse.Namespace, body: BodyModel, hierarchy: Hierarchy) -> list[Dataset]:
    """The validation part of every set that is named."""
    sets: list[Dataset] = []
    if options.real is not None:
        sets.append(LspetDataset(options.real, "val", body, hierarchy))
    if options.rendered is not None:
        sets.append(RenderedDataset(options.rendered, "val", body, hierarchy))
    if options.appearance is not None and options.motion is None:
        raise UserError("Synthetic people need poses: give --motion a file.")
    if options.appearance is not None:
        sets.append(SyntheticDataset(options.appearance, options.motion, "val", body, hierarchy))
    return sets


def table(results: dict[str, dict[str, float]]) -> str:
    """A Markdown table, one row a dataset or kind; columns that nobody has are left out."""
    columns = {k: v for k, v in COLUMNS.items() if any(k in errors for errors in results.values())}
    rows = [
        [name, *(form.format(errors[k]) if k in errors else "" for k, (_, form) in columns.items())]
        for name, errors in results.items()
    ]
    return markdown(["validation set", *(title for title, _ in columns.values())], rows)
