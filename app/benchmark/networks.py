"""Every engine of a network against the network itself: interleaved in one process, so that ratios hold."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor

from model.engine import Engine, HalfEngine, TorchEngine
from model.errors import UserError
from model.graphs import can_export, export, export_folder
from model.inference import compare
from model.openvino_engine import OpenVinoEngine
from model.pointhmr import PointHMR
from model.recipes import frontier
from model.verify import rule_image, rule_network
from model.weights import load_network

_log = logging.getLogger(__name__)
SEED = 0
Progress = Callable[[str], None]


def published(rounds: int, progress: Progress) -> list[dict[str, Any]]:
    """The published network with weights made by rule, on the rule's picture."""
    return _table(rule_network(SEED), f"rule-{SEED}-{'-' * 8}", rule_image(SEED), rounds, progress)


def embedded(name: str, rounds: int, progress: Progress) -> list[dict[str, Any]]:
    """A tier of the embedded model on a picture of the bundled clip."""
    from model.calibration import calibration_images

    network, card = load_network(name)
    return _table(network.eval(), card.sha256, calibration_images(network, 3)[1], rounds, progress)


@torch.inference_mode()
def _table(
    network: PointHMR, digest: str, image: Tensor, rounds: int, progress: Progress
) -> list[dict[str, Any]]:
    network.requires_grad_(False)
    engines: list[Engine] = [TorchEngine(network)]
    if torch.cuda.is_available():
        network, image = network.to("cuda"), image.to("cuda")
        engines.append(HalfEngine(network))
    elif can_export(network):
        for recipe in frontier(network.config):
            folder = export_folder(digest, recipe)
            try:
                if not folder.is_dir():
                    progress(f"{network.config.name}: making the graphs of {recipe.name}")
                    export(network, folder, recipe)
                engines.append(OpenVinoEngine(network, folder, recipe))
            except (RuntimeError, UserError) as error:
                progress(f"{network.config.name}: {recipe.name} does not run here: {error}")
    apart = [compare(engine, network, image) for engine in engines]
    progress(f"{network.config.name}: {rounds} rounds of {len(engines)} engines")
    times = interleaved([_forward(engine, network, image) for engine in engines], rounds)
    rows = [
        {"engine": engine.name, **_figures(own, times[0]), "deviation": asdict(far)}
        for engine, own, far in zip(engines, times, apart, strict=True)
    ]
    rows[0]["stages_ms"] = _stages(network, image, rounds)
    return rows


def _forward(engine: Engine, network: PointHMR, image: Tensor) -> Callable[[], tuple[float, float]]:
    """One forward; returns the seconds of both stages."""

    def run() -> tuple[float, float]:
        start = time.perf_counter()
        features = engine.encode(image)
        _wait(image)
        middle = time.perf_counter()
        engine.regress(features, network.config.hops)
        _wait(image)
        return middle - start, time.perf_counter() - middle

    return run


def _wait(image: Tensor) -> None:
    """A graphics card works on while Python goes on."""
    if image.is_cuda:
        torch.cuda.synchronize()


Times = list[tuple[float, float, float]]
"""Seconds of encode and regress, and of the processor over both, for each round."""


def interleaved(runs: Sequence[Callable[[], tuple[float, float]]], rounds: int) -> list[Times]:
    """Each run once a round, so that whatever else the machine does meets all of them alike."""
    times: list[Times] = [[] for _ in runs]
    for _ in range(rounds):
        for own, run in zip(times, runs, strict=True):
            start = time.process_time()
            encode, regress = run()
            own.append((encode, regress, time.process_time() - start))
    return times


def _figures(own: Times, reference: Times) -> dict[str, float]:
    """Milliseconds, and how many times faster than the reference: by round, best, processor time."""
    wholes = [encode + regress for encode, regress, _ in own]
    theirs = [encode + regress for encode, regress, _ in reference]
    processor, their_processor = ([one[2] for one in times] for times in (own, reference))
    return {
        "forward_ms": 1000 * median(wholes),
        "forward_min_ms": 1000 * min(wholes),
        "encode_ms": 1000 * median(encode for encode, _, _ in own),
        "regress_ms": 1000 * median(regress for _, regress, _ in own),
        "cpu_ms": 1000 * median(processor),
        "ratio": median(t / w for t, w in zip(theirs, wholes, strict=True)),
        "ratio_of_min": min(theirs) / min(wholes),
        "ratio_of_cpu": median(their_processor) / max(median(processor), 1e-9),
    }


def _stages(network: PointHMR, image: Tensor, rounds: int) -> dict[str, float]:
    """Median milliseconds of each stage of the network itself."""
    found: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        _wait(image)
        found.setdefault(name, []).append(1000 * (time.perf_counter() - start))
        return result

    for _ in range(rounds):
        maps = timed("backbone", partial(network.backbone, image))
        features = timed("decoders and sampling", partial(network.sample, maps))
        timed("regress", partial(network.regress, features, upsample=False))
        coarse = network.regress(features, upsample=False).coarse
        timed("upsample", partial(network.upsample, coarse))
    return {name: median(values) for name, values in found.items()}
