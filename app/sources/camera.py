"""A camera of this machine."""

from __future__ import annotations

import dataclasses
import errno
import importlib
import math
import os
import platform
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import cv2
import numpy as np

from app.errors import SourceError
from app.frames import Image
from app.sources.background import BackgroundSource
from app.sources.camera_list import (
    CameraEntry,
    CameraRequest,
    ModeWish,
    camera_backend,
    find_camera,
    known_format,
    list_cameras,
    not_found,
    parse_camera_text,
)
from app.sources.camera_modes import CameraMode, choose_mode, is_busy, offered_modes
from app.sources.opencv_log import quiet_opencv

__all__ = ["CameraEntry", "CameraSource", "camera_source", "list_cameras"]

# V4L2 queues four pictures by default, which age while nobody reads. With a single buffer the driver has
# nowhere to write while OpenCV decodes, misses the picture that begins meanwhile, and 30 fps become 15.
_DRIVER_BUFFERS = 2
# Where no list of modes can be had. Uncompressed video of a USB camera is slow above 640 x 480.
_USUAL_FORMAT, _USUAL_SIZES, _USUAL_FPS = "MJPG", ((1280, 720), (640, 480)), 30.0

_OPEN_WITHIN_S = 10.0  # some cameras take seconds to start
_ASKING_S = 8.0  # for the answer to the system's question; less than the above, to say what is missing
_LOST_AFTER_S = 1.0
# A little before the silence is noticed elsewhere, where nothing is known of the reason.
_GONE_AFTER_S = 0.9
_QUICK_S = 0.2  # a driver that refuses at once has lost its device; one that takes longer has waited for a picture
_RETRY_S = 0.01
# How long OpenCV's V4L2 back end waits for a picture, in whole seconds, 10 by default. It cannot be interrupted
# meanwhile, and CAP_PROP_READ_TIMEOUT_MSEC does not reach that back end. Read once, when a camera is first waited for.
_V4L2_WAIT = ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")

_BUSY = "another program uses it; close that one"


def camera_source(text: str) -> CameraSource:
    """The camera that is meant by a text, see `parse_camera_text`. Opens nothing. Raises SourceError."""
    return CameraSource(parse_camera_text(text))


class CameraSource(BackgroundSource):
    """A camera by its number in `list_cameras`, a part of its name, or its identity.

    The mode wished for is a wish: a camera takes the nearest that it has. Once open, `name` is the camera's, `fps` is
    what the driver claims (0.0 where it does not say), `details` the pixel format in use. After a loss the camera is
    looked for by its identity and opened in the same mode, whatever its number is then.
    """

    def __init__(self, wanted: CameraRequest | int) -> None:
        request = CameraRequest(index=wanted) if isinstance(wanted, int) else wanted
        name = f"camera {request.index}" if request.index is not None else request.name or "camera"
        super().__init__(name, open_within_s=_OPEN_WITHIN_S, lost_after_s=_LOST_AFTER_S)
        self._request = request
        self._label = str(request)
        self._was_open = False

    # --- what tests put something else in the place of ----------------------------------------------------------

    def _new_capture(self, index: int) -> cv2.VideoCapture:
        """The device, opened if it can be."""
        os.environ.setdefault(*_V4L2_WAIT)
        return cv2.VideoCapture(index, camera_backend())

    def _listed(self) -> list[CameraEntry]:
        return list_cameras()

    def _offered(self, camera: CameraEntry) -> list[CameraMode]:
        return offered_modes(camera)

    # --- on the thread of an attempt ----------------------------------------------------------------------------

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        with quiet_opencv():  # to the end: a time-out while reading would be told on the terminal, too
            request, cameras = self._request, self._listed()
            camera = self._found(request, cameras)
            if self._closing.is_set():
                return
            self._label = f"“{camera.name}”" if camera is not None else str(request)
            if platform.system() == "Darwin" and (reason := macos_refusal(self._closing)):
                raise SourceError(self._refused(reason))
            index = camera.index if camera is not None else request.index or 0
            capture = self._new_capture(index)
            try:
                if not capture.isOpened():
                    raise SourceError(self._why_not(index, camera, cameras))
                _set_mode(capture, request.mode, self._offered(camera) if camera is not None else [])
                if self._closing.is_set():
                    return
                self._describe(capture, camera)
                yield from self._grabbed(capture)
            finally:
                capture.release()

    def _found(self, request: CameraRequest, cameras: Sequence[CameraEntry]) -> CameraEntry | None:
        """The camera in the list; None where only its number is known, and that is not there."""
        if request.index is not None:
            return next((camera for camera in cameras if camera.index == request.index), None)
        if self._was_open and request.identity not in {camera.identity for camera in cameras}:
            raise SourceError(f"{self._label} was lost: it is no longer connected.")
        return find_camera(request, cameras)

    def _describe(self, capture: cv2.VideoCapture, camera: CameraEntry | None) -> None:
        """Tell what was opened, and remember it for the next time."""
        pixel_format = _letters(capture.get(cv2.CAP_PROP_FOURCC))
        self.fps = _rate(capture.get(cv2.CAP_PROP_FPS))
        self.details = pixel_format
        in_use = ModeWish(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) or None,
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) or None,
            self._request.mode.fps or self.fps or None,
            known_format(pixel_format) or self._request.mode.pixel_format,
        )
        if camera is not None:
            self.name = camera.name
        if camera is not None and camera.identity:
            self._request = CameraRequest(identity=camera.identity, mode=in_use)
            self.reopen_text = f"camera:id={camera.identity}{in_use}"
        else:
            self._request = dataclasses.replace(self._request, mode=in_use)
            self.reopen_text = f"camera:{self._request.index}{in_use}"

    def _grabbed(self, capture: cv2.VideoCapture) -> Generator[tuple[int, Image], None, None]:
        patience_s = _GONE_AFTER_S if self._was_open else _OPEN_WITHIN_S
        refusing_since: float | None = None
        while not self._closing.is_set():
            asked = time.monotonic()
            if not capture.grab():
                now = time.monotonic()
                if now - asked > _QUICK_S:
                    refusing_since = None
                elif refusing_since is None:
                    refusing_since = asked
                elif now - refusing_since > patience_s:
                    raise SourceError(self._gone_message(now - refusing_since))
                self._closing.wait(_RETRY_S)
                continue
            captured_ns = time.perf_counter_ns()
            refusing_since = None
            if self._closing.is_set():
                return
            decoded, image = capture.retrieve()
            if decoded:
                self._was_open, patience_s = True, _GONE_AFTER_S
                yield captured_ns, np.asarray(image, dtype=np.uint8)

    # --- sentences ----------------------------------------------------------------------------------------------

    def _why_not(self, index: int, camera: CameraEntry | None, cameras: Sequence[CameraEntry]) -> str:
        if camera is None and not self._was_open:
            return not_found(CameraRequest(index=index), cameras)
        path = camera.path if camera is not None else f"/dev/video{index}"
        if platform.system() == "Linux":
            return self._refused(linux_refusal(path) or "unplug it, plug it in again, and close programs that use it")
        where = " in Settings → Privacy & security → Camera" if platform.system() == "Windows" else ""
        return self._refused(f"close other programs that use it, and allow this one to use it{where}")

    def _refused(self, reason: str) -> str:
        label = self._label[0].upper() + self._label[1:]
        return f"{label} {'was lost' if self._was_open else 'cannot be opened'}: {reason}."

    def _gone_message(self, waited_s: float) -> str:
        identity = self._request.identity
        if identity and identity not in {camera.identity for camera in self._listed()}:
            return self._refused("it is no longer connected")
        return self._lost_message(waited_s)

    def _lost_message(self, waited_s: float) -> str:
        label = self._label[0].upper() + self._label[1:]
        return f"{label} was lost: no picture has come for {waited_s:.2g} s; check its cable."

    def _silent_message(self, waited_s: float) -> str:
        return self._refused(
            f"no picture has come within {waited_s:.0f} s; check its cable, and close other programs that use it"
        )


