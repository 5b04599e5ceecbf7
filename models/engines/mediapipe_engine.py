"""MediaPipe's PoseLandmarker on the same bundle: a peer to compare with. The one file that imports mediapipe."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode
from numpy.typing import NDArray

from models.bundle import open_bundle
from models.errors import BundleError
from models.stage_clock import StageClock

# MediaPipe smooths its points over time and so asks for time stamps: those of a clip with 30 frames a second.
_FRAME_MS = 100 / 3


class MediaPipePeer:
    """Follows one person from image to image, as MediaPipe does in its video mode. Not thread-safe.

    It is not a `models.engines.engine.Engine`: it takes a picture and gives points, and does not tell its stages.
    Raises BundleError where the bundle cannot be read.
    """

    name = "mediapipe"
    label = "cpu (MediaPipe)"

    def __init__(self, bundle: Path) -> None:
        # Before MediaPipe tries, which leaves a thread behind where it fails.
        open_bundle(bundle)
        try:
            # The content, not the path: on Windows MediaPipe knows only paths of the system's code page.
            content = bundle.read_bytes()
            options = PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=content), running_mode=RunningMode.VIDEO
            )
            with _no_chatter():
                self._landmarker = PoseLandmarker.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise BundleError(f"MediaPipe cannot read {bundle} ({reason}).") from None
        self._frames = 0
        self._someone_seen = False

    def process(self, image: NDArray[np.uint8], clock: StageClock | None = None) -> NDArray[np.float64] | None:
        """Keypoints (33, 2) in px of `image` (H, W, 3) uint8 BGR, whole numbers at the centres of pixels, joints as in
        BLAZEPOSE_33; None where nobody is seen.

        Laps: preprocess (the change from BGR to RGB), network (all the rest).
        """
        clock = clock or StageClock()
        rgb = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        clock.lap("preprocess")
        # Counted on for ever: a stamp that does not rise is refused.
        self._frames += 1
        # What it warns of comes with the first person.
        with contextlib.nullcontext() if self._someone_seen else _no_chatter():
            people = self._landmarker.detect_for_video(rgb, round(self._frames * _FRAME_MS)).pose_landmarks
        self._someone_seen = self._someone_seen or bool(people)
        height, width = image.shape[:2]
        points = np.array([(joint.x * width, joint.y * height) for joint in people[0]]) if people else None
        clock.lap("network")
        return points

    def close(self) -> None:
        """Release the networks and the threads; may be called again."""
        self._landmarker.close()


@contextlib.contextmanager
def _no_chatter() -> Iterator[None]:
    """Keeps off the terminal what MediaPipe's C++ parts tell while they start; they know no setting for that."""
    try:
        stderr = os.dup(2)
    except OSError:
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
