"""Cameras: the texts that name them, who they are, what they offer, and what is said where they refuse."""

from __future__ import annotations

import errno
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from app.errors import SourceError
from app.sources.camera import _set_mode, camera_source, linux_refusal, macos_refusal
from app.sources.camera_list import (
    CameraEntry,
    CameraRequest,
    ModeWish,
    find_camera,
    is_camera_text,
    linux_identity,
    list_cameras,
    name_with_ids,
    parse_camera_text,
    with_unique_identities,
)
from app.sources.camera_modes import STANDARD_SIZES, CameraMode, choose_mode, offered_modes, v4l2_modes
from tests.app.source_builders import (
    FakeCamera,
    FakeCapture,
    FakeDevice,
    no_thread_stays_behind,  # noqa: F401
)

CAMERAS = [
    CameraEntry(0, "Logitech C920", "usb-C920"),
    CameraEntry(2, "Logitech Brio", "usb-Brio"),
    CameraEntry(5, "HD Webcam, front", r"\\?\usb#vid_046d&pid_082d,x#7&1{65e8773d}\global"),
]


def test_camera_reads_the_clock_between_grabbing_and_decoding() -> None:
    camera = FakeCamera("0,1280x720")
    assert camera.name == "camera 0"
    camera.open()
    frame = camera.read()
    assert frame is not None
    camera.close()
    capture = camera.device.capture
    assert capture.released.is_set()
    settings = list(capture.settings)
    assert settings.index(cv2.CAP_PROP_FOURCC) < settings.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert settings.index(cv2.CAP_PROP_FRAME_HEIGHT) < settings.index(cv2.CAP_PROP_FPS)
    assert any(
        grabbed <= frame.captured_ns <= decoding
        for grabbed, decoding in zip(capture.grabbed_ns, capture.decoding_ns, strict=False)
    )
    assert (camera.name, camera.fps, camera.details) == ("Fake C920", 100.0, "MJPG")
    again = parse_camera_text(camera.reopen_text)
    assert again == CameraRequest(identity=FakeDevice.identity, mode=ModeWish(128, 96, 100.0, "MJPG"))
    assert camera.reopen_text == "camera:id=usb-Fake_C920-video-index0,128x96,100fps,MJPG"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", CameraRequest(index=0)),
        ("camera:12", CameraRequest(index=12)),
        ("0,1280x720", CameraRequest(index=0, mode=ModeWish(1280, 720))),
        ("camera:0,1280x720,30fps,MJPG", CameraRequest(index=0, mode=ModeWish(1280, 720, 30.0, "MJPG"))),
        ("camera:0, yuy2, 29.97fps ,640×480", CameraRequest(index=0, mode=ModeWish(640, 480, 29.97, "YUYV"))),
        ("camera:logi", CameraRequest(name="logi")),
        ("camera:HD Webcam, front,30fps", CameraRequest(name="HD Webcam, front", mode=ModeWish(fps=30.0))),
        ("camera:USB, 4K", CameraRequest(name="USB, 4K")),
        ("camera:id=pci-0000:00:14.0-usb-0:1:1.0", CameraRequest(identity="pci-0000:00:14.0-usb-0:1:1.0")),
        (f"camera:id={CAMERAS[2].identity},NV12",
         CameraRequest(identity=CAMERAS[2].identity, mode=ModeWish(pixel_format="NV12"))),
    ],
)  # fmt: skip
def test_what_a_camera_text_means(text: str, expected: CameraRequest) -> None:
    assert is_camera_text(text)
    assert parse_camera_text(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("camera:", "Name a camera"),
        ("camera: ,30fps", "Name a camera"),
        ("camera:id=", "Name a camera"),
        ("camera:0,12fsp", "“12fsp” is no mode"),
        ("camera:0,0x480", "“0x480” is no mode"),
        ("camera:0,30fps,60fps", "“30fps” is no mode"),
        ("camera:0,0fps", "is no mode"),
        ("camera:0,H264", "“H264” is no mode"),
    ],
)
def test_texts_that_name_no_camera_say_what_does(text: str, part: str) -> None:
    assert is_camera_text(text)
    with pytest.raises(SourceError, match=part) as error:
        camera_source(text)
    assert str(error.value).endswith(".")


