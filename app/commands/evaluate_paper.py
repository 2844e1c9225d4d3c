"""`pointhmr evaluate --set …`: sets under their protocols; tables, JSON, the worst pictures."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from app.commands.options import masks
from app.commands.sets import add_set_arguments, load_bodies
from model.config import Hops
from model.data.catalogue import DatasetSpec, open_dataset
from model.data.sample import Dataset
from model.errors import UserError
from model.evaluation.measure import ALL_VIEWS, ONE_VIEW, Row, measure
from model.evaluation.protocols import ABLATION, PROTOCOLS, Protocol, protocol, usual_protocol
from model.evaluation.report import SetResult, as_json, as_markdown, masks_text
from model.evaluation.worst import worst, write_sheet
from model.paths import write_atomically
from model.pointhmr import PointHMR
from model.training.distributed import process_group, ranks_of_environment
from model.weights import load_network


def add_paper_arguments(parser: argparse.ArgumentParser) -> None:
    """Sets, protocol, masks, and where the report goes."""
    add_set_arguments(parser)
    parser.add_argument(
        "--protocol", choices=tuple(PROTOCOLS), help="what is measured; the set's own if left out"
    )
    parser.add_argument("--ablation", choices=("masks",), help="the four mask settings of the paper's table")
    parser.add_argument(
        "--masks",
        type=masks,
        action="append",
        dest="mask_rows",
        metavar="7,5,3,1",
        help="a mask setting to measure; may be given more than once",
    )
    parser.add_argument(
        "--augment", action="store_true", help="96 turned and scaled views a picture (FreiHAND)"
    )
    parser.add_argument("--upright", action="store_true", help="turn people upright first (embedded model)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--report", type=Path, metavar="DIR", help="report.json, report.md, worst-SET.png")
    parser.add_argument("--worst", type=int, default=12, metavar="K", help="pictures on the worst sheet")


def run_paper(options: argparse.Namespace) -> int:
    """Measure every set; the first process prints and writes."""
    if options.batch_size < 1 or options.worst < 0:
        raise UserError("--batch-size is at least 1, and --worst is no negative number.")
    bodies, hierarchy = load_bodies(options.body, options.male, options.female)
    network, card = load_network(options.weights, hierarchy)
    if network.config.num_joints != len(bodies.neutral.keypoint_names):
        raise UserError(f"{card.name} makes another kind of body: give its file as --body.")
    ranks = ranks_of_environment()
    device = _device(options.device, ranks.local)
    network.to(device)
    rows = mask_rows(options, network)
    results: list[SetResult] = []
    with process_group(ranks, device):
        for given in options.sets:
            spec = replace(
                given, part=options.part or given.part, motion=options.motion, gendered=options.gendered
            )
            dataset = open_dataset(spec, bodies, hierarchy)
            measured = measure(
                network,
                bodies.neutral,
                dataset,
                rows,
                limit=options.limit,
                batch_size=options.batch_size,
                upright=options.upright,
                views=ALL_VIEWS if options.augment else ONE_VIEW,
                ranks=ranks,
            )
            if not measured[0].pictures:
                raise UserError(f"No picture of {dataset.name} could be measured.")
            results.append(_result(spec, dataset, options, measured))
            if ranks.first and options.report is not None:
                _write_worst(options, dataset, results[-1], network.config.image_size)
    if ranks.first:
        _tell(options, card.name, card.sha256, results)
    return 0


def mask_rows(options: argparse.Namespace, network: PointHMR) -> list[Hops]:
    """The mask settings asked for: the paper's four, a list, or the network's own."""
    rows: list[Hops] = list(ABLATION) if options.ablation else []
    rows += options.mask_rows or []
    return rows or [network.config.hops]


def _device(wanted: str, local: int) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no graphics card that torch can use.")
    cuda = wanted != "cpu" and torch.cuda.is_available()
    return torch.device("cuda", local) if cuda else torch.device("cpu")


def _result(
    spec: DatasetSpec, dataset: Dataset, options: argparse.Namespace, measured: list[Row]
) -> SetResult:
    chosen: Protocol = protocol(options.protocol or usual_protocol(spec.kind))
    told = [f"set {spec.path.name}, part {spec.part}"]
    told += ["crops turned upright"] if options.upright else []
    told += ["96 views a picture"] if options.augment else []
    told += [f"first {options.limit} pictures only"] if options.limit else []
    return SetResult(dataset.name, chosen, measured, bool(options.ablation), ", ".join(told))


def _tell(options: argparse.Namespace, model: str, sha256: str, results: list[SetResult]) -> None:
    text = json.dumps(as_json(model, sha256, results), indent=1)
    table = as_markdown(model, sha256, results)
    sys.stdout.write(text + "\n" if options.json else table)
    if options.report is not None:
        write_atomically(options.report / "report.json", lambda file: file.write_text(text + "\n"))
        write_atomically(options.report / "report.md", lambda file: file.write_text(table))


def _write_worst(options: argparse.Namespace, dataset: Dataset, result: SetResult, size: int) -> None:
    metric = "pa_mpjpe" if result.protocol.name == "freihand" else "mpjpe"
    for row in result.rows:
        masked = f"-{masks_text(row.hops).replace(',', '-')}" if len(result.rows) > 1 else ""
        path = options.report / f"worst-{dataset.name}{masked}.png"
        chosen = worst(row.pictures, options.worst, metric)
        write_sheet(path, dataset, chosen, size, metric, upright=options.upright)
