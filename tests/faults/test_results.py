"""Fault 8: results that are no numbers. Rejected at one gate, the last good one kept, export refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.export.mesh import NamedMesh
from app.export.take_options import TakeOptions
from app.export.writers import WRITERS
from app.pipeline.frames import Person
from app.pipeline.worker import WorkerState
from model.errors import UserError
from tests.app import gui_fakes
from tests.faults.harness import Capture, Live, is_sentence

Make = Callable[..., Live]


def one_vertex(person: Person, value: float) -> Person:
    vertices = person.vertices.copy()
    vertices[1234, 1] = value
    return replace(person, vertices=vertices)


SPOILT: dict[str, Callable[[Person], Person]] = {
    "one vertex NaN": lambda person: one_vertex(person, np.nan),
    "one vertex Inf": lambda person: one_vertex(person, np.inf),
    "all NaN": lambda person: replace(person, vertices=np.full_like(person.vertices, np.nan)),
    "coarse mesh NaN": lambda person: replace(person, coarse=np.full_like(person.coarse, np.nan)),
    "joints Inf": lambda person: replace(person, joints3d=np.full_like(person.joints3d, np.inf)),
    "camera scale 0": lambda person: replace(person, camera=(0.0, 1.0, 1.0)),
    "camera scale below 0": lambda person: replace(person, camera=(-5.0, 1.0, 1.0)),
    "camera NaN": lambda person: replace(person, camera=(np.nan, 1.0, 1.0)),
}


@pytest.mark.fault(8)
@pytest.mark.parametrize("name", SPOILT)
def test_what_is_no_body_is_dropped_and_the_last_good_one_kept(live: Make, tmp_path: Path, name: str) -> None:
    one = live({0: Capture()})
    one.open("camera")
    one.wait_records(3)
    one.reconstructor.spoil = SPOILT[name]
    one.wait(lambda: "was dropped" in one.message)
    assert is_sentence(one.message) and "The last good result is shown" in one.message
    record = one.window.record
    assert record is not None and record.people and np.isfinite(record.people[0].vertices).all()
    assert one.window.state is WorkerState.RUNNING
    path = tmp_path / "last good.obj"
    one.do(lambda: one.window.exports.write(path, TakeOptions("obj"), of_take=False))
    one.wait(path.exists)
    assert "nan" not in path.read_text() and "inf" not in path.read_text()
    one.reconstructor.spoil = lambda person: person
    one.wait(lambda: one.window.record is not None and one.window.record.frame.index > record.frame.index)
    one.wait(lambda: "dropped" not in one.message)
    assert one.window.record is not None and one.window.record.people


@pytest.mark.fault(8)
def test_without_a_good_result_there_is_nothing_to_export(live: Make, picture: Path, tmp_path: Path) -> None:
    one = live()
    one.reconstructor.spoil = SPOILT["all NaN"]
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: "was dropped" in one.message)
    assert one.window.record is not None and not one.window.record.people, "the picture is shown"
    assert not one.window.commands.export.isEnabled()
    one.do(lambda: one.window.exports.write(tmp_path / "none.obj", TakeOptions("obj"), of_take=False))
    assert one.banner == "There is no person to export." and not (tmp_path / "none.obj").exists()
    one.do(lambda: one.window.parts.banner.hide())
    one.reconstructor.spoil = lambda person: person
    one.do(lambda: one.window.masking.set_hops((2, 2, 2, 2)))
    one.goes_on(picture)


@pytest.mark.fault(8)
def test_masks_that_spoil_the_mesh_leave_the_last_good_one(live: Make, picture: Path) -> None:
    one = live()
    one.open(picture)
    one.wait_state(WorkerState.ENDED)
    one.wait(lambda: one.window.record is not None)
    good = one.window.record
    one.reconstructor.spoil = SPOILT["one vertex NaN"]
    one.do(lambda: one.window.masking.set_hops((2, 2, 2, 2)))
    one.wait(lambda: "The last good result is shown" in one.message)
    assert one.window.record is good
    one.reconstructor.spoil = lambda person: person
    one.do(lambda: one.window.masking.set_hops((3, 3, 3, 3)))
    one.wait(lambda: one.window.record is not None and one.window.record.hops == (3, 3, 3, 3))
    assert "dropped" not in one.message


@pytest.mark.fault(8)
@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_every_writer_refuses_numbers_that_are_none(tmp_path: Path, ending: str, value: float) -> None:
    body = gui_fakes.body()
    mesh = NamedMesh("person 1", one_vertex(gui_fakes.person(), value).vertices, body["faces"])
    path = tmp_path / f"mesh.{ending}"
    path.write_text("the old file")
    with pytest.raises(UserError, match="not finite"):
        WRITERS[ending](path, [mesh])
    assert path.read_text() == "the old file" and len(list(tmp_path.iterdir())) == 1
