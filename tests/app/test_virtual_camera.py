"""The virtual camera: what another program would see, through a back end of pyvirtualcam that keeps the pictures."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from app.drawn_once import DrawnOnce
from app.errors import OutputError
from app.overlay import OverlayStyle, draw_overlay
from app.virtual_camera import VirtualCamera
from tests.app import builders

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
LONG = 60.0  # s; only a hang reaches it


class Collector:
    """A back end as pyvirtualcam wants it: one device that keeps what it is sent."""

    opened: ClassVar[list[Collector]] = []
    gate = threading.Event()  # while it is clear, `send` does not return
    fails: ClassVar[list[str]] = []  # the next calls of `send` raise these

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None) -> None:
        if self.opened and not self.opened[-1].closed:
            raise RuntimeError("busy")
        self.size, self.fourcc, self.closed, self.sending = (width, height), fourcc, 0, 0
        self.pictures: list[np.ndarray] = []
        self.opened.append(self)

    def send(self, frame: np.ndarray) -> None:
        self.sending += 1
        assert self.gate.wait(LONG)
        if self.fails:
            raise RuntimeError(self.fails.pop())
        self.pictures.append(frame.reshape(*self.size[::-1], 3).copy())

    def close(self) -> None:
        self.closed += 1

    def device(self) -> str:
        return "Collector 1"

    def native_fourcc(self) -> int | None:
        return None


def register_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it the only back end there is, or skip the test where the package is not installed."""
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})
    pyvirtualcam.register_backend("collector", Collector)
    Collector.opened.clear()
    Collector.fails.clear()
    Collector.gate.set()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Collector]]:
    register_collector(monkeypatch)
    yield Collector
    assert all(camera.closed == 1 for camera in Collector.opened)


def camera(style: OverlayStyle | None = None) -> VirtualCamera:
    return VirtualCamera(DrawnOnce(None), style or OverlayStyle())


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def send(camera: VirtualCamera, *results: builders.PoseResult) -> None:
    """One after the other, so that none replaces another."""
    for result in results:
        sent = camera.sent
        camera.offer(result)
        wait_until(lambda sent=sent: camera.sent > sent or camera.error is not None)


def test_the_annotated_picture_is_sent_in_the_size_of_the_first(collector: type[Collector]) -> None:
    result = builders.result(0, picture=builders.image(240, 320, (10, 60, 200)))
    virtual = camera()
    virtual.start()
    assert virtual.name == "Collector 1"
    send(virtual, result, builders.result(1))
    virtual.stop()
    last = collector.opened[-1]
    assert last.closed == 1
    assert last.size == (320, 240)
    assert last.fourcc.to_bytes(4, "little") == b"24BG"  # as libyuv calls blue, green, red
    assert len(last.pictures) == virtual.sent == 2
    np.testing.assert_array_equal(last.pictures[0], draw_overlay(result, OverlayStyle()))
    assert (last.pictures[0][0, -1] == (10, 60, 200)).all()  # blue, green, red
    assert virtual.error is None


def test_odd_sizes_are_padded_and_later_ones_get_bars(collector: type[Collector]) -> None:
    virtual = camera()
    virtual.start()
    send(
        virtual,
        builders.result(0, picture=builders.image(181, 321, (9, 9, 9)), people=()),
        builders.result(1, picture=builders.image(200, 100, (250, 250, 250)), people=()),
    )
    virtual.stop()
    last = collector.opened[-1]
    assert last.size == (322, 182)
    tall = last.pictures[1]
    columns = np.flatnonzero((tall == 250).all(axis=2).sum(axis=0) > 100)
    assert columns[-1] - columns[0] + 1 == 91  # 182 / 200 * 100
    assert abs(columns[0] - (322 - 91) / 2) <= 1
    assert not tall[:, : columns[0]].any()


def test_the_style_may_change(collector: type[Collector]) -> None:
    virtual = camera()
    virtual.start()
    send(virtual, builders.result(0))
    virtual.style = ghosts = OverlayStyle(ghosts=frozenset({"ipr"}))
    shifted = builders.result(1, people=(builders.person(step=9.0),))
    send(virtual, shifted)
    virtual.stop()
    np.testing.assert_array_equal(collector.opened[-1].pictures[1], draw_overlay(shifted, ghosts))


