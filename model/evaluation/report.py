"""What was measured, as JSON and as a Markdown table with the published rows beside, labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.config import Hops
from model.evaluation.measure import Row
from model.evaluation.protocols import PUBLISHED_ABLATION, SHARES, TITLES, Protocol, Published
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
    by_kind: bool = False
    """Whether each kind of picture gets a line too."""

    @property
    def how(self) -> str:
        """The protocol and what else the numbers depend on, in words."""
        return self.protocol.how + (f"; {self.notes}" if self.notes else "")

    def lines(self) -> list[Line]:
        """What is told: each mask setting over all pictures and, where asked, over each kind."""
        found = []
        for row in self.rows:
            found.append(Line(row, None, len(row.pictures), self._means(row, None)))
            kinds = row.kinds() if self.by_kind else {}
            found += [Line(row, kind, count, self._means(row, kind)) for kind, count in kinds.items()]
        return found

    def _means(self, row: Row, kind: str | None) -> dict[str, float]:
        means = row.means(kind)
        return {name: means[name] for name in self.protocol.metrics if name in means}

    def published(self) -> tuple[Published, ...]:
        """Rows of the papers that belong beside these."""
        if self.ablation and self.protocol.name == "h36m-p2":
            return PUBLISHED_ABLATION
        return self.protocol.published


@dataclass(frozen=True)
class Line:
    """Means over all pictures of a row, or over those of one kind."""

    row: Row
    kind: str | None
    pictures: int
    means: dict[str, float]


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
                "kind": line.kind,
                "protocol": result.protocol.name,
                "how": result.how,
                "masks": masks_text(line.row.hops),
                "pictures": line.pictures,
                "left_out": line.row.left_out,
                "measured": line.means,
            }
            for result in results
            for line in result.lines()
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
    """Metrics that nobody has are left out."""
    lines, published = result.lines(), result.published()
    known = [line.means for line in lines] + [each.values for each in published]
    metrics = [name for name in result.protocol.metrics if any(name in values for values in known)]
    head = ["set", "model", "masks", "pictures", *(TITLES[name] for name in metrics), "protocol"]
    title = result.protocol.title
    rows = []
    for line in lines:
        refused = line.row.left_out if line.kind is None else 0
        told = f"{line.pictures}" + (f" ({refused} left out)" if refused else "")
        name = result.dataset + (f", {line.kind}" if line.kind else "")
        numbers = [_number(metric, line.means.get(metric)) for metric in metrics]
        # The long text once a mask setting: what kinds of pictures there are does not change the protocol.
        how = f"{title}: {result.how}" if line.kind is None else title
        rows.append([name, model, masks_text(line.row.hops), told, *numbers, how])
    for each in published:
        numbers = [_number(metric, each.values.get(metric)) for metric in metrics]
        rows.append(["", f"{each.method} (published)", "", "", *numbers, f"{title}, from the paper"])
    return markdown(head, rows)


def _number(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if name in SHARES else f"{value:.1f}"