def test_other_texts_are_no_cameras() -> None:
    texts = ("", "clip.mp4", "0.mp4", "0,clip.mp4", "1234567", "٣", "rtsp://camera:554/", "1280x720,30fps", "synthetic")
    for text in texts:
        assert not is_camera_text(text), text


def test_texts_are_told_apart_without_opencv() -> None:
    code = (
        "import sys; from app.sources.camera_list import is_camera_text; assert is_camera_text('0'); "
        "sys.exit('cv2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)


def test_a_camera_is_found_by_number_part_of_its_name_and_identity() -> None:
    meant = {"2": 2, "camera:BRIO": 2, "camera:logitech c920": 0, "camera:id=usb-Brio": 2, "camera:hd": 5}
    for text, index in meant.items():
        assert find_camera(parse_camera_text(text), CAMERAS).index == index
    exact = [CameraEntry(0, "Cam"), CameraEntry(1, "Cam 2")]
    assert find_camera(CameraRequest(name="cam"), exact).index == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("camera:logitech", "“logitech” may be 0 (Logitech C920), 2 (Logitech Brio): name it by its number."),
        (
            "camera:logitech c930",
            "“logitech c930” was not found: did you mean “Logitech C920”? There are 0 (Logitech C920), "
            "2 (Logitech Brio), 5 (HD Webcam, front).",
        ),
        (
            "camera:9",
            "Camera 9 was not found: choose one of 0 (Logitech C920), 2 (Logitech Brio), 5 (HD Webcam, front).",
        ),
        (
            "camera:id=gone",
            "“gone” was not found: choose one of 0 (Logitech C920), 2 (Logitech Brio), 5 (HD Webcam, front).",
        ),
    ],
)
def test_unknown_and_ambiguous_cameras_are_told_with_those_that_there_are(text: str, sentence: str) -> None:
    with pytest.raises(SourceError) as error:
        find_camera(parse_camera_text(text), CAMERAS)
    assert str(error.value) == sentence
    with pytest.raises(SourceError, match="no camera is connected to this computer"):
        find_camera(parse_camera_text(text), [])


def test_identities_on_linux(tmp_path: Path) -> None:
    links = tmp_path / "v4l"
    devices = [tmp_path / f"video{number}" for number in range(4)]
    for device in devices:
        device.touch()
    for kind, name, target in (
        ("by-id", "usb-046d_C920_1A2B-video-index0", 0),
        ("by-id", "usb-046d_C920_1A2B-video-index1", 1),  # its metadata
        ("by-path", "pci-0000:00:14.0-usb-0:1:1.0-video-index0", 0),
        ("by-path", "pci-0000:00:14.0-usb-0:2:1.0-video-index0", 2),
    ):
        (links / kind).mkdir(parents=True, exist_ok=True)
        (links / kind / name).symlink_to(Path("../..") / devices[target].name)
    found = [linux_identity(device, links) for device in devices]
    assert found[0] == "usb-046d_C920_1A2B-video-index0"
    assert found[2] == "pci-0000:00:14.0-usb-0:2:1.0-video-index0"
    assert found[3] == ""
    assert linux_identity(devices[0], tmp_path / "missing") == ""
    # Plugged in again it has another number, and the link follows.
    link = links / "by-id" / "usb-046d_C920_1A2B-video-index0"
    link.unlink()
    link.symlink_to("../../video3")
    assert linux_identity(devices[3], links) == found[0]


