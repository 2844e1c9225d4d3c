"""How often what a picture does not show is called unseen, on rendered pictures whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.pipeline.frames import PAPER_HOPS, Frame
from app.pipeline.pipeline import Pipeline
from app.pipeline.visibility import PARTS, seen

if TYPE_CHECKING:
    from model.data.render.studio import Shot, Studio

SEED = 77
SHOWN, HIDDEN = 0.5, 0.1
"""Share of a part's vertices on pixels of the person, above and below which it is seen and unseen."""


@dataclass(frozen=True)
class Looked:
    """One picture after the pipeline."""

    kind: str
    truth: np.ndarray
    """(24,) share of each part's vertices that the picture shows, or the person's own body before them."""
    told: np.ndarray
    """(24,) mean of `visibility.seen` over each part."""


def look(pipeline: Pipeline, studio: Studio, count: int) -> Iterator[Looked]:
    """`count` pictures: full bodies, cut ones and webcams in turn; without those where nobody is found."""
    from model.data.render.camera import Framing
    from model.data.render.studio import Wish

    framings = (Framing.FULL, Framing.CUT, Framing.WEBCAM)
    for number in range(count):
        shot = studio.shoot(np.random.default_rng((SEED, number)), Wish(framings[number % len(framings)]))
        if shot.visible.mean() < 0.1 or shot.points[:, 2].min() < 0.25:
            continue
        picture, truth = cut_out(shot)
        pipeline.reset()
        record = pipeline.process(Frame(picture, 0, 0.0, f"picture {number}"), PAPER_HOPS)
        if record.people:
            size = picture.shape[1], picture.shape[0]
            part = studio.poser.part
            told = seen(record.people[0], size, part)
            yield Looked(shot.framing.value, by_part(truth, part), by_part(told, part))


def cut_out(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """The crop's region as a picture of its own, and (V,) bool where it shows the person at a vertex."""
    from model.data.render.camera import PICTURE, REGION

    margin = (PICTURE - REGION) // 2
    picture = np.ascontiguousarray(shot.image[margin : margin + REGION, margin : margin + REGION])
    places = shot.pixels - margin
    within = ((places > 0) & (places < REGION)).all(axis=1) & (shot.points[:, 2] > 0.1)
    column, row = np.clip(shot.pixels, 0, PICTURE - 1).astype(int).T
    return picture, within & shot.person[row, column]


def by_part(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(V,) -> (24,) means over the vertices of each part."""
    return np.array([values[part == k].mean() for k in range(PARTS)])


def rates(looked: Sequence[Looked], kind: str | None = None) -> tuple[float, float, int]:
    """Share of unseen parts that are told to be, share of seen parts that are told unseen, and pictures."""
    chosen = [one for one in looked if kind in (None, one.kind)]
    truth = np.array([one.truth for one in chosen]).reshape(-1)
    unseen = np.array([one.told for one in chosen]).reshape(-1) < SHOWN
    hidden, shown = truth < HIDDEN, truth > SHOWN
    hits = float(unseen[hidden].mean()) if hidden.any() else float("nan")
    return hits, float(unseen[shown].mean()) if shown.any() else float("nan"), len(chosen)
