"""The sets of the embedded model: what each folder is, and how much of the training stream it makes up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.data.catalogue import DatasetSpec
from model.errors import UserError


@dataclass(frozen=True)
class Sources:
    """Where pictures come from; what is None is left out."""

    real: Path | None = None
    """Folder of LspetDataset."""
    rendered: Path | None = None
    """Folder of RenderedDataset."""
    appearance: Path | None = None
    """Folder of SyntheticDataset, which also needs `motion`."""
    motion: Path | None = None
    """poses.npz."""
    real_share: float = 0.5
    """Of the stream, where there is something else too."""
    rendered_share: float = 0.2
    """Of what is not real, where both `rendered` and `appearance` are given."""

    def specs(self, part: str) -> tuple[DatasetSpec, ...]:
        """One part of every set that is named. Raises UserError for drawn people without poses."""
        rest = 1 - self.real_share
        both = self.rendered is not None and self.appearance is not None
        found: list[DatasetSpec] = []
        if self.real is not None:
            found.append(DatasetSpec(kind="lspet", path=self.real, part=part, share=self.real_share))
        if self.rendered is not None:
            share = rest * (self.rendered_share if both else 1)
            found.append(DatasetSpec(kind="rendered", path=self.rendered, part=part, share=share))
        if self.appearance is not None:
            if self.motion is None:
                raise UserError("Synthetic people need poses: give --motion a file.")
            share = rest * (1 - self.rendered_share if both else 1)
            found.append(
                DatasetSpec(
                    kind="synthetic", path=self.appearance, part=part, share=share, motion=self.motion
                )
            )
        return tuple(found)
