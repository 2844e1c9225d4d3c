"""Measure a model: any set under its protocol, beside published numbers, or the table of the model's card.

`--preset embedded` alone measures the drawn crops that ship; with `--real` the photographs of the card too.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import assets
from app.commands.options import add_mirror_argument, add_model_arguments, masks
from app.commands.sets import add_set_arguments, load_bodies
from app.commands.worst_cases import CaseWriter
from model.blazepose import load_blazepose
from model.bodies import check_fit, fit_notice
from model.body import H36M_REGRESSOR, BodyModel
from model.config import Hops
from model.data.catalogue import DatasetSpec, distinct, open_dataset
from model.data.mixture import Sources
from model.data.people import Bodies
from model.data.sample import Dataset
from model.errors import UserError
from model.evaluation.measure import Row, measure
from model.evaluation.predict import ALL_VIEWS, ONE_VIEW, Yardsticks
from model.evaluation.protocols import ABLATION, PROTOCOLS, protocol, usual_protocol
from model.evaluation.report import SetResult, as_json, as_markdown, masks_text
from model.evaluation.worst import worst, write_sheet
from model.hierarchy import Hierarchy
from model.mirror import check_mirror
from model.paths import write_atomically
from model.pointhmr import PointHMR
from model.training.distributed import Ranks, process_group, ranks_of_environment
from model.weights import ModelCard, find_card, load_network

EMBEDDED_LIMIT = 500
"""Pictures of each set in the card's table."""

