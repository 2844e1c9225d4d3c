"""Results of several processes become one, in the order of the inputs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app.cli import main
from app.commands import reconstruct as command
from app.commands.reconstruct import Job
from app.commands.shards import all_inputs, join, merge, rank_folder, share_of
from model.cv import cv2
from model.errors import UserError
from model.training.distributed import Ranks, process_group, ranks_of_environment


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
    return folder


def test_every_input_is_somebodys(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [share_of([str(pictures)], Ranks(rank, 2)) for rank in range(2)]
    assert [len(part) for part in parts] == [3, 2]
    assert sorted([*parts[0], *parts[1]]) == all_inputs([str(pictures)])
    (pictures / "2.png").write_bytes(b"broken")
    assert len(share_of([str(pictures)], Ranks(0, 2))) == 2
    assert "2.png" in capsys.readouterr().err


def test_results_are_joined_in_order(pictures: Path, tmp_path: Path) -> None:
    inputs = [str(pictures)]
    for rank in range(2):
        frames = [
            {"source": name, "index": 0, "people": [{"vertices": f"{Path(name).stem}.npz"}]}
            for name in share_of(inputs, Ranks(rank, 2))
        ]
        folder = rank_folder(tmp_path / "out", rank)
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps({"schema": 1, "frames": frames}))
    merge(tmp_path / "out", inputs, 2)
    content = json.loads((tmp_path / "out/result.json").read_text())
    assert [Path(frame["source"]).stem for frame in content["frames"]] == list("01234")
    assert content["schema"] == 1
    assert content["frames"][1]["people"][0]["vertices"] == "rank-001/1.npz"
    (rank_folder(tmp_path / "out", 1) / "result.json").unlink()
    with pytest.raises(UserError, match="rank-001"):
        merge(tmp_path / "out", inputs, 2)


def test_who_is_done_waits_for_long_clips_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[timedelta] = []
    monkeypatch.setattr("torch.distributed.init_process_group", lambda _, timeout: waits.append(timeout))
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    monkeypatch.setattr("torch.distributed.barrier", lambda: None)
    join(tmp_path, [], Ranks(1, 2))
    assert waits and waits[0] >= timedelta(days=1), "torch itself gives up after half an hour"


def test_ranks_come_from_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert ranks_of_environment() == Ranks()
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ranks_of_environment() == Ranks(3, 8, 1)


def test_each_process_speaks_over_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr("torch.cuda.set_device", done.append)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda name, timeout: done.append(name))
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: done.append("end"))
    card = torch.device("cuda", 1)
    with process_group(Ranks(3, 4, 1), card):
        assert done == [card, "nccl"], "the card first: the group would take the first one"
    assert done == [card, "nccl", "end"]


@pytest.mark.parametrize(("device", "cards"), [("auto", [1]), ("cuda", [1]), ("cpu", [])])
def test_each_process_reconstructs_on_its_own_card(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, cards: list[int]
) -> None:
    taken: list[int] = []

    def load(*_: object) -> None:
        assert taken == cards
        raise UserError("far enough")

    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "3")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.set_device", taken.append)
    monkeypatch.setattr("app.commands.reconstruct.load_pipeline", load)
    assert main(["reconstruct", str(pictures), "--output", str(tmp_path / "o"), "--device", device]) == 2
    assert taken == cards


def test_the_joined_result_of_an_earlier_run_goes_before_its_meshes(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever process begins first."""
    old = tmp_path / "out/result.json"
    old.parent.mkdir()
    old.write_text("{}")

    def begin(job: Job, *_: object) -> None:
        raise UserError(f"{job.output.name} begins, old.exists() is {old.exists()}.")

    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(command, "load_pipeline", lambda *_: (None, SimpleNamespace(notice="")))
    monkeypatch.setattr(command, "reconstruct", begin)
    for _ in range(2):
        assert main(["reconstruct", str(pictures), "--output", str(old.parent)]) == 2
        assert capsys.readouterr().err == "pointhmr: rank-001 begins, old.exists() is False.\n"