def test_identities_without_links() -> None:
    assert name_with_ids("C920", 0x046D, 0x082D) == "C920 046d:082d"
    assert name_with_ids("C920", None, None) == "C920"
    same = [CameraEntry(0, "C920", "x"), CameraEntry(1, "C920", "x"), CameraEntry(2, "C920", "y")]
    assert [camera.identity for camera in with_unique_identities(same)] == ["x", "x #2", "y"]


def test_cameras_are_listed_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    cameras = list_cameras()
    assert [camera.index for camera in cameras] == sorted(camera.index for camera in cameras)
    assert len({camera.identity for camera in cameras}) == len(cameras)
    assert offered_modes(CameraEntry(97, "none", path="/dev/video97")) == []
    assert capfd.readouterr() == ("", "")


# --- what a camera offers -------------------------------------------------------------------------------------------

# As <linux/videodev2.h> lays them out: the request, where the index is asked for, and the answers byte by byte.
ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
DISCRETE, CONTINUOUS, STEPWISE = 1, 2, 3
FORMATS = (b"YUYV", b"H264", b"MJPG", b"NV12")
SIZES: dict[bytes, list[tuple[int, ...]]] = {
    b"YUYV": [(DISCRETE, 640, 480), (DISCRETE, 1280, 720)],
    b"H264": [(DISCRETE, 1920, 1080)],
    b"MJPG": [(DISCRETE, 1280, 720)],
    b"NV12": [(STEPWISE, 16, 2000, 16, 16, 1080, 8)],  # least, most and step of the width, then of the height
}
INTERVALS: dict[tuple[bytes, int], list[tuple[int, ...]]] = {
    (b"YUYV", 640): [(DISCRETE, 1, 30), (DISCRETE, 1, 15)],
    (b"YUYV", 1280): [(DISCRETE, 2, 15)],
    (b"MJPG", 1280): [(DISCRETE, 1001, 30000), (DISCRETE, 1, 60)],
    (b"NV12", 1920): [(CONTINUOUS, 1, 26, 1, 12, 0, 1)],  # the shortest, the longest, the step
}


def kernel(request: int, structure: object) -> None:
    """Answers as a driver does: fills the caller's bytes in place, or refuses with EINVAL."""
    view = memoryview(structure).cast("B")  # type: ignore[call-overload]
    (index,) = struct.unpack_from("=I", view, 0)
    code = bytes(view[4:8])
    answers: list[tuple[int, ...]]
    if request == ENUM_FMT:
        assert len(view) == 64
        assert struct.unpack_from("=I", view, 4) == (1,)  # V4L2_BUF_TYPE_VIDEO_CAPTURE
        if index < len(FORMATS):
            view[44:48] = FORMATS[index]
            return
        answers = []
    elif request == ENUM_FRAMESIZES:
        assert len(view) == 44
        answers = SIZES[code]
    else:
        assert request == ENUM_FRAMEINTERVALS
        assert len(view) == 52
        width, _ = struct.unpack_from("=2I", view, 8)
        answers = INTERVALS.get((code, width), [])
    if index >= len(answers):
        raise OSError(errno.EINVAL, "Invalid argument")
    struct.pack_into(f"={len(answers[index])}I", view, 8 if request == ENUM_FRAMESIZES else 16, *answers[index])


def test_the_modes_that_v4l2_tells() -> None:
    modes = v4l2_modes(kernel)
    assert modes[:5] == [
        CameraMode(640, 480, 30.0, "YUYV"),
        CameraMode(640, 480, 15.0, "YUYV"),
        CameraMode(1280, 720, 7.5, "YUYV"),
        CameraMode(1280, 720, 30000 / 1001, "MJPG"),
        CameraMode(1280, 720, 60.0, "MJPG"),
    ]
    raw = [mode for mode in modes if mode.pixel_format == "NV12"]
    assert len(raw) == len(modes) - 5  # nothing of H264, which OpenCV cannot show
    sizes = {(mode.width, mode.height) for mode in raw}
    within = {(w, h) for w, h in STANDARD_SIZES if w <= 2000 and h <= 1080 and w % 16 == 0 and h % 8 == 0}
    assert sizes == within | {(2000, 1080)}
    assert [mode.fps for mode in raw if mode.width == 1920] == [15.0, 20.0, 24.0, 25.0, 26.0]
    assert {mode.fps for mode in raw if mode.width == 640} == {0.0}  # not told


