"""Axes and units under which a program opens a file upright and in the right size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Up = Literal["y", "z"]
Unit = Literal["metres", "centimetres"]


@dataclass(frozen=True)
class Preset:
    """Right-handed axes: x is the viewer's right, and a person who faces the camera looks `forward`."""

    title: str
    up: Up = "y"
    unit: Unit = "metres"
    obj_up: Up = "y"
    """OBJ cannot name its axes: what the program's OBJ reader takes for up."""

    @property
    def forward(self) -> str:
        """'+z' or '-y'."""
        return "+z" if self.up == "y" else "-y"

    @property
    def units_per_metre(self) -> float:
        """1 or 100."""
        return 1.0 if self.unit == "metres" else 100.0

    @property
    def axes(self) -> str:
        """For a person who reads the file's header."""
        return f"x right, {self.up} up, front {self.forward}"

    @property
    def for_obj(self) -> Preset:
        """The axes that an OBJ file for this program has."""
        return Preset(self.title, self.obj_up, self.unit, self.obj_up)

    @property
    def for_bvh(self) -> Preset:
        """The axes that a BVH file for this program has: readers take y for up, and it names none."""
        return replace(self, up="y")

    @property
    def from_y_up(self) -> np.ndarray:
        """(3, 3) rotation from a body's axes (x right, y up, z to the viewer) to these, acting on columns."""
        return self.turn(np.diag([1.0, -1.0, -1.0])).T

    def turn(self, vectors: np.ndarray) -> np.ndarray:
        """(N, 3) in camera axes (x right, y down, z forward) -> (N, 3) in these axes, as long as before."""
        x, y, z = vectors.T
        return np.stack([x, -y, -z] if self.up == "y" else [x, z, -y], axis=1)


Y_UP_METRES = Preset("any program")
PRESETS = {
    "blender": Preset("Blender", up="z"),
    "unity": Preset("Unity"),
    # Unreal's OBJ reader (Interchange) only mirrors y, so z is up there as well.
    "unreal": Preset("Unreal", up="z", unit="centimetres", obj_up="z"),
    "maya": Preset("Maya", unit="centimetres"),
}
