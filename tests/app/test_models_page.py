"""The Models page, clicked like a person would; only the worker is a fake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from safetensors.torch import save_file

from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.gui.model_choice import ModelChoice
from app.gui.model_entries import list_entries
from app.gui.model_info import ModelInfo
from app.gui.models_page import ModelsPage
from app.pipeline.worker import WorkerState
from model.bodies import add_body, body_card
from model.config import preset
from model.errors import UserError
from model.hierarchy import load_hierarchy
from model.hrnet import HRNet
from model.pointhmr import PointHMR
from tests.app import gui_fakes
from tests.model.foreign import Touch, foreign_pickle, metro_members, smpl_like

LEFT = Qt.MouseButton.LeftButton
RANDOM = "body-hrnet-w32:random"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield


@pytest.fixture
def opened(make_window, qtbot) -> Callable[..., tuple[MainWindow, ModelsPage]]:
    """Opens the page of a window by a click on the model in the status bar."""

    def open_page(weights: str | Path = "body-lite") -> tuple[MainWindow, ModelsPage]:
        window = make_window()
        window.models.choice = ModelChoice(weights)
        qtbot.mouseClick(window.parts.status.model, LEFT)
        qtbot.waitUntil(lambda: window._runs.models_page is not None)
        page = window._runs.models_page
        qtbot.waitUntil(lambda: page.isVisible() and page.list.count() > 0, timeout=30_000)
        return window, page

    return open_page


def test_a_page_that_cannot_be_loaded_is_told(make_window, qtbot, monkeypatch) -> None:
    def fail() -> None:
        raise UserError("Torch is gone.")

    monkeypatch.setattr("app.gui.commands._import_page", fail)
    window = make_window()
    qtbot.mouseClick(window.parts.status.model, LEFT)
    qtbot.waitUntil(lambda: window.parts.banner.text.text() == "Torch is gone.")
    assert window._runs.models_page is None


@pytest.fixture
def lite_file(tmp_path: Path) -> Path:
    """A small file of `pointhmr train`: the free body's."""
    network = PointHMR(preset("body-lite"))
    kept = {k: v.contiguous() for k, v in network.state_dict().items() if not k.startswith("backbone.")}
    save_file(kept, tmp_path / "mine.safetensors", {"config": network.config.to_json()})
    return tmp_path / "mine.safetensors"


def facts(page: ModelsPage) -> dict[str, str]:
    return dict(page.card.facts)


