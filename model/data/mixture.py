"""The sets of the embedded model: what each folder is, and how much of the training stream it makes up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import assets
from model.data.catalogue import DatasetSpec


@dataclass(frozen=True)
class Sources:
    """Where pictures come from; what is None is left out."""

    real: Path | None = None
    """Folder of LspetDataset."""
    rendered: Path | None = None
    """Folder of RenderedDataset."""
    appearance: Path | None = None
    """Folder of SyntheticDataset. What is drawn from the one that ships is judged on the crops that ship."""
    motion: Path | None = None
    """poses.npz, for drawing; None: the mixture of poses that ships."""
    real_share: float = 0.5
    """Of the stream, where there is something else too."""
    rendered_share: float = 0.2
    """Of what is not real, where both `rendered` and `appearance` are given."""

    def specs(self, part: str) -> tuple[DatasetSpec, ...]:
        """One part of every set that is named."""
        rest = 1 - self.real_share
        both = self.rendered is not None and self.appearance is not None
        found: list[DatasetSpec] = []
        if self.real is not None:
            found.append(DatasetSpec(kind="lspet", path=self.real, part=part, share=self.real_share))
        if self.rendered is not None:
            share = rest * (self.rendered_share if both else 1)
            found.append(DatasetSpec(kind="rendered", path=self.rendered, part=part, share=share))
        if self.appearance is not None:
            share = rest * (1 - self.rendered_share if both else 1)
            if part == "val" and self.appearance == assets.APPEARANCE:
                found.append(DatasetSpec(kind="crops", path=assets.VALIDATION, part=part, share=share))
            else:
                drawn = DatasetSpec(kind="synthetic", path=self.appearance, part=part, share=share)
                found.append(replace(drawn, motion=self.motion))
        return tuple(found)
