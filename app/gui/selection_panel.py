"""Facts about the chosen vertex and the shown person, as two short tables."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.gui.heatmaps import heatmap_stats
from app.gui.model_info import ModelInfo
from app.gui.widgets import Card, label
from app.pipeline.frames import Hops, Person


class FactsCard(Card):
    """Rows of a name and a value."""

    def __init__(self, title: str, rows: dict[str, str], parent: QWidget | None = None) -> None:
        """`rows`: name -> tooltip."""
        super().__init__(title, parent)
        grid = QGridLayout()
        grid.setContentsMargins(12, 0, 12, 10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self.values: dict[str, QLabel] = {}
        for row, (name, tip) in enumerate(rows.items()):
            value = label("–", "value", tip)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label(name, "muted", tip), row, 0)
            grid.addWidget(value, row, 1)
            self.values[name] = value
        self.body.addLayout(grid)

    def fill(self, values: dict[str, str]) -> None:
        """Set the rows; those not given show a dash."""
        for name, widget in self.values.items():
            widget.setText(values.get(name, "–"))


class VertexCard(FactsCard):
    """The chosen vertex."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "Part": "Body part of the vertex",
            "Vertex": "Index in the full mesh, and the coarse vertex that drives it most",
            "Position": "x right, y down, z forward of the middle of the hips, in centimetres",
            "Heatmap": "Largest probability of a cell, and the number of separate hills",
            "May attend to": "Coarse vertices within the masks' reach of this one, encoders 1 to 4",
        }
        super().__init__("Vertex", rows, parent)

    def show_vertex(
        self, info: ModelInfo | None, person: Person | None, vertex: int | None, hops: Hops
    ) -> None:
        """Fill in what is known."""
        if info is None or vertex is None:
            self.fill({"Part": "click the mesh"})
            return
        coarse = int(info.coarse_of_vertex[vertex])
        reach = [int((info.hops[coarse] <= h).sum()) if h is not None else info.coarse_count for h in hops]
        facts = {
            "Part": info.vertex_name(vertex),
            "Vertex": f"{vertex:,}  /  {coarse}",
            "May attend to": " · ".join(str(r) for r in reach),
        }
        if person is not None:
            x, y, z = (np.asarray(person.vertices[vertex], float) * 100).tolist()
            stats = heatmap_stats(person.heatmaps[coarse], person.crop.size)
            facts["Position"] = f"{x:.0f}, {y:.0f}, {z:.0f} cm"
            facts["Heatmap"] = f"{stats.peak * 100:.1f} %, {stats.modes} mode{'s' * (stats.modes != 1)}"
        self.fill(facts)


class PersonCard(FactsCard):
    """The shown person."""

    def __init__(self, parent: QWidget | None = None) -> None:
        rows = {
            "Person": "Number that stays with the person from frame to frame",
            "Presence": "Probability that the crop shows a person",
            "Scale": "Weak-perspective camera: pixels of the picture per metre",
            "Extent": "Height of the reconstructed body as it stands, from its lowest to its highest vertex",
        }
        super().__init__("Person", rows, parent)

    def show_person(self, person: Person | None, count: int) -> None:
        """Fill in what is known."""
        if person is None:
            self.fill({})
            return
        extent = float(np.ptp(person.vertices[:, 1]))
        self.fill(
            {
                "Person": f"{person.box.id}" + (f"  of {count}" if count > 1 else ""),
                "Presence": f"{person.presence * 100:.0f} %",
                "Scale": f"{person.camera[0]:.0f} px/m",
                "Extent": f"{extent:.2f} m",
            }
        )
