"""“Compare on the last seconds” in the window: a report on the disk, and a way to open it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QToolButton

from app.decoder_display import DISPLAY_NAMES
from app.replay import live
from app.settings import Settings
from tests.app.gui.conftest import OpenWindow
from tests.app.gui.desk import Desk, SplitSource, StubEstimator, StubSession, named

LEFT = Qt.MouseButton.LeftButton
SHORTEST_S = 0.6  # instead of the app's: each test waits for it


@pytest.fixture(autouse=True)
def _shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SHORTEST_S", SHORTEST_S)


class Opener(QObject):
    """What the desktop would open."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url)


@pytest.fixture
def opener() -> Iterator[Opener]:
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    yield opener
    QDesktopServices.unsetUrlHandler("file")


def wait_for_seconds(desk: Desk, seconds: float) -> None:
    """Until the pictures that the network has read span so much."""
    session = desk.session
    assert isinstance(session, StubSession)

    def span() -> float:
        read = [result.frame.time_ns for result in session.results if result.stages is not None]
        return (read[-1] - read[0]) / 1e9 if read else 0.0

    desk.wait(lambda: span() >= seconds)


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "compare-last"]


@pytest.mark.thorough
def test_c_writes_a_report_of_every_decoder_beside_the_recordings(desk: Desk, opener: Opener) -> None:
    wait_for_seconds(desk, 1.0)
    desk.press("C")
    assert "Comparing" in desk.message
    desk.wait(lambda: desk.message.startswith("Compared on "))
    (report,) = desk.files()
    assert re.fullmatch(r"posescope [\d-]+ [\d-]+ split compare\.html", report.name)
    assert str(report) in desk.message
    page = report.read_text("utf-8")
    for title in ("Argmax ¼", "DARK", "IPR, β 10", "Debiased IPR, β 10", "Regression"):
        assert title in page
    assert page.count("data:image/jpeg") == len(DISPLAY_NAMES)
    # StubEstimator moves each decoder two pixels further from the peaks: argmax 0, …, regression 10.
    biases = re.findall(
        r">(\d+\.\d+)</(?:span|strong)>", page[page.index('id="section-1"') : page.index('id="section-2"')]
    )
    assert {"2.00", "4.00", "6.00", "8.00", "10.0"} <= set(biases)

    button = desk.button("Open the report")
    desk.qtbot.mouseClick(button, LEFT)
    assert [url.toLocalFile() for url in opener.urls] == [str(report)]
    desk.window.messages.show_message("Something else.")
    assert button.isHidden()
    assert not running()


@pytest.mark.thorough
def test_the_menu_does_the_same_and_no_report_is_overwritten(desk: Desk) -> None:
    wait_for_seconds(desk, 0.8)
    entries = desk.window.panel.record_menu.actions()
    (entry,) = [action for action in entries if action.text() == "Compare on the last 10 seconds\tC"]
    for count in (1, 2):
        entry.trigger()
        desk.wait(lambda: desk.message.startswith("Compared on "))
        assert len(desk.files("*compare*.html")) == count
        desk.window.messages.clear()


@pytest.mark.thorough
def test_the_window_waits_for_the_report_when_it_closes(
    open_window: OpenWindow, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = open_window()
    desk.wait_for_picture()
    wait_for_seconds(desk, 0.8)
    desk.press("C")
    desk.window.close()
    assert not running()
    (report,) = desk.files()
    assert report.read_text("utf-8").rstrip().endswith("</html>")
    assert str(report) in capsys.readouterr().out


def test_what_is_too_short_is_said_in_one_sentence(desk: Desk) -> None:
    desk.press("C")
    desk.wait(lambda: desk.message_kind == "warning")
    assert re.fullmatch(
        r"Too short to compare: the network began to read \d\.\d s ago, and 0.6 s are needed\.", desk.message
    )
    assert desk.files() == []


@pytest.mark.thorough
def test_nobody_in_view_is_said(open_window: OpenWindow) -> None:
    desk = open_window(StubSession(SplitSource(), StubEstimator(anybody=False)))
    desk.wait_for_picture()
    wait_for_seconds(desk, 0.8)
    desk.press("C")
    desk.wait(lambda: desk.message_kind == "warning")
    assert re.fullmatch(r"Nothing to compare: a person was seen in 0 of the last \d+ frames\.", desk.message)
    assert desk.files() == []


@pytest.mark.thorough
def test_only_what_was_read_with_the_same_beta_is_compared(desk: Desk) -> None:
    wait_for_seconds(desk, 0.8)
    desk.slider.setValue(desk.slider.value() + 1)
    beta = desk.session.choice.beta
    assert beta != 10
    desk.wait(lambda: desk.session.results[-1].beta == beta)
    desk.press("C")
    desk.wait(lambda: desk.message_kind == "warning")
    assert "β was changed" in desk.message
    changed = time.monotonic()
    desk.wait(lambda: time.monotonic() - changed > 0.8)
    desk.press("C")
    desk.wait(lambda: desk.message.startswith("Compared on "))
    assert "since β was changed" in desk.message
    page = desk.files()[0].read_text("utf-8")
    assert f"Debiased IPR, β {beta:g}" in page
    assert "Debiased IPR, β 10<" not in page


@pytest.mark.thorough
def test_another_source_starts_with_nothing(desk: Desk) -> None:
    wait_for_seconds(desk, 0.8)
    desk.window.open_source("synthetic:figure")
    desk.wait(lambda: desk.session.source.name != "split")
    desk.wait_for_picture()
    desk.press("C")
    desk.wait(lambda: desk.message_kind == "warning")
    assert desk.message.startswith("Too short to compare")


@pytest.mark.thorough
def test_a_folder_that_cannot_be_made_is_said(open_window: OpenWindow, tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    desk = open_window(recordings=tmp_path / "taken")
    desk.wait_for_picture()
    wait_for_seconds(desk, 0.8)
    desk.press("C")
    desk.wait(lambda: desk.message_kind == "warning")
    assert "is not a folder" in desk.message
    assert desk.session.pipeline.source_error is None


def test_it_looks_back_as_far_as_the_last_seconds_are_kept(open_window: OpenWindow) -> None:
    for kept, shown in ((0.0, "10"), (30.0, "30")):
        desk = open_window(settings=Settings(preroll_s=kept))
        texts = [action.text() for action in desk.window.panel.record_menu.actions()]
        assert f"Compare on the last {shown} seconds\tC" in texts
        assert named(desk.window, QToolButton, "Close the message")