def test_a_driver_whose_list_never_ends_is_not_asked_for_ever() -> None:
    def endless(request: int, structure: object) -> None:
        if request != ENUM_FRAMEINTERVALS:
            kernel(request, structure)

    assert 0 < len(v4l2_modes(endless)) < 10_000


C920 = [
    *(CameraMode(640, 480, fps, "YUYV") for fps in (30.0, 15.0)),
    CameraMode(1280, 720, 10.0, "YUYV"),
    *(CameraMode(w, h, fps, "MJPG") for w, h in ((640, 480), (1280, 720), (1920, 1080)) for fps in (60.0, 30.0)),
]
INFRARED = [CameraMode(640, 360, 30.0, "GREY"), CameraMode(640, 360, 15.0, "YUYV")]


@pytest.mark.parametrize(
    ("modes", "wish", "chosen"),
    [
        (C920, ModeWish(), CameraMode(1280, 720, 30.0, "MJPG")),
        (C920, ModeWish(640, 480), CameraMode(640, 480, 30.0, "YUYV")),
        (C920, ModeWish(640, 480, 60.0), CameraMode(640, 480, 60.0, "MJPG")),
        (C920, ModeWish(640, 480, 10.0), CameraMode(640, 480, 15.0, "YUYV")),
        (C920, ModeWish(1280, 720, 10.0), CameraMode(1280, 720, 10.0, "YUYV")),
        (C920, ModeWish(1280, 720, 30.0, "YUYV"), CameraMode(1280, 720, 10.0, "YUYV")),
        (C920, ModeWish(pixel_format="YUYV"), CameraMode(640, 480, 30.0, "YUYV")),
        (C920, ModeWish(pixel_format="NV12"), CameraMode(1280, 720, 30.0, "MJPG")),  # not offered
        (C920, ModeWish(1900, 1000), CameraMode(1920, 1080, 30.0, "MJPG")),
        (C920, ModeWish(fps=15.0), CameraMode(1280, 720, 30.0, "MJPG")),
        (C920, ModeWish(fps=240.0), CameraMode(1280, 720, 60.0, "MJPG")),
        ([CameraMode(1280, 720, 29.97, "YUYV"), CameraMode(1280, 720, 60.0, "MJPG")], ModeWish(),
         CameraMode(1280, 720, 29.97, "YUYV")),
        ([CameraMode(1280, 720, 20.0, "YUYV"), CameraMode(1280, 720, 24.0, "MJPG")], ModeWish(),
         CameraMode(1280, 720, 24.0, "MJPG")),
        ([CameraMode(3840, 2160, 30.0, "MJPG"), CameraMode(1920, 1080, 30.0, "MJPG")], ModeWish(),
         CameraMode(1920, 1080, 30.0, "MJPG")),
        ([CameraMode(640, 480, 30.0, "MJPG"), CameraMode(640, 480, 60.0, "NV12")], ModeWish(),
         CameraMode(640, 480, 60.0, "NV12")),
        (INFRARED, ModeWish(), CameraMode(640, 360, 15.0, "YUYV")),
        (INFRARED[:1], ModeWish(), INFRARED[0]),
        (INFRARED, ModeWish(pixel_format="GREY"), INFRARED[0]),
        ([], ModeWish(640, 480), None),
    ],
)  # fmt: skip
def test_the_mode_that_is_chosen(modes: list[CameraMode], wish: ModeWish, chosen: CameraMode | None) -> None:
    assert choose_mode(modes, wish) == chosen


