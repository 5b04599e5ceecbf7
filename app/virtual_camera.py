"""The annotated picture as a camera for other programs (meetings, OBS), through the optional package pyvirtualcam.

pyvirtualcam is under the GPL, PoseScope is not: it is neither needed nor shipped, and imported in here alone.
"""

from __future__ import annotations

import contextlib
import platform
import threading
from typing import TYPE_CHECKING

from app.drawn_once import DrawnOnce
from app.errors import OutputError
from app.frames import PoseResult
from app.latest_slot import LatestSlot
from app.overlay import OverlayStyle
from app.video_encoder import fitted

if TYPE_CHECKING:
    from pyvirtualcam import Camera

# Each wait ends by itself after this time and looks again, so that no lost wake-up can hang the thread.
_WAKE_S = 0.2
_STOP_WITHIN_S = 5.0
# Only to find out whether there is a back end at all; the first picture decides.
_FIRST_SIZE = (1280, 720)
# A hint for the back end: pictures are sent when they come.
_FPS = 30.0

_INSTALL_PACKAGE = "install it with “python -m pip install pyvirtualcam”"
INSTALL_ON_DEBIAN = "sudo apt install v4l2loopback-dkms"
LOAD_ON_LINUX = "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=PoseScope"
INSTALL_BACK_END = {
    "Linux": f"install v4l2loopback (on Debian and Ubuntu: “{INSTALL_ON_DEBIAN}”) and load it with “{LOAD_ON_LINUX}”",
    "Windows": "install OBS Studio (https://obsproject.com), and close it",
    "Darwin": "install OBS Studio 30 or later (https://obsproject.com), start and stop its virtual camera once, "
    "and close it",
}


class VirtualCamera:
    """Sends annotated pictures to a virtual camera, on a thread of its own, as fast as results come.

    pictures: where the annotated pictures come from. style: how; may be set at any time.

    The first picture decides the size (an odd width or height is padded by one pixel); pictures of another size are
    fitted into it with bars. Nothing waits in a queue: a result that comes while one is being sent replaces the one
    before it. Nothing but `start` raises.
    """

    def __init__(self, pictures: DrawnOnce, style: OverlayStyle) -> None:
        self.style = style
        self._pictures = pictures
        self._slot: LatestSlot[PoseResult] = LatestSlot()
        self._camera: Camera | None = None
        self._size = _FIRST_SIZE
        self._name = ""
        self._error: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._sent = 0

    @property
    def name(self) -> str:
        """What other programs call the camera, for example "OBS Virtual Camera"; empty before `start`."""
        return self._name

    @property
    def error(self) -> str | None:
        """One sentence where sending has failed and has ended, else None."""
        return self._error

    @property
    def sent(self) -> int:
        """Pictures sent."""
        return self._sent

    def start(self) -> None:
        """Open the camera and start to send. OutputError with what to install where there is none."""
        if self._thread is not None:
            raise RuntimeError("a virtual camera can be started once")
        self._open(_FIRST_SIZE)
        self._thread = threading.Thread(target=self._run, name="virtual camera", daemon=True)
        self._thread.start()

    def offer(self, result: PoseResult) -> None:
        """Hand over a result. Never raises, never blocks."""
        if not self._stopping.is_set():
            self._slot.put(result)

    def stop(self) -> None:
        """End the thread and close the camera. May be called again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                result = self._slot.take(_WAKE_S)
                if result is not None:
                    self._send(result)
        except OutputError as error:
            self._error = str(error)
        except Exception as error:
            self._error = f"The virtual camera ended: {_reason(error)}."
        finally:
            self._stopping.set()
            self._close()

    def _send(self, result: PoseResult) -> None:
        picture = self._pictures.draw(result, self.style)
        if self._sent == 0:
            height, width = (side + side % 2 for side in picture.shape[:2])
            if (width, height) != self._size:
                self._close()
                self._open((width, height))
        assert self._camera is not None
        self._camera.send(fitted(picture, self._size))
        self._sent += 1

    def _open(self, size: tuple[int, int]) -> None:
        try:
            from pyvirtualcam import Camera, PixelFormat
        except ModuleNotFoundError as error:
            if error.name == "pyvirtualcam":
                raise OutputError(f"The virtual camera needs the package pyvirtualcam: {_INSTALL_PACKAGE}.") from None
            raise OutputError(f"The package pyvirtualcam cannot be loaded here: {_reason(error)}.") from None
        except ImportError as error:
            raise OutputError(f"The package pyvirtualcam cannot be loaded here: {_reason(error)}.") from None
        try:
            self._camera = Camera(*size, _FPS, fmt=PixelFormat.BGR)
        except Exception as error:  # back ends raise what they like
            todo = INSTALL_BACK_END.get(platform.system(), "see the manual of pyvirtualcam for what it needs here")
            raise OutputError(f"No virtual camera can be used ({_reason(error)}): {todo}.") from None
        self._size = size
        self._name = self._camera.device

    def _close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            with contextlib.suppress(Exception):  # nothing is to be done about it
                camera.close()


def _reason(error: Exception) -> str:
    """The first sentence of the error's text, without its full stop."""
    return " ".join(str(error).split()).partition(". ")[0].rstrip(".") or type(error).__name__
