"""Which body a take was made with."""

from __future__ import annotations

from pathlib import Path

from app.takes.take import Take
from model.bodies import list_bodies
from model.body import BodyModel, load_body
from model.errors import UserError


def body_of(take: Take, path: Path | None = None) -> BodyModel:
    """The body of a take: that of a file, the free body, or one that the user added.

    Raises UserError when it is not there, or has not as many vertices as the take's meshes.
    """
    body = _named(take, path)
    for person in take.people:
        if (count := person.vertices.shape[1]) != body.num_vertices:
            raise UserError(
                f"{person.name} of the take has {count:,} vertices, and the {body.name} "
                f"{body.num_vertices:,}: they do not belong together."
            )
    return body


def _named(take: Take, path: Path | None) -> BodyModel:
    if path is not None:
        return load_body(path)
    free = load_body()
    if take.made.body == free.name:
        return free
    for card in list_bodies():
        if card.path and take.made.body_sha256 in ("", card.sha256):
            body = load_body(Path(card.path))
            if body.name == take.made.body:
                return body
    raise UserError(
        f"The take shows the body {take.made.body!r}, which is not here: add it on the Models page, "
        "or name its file (`--body FILE`)."
    )
