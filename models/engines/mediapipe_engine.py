"""MediaPipe's PoseLandmarker on the same bundle: the reference to compare with. The one file that imports mediapipe.

MediaPipe reports to its maker, when it ends, how often and how fast it ran; there is no switch for that
(google-ai-edge/mediapipe, issue 6291). PoseScope reports nothing, so here MediaPipe trusts no certificate: it calls its
maker's server, and hangs up because that cannot prove who it is, before anything is told.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode
from numpy.typing import NDArray

from models.bundle import open_bundle
from models.errors import BundleError
from models.stage_clock import StageClock

LABEL = "cpu (MediaPipe)"
# Of a clip with 30 frames a second, where the caller knows none.
_FRAME_MS = 100 / 3
_JOINTS = 33


class _SilentOptions(BaseOptions):  # type: ignore[misc]
    """Without certificates, an empty file of them, no report leaves the computer."""

    def to_ctypes(self) -> Any:
        options = super().to_ctypes()
        options.ca_bundle_path = os.devnull.encode()
        return options


class Landmarker:
    """MediaPipe's whole way from picture to points, in its video mode: its own detector, tracking and smoothing.

    sha256: see `models.bundle.open_bundle`. most_people: whom it looks for at most. It smooths its points only
    where that is 1. Not thread-safe.
    Raises BundleError where the bundle cannot be read.
    """

    def __init__(self, bundle: Path, sha256: str | None = None, most_people: int = 1) -> None:
        # Before MediaPipe tries, which leaves a thread behind where it fails.
        open_bundle(bundle, sha256)
        try:
            # The content, not the path: on Windows MediaPipe knows only paths of the system's code page.
            content = bundle.read_bytes()
            options = PoseLandmarkerOptions(
                base_options=_SilentOptions(model_asset_buffer=content),
                running_mode=RunningMode.VIDEO,
                num_poses=most_people,
            )
            with _no_chatter():
                self._landmarker = PoseLandmarker.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise BundleError(f"MediaPipe cannot read {bundle} ({reason}).") from None
        self._someone_seen = False

    def poses(self, image: NDArray[np.uint8], time_ms: int, clock: StageClock) -> NDArray[np.float64]:
        """(N, 33, 3): x and y in px of `image` (H, W, 3) uint8 BGR, whole numbers at the centres of pixels, and the
        visibility, 0 to 1; joints as in BLAZEPOSE_33, people in no order that would last.

        time_ms: must rise from call to call. Laps: preprocess (the change from BGR to RGB), network (all the rest).
        """
        rgb = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        clock.lap("preprocess")
        # What it warns of comes with the first person.
        with contextlib.nullcontext() if self._someone_seen else _no_chatter():
            people = self._landmarker.detect_for_video(rgb, time_ms).pose_landmarks
        self._someone_seen = self._someone_seen or bool(people)
        height, width = image.shape[:2]
        found = [[(joint.x * width, joint.y * height, joint.visibility) for joint in person] for person in people]
        points = np.array(found, np.float64).reshape(-1, _JOINTS, 3)
        clock.lap("network")
        return points

    def close(self) -> None:
        """Release the networks and the threads; may be called again."""
        self._landmarker.close()


class MediaPipePeer:
    """Follows one person from image to image. Not thread-safe.

    It is not a `models.engines.engine.Engine`: it takes a picture and gives points, and does not tell its stages.
    Raises BundleError where the bundle cannot be read.
    """

    name = "mediapipe"
    label = LABEL

    def __init__(self, bundle: Path) -> None:
        self._landmarker = Landmarker(bundle)
        self._frames = 0

    def process(self, image: NDArray[np.uint8], clock: StageClock | None = None) -> NDArray[np.float64] | None:
        """Keypoints (33, 2) in px of `image` (H, W, 3) uint8 BGR, see `Landmarker.poses`; None where nobody is seen."""
        # Counted on for ever: a stamp that does not rise is refused.
        self._frames += 1
        poses = self._landmarker.poses(image, round(self._frames * _FRAME_MS), clock or StageClock())
        return poses[0, :, :2] if len(poses) else None

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