def test_offer_never_waits_and_the_newest_wins(collector: type[Collector]) -> None:
    virtual = camera()
    virtual.start()
    send(virtual, builders.result(0, picture=builders.image(color=(0, 0, 0))))
    collector.gate.clear()
    for i in range(1, 201):  # nothing is taken meanwhile: a blocking offer would hang here
        virtual.offer(builders.result(i, picture=builders.image(color=(i, 0, 0)), people=()))
    wait_until(lambda: collector.opened[-1].sending == 2)
    virtual.offer(builders.result(201, picture=builders.image(color=(201, 0, 0)), people=()))
    collector.gate.set()
    wait_until(lambda: collector.opened[-1].pictures[-1][-1, -1, 0] == 201)
    virtual.stop()
    assert len(collector.opened[-1].pictures) <= 4  # nothing waited in a queue


def test_a_back_end_that_fails_is_told_and_ends_nothing_else(collector: type[Collector]) -> None:
    virtual = camera()
    virtual.start()
    send(virtual, builders.result(0))
    collector.fails.append("the device\nis gone.")
    send(virtual, builders.result(1))
    assert virtual.error == "The virtual camera ended: the device is gone."
    virtual.offer(builders.result(2))
    virtual.stop()
    assert virtual.sent == 1


def test_a_size_that_the_back_end_refuses_is_told(collector: type[Collector], monkeypatch: pytest.MonkeyPatch) -> None:
    virtual = camera()
    virtual.start()

    def refuse(*_: object, **wanted: object) -> None:
        raise RuntimeError(f"no {wanted['width']} x {wanted['height']} here")

    monkeypatch.setattr(Collector, "__init__", refuse)
    virtual.offer(builders.result(0))
    wait_until(lambda: virtual.error is not None)
    assert "no 320 x 240 here" in virtual.error
    virtual.stop()


def test_stop_at_any_time(collector: type[Collector]) -> None:
    camera().stop()
    virtual = camera()
    virtual.start()
    virtual.stop()
    virtual.stop()
    virtual.offer(builders.result(0))
    assert virtual.sent == 0
    with pytest.raises(RuntimeError, match="once"):
        virtual.start()


def test_a_second_one_is_refused_while_the_first_is_open(collector: type[Collector]) -> None:
    first, second = camera(), camera()
    first.start()
    with pytest.raises(OutputError, match="busy"):
        second.start()
    second.stop()
    first.stop()


@pytest.mark.skipif(
    platform.system() != "Linux" or any(Path("/sys/devices/virtual/video4linux").glob("*")),
    reason="there may be a virtual camera",
)
def test_without_a_device_it_says_what_to_install() -> None:
    pytest.importorskip("pyvirtualcam")
    with pytest.raises(OutputError) as caught:
        camera().start()
    sentence = str(caught.value)
    assert "sudo apt install v4l2loopback-dkms" in sentence
    assert "sudo modprobe v4l2loopback devices=1" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("system", ["Windows", "Darwin"])
def test_what_to_install_elsewhere(system: str, collector: type[Collector], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})  # as where OBS is absent: none can be opened
    with pytest.raises(OutputError, match="install OBS Studio"):
        camera().start()


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_without_the_package_it_says_what_to_install_and_needs_no_qt() -> None:
    code = """
        import sys
        for name in ("pyvirtualcam", "PySide6", "pyqtgraph"):
            sys.modules[name] = None  # importing it raises ImportError
        import app.exporters
        from app.drawn_once import DrawnOnce
        from app.errors import OutputError
        from app.overlay import OverlayStyle
        from app.virtual_camera import VirtualCamera
        camera = VirtualCamera(DrawnOnce(None), OverlayStyle())
        try:
            camera.start()
        except OutputError as error:
            print(error)
        camera.stop()
    """
    assert python(code) == (
        "The virtual camera needs the package pyvirtualcam: install it with “python -m pip install pyvirtualcam”."
    )


def test_the_package_is_loaded_only_when_it_is_used() -> None:
    assert python("import sys, app.virtual_camera; print('pyvirtualcam' in sys.modules)") == "False"