def _set_mode(capture: cv2.VideoCapture, wish: ModeWish, modes: Sequence[CameraMode]) -> None:
    """Ask for a mode; a device that has it not takes another. The pixel format comes first, for the sizes on offer
    depend on it, and the rates on both.
    """
    chosen = choose_mode(modes, wish)
    pixel_format = chosen.pixel_format if chosen is not None else wish.pixel_format or _USUAL_FORMAT
    fps = wish.fps or _USUAL_FPS
    sizes: Sequence[tuple[int, int]] = _USUAL_SIZES
    if chosen is not None:
        sizes, fps = [(chosen.width, chosen.height)], chosen.fps or fps
    elif wish.width and wish.height:
        sizes = [(wish.width, wish.height)]
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, _DRIVER_BUFFERS)
    for width, height in sizes:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        if (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (width, height):
            break
    capture.set(cv2.CAP_PROP_FPS, fps)


def _letters(fourcc: float) -> str:
    """Four letters, for example MJPG; empty where the back end does not tell."""
    code = int(fourcc) if math.isfinite(fourcc) else 0
    letters = (code & 0xFFFFFFFF).to_bytes(4, "little").decode("latin-1").strip()
    return letters if letters.isascii() and letters.isalnum() else ""


def _rate(fps: float) -> float:
    """0.0 where the driver does not tell, or tells nonsense."""
    return fps if math.isfinite(fps) and 0.01 <= fps < 10_000 else 0.0


def linux_refusal(path: str, open_device: Callable[[str, int], int] = os.open) -> str:
    """Why the device file cannot be used, as a part of a sentence; empty where nothing is found."""
    try:
        device = open_device(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return {
            errno.EPERM: f"this computer’s rules forbid to use {path}; ask who looks after it",
            errno.EACCES: f"you may not use {path}; add yourself to the group “video” and log in again",
            errno.EBUSY: _BUSY,
            errno.ENOENT: "it is no longer connected",
            errno.ENODEV: "it is no longer connected",
        }.get(error.errno or 0, "")
    try:
        return _BUSY if is_busy(device) else ""
    finally:
        os.close(device)


def macos_refusal(closing: threading.Event, framework: Any = None) -> str:
    """Why macOS does not let this program use a camera, as a part of a sentence; empty where it does.

    Asks the user where that was never done, and waits for the answer: OpenCV asks, too, but gives up at once when it
    is not on the main thread. framework: pyobjc's AVFoundation.
    """
    try:
        framework = framework or importlib.import_module("AVFoundation")
    except ImportError:
        return ""
    media, device = framework.AVMediaTypeVideo, framework.AVCaptureDevice
    status = device.authorizationStatusForMediaType_(media)
    if status == 0:  # AVAuthorizationStatusNotDetermined
        device.requestAccessForMediaType_completionHandler_(media, lambda granted: None)
        deadline = time.monotonic() + _ASKING_S
        while status == 0 and time.monotonic() < deadline and not closing.wait(0.1):
            status = device.authorizationStatusForMediaType_(media)
    settings = "in System Settings → Privacy & Security → Camera"
    reasons = {
        0: "answer the system’s question whether this program may use it, then open it again",
        1: f"this computer’s rules let no program use a camera; ask who looks after it to allow it {settings}",
        2: f"allow this program to use it {settings}, then start it again",
    }
    return reasons.get(int(status), "")
