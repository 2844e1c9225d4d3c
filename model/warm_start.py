"""Begin a training with what another network of the same family has learnt."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from torch import Tensor

from model.pointhmr import PointHMR
from model.weights import load_network

logger = logging.getLogger(__name__)

PICTURE = "lifter.picture.weight"


def warm_start(network: PointHMR, weights: str | Path) -> list[str]:
    """Take over every tensor that fits from a model's name or a weight file; returns the names of the rest.

    A decoder's head that made a finer map (`ShuffledTrunk.finer`) is averaged over the cells that became one;
    a lifter that saw coarser cells of the picture goes on with the mean of finer ones.
    Raises UserError when the weights cannot be read.
    """
    known = load_network(weights, network.hierarchy)[0].state_dict()
    state = network.state_dict()
    if PICTURE in known and PICTURE in state:
        known[PICTURE] = _finer(known[PICTURE], state[PICTURE], network.config.token_width)
    taken = {key: _fitted(known[key], value) for key, value in state.items() if key in known}
    fitting = {key: value for key, value in taken.items() if value is not None}
    network.load_state_dict(state | fitting)
    rest = [key for key in state if key not in fitting]
    logger.info("%d tensors taken from %s, %d new", len(fitting), weights, len(rest))
    return rest


def _fitted(known: Tensor, wanted: Tensor) -> Tensor | None:
    """The tensor in the wanted shape, or None: `known` may have several rows (sub-cells) for each row."""
    if known.shape == wanted.shape:
        return known
    rows = wanted.shape[0] if wanted.ndim else 0
    if rows and known.ndim == wanted.ndim and known.shape[1:] == wanted.shape[1:] and len(known) == 4 * rows:
        return known.unflatten(0, (rows, 4)).mean(1)
    return None


def _finer(known: Tensor, wanted: Tensor, width: int) -> Tensor:
    """A layer over width x n x n cells, for one over width x m x m; unchanged if n does not divide m."""
    old, new = (math.isqrt(weight.shape[1] // width) for weight in (known, wanted))
    if new % old:
        return known
    times = new // old
    cells = known.unflatten(1, (width, old, old)) / times**2
    return cells.repeat_interleave(times, 2).repeat_interleave(times, 3).flatten(1)
