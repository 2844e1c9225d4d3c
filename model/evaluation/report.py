"""What was measured, as JSON and as a Markdown table with the published rows beside, labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.config import Hops
from model.evaluation.measure import Row
from model.evaluation.protocols import PUBLISHED_ABLATION, TITLES, Protocol, Published
from model.tables import markdown


@dataclass(frozen=True)
class SetResult:
    """One set under one protocol."""

    dataset: str
    protocol: Protocol
    rows: list[Row]
    ablation: bool = False
    notes: str = ""
    """What else the numbers depend on."""

    def published(self) -> tuple[Published, ...]:
        """Rows of the papers that belong beside these."""
        if self.ablation and self.protocol.name == "h36m-p2":
            return PUBLISHED_ABLATION
        return self.protocol.published


def masks_text(hops: Hops) -> str:
    """(7, 5, None, 1) -> '7,5,off,1'."""
    return ",".join("off" if hop is None else str(hop) for hop in hops)


def as_json(model: str, sha256: str, results: Sequence[SetResult]) -> dict[str, Any]:
    """Everything that was measured, and the published rows under a name of their own."""
    return {
        "model": {"name": model, "sha256": sha256},
        "results": [
            {
                "dataset": result.dataset,
                "protocol": result.protocol.name,
                "how": result.protocol.how + (f"; {result.notes}" if result.notes else ""),
                "masks": masks_text(row.hops),
                "pictures": len(row.pictures),
                "left_out": row.left_out,
                "measured": {k: v for k, v in row.means().items() if k in result.protocol.metrics},
            }
            for result in results
            for row in result.rows
        ],
        "published": [
            {"protocol": result.protocol.name, "method": each.method, **each.values}
            for result in results
            for each in result.published()
        ],
    }


def as_markdown(model: str, sha256: str, results: Sequence[SetResult]) -> str:
    """A table a set; every row names its protocol."""
    parts = [f"{model} {sha256[:12]}".strip() + "\n"]
    for result in results:
        parts += ["\n", _table(model, result)]
    return "".join(parts)


def _table(model: str, result: SetResult) -> str:
    metrics = result.protocol.metrics
    head = ["model", "masks", "pictures", *(TITLES[name] for name in metrics), "protocol"]
    how = result.protocol.how + (f"; {result.notes}" if result.notes else "")
    lines = []
    for row in result.rows:
        means = row.means()
        told = f"{len(row.pictures)}" + (f" ({row.left_out} left out)" if row.left_out else "")
        numbers = [_number(name, means.get(name)) for name in metrics]
        lines.append([model, masks_text(row.hops), told, *numbers, f"{result.protocol.title}: {how}"])
    for each in result.published():
        numbers = [_number(name, each.values.get(name)) for name in metrics]
        lines.append(
            [f"{each.method} (published)", "", "", *numbers, f"{result.protocol.title}, from the paper"]
        )
    return f"{result.dataset}\n\n{markdown(head, lines)}"


def _number(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if name in ("f5", "f15") else f"{value:.1f}"
