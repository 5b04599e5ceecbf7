"""Heads in the window: offered where they fit, read by their decoder or by all, told wherever a decoder is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

import app.heads_offered as heads_offered
from app.bundled import SAMPLE_CLIP, model_file
from app.frames import PoseResult
from app.gui.head_menu import HeadMenu
from app.heads_offered import OfferedHead, offered_heads
from app.session import NetworkChoice, Session
from app.sources import make_source
from models.blazepose import LandmarkNetwork
from models.bundle import open_bundle
from models.head_file import OWN, SHIPPED, HeadAbout, HeadError, head_bytes
from models.heads import shipped_head
from models.skeletons import BLAZEPOSE_33
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import LONG_MS, Desk

NOSE = BLAZEPOSE_33.index["nose"]


def write_head(path: Path, decoder: str, network: str = "") -> Path:
    """A head of lite for the nose, whose maps are empty: what reads it gives the crop's middle with score 0."""
    bundle = open_bundle(*model_file("lite"))
    head = shipped_head(LandmarkNetwork(bundle.landmarks), (NOSE,))
    weights = {name: values.numpy().copy() for name, values in head.state_dict().items()}
    weights["last.weight"][:] = 0
    weights["last.bias"][:] = -200
    about = HeadAbout(decoder, (NOSE,), network or bundle.landmarks_sha256, {"model": "lite"})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head_bytes(weights, about))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's heads: one for ipr, one of another network, and a file that is none."""
    folder = tmp_path / "heads"
    monkeypatch.setattr(heads_offered, "user_heads_folder", lambda: folder)
    write_head(folder / "blind & dumb.safetensors", "ipr")
    write_head(folder / "other.safetensors", "debiased", "0" * 64)
    (folder / "broken.safetensors").write_bytes(b"{}")
    return folder


def test_heads_that_fit_are_offered(folder: Path, tmp_path: Path) -> None:
    assert [(head.label, head.decoder) for head in offered_heads("lite")] == [("blind & dumb", "ipr")]
    assert [head.label for head in offered_heads("full")] == ["through-ipr"]  # the shipped one
    more = write_head(tmp_path / "elsewhere" / "mine.safetensors", "debiased")
    twice = write_head(tmp_path / "elsewhere" / "blind & dumb.safetensors", "debiased")
    found = offered_heads("lite", [str(more), str(twice)])
    # What was asked for comes first, also before one of the same name.
    assert [(head.label, head.decoder) for head in found] == [("mine", "debiased"), ("blind & dumb", "debiased")]
    assert found[1].path == twice


