"""Datasets and bodies on the command line: --set KIND:PATH, --body, --male, --female."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.bodies import FREE_BODY, body_card, load_with_hierarchy
from model.body import load_body
from model.body_hierarchy import BodyHierarchy
from model.data.catalogue import DatasetSpec
from model.data.kinds import KINDS
from model.data.people import Bodies
from model.data.sample import Gender


def add_set_arguments(parser: argparse.ArgumentParser) -> None:
    """--set, --part, --motion, --gendered, --male, --female; the body itself is another argument."""
    parser.add_argument(
        "--set",
        type=dataset_spec,
        action="append",
        dest="sets",
        metavar="KIND:PATH",
        help=f"a dataset, by its kind ({', '.join(KINDS)}); may be given more than once",
    )
    parser.add_argument("--part", help="train or val (default), or the set's own name: test, evaluation, …")
    parser.add_argument(
        "--motion", type=Path, metavar="FILE", help="poses.npz, for synthetic people; else poses that ship"
    )
    parser.add_argument("--gendered", action="store_true", help="METRO's labels with their own gender's body")
    parser.add_argument("--male", type=Path, metavar="FILE", help="SMPL's male body, for 3DPW")
    parser.add_argument("--female", type=Path, metavar="FILE", help="SMPL's female body, for 3DPW")


def dataset_spec(text: str) -> DatasetSpec:
    """'metro:sets/h36m/valid.yaml' -> a spec of the validation part."""
    kind, colon, path = text.partition(":")
    if not colon or kind not in KINDS or not path:
        raise argparse.ArgumentTypeError(
            f"a set is KIND:PATH with KIND one of {', '.join(KINDS)}: not {text!r}"
        )
    return DatasetSpec(kind=kind, path=Path(path), part="val")


def load_bodies(
    body: Path | None, male: Path | None = None, female: Path | None = None
) -> tuple[Bodies, BodyHierarchy]:
    """The bodies by their files and the mesh hierarchy of the neutral one. Raises UserError."""
    files: dict[Gender, Path | None] = {"male": male, "female": female}
    gendered = {gender: load_body(path) for gender, path in files.items() if path is not None}
    neutral, mesh = load_with_hierarchy(FREE_BODY if body is None else body_card(body))
    return Bodies(neutral, gendered), mesh