NO_PHOTOGRAPHS = (
    "The card's other half, on photographs, needs LSP-extended with fitted bodies: --real DIR "
    "(pointhmr dataset fit makes such a folder)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sets, model, protocol, and where the answer goes."""
    parser.add_argument(
        "--preset",
        choices=("embedded",),
        help="the table of an embedded model's card: 500 crops a set, kinds apart, BlazePose heavy beside "
        "it; on the crops that ship, where no drawn set is named",
    )
    parser.add_argument("--real", type=Path, metavar="DIR", help="short for --set lspet:DIR")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="short for --set rendered:DIR")
    parser.add_argument("--appearance", type=Path, metavar="DIR", help="short for --set synthetic:DIR")
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
    parser.add_argument(
        "--upright",
        action=argparse.BooleanOptionalAction,
        help="turn people upright first; what the embedded network wants, and its default",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each set")
    parser.add_argument("--kinds", action="store_true", help="a row for each kind of picture too")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--report", type=Path, metavar="DIR", help="report.json, report.md, worst pictures")
    parser.add_argument("--worst", type=int, default=12, metavar="K", help="how many: sheet and case folders")
    parser.add_argument("--json", action="store_true", help="numbers instead of a Markdown table")
    add_model_arguments(parser)
    add_mirror_argument(parser)


@dataclass(frozen=True)
class Job:
    """A model, and how its pictures are looked at."""

    options: argparse.Namespace
    network: PointHMR
    card: ModelCard
    bodies: Bodies
    hierarchy: Hierarchy
    ranks: Ranks

    @property
    def upright(self) -> bool:
        """As asked for, else what the network was trained with."""
        asked: bool | None = self.options.upright
        return self.network.config.backbone.startswith("blazepose") if asked is None else asked

    @property
    def limit(self) -> int | None:
        """Of each set."""
        asked: int | None = self.options.limit
        return asked or (EMBEDDED_LIMIT if self.options.preset == "embedded" else None)


def run(options: argparse.Namespace) -> int:
    """Measure every set; the first process prints and writes."""
    if options.batch_size < 1 or options.worst < 0 or (options.limit or 1) < 1:
        raise UserError("--batch-size and --limit are at least 1, and --worst is no negative number.")
    specs = specs_of(options)
    bodies, mesh = load_bodies(options.body, options.male, options.female)
    hierarchy = mesh.hierarchy
    if bodies.neutral.kind != "mano":
        check_fit(find_card(options.weights), bodies.neutral.kind)
    network, card = load_network(options.weights, hierarchy)
    if network.config.num_joints != len(bodies.neutral.keypoint_names):
        raise UserError(f"{card.name} makes another kind of body: give its file as --body.")
    if options.mirror:
        check_mirror(network)
    ranks = ranks_of_environment()
    if ranks.first:
        for notice in notices(card, bodies.neutral, mesh.origin, options.protocol):
            sys.stderr.write(f"pointhmr: {notice}\n")
    device = _device(options.device, ranks.local)
    network.to(device)
    job = Job(options, network, card, bodies, hierarchy, ranks)
    with process_group(ranks, device):
        results = [measure_set(job, spec) for spec in specs]
    if ranks.first:
        _tell(options, card, results)  # First, whatever becomes of the pictures.
        if options.report is not None:
            names = distinct([result.dataset for result in results])
            for name, spec, result in zip(names, specs, results, strict=True):
                _write_worst(job, name, open_dataset(spec, bodies, hierarchy), result)
    return 0


def notices(card: ModelCard, body: BodyModel, origin: str, wanted: str | None) -> list[str]:
    """What keeps the numbers from being those of the network, or of the protocol that is wanted."""
    told = [] if body.kind == "mano" else [fit_notice(card, body.kind, origin)]
    if wanted == "h36m-p2" and body.kind == "smpl" and body.pelvis_regressor is None:
        told.append(
            f"The protocol {wanted} is of Human3.6M's joints: without {H36M_REGRESSOR} beside the body "
            f"SMPL's own stand in, and the numbers are not the protocol's."
        )
    return [notice for notice in told if notice]


def specs_of(options: argparse.Namespace) -> list[DatasetSpec]:
    """Every set that is named, in either way. Raises UserError when there is none."""
    given = [
        replace(spec, part=options.part or spec.part, motion=options.motion, gendered=options.gendered)
        for spec in options.sets or []
    ]
    sources = Sources(options.real, options.rendered, options.appearance, options.motion)
    specs = [*sources.specs(options.part or "val"), *given]
    if options.preset == "embedded" and not (options.rendered or options.appearance or given):
        specs.append(DatasetSpec(kind="crops", path=assets.VALIDATION, part="val"))
    if not specs:
        raise UserError(
            "Evaluation needs pictures: --preset embedded takes those that ship; "
            "or give --set KIND:PATH, or --real, --rendered or --appearance a folder."
        )
    return specs


def measure_set(job: Job, spec: DatasetSpec) -> SetResult:
    """One set, measured by all processes."""
    options = job.options
    dataset = open_dataset(spec, job.bodies, job.hierarchy)
    rows = measure(
        job.network,
        job.bodies.neutral,
        dataset,
        mask_rows(options, job.network),
        limit=job.limit,
        batch_size=options.batch_size,
        upright=job.upright,
        views=ALL_VIEWS if options.augment else ONE_VIEW,
        mirror=options.mirror,
        ranks=job.ranks,
        yardsticks=_yardsticks(options),
    )
    if not rows[0].pictures:
        raise UserError(f"No picture of {dataset.name} could be measured.")
    return _result(job, spec, dataset, rows)


def mask_rows(options: argparse.Namespace, network: PointHMR) -> list[Hops]:
    """The mask settings asked for: the paper's four, a list, or the network's own."""
    rows: list[Hops] = list(ABLATION) if options.ablation else []
    rows += options.mask_rows or []
    return rows or [network.config.hops]


def _yardsticks(options: argparse.Namespace) -> Yardsticks:
    return {"heavy": load_blazepose("heavy")} if options.preset == "embedded" else {}


def _device(wanted: str, local: int) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no graphics card that torch can use.")
    cuda = wanted != "cpu" and torch.cuda.is_available()
    return torch.device("cuda", local) if cuda else torch.device("cpu")


def _result(job: Job, spec: DatasetSpec, dataset: Dataset, rows: list[Row]) -> SetResult:
    options = job.options
    told = [f"set {spec.path.name}, part {spec.part}"]
    told += ["crops turned upright"] if job.upright else []
    told += ["96 views a picture"] if options.augment else []
    told += ["mean with the mirror image"] if options.mirror else []
    told += [f"first {job.limit} pictures only"] if job.limit else []
    return SetResult(
        dataset.name,
        protocol(options.protocol or usual_protocol(spec.kind)),
        rows,
        bool(options.ablation),
        ", ".join(told),
        by_kind=options.kinds or options.preset == "embedded",
    )


def _tell(options: argparse.Namespace, card: ModelCard, results: list[SetResult]) -> None:
    text = json.dumps(as_json(card.name, card.sha256, results), indent=1)
    table = as_markdown(card.name, card.sha256, results)
    sys.stdout.write(text + "\n" if options.json else table)
    if options.preset == "embedded" and options.real is None:
        sys.stderr.write(f"{NO_PHOTOGRAPHS}\n")
    if options.report is not None:
        write_atomically(options.report / "report.json", lambda file: file.write_text(text + "\n", "utf-8"))
        write_atomically(options.report / "report.md", lambda file: file.write_text(table, "utf-8"))


def _write_worst(job: Job, set_name: str, dataset: Dataset, result: SetResult) -> None:
    """A sheet for each mask setting, and of bodies a folder of cases that the window opens."""
    options, size = job.options, job.network.config.image_size
    metric = "pa_mpjpe" if result.protocol.name == "freihand" else "mpjpe"
    for row in result.rows:
        masked = f"-{masks_text(row.hops).replace(',', '-')}" if len(result.rows) > 1 else ""
        name = f"worst-{set_name}{masked}"
        chosen = worst(row.pictures, options.worst, metric)
        write_sheet(options.report / f"{name}.png", dataset, chosen, size, metric, upright=job.upright)
        if job.bodies.neutral.kind != "mano":
            writer = CaseWriter(
                job.network,
                job.card,
                job.bodies.neutral,
                upright=job.upright,
                mirror=options.mirror,
            )
            writer.write(options.report / name, dataset, chosen, row.hops, metric)