def test_heads_beside_a_bundle_are_offered(folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "nets" / "mine.task"
    bundle.parent.mkdir()
    bundle.write_bytes(model_file("lite")[0].read_bytes())
    write_head(bundle.parent / "a.safetensors", "debiased")
    assert [head.label for head in offered_heads(str(bundle))] == ["a", "blind & dumb"]
    assert offered_heads(str(tmp_path / "nowhere.task")) == []


def test_a_head_that_does_not_fit_is_told_before_anything_is_opened(folder: Path) -> None:
    fitting, other = folder / "blind & dumb.safetensors", folder / "other.safetensors"
    assert NetworkChoice("lite", "cpu", heads=(str(fitting),)).heads == (str(fitting),)
    for model, path, sentence in (
        ("lite", other, "“other” was trained for lite, not for this network"),
        ("full", fitting, "“blind & dumb” was trained for lite, not for this network"),
        ("lite", folder / "none.safetensors", "No such head"),
    ):
        with pytest.raises(HeadError, match=sentence):
            NetworkChoice(model, "cpu", heads=(str(path),))


def test_the_menu_asks_for_what_is_clicked(qtbot: QtBot, tmp_path: Path) -> None:
    from PySide6.QtWidgets import QWidget

    parent = QWidget()
    qtbot.addWidget(parent)
    offered: list[OfferedHead] = []
    menu = HeadMenu(parent, lambda: offered)
    chosen: list[str] = []
    menu.chosen.connect(chosen.append)
    menu.aboutToShow.emit()
    own, shipped, *_ = menu.actions()
    assert (own.isEnabled(), shipped.isChecked()) == (False, True)
    offered.append(OfferedHead(tmp_path / "a & b.safetensors", "a & b", "debiased"))
    menu.aboutToShow.emit()
    titles = [action.text() for action in menu.actions() if action.text()]
    assert titles == [
        "Each decoder its own",
        "As shipped, for all decoders",
        "a && b, for all decoders\tDebiased IPR",
        "Open a head …",
    ]
    for action in menu.actions()[:3]:
        action.trigger()
    assert chosen == [OWN, SHIPPED, "a & b"]
    menu.show_choice("a & b", True)
    assert menu.title() == "Heads: a && b for all"
    menu.show_choice(OWN, False)
    assert menu.title() == "Heads: as shipped"


@pytest.fixture
def desk(folder: Path, open_window: OpenWindow) -> Desk:
    session = Session(make_source(str(SAMPLE_CLIP), loop=True), NetworkChoice("lite", "cpu"), wait_for_model=True)
    desk = open_window(session)
    desk.qtbot.waitUntil(lambda: session.device_label != "", timeout=LONG_MS)
    return desk


def newest(desk: Desk) -> PoseResult:
    """The next result that comes."""
    results: list[PoseResult] = []
    desk.window.session.listener = results.append
    desk.qtbot.waitUntil(lambda: len(results) > 2, timeout=LONG_MS)
    desk.window.session.listener = None
    return results[-1]


def is_blind(result: PoseResult, decoder: str) -> bool:
    (person,) = result.people
    return bool(person.scores[decoder][NOSE] < 1e-6)


@pytest.mark.thorough
def test_each_decoder_reads_its_own_head_and_rows_say_so(desk: Desk, tmp_path: Path) -> None:
    window = desk.window
    session, menu = window.session, window.panel.network
    assert newest(desk).heads == {}
    menu.heads.chosen.emit(OWN)
    desk.qtbot.waitUntil(lambda: session.network.heads != (), timeout=LONG_MS)
    result = newest(desk)
    assert (result.heads["ipr"], result.heads["debiased"]) == ("blind & dumb", SHIPPED)
    assert (is_blind(result, "ipr"), is_blind(result, "debiased"), is_blind(result, "dark")) == (True, False, False)
    desk.qtbot.waitUntil(lambda: "own heads" in menu.text(), timeout=LONG_MS)
    window.recording.toggle()
    session.set_decoder("ipr")
    assert newest(desk).head == "blind & dumb"
    # All of them the same, from the next frame on; nothing is loaded for that.
    menu.heads.chosen.emit("blind & dumb")
    assert session.pipeline.networks.pending == ""
    result = newest(desk)
    assert set(result.heads.values()) == {"blind & dumb"}
    assert is_blind(result, "debiased")
    menu.heads.chosen.emit(SHIPPED)
    result = newest(desk)
    assert set(result.heads.values()) == {SHIPPED}
    assert not is_blind(result, "ipr")
    window.recording.toggle()
    (table,) = (tmp_path / "recordings").glob("*.keypoints.csv")
    desk.qtbot.waitUntil(lambda: session.recorder is None, timeout=LONG_MS)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    of_ipr = {row["head"] for row in rows if row["decoder"] == "ipr"}
    assert of_ipr == {"blind & dumb", SHIPPED}
    assert {row["head"] for row in rows if row["decoder"] == "regression"} == {""}
    for row in rows:
        if row["decoder"] == "ipr" and row["joint"] == "nose":
            assert (float(row["score"]) < 1e-6) == (row["head"] == "blind & dumb")


@pytest.mark.thorough
def test_a_head_that_is_opened_is_read_and_one_that_does_not_fit_is_refused(desk: Desk, tmp_path: Path) -> None:
    window = desk.window
    mine = write_head(tmp_path / "elsewhere" / "mine.safetensors", "debiased")
    window.network.open_head(str(mine))
    desk.qtbot.waitUntil(lambda: window.session.network.heads != (), timeout=LONG_MS)
    result = newest(desk)
    assert result.heads["debiased"] == "mine"
    assert is_blind(result, "debiased")
    # Of two for the same decoder the one that was opened last is read, whatever its name.
    write_head(tmp_path / "heads" / "a.safetensors", "debiased")
    second = write_head(tmp_path / "elsewhere" / "zz.safetensors", "debiased")
    window.network.open_head(str(second))
    desk.qtbot.waitUntil(lambda: len(window.session.network.heads) == 4, timeout=LONG_MS)
    assert newest(desk).heads["debiased"] == "zz"
    window.network.open_head(str(tmp_path / "heads" / "other.safetensors"))
    assert "was trained for another network than lite" in window.messages.text
    window.network.open_head(str(tmp_path / "heads" / "broken.safetensors"))
    assert "broken.safetensors” is not a .safetensors file" in window.messages.text
    # Another network has none of them.
    window.network.use(model="full")
    assert window.session.wanted_network.heads == ()
    assert np.isfinite(newest(desk).people[0].points["debiased"]).all()
