"""The bodies that there are: the free one, and the SMPL and MANO files that the user added.

A user's file stays where it is; what is kept is a card that names it, and, in the cache folder, its plain
arrays and its mesh hierarchy.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path

from model.body import H36M_REGRESSOR, NUM_BETAS, BodyModel, load_body
from model.body_data import Kind, read_body
from model.body_hierarchy import DOWNSAMPLING, BodyHierarchy, body_hierarchy, downsampling_beside
from model.errors import UserError
from model.json_text import parse_json
from model.paths import data_dir, write_atomically
from model.weights import FREE, SMPL, ModelCard


@dataclass(frozen=True)
class BodyCard:
    """A body by its files; empty paths: none given."""

    name: str
    kind: Kind
    sha256: str = ""
    """Of the body's file."""
    path: str = ""
    """The user's file; empty for the free body."""
    downsampling: str = ""
    """METRO's mesh hierarchy (`mesh_downsampling.npz`)."""
    regressor: str = ""
    """Human3.6M's joint regressor."""


@dataclass(frozen=True)
class Finding:
    """One thing that a body may bring along."""

    what: str
    found: bool
    detail: str


FREE_BODY = BodyCard("free body", "free")
_GENDERS = {
    r"neutral": "neutral",
    r"female|_f_": "female",
    r"(?<!fe)male|_m_": "male",
    r"right": "right hand",
    r"left": "left hand",
}


def bodies_dir() -> Path:
    """Folder of the cards of the user's bodies."""
    return data_dir() / "bodies"


def list_bodies() -> list[BodyCard]:
    """The free body, then those that the user added. Cards that cannot be read are left out."""
    cards = (_read_card(path) for path in sorted(bodies_dir().glob("*.json")))
    return [FREE_BODY, *(card for card in cards if card is not None)]


def body_card(path: Path, downsampling: Path | None = None, regressor: Path | None = None) -> BodyCard:
    """The card of a user's file, recognised by content; companions beside it are found by their names.

    Reads and converts the body (once). Raises UserError when it is none.
    """
    data = read_body(path)
    regressor = regressor or _existing(path.parent / H36M_REGRESSOR)
    downsampling = downsampling or downsampling_beside(path, data.kind)
    return BodyCard(
        name=f"{data.name} {path.stem}",
        kind=data.kind,
        sha256=data.sha256,
        path=str(path.resolve()),
        downsampling=str(downsampling.resolve()) if downsampling else "",
        regressor=str(regressor.resolve()) if regressor and data.kind == "smpl" else "",
    )


def findings(card: BodyCard) -> tuple[Finding, ...]:
    """What a user's body brings along, and what stands in for the rest."""
    data = read_body(Path(card.path))
    vertices, faces = len(data.arrays["v_template"]), len(data.arrays["f"])
    joints, shapes = len(data.arrays["J_regressor"]), data.arrays["shapedirs"].shape[2]
    variant = _variant(Path(card.path).name)
    metro = DOWNSAMPLING.get(card.kind, "")
    result = [
        Finding("Body", True, f"{data.name}, {vertices:,} vertices, {faces:,} faces"),
        Finding("Variant", bool(variant), f"{variant}, by the file's name" if variant else "not told"),
        Finding(
            "Shape directions", shapes >= NUM_BETAS, f"{shapes}, of which {min(shapes, NUM_BETAS)} are used"
        ),
        Finding("Joint regressor", True, f"{joints} joints"),
    ]
    if card.kind == "smpl":
        stand_in = f"no {H36M_REGRESSOR}: SMPL's own joints stand in"
        detail = Path(card.regressor).name or stand_in
        result.append(Finding("Human3.6M joints", bool(card.regressor), detail))
    detail = Path(card.downsampling).name or f"no {metro}: built from the faces, in about a minute"
    result.append(Finding("Mesh hierarchy", bool(card.downsampling), detail))
    return tuple(result)


def add_body(card: BodyCard) -> BodyCard:
    """Check all files of a body, make its hierarchy (slow without METRO's file), and keep the card."""
    load_with_hierarchy(card)
    text = json.dumps(dataclasses.asdict(card), indent=2)
    path = bodies_dir() / f"{card.kind}-{card.sha256[:12]}.json"
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))
    return card


def load_with_hierarchy(card: BodyCard) -> tuple[BodyModel, BodyHierarchy]:
    """A body and its mesh at three resolutions. Raises UserError in one sentence."""
    if not card.path:
        model = load_body()
        return model, body_hierarchy(model.data)
    model = load_body(Path(card.path), Path(card.regressor) if card.regressor else None)
    return model, body_hierarchy(model.data, Path(card.downsampling) if card.downsampling else None)


def check_fit(card: ModelCard, kind: Kind) -> None:
    """Raise UserError where a network cannot make this kind of body: its vertices mean another one's."""
    if kind == "mano":
        raise UserError(f"{card.name} makes whole bodies; a MANO hand needs a network for hands.")
    if kind == "smpl" and card.body == FREE:
        raise UserError(
            f"{card.name} was trained on the free body and cannot make SMPL: use a network that was trained "
            f"on SMPL, such as the released PointHMR, or leave the body out."
        )


def fit_notice(card: ModelCard, kind: Kind, origin: str) -> str:
    """What keeps a network's mesh from being the body that it was trained to make; empty if nothing does."""
    if card.body != SMPL:
        return ""
    if kind == "free":
        return (
            f"{card.name} was trained on SMPL: over the free body its mesh means nothing. "
            f"Add your own SMPL file."
        )
    if origin == "built":
        return (
            f"{card.name} was trained on METRO's coarse mesh: without its {DOWNSAMPLING['smpl']} beside the "
            f"body its vertices are not where the network puts them."
        )
    return ""


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _variant(file_name: str) -> str:
    """Gender or side, and version, as far as the name tells."""
    low = file_name.lower()
    words = [word for pattern, word in _GENDERS.items() if re.search(pattern, low)][:1]
    version = re.search(r"v?(\d+\.\d+(?:\.\d+)?)(?=[._-]|$)", low)
    return ", ".join([*words, *([f"version {version[1]}"] if version else [])])


def _read_card(path: Path) -> BodyCard | None:
    try:
        raw = parse_json(path.read_text(encoding="utf-8"))
        card = BodyCard(**{key: str(value) for key, value in raw.items()})  # type: ignore[arg-type]
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return card if card.kind in ("smpl", "mano") and card.path else None
