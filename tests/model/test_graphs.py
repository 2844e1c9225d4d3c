"""Keeping OpenVINO's graphs: whole or not at all, also where two processes make them at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from model import graphs
from model.errors import UserError
from model.vino import import_openvino
from model.weights import load_network


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> threading.Barrier:
    """Graphs are text that names the thread which made them; both are written before one is put in place."""
    both = threading.Barrier(2)

    def save(graph: object, path: Path, **_: Any) -> None:
        path.write_text(f"{graph} of {threading.current_thread().name}")
        if path.stem == graphs.STAGES[-1]:
            both.wait(60)

    monkeypatch.setattr(graphs, "_converted", lambda *_, **more: "graph")
    monkeypatch.setattr(import_openvino(), "save_model", save)
    return both


def test_of_two_exports_at_once_one_stays_whole(tmp_path: Path, made: threading.Barrier) -> None:
    network, _ = load_network("body-lite")
    folder, faults = tmp_path / "engines" / "lite", []

    def work() -> None:
        try:
            graphs.export(network.eval(), folder)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, name=name) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults
    texts = {(folder / f"{stage}.xml").read_text() for stage in graphs.STAGES}
    assert texts in ({"graph of first"}, {"graph of second"}), "both graphs are of one export"
    assert [path.name for path in folder.parent.iterdir()] == ["lite"], "nothing is left lying about"


def test_graphs_that_cannot_be_kept_are_told(tmp_path: Path, made: threading.Barrier) -> None:
    made.abort()
    folder = tmp_path / "lite"
    folder.write_text("in the way")
    with pytest.raises((UserError, threading.BrokenBarrierError)):
        graphs.export(load_network("body-lite")[0].eval(), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["lite"]


CONVERTS = """
import sys
import torch
from model.vino import import_openvino

import_openvino().convert_model(torch.nn.Linear(2, 2), example_input=torch.zeros(1, 2))
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""


def test_nobody_is_told_that_a_network_is_converted(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {
        "HOME": str(tmp_path)
    }
    subprocess.run([sys.executable, "-c", CONVERTS], env=environment, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == [], "not even counted"
