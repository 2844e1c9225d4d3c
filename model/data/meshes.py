"""Datasets at the mesh resolution that somebody looks at, whatever they label themselves."""

from __future__ import annotations

from dataclasses import replace

from model.data.sample import Dataset, Sample
from model.hierarchy import Hierarchy


class FullMeshes:
    """The same samples with the coarse mesh interpolated to the full one, as the network itself does it."""

    def __init__(self, dataset: Dataset, hierarchy: Hierarchy) -> None:
        self.name = dataset.name
        self._dataset = dataset
        self._up = hierarchy.fine_from_coarse

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        if len(sample.vertices) != self._up.shape[1]:
            return sample
        return replace(sample, vertices=self._up @ sample.vertices, vertices2d=self._up @ sample.vertices2d)


class CoarseMeshes:
    """The same samples with only those vertices of the full mesh that the coarse one has."""

    def __init__(self, dataset: Dataset, hierarchy: Hierarchy) -> None:
        self.name = dataset.name
        self._dataset = dataset
        self._pick = hierarchy.vertex_of_coarse

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        if len(sample.vertices) == len(self._pick):
            return sample
        return replace(sample, vertices=sample.vertices[self._pick], vertices2d=sample.vertices2d[self._pick])