@pytest.fixture(autouse=True)
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chosen model is there at once, under its name, without its network."""

    def load(choice: ModelChoice) -> tuple[SimpleNamespace, ModelInfo]:
        return SimpleNamespace(on_cpu=None), replace(gui_fakes.model_info(), model_name=str(choice.weights))

    monkeypatch.setattr(ModelChoice, "__call__", load)


def take_over(window: MainWindow) -> None:
    """Answer the last switch as the worker does."""
    make, done = window.worker.switches[-1]
    make()
    done("")


def test_every_entry_has_its_card(opened) -> None:
    _, page = opened()
    assert page.choose(RANDOM)
    told = facts(page)
    assert told["Parameters"].startswith("58,865,320") and "59,086,504" in told["Parameters"]
    assert told["Trained on"] == "nothing" and "no reconstruction" in told["Notes"]
    assert page.choose("free body")
    assert "CC0" in facts(page)["Licence"] and "6,890" in facts(page)["Body"]
    assert not page.use.isEnabled() and page.use.toolTip() == "This one is running."


def test_an_imported_checkpoint_is_listed_and_used(opened, qtbot, lite_file: Path) -> None:
    window, page = opened()
    page.import_checkpoint(lite_file)
    assert page.progress.isVisible() and not page.import_.isEnabled()
    qtbot.waitUntil(lambda: page.chosen is not None and page.chosen.name == "mine", timeout=30_000)
    assert page.banner.text.text() == "mine is installed: a network of body-lite."
    told = facts(page)
    assert told["Makes"] == "free body" and len(told["SHA-256"]) == 64 and told["Trained on"] == "unknown"
    qtbot.mouseClick(page.use, LEFT)
    assert window.models.busy and not page.use.isEnabled() and page.progress.isVisible()
    assert window.models.wanted == ModelChoice("mine")
    with qtbot.waitSignal(window.models.done):
        take_over(window)
    qtbot.waitUntil(lambda: window.info.model_name == "mine")
    assert window.models.choice == ModelChoice("mine")
    assert page.list.currentItem().text() == "mine   ·   running"
    assert not page.progress.isVisible()


@pytest.mark.parametrize("damage", ["empty", "hostile", "other"])
def test_a_bad_checkpoint_is_told_in_its_exact_sentence(opened, qtbot, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "weights.bin"
    if damage == "empty":
        path.touch()
    elif damage == "hostile":
        torch.save({"a": Touch(tmp_path / "ran")}, path)
    else:
        torch.save({"fc.weight": torch.zeros(2, 2)}, path)
    _, page = opened()
    page.import_checkpoint(path)
    qtbot.waitUntil(page.banner.isVisible, timeout=30_000)
    sentence = {
        "empty": "weights.bin is empty.",
        "hostile": "weights.bin was refused: opening it would call",
        "other": "weights.bin is another architecture, not a released PointHMR network: it shares 0 of 2,023",
    }[damage]
    assert page.banner.text.text().startswith(sentence)
    assert not (tmp_path / "ran").exists()
    assert page.import_.isEnabled() and not page.progress.isVisible()


def test_a_switch_that_fails_keeps_the_old_model(opened, qtbot) -> None:
    window, page = opened()
    page.choose(RANDOM)
    qtbot.keyClick(page.list, Qt.Key.Key_Return)
    ((_, done),) = window.worker.switches
    done("The file is gone.")
    qtbot.waitUntil(page.banner.isVisible)
    assert page.banner.text.text() == window.parts.banner.text.text() == "The file is gone."
    assert window.models.choice == ModelChoice("body-lite") and page.use.isEnabled()


def test_a_switch_shows_nothing_of_the_old_model(shown, qtbot) -> None:
    window = shown()
    old = window.record
    window.models.use(ModelChoice(RANDOM))
    info = gui_fakes.model_info()
    window.bridge.on_record(old)
    other = replace(info, model_name="other", sha256="abcdef0123", body="SMPL", notice="Look out.")
    window.bridge.on_model(other)
    with qtbot.waitSignal(window.bridge.model_ready):
        pass
    assert window.record is None and window.info.model_name == "other"
    assert "other abcdef01   ·   SMPL" in window.parts.status.model.text()
    assert window.parts.banner.text.text() == "Look out."
    window.bridge.on_record(old)
    qtbot.waitUntil(lambda: window.record is old)


def test_a_backbone_is_no_network(opened, qtbot, tmp_path: Path) -> None:
    state = {k: v.half() if v.is_floating_point() else v for k, v in HRNet().state_dict().items()}
    torch.save(state, tmp_path / "pretrain_hrnet.pkl")
    _, page = opened()
    page.import_checkpoint(tmp_path / "pretrain_hrnet.pkl")
    qtbot.waitUntil(lambda: page.choose("pretrain_hrnet"), timeout=60_000)
    assert page.chosen.group == "Backbones" and facts(page)["Parameters"] == "29,305,536"
    assert not page.use.isEnabled() and "training" in page.use.toolTip()


@pytest.fixture
def smpl(tmp_path: Path) -> Path:
    (tmp_path / "bodies").mkdir()
    path = tmp_path / "bodies" / "SMPL_MALE.pkl"
    path.write_bytes(foreign_pickle(smpl_like()))
    np.savez(tmp_path / "meshes.npz", **metro_members(load_hierarchy()))
    return path


def test_the_wizard_says_what_is_there_and_adds_a_body(opened, qtbot, tmp_path: Path, smpl: Path) -> None:
    window, page = opened(RANDOM)
    qtbot.mouseClick(page.add_body, LEFT)
    wizard = page.wizard
    assert not wizard.add.isEnabled() and not wizard.use.isEnabled()
    wizard.inspect(smpl)
    qtbot.waitUntil(lambda: wizard.body is not None, timeout=30_000)
    found = {finding.what: finding.found for finding in wizard.found}
    assert found["Body"] and found["Variant"] and not found["Mesh hierarchy"]
    assert set(wizard.companions) == {"Human3.6M joints", "Mesh hierarchy"}
    wizard.bring("Mesh hierarchy", tmp_path / "meshes.npz")
    qtbot.waitUntil(lambda: set(wizard.companions) == {"Human3.6M joints"}, timeout=30_000)
    qtbot.mouseClick(wizard.add, LEFT)
    qtbot.waitUntil(wizard.use.isEnabled, timeout=30_000)
    qtbot.waitUntil(lambda: any(entry.name == "SMPL SMPL_MALE" for entry in page.entries), timeout=30_000)
    qtbot.mouseClick(wizard.use, LEFT)
    assert window.models.wanted == ModelChoice(RANDOM, wizard.body)
    assert len(window.worker.switches) == 1 and not wizard.isVisible()


def test_the_wizard_refuses_what_is_no_body(opened, qtbot, tmp_path: Path) -> None:
    (tmp_path / "SMPL.pkl").write_bytes(foreign_pickle(smpl_like() | {"J": Touch(tmp_path / "ran")}))
    _, page = opened()
    qtbot.mouseClick(page.add_body, LEFT)
    page.wizard.inspect(tmp_path / "SMPL.pkl")
    qtbot.waitUntil(page.wizard.banner.isVisible, timeout=30_000)
    assert "refused" in page.wizard.banner.text.text()
    assert not (tmp_path / "ran").exists() and not page.wizard.add.isEnabled()


def test_smpl_is_not_offered_to_a_network_of_the_free_body(
    opened, qtbot, lite_file: Path, smpl: Path
) -> None:
    card = add_body(body_card(smpl, smpl.parents[1] / "meshes.npz"))
    window, page = opened(lite_file)
    page.choose(card.name)
    assert not page.use.isEnabled()
    assert page.card.note.text().startswith("mine was trained on the free body and cannot make SMPL")
    window.models.choice = ModelChoice(RANDOM, card)
    page.refresh("mine")
    page.import_checkpoint(lite_file)
    qtbot.waitUntil(lambda: page.choose("mine"), timeout=30_000)
    qtbot.waitUntil(page.use.isEnabled)
    qtbot.mouseClick(page.use, LEFT)
    assert window.models.wanted == ModelChoice("mine"), "the free body comes with it"


def test_every_control_of_the_dialogs_has_a_tooltip(opened, qtbot) -> None:
    _, page = opened()
    qtbot.mouseClick(page.add_body, LEFT)
    for dialog in (page, page.wizard):
        for control in dialog.findChildren(QAbstractButton):
            if control.isVisible():
                assert control.toolTip(), control.text()
    qtbot.keyClick(page.wizard, Qt.Key.Key_Escape)
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert not page.isVisible() and not page.wizard.isVisible()


def test_a_window_without_a_model_goes_on_with_another(make_window, qtbot) -> None:
    window = make_window(info=False, fault="There are no weights for body-lite yet.")
    window.start("clip.mp4")
    qtbot.waitUntil(lambda: window.state is WorkerState.FAULTED)
    window.worker.fault = ""
    window.models.use(ModelChoice(RANDOM))
    take_over(window)
    qtbot.waitUntil(lambda: window.shown > 0)
    assert window.worker.opened == ["clip.mp4", "clip.mp4"]
    assert window.info.model_name == RANDOM and not window.parts.banner.isVisible()


def test_no_record_of_the_old_model_comes_after_the_new_ones_name(qtbot) -> None:
    bridge = Bridge()
    told: list[object] = []
    bridge.model_ready.connect(told.append)
    bridge.record_arrived.connect(told.append)
    old, new, info = gui_fakes.record(), gui_fakes.record(index=1), gui_fakes.model_info()
    bridge.on_record(old)
    bridge.on_model(info)
    bridge.on_record(new)
    qtbot.waitUntil(lambda: len(told) >= 2)
    assert len(told) == 2 and told[0] is info and told[1] is new


def test_a_body_is_used_that_is_not_listed_yet(opened, qtbot, smpl: Path, monkeypatch) -> None:
    window, page = opened(RANDOM)
    assert page.choose("body-quality") and page.use.isEnabled()
    card = add_body(body_card(smpl, smpl.parents[1] / "meshes.npz"))
    go_on = threading.Event()
    monkeypatch.setattr("app.gui.models_page.list_entries", lambda: go_on.wait(30) and list_entries())
    page.refresh(card.name)
    page._use_added(card)
    assert window.models.wanted is None, "not what was chosen before"
    go_on.set()
    qtbot.waitUntil(lambda: window.models.wanted is not None, timeout=30_000)
    assert window.models.wanted == ModelChoice(RANDOM, card)
