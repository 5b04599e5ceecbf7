"""The program from its options to its end, in this process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QGraphicsScene, QGraphicsView

from app.__main__ import main
from app.bundled import ASSETS, ICON_SIZES, SAMPLE_CLIP
from app.gui.help_dialog import HelpDialog
from app.gui.language import install_language
from app.gui.main_window import MainWindow
from app.gui.tour import Tour
from app.settings import Settings, load_settings, save_settings, settings_path
from app.sources import camera_list
from tests.app.gui.desk import LONG_MS, NO_NETWORK, top_levels

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")


@pytest.fixture
def ctrl_c_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


class Watcher:
    """Looks at the window while the program runs, does something once its time has come, and ends a hang."""

    def __init__(self, ready: Callable[[MainWindow], object], act: Callable[[MainWindow], object]) -> None:
        self.acted = False
        self.hung = False
        self._ready, self._act = ready, act
        self._timer = QTimer(interval=50)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self._last = QTimer(singleShot=True, interval=LONG_MS)
        self._last.timeout.connect(self._give_up)
        self._last.start()

    def _look(self) -> None:
        windows = [window for window in top_levels(MainWindow) if window.isVisible()]
        if windows and self._ready(windows[0]):
            self._timer.stop()
            self.acted = True
            self._act(windows[0])

    def _give_up(self) -> None:
        self.hung = True
        QApplication.closeAllWindows()

    def stop(self) -> None:
        self._timer.stop()
        self._last.stop()


def run_here(
    *arguments: object,
    ready: Callable[[MainWindow], object] = lambda window: True,
    act: Callable[[MainWindow], object] = MainWindow.close,
) -> int:
    """The program in this process; when the window is `ready`, `act` is done to it."""
    watcher = Watcher(ready, act)
    try:
        code = main([str(argument) for argument in arguments])
    finally:
        watcher.stop()
        for window in top_levels(MainWindow):
            window.deleteLater()
    assert watcher.acted
    assert not watcher.hung
    return code


@pytest.fixture
def settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    save_settings(Settings(toured=True, preroll_s=0.0))


@pytest.mark.usefixtures("ctrl_c_as_before", "settings_of_this_test")
class TestInsideThisProcess:
    def test_without_a_camera_the_shipped_clip_is_opened_and_this_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(camera_list, "list_cameras", lambda *_, **__: [])
        seen: list[tuple[str, str]] = []

        def look(window: MainWindow) -> None:
            seen.append((window.session.source.name, window.messages.text))
            window.close()

        assert run_here("--model", "lite", ready=lambda window: window.view.result is not None, act=look) == 0
        ((name, message),) = seen
        assert name == SAMPLE_CLIP.name
        assert message.startswith("No camera was found, so this is the shipped clip")
        assert "Ctrl+O" in message

    def test_without_a_source_the_first_camera_is_opened(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entries = [camera_list.CameraEntry(97, "one", "usb-one", ""), camera_list.CameraEntry(98, "", "usb-two", "")]
        monkeypatch.setattr(camera_list, "list_cameras", lambda *_, **__: entries)
        names: list[str] = []

        def look(window: MainWindow) -> None:
            names.append(window.messages.text)
            window.close()

        # There is no such camera: the window says so and stays.
        run_here(*NO_NETWORK, ready=lambda window: window.view.empty.isVisible(), act=look)
        assert names == ["“usb-one” was not found: no camera is connected to this computer."]

    def test_the_first_launch_begins_with_the_tour_and_goes_on_with_the_camera(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_settings(Settings(preroll_s=0.0))
        monkeypatch.setattr(camera_list, "list_cameras", lambda *_, **__: [camera_list.CameraEntry(97, "", "usb", "")])
        seen: list[object] = []

        def look(window: MainWindow) -> None:
            seen.append((window.tour.is_running, window.session.source.name))
            window.tour.end()
            seen.append(window.source_text)
            window.close()

        assert run_here(*NO_NETWORK, ready=lambda window: window.tour.is_running, act=look) == 0
        assert seen == [(True, SAMPLE_CLIP.name), "camera:id=usb"]
        assert load_settings()[0].toured

    @pytest.mark.thorough
    def test_whoever_gives_a_head_came_to_see_it_and_not_the_tour(self, monkeypatch: pytest.MonkeyPatch) -> None:
        save_settings(Settings(preroll_s=0.0))
        monkeypatch.setattr(camera_list, "list_cameras", lambda *_, **__: [])
        begun: list[Tour] = []
        monkeypatch.setattr(Tour, "start_when_seen", lambda tour, afterwards: begun.append(tour))
        assert run_here("--model", "full", "--head", ASSETS / "heads" / "through-ipr.safetensors") == 0
        assert not begun
        assert run_here(*NO_NETWORK) == 0
        assert len(begun) == 1

    @pytest.mark.thorough
    def test_what_the_command_line_says_is_not_kept_and_the_settings_can_be_reset(self) -> None:
        save_settings(Settings(toured=True, preroll_s=0.0, people=2, mirror=True))
        run_here("--source", SAMPLE_CLIP, *NO_NETWORK, "--people", "5", ready=lambda window: window.view.result)
        assert load_settings()[0].people == 2
        seen: list[object] = []

        def look(window: MainWindow) -> None:
            seen.append((window.mirrored, window.messages.text))
            window.close()

        run_here("--source", SAMPLE_CLIP, *NO_NETWORK, "--reset-settings", act=look)
        ((mirrored, message),) = seen
        assert not mirrored
        (aside,) = settings_path().parent.glob("settings set aside *.json")
        assert message == f"The settings so far are kept as {aside}"
        assert load_settings(aside)[0].mirror

    def test_the_settings_decide_the_language(self, qapp: QApplication) -> None:
        save_settings(Settings(toured=True, preroll_s=0.0, language="zh_CN"))
        seen, font = [], qapp.font()

        def look(window: MainWindow) -> None:
            seen.append(window.menu.actions()[0].text())
            window.close()

        try:
            assert run_here("--source", SAMPLE_CLIP, *NO_NETWORK, act=look) == 0
        finally:
            install_language(qapp, "en")
            qapp.setFont(font)
        assert seen == ["文件(&F)"]
        assert load_settings()[0].language == "zh_CN"

    def test_damaged_settings_are_set_aside_and_this_is_told(self) -> None:
        settings_path().write_text("{ broken")
        seen: list[str] = []

        def look(window: MainWindow) -> None:
            seen.append(window.messages.text)
            window.close()

        run_here("--source", SAMPLE_CLIP, *NO_NETWORK, act=look)
        (aside,) = settings_path().parent.glob("settings set aside *.json")
        assert aside.read_text() == "{ broken"
        assert seen[0].endswith(f"They are kept as {aside.name}.")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("--people", "9"), "--people must be from 1 to 8, not 9."),
            (("--beta", "0"), "beta must be from 0.01 to 10000, not 0."),
            (("--source", "missing.mp4"), "No such file or folder: missing.mp4."),
            (
                ("--engine", "openvno"),
                "Unknown engine “openvno”. Did you mean “openvino”? Known: auto, openvino, torch, mediapipe.",
            ),
            (("--model", "hevy"), "No such model file: hevy. Did you mean “heavy”? Shipped are lite, full, heavy."),
            (("--device", "cudda"), "Unknown device “cudda”. Did you mean “cuda”? Known: auto, cuda, mps, cpu."),
        ],
    )
    def test_other_mistakes_too(
        self, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
    ) -> None:
        assert main(["--source", str(SAMPLE_CLIP), *arguments]) == 2
        assert capsys.readouterr().err == f"posescope: {sentence}\n"

    def test_a_kind_of_screenshot_that_is_not_known_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "window.unknown"
        assert run_here("--source", SAMPLE_CLIP, *NO_NETWORK, "--screenshot", path) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"posescope: Cannot write the screenshot {path}: is it a .png or .jpg")

    def test_the_screenshot_is_saved_however_the_window_is_closed(self, tmp_path: Path) -> None:
        path = tmp_path / "window.png"
        code = run_here(
            *("--source", SAMPLE_CLIP, *NO_NETWORK, "--screenshot", path),
            ready=lambda window: window.view.result is not None,
        )
        assert code == 0
        assert cv2.imread(str(path)).std() > 10

    def test_the_desktop_knows_the_window_by_its_icon_and_its_entry(self) -> None:
        seen: list[tuple[set[int], str]] = []

        def look(window: MainWindow) -> None:
            sizes = {size.width() for size in window.windowIcon().availableSizes()}
            seen.append((sizes, QApplication.desktopFileName()))
            window.close()

        run_here("--source", SAMPLE_CLIP, *NO_NETWORK, act=look)
        assert seen == [(set(ICON_SIZES), "posescope")]

    def test_quit_after_closes_an_open_dialog_too(self) -> None:
        started = time.monotonic()
        run_here(
            "--source", SAMPLE_CLIP, *NO_NETWORK, "--quit-after", "0.5", act=lambda window: HelpDialog(window).open()
        )
        assert time.monotonic() - started >= 0.4

    def test_decoder_and_beta_of_the_options_are_shown(self) -> None:
        seen: list[tuple[str, float]] = []

        def look(window: MainWindow) -> None:
            seen.append((window.view.result.decoder, window.view.result.beta))
            window.close()

        run_here(
            *("--source", SAMPLE_CLIP, *NO_NETWORK, "--decoder", "dark", "--beta", "3"),
            ready=lambda window: window.view.result is not None,
            act=look,
        )
        assert seen == [("dark", 3.0)]

    @pytest.mark.thorough
    @posix_only
    def test_ctrl_c_is_heard_after_the_source_was_lost(self, tmp_path: Path) -> None:
        (tmp_path / "notes.mp4").write_text("no video")
        pressed_s: list[float] = []

        def press() -> None:
            pressed_s.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        def press_later(window: MainWindow) -> None:
            for chart in window.findChildren(QGraphicsView):
                # Its index runs Python code up to two seconds later, in which a signal would be heard by chance.
                chart.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
            threading.Timer(0.5, press).start()

        run_here(
            *("--source", tmp_path / "notes.mp4", *NO_NETWORK),
            ready=lambda window: window.view.empty.isVisible(),
            act=press_later,
        )
        assert time.monotonic() - pressed_s[0] < LONG_MS / 2000
