"""Measure a model on the validation part of one's data: the table of its card."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.commands.options import add_model_arguments
from model.body import load_body
from model.data.lspet import LspetDataset
from model.data.rendered import RenderedDataset
from model.data.sample import Dataset
from model.data.synthetic import SyntheticDataset
from model.errors import UserError
from model.evaluate import evaluate_crops
from model.losses import LiteLoss
from model.weights import load_network

COLUMNS = {
    "samples": ("samples", "{:.0f}"),
    "mpjpe": ("MPJPE", "{:.1f}"),
    "pa_mpjpe": ("PA-MPJPE", "{:.1f}"),
    "pve": ("PVE", "{:.1f}"),
    "pck": ("PCK@0.2", "{:.3f}"),
    "backbone_pck": ("PCK of the backbone's landmarks", "{:.3f}"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the data and the form of the answer."""
    parser.add_argument("--real", type=Path, metavar="DIR", help="lspet_images.zip, lspet_labels.npz")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="synthetic_images.zip, …_labels.npz")
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="clothes, hair, panoramas to draw")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="poses.npz, for --appearance")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each set")
    parser.add_argument("--json", action="store_true", help="numbers instead of a Markdown table")
    add_model_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print one row a dataset."""
    network, card = load_network(options.weights)
    body, hierarchy = load_body(options.body), network.hierarchy
    sets: list[Dataset] = []
    if options.real is not None:
        sets.append(LspetDataset(options.real, "val", body, hierarchy))
    if options.rendered is not None:
        sets.append(RenderedDataset(options.rendered, "val", body, hierarchy))
    if options.appearance is not None and options.motion is None:
        raise UserError("Synthetic people need poses: give --motion a file.")
    if options.appearance is not None:
        sets.append(SyntheticDataset(options.appearance, options.motion, "val", body, hierarchy))
    if not sets or hierarchy.mirrored is None:
        raise UserError("Evaluation needs pictures: give --real, --rendered or --appearance a folder.")
    joints = LiteLoss(hierarchy, body.keypoint_regressor.numpy())
    results = {}
    for dataset in sets:
        count = min(len(dataset), options.limit or len(dataset))
        results[dataset.name] = evaluate_crops(network, joints, dataset, range(count), hierarchy.mirrored)
    if options.json:
        sys.stdout.write(json.dumps({"model": card.name, "sha256": card.sha256, "results": results}) + "\n")
    else:
        sys.stdout.write(
            f"{card.name} {card.sha256[:12]}, errors in mm, crops turned upright\n{table(results)}"
        )
    return 0


def table(results: dict[str, dict[str, float]]) -> str:
    """A Markdown table, one row a dataset."""
    rows = [["validation set", *(title for title, _ in COLUMNS.values())], ["---"] * (1 + len(COLUMNS))]
    for name, errors in results.items():
        rows.append(
            [name, *(form.format(errors[k]) if k in errors else "" for k, (_, form) in COLUMNS.items())]
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
