"""A camera of this machine, and the list of those that there are."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Generator
from dataclasses import dataclass

import cv2
import numpy as np

from app.errors import SourceError
from app.frames import Image
from app.sources.background import BackgroundSource
from app.sources.opencv_log import quiet_opencv

# One back end for listing and opening: each numbers the cameras in its own way.
_BACKENDS = {"Linux": cv2.CAP_V4L2, "Windows": cv2.CAP_DSHOW, "Darwin": cv2.CAP_AVFOUNDATION}
_BACKEND = _BACKENDS.get(platform.system(), cv2.CAP_ANY)
# Uncompressed video of a USB camera is slow above 640 x 480.
_MJPG = cv2.VideoWriter.fourcc(*"MJPG")
# V4L2 queues four pictures by default, which age while nobody reads. With a single buffer the driver has
# nowhere to write while OpenCV decodes, misses the picture that begins meanwhile, and 30 fps become 15.
_DRIVER_BUFFERS = 2
_OPEN_WITHIN_S = 10.0  # some cameras take seconds to start
_LOST_AFTER_S = 2.0
_RETRY_S = 0.01


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera that can be opened: `CameraSource(entry.index)`."""

    index: int
    name: str


def list_cameras() -> list[CameraEntry]:
    """The cameras of this machine by index; empty where there are none. Prints nothing."""
    # Imported here: on macOS it loads a bridge to the system's frameworks that nothing else needs.
    from cv2_enumerate_cameras import enumerate_cameras

    with quiet_opencv():
        found = {camera.index: camera.name or f"camera {camera.index}" for camera in enumerate_cameras(_BACKEND)}
    return [CameraEntry(index, name) for index, name in sorted(found.items())]


class CameraSource(BackgroundSource):
    """A camera by its index in `list_cameras`.

    width, height (pixels) and fps are wishes, width and height only together; a camera takes the nearest that
    it has. `fps` is what the camera then says (0.0 where it does not say).
    """

    def __init__(
        self, index: int, *, width: int | None = None, height: int | None = None, fps: float | None = None
    ) -> None:
        super().__init__(f"camera {index}", open_within_s=_OPEN_WITHIN_S, lost_after_s=_LOST_AFTER_S)
        self.index = index
        self._wishes = {
            cv2.CAP_PROP_FOURCC: _MJPG,  # before the size: the sizes on offer depend on it
            cv2.CAP_PROP_BUFFERSIZE: _DRIVER_BUFFERS,
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: fps,
        }

    def _new_capture(self) -> cv2.VideoCapture:
        """The device, opened if it can be. Tests put theirs here."""
        return cv2.VideoCapture(self.index, _BACKEND)

    def _pictures(self) -> Generator[tuple[int, Image], None, None]:
        capture = self._open_capture()
        try:
            self.fps = max(0.0, capture.get(cv2.CAP_PROP_FPS))
            while not self._closing.is_set():
                if not capture.grab():
                    self._closing.wait(_RETRY_S)
                    continue
                captured_ns = time.perf_counter_ns()
                decoded, image = capture.retrieve()
                if decoded:
                    yield captured_ns, np.asarray(image, dtype=np.uint8)
        finally:
            capture.release()

    def _open_capture(self) -> cv2.VideoCapture:
        with quiet_opencv():
            capture = self._new_capture()
            if not capture.isOpened():
                raise SourceError(self._why_not())
            for wish, value in self._wishes.items():
                if value is not None:
                    capture.set(wish, value)
        return capture

    def _why_not(self) -> str:
        cameras = list_cameras()
        if not cameras:
            return f"Camera {self.index} was not found: no camera is connected to this computer."
        if self.index not in {camera.index for camera in cameras}:
            known = ", ".join(f"{camera.index} ({camera.name})" for camera in cameras)
            return f"Camera {self.index} was not found: choose one of {known}."
        return f"Camera {self.index} could not be opened: {_what_to_do(self.index)}."

    def _lost_message(self, waited_s: float) -> str:
        return (
            f"Camera {self.index} was lost: it has delivered no picture for {waited_s:.0f} s; "
            "check its cable, and close other programs that use it."
        )


def _what_to_do(index: int) -> str:
    if platform.system() == "Linux":
        if os.access(f"/dev/video{index}", os.R_OK | os.W_OK):
            return "close other programs that use it"
        return f"you may not read /dev/video{index}; add yourself to the group “video” and log in again"
    return "close other programs that use it, and allow this one to use it in the system's privacy settings"