class Asked(FakeCapture):
    """Takes any size up to its largest."""

    largest = (640, 480)

    def get(self, prop: int) -> float:
        limits = {cv2.CAP_PROP_FRAME_WIDTH: self.largest[0], cv2.CAP_PROP_FRAME_HEIGHT: self.largest[1]}
        return min(self.settings[prop], limits[prop])


def test_what_is_asked_of_the_driver() -> None:
    def asked(wish: ModeWish, modes: list[CameraMode], largest: tuple[int, int] = (4000, 4000)) -> tuple[float, ...]:
        capture = Asked(FakeDevice(), 0)
        capture.largest = largest
        _set_mode(capture, wish, modes)  # type: ignore[arg-type]
        assert next(iter(capture.settings)) == cv2.CAP_PROP_FOURCC
        assert list(capture.settings)[-1] == cv2.CAP_PROP_FPS
        fourcc = int(capture.settings[cv2.CAP_PROP_FOURCC]).to_bytes(4, "little").decode()
        props = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        return (fourcc, *(capture.settings[prop] for prop in props))  # type: ignore[return-value]

    assert asked(ModeWish(640, 480), C920) == ("YUYV", 640, 480, 30)
    assert asked(ModeWish(), []) == ("MJPG", 1280, 720, 30)
    assert asked(ModeWish(), [], largest=(640, 480)) == ("MJPG", 640, 480, 30)  # asked for, and read back
    assert asked(ModeWish(1920, 1080, 60.0, "NV12"), [], largest=(640, 480)) == ("NV12", 1920, 1080, 60)


# --- refusals -------------------------------------------------------------------------------------------------------


def refusing(number: int) -> Callable[[str, int], int]:
    def open_device(path: str, flags: int) -> int:
        raise OSError(number, "refused", path)

    return open_device


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.EACCES, "add yourself to the group “video”"),
        (errno.EBUSY, "another program uses it; close that one"),
        (errno.ENODEV, "no longer connected"),
        (errno.EIO, "^$"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")
def test_why_linux_refuses(number: int, part: str) -> None:
    assert re.search(part, linux_refusal("/dev/video0", refusing(number)))


def test_a_camera_that_cannot_be_opened_says_so_in_one_sentence() -> None:
    camera = FakeCamera("camera:7")  # it is listed, but the device behind it has the number 0
    with pytest.raises(SourceError, match=r"^“Another camera” cannot be opened: .*\.$"):
        camera.open()
    camera.close()
    silent = FakeCamera()
    silent._open_within_s = 0.2
    silent.device.stalled.set()
    with pytest.raises(SourceError, match=r"^“Fake C920” cannot be opened: no picture has come within .*\.$"):
        silent.open()
    silent.close()


@pytest.mark.parametrize(
    ("answers", "part"),
    [([3], ""), ([2], "Privacy & Security"), ([1], "rules"), ([0, 0, 3], ""), ([0, 2], "Privacy & Security")],
)
def test_the_permission_of_macos(answers: list[int], part: str) -> None:
    left, questions = list(answers), []
    device = SimpleNamespace(
        authorizationStatusForMediaType_=lambda media: left.pop(0) if len(left) > 1 else left[0],
        requestAccessForMediaType_completionHandler_=lambda media, handler: questions.append(media),
    )
    reason = macos_refusal(threading.Event(), SimpleNamespace(AVMediaTypeVideo="vide", AVCaptureDevice=device))
    assert part in reason
    assert bool(reason) == bool(part)
    assert questions == ["vide"] * (answers[0] == 0)


def test_a_question_that_nobody_answers_ends_with_the_source() -> None:
    device = SimpleNamespace(
        authorizationStatusForMediaType_=lambda media: 0,
        requestAccessForMediaType_completionHandler_=lambda media, handler: None,
    )
    closing = threading.Event()
    closing.set()
    assert "answer" in macos_refusal(closing, SimpleNamespace(AVMediaTypeVideo="vide", AVCaptureDevice=device))
