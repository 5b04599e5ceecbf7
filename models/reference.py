"""MediaPipe as an estimator: the same calls as `models.estimator.PoseEstimator`, all of the answer MediaPipe's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.engines.choice import check_mediapipe
from models.errors import DeviceError
from models.estimator import Estimate, EstimateTimes
from models.people import MEDIAPIPE, Person
from models.pose_matching import Identity, PoseMatcher
from models.readings import DEFAULT_BETA
from models.regions import CROP_MARGIN, Region
from models.skeletons import BLAZEPOSE_33
from models.stage_clock import StageClock

if TYPE_CHECKING:
    from models.engines.mediapipe_engine import Landmarker

_HIPS = [BLAZEPOSE_33.index["left_hip"], BLAZEPOSE_33.index["right_hip"]]
_IMAGE_NS = 33_333_333
# Where somebody is followed, a black picture makes MediaPipe lose them: it has no other way to begin anew.
_NOTHING = np.zeros((64, 64, 3), np.uint8)


class ReferenceEstimator:
    """Follows people as MediaPipe's PoseLandmarker does in its video mode. Not thread-safe: one thread calls it.

    It gives points and no heatmaps, so there is a single reading, `MEDIAPIPE`: what the network regressed, refined by
    the heatmaps, and smoothed where one person is followed. MediaPipe gives people no numbers: whoever is nearest to
    where somebody was keeps theirs. It does not tell its crop either: `Person.region` lies upright around the joints
    (its body size is that of our own crops within 6 % on average).

    sha256: see `models.bundle.open_bundle`. Raises BundleError where MediaPipe cannot read the bundle, and DeviceError
    where it cannot be imported.
    """

    decoders = (MEDIAPIPE,)
    warning = None

    def __init__(self, bundle: Path, sha256: str | None = None) -> None:
        check_mediapipe()
        try:
            from models.engines.mediapipe_engine import LABEL, Landmarker
        except (ImportError, OSError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise DeviceError(f"MediaPipe cannot be loaded here ({reason}).") from None
        self.device_label = LABEL
        self.most_people = 1
        self.head_choice = ""
        self._open: Callable[[int], Landmarker] = partial(Landmarker, bundle, sha256)
        self._opened_for = self.most_people
        self._landmarker = self._open(self._opened_for)
        self._matcher = PoseMatcher()
        self._follows_somebody = False
        self._images = 0
        self._stamp_ms = -1

    def reset(self) -> None:
        """Forget the people who are being followed; the next image starts with the detector."""
        self._matcher.forget()
        if self._follows_somebody:
            self._poses(_NOTHING, self._stamp_ms + 1, StageClock())

    def close(self) -> None:
        """Release MediaPipe's networks and threads; may be called again."""
        self._landmarker.close()

    def estimate(
        self,
        image: NDArray[np.uint8],
        beta: float = DEFAULT_BETA,
        *,
        time_ns: int | None = None,
        keep_heatmaps: bool = False,
    ) -> Estimate:
        """People in `image` (H, W, 3) uint8 BGR, sorted by their numbers; `beta` and `keep_heatmaps` change nothing.

        time_ns: when it was taken, rising from image to image; without it, 30 images are a second.
        """
        self._images += 1
        time_ns = self._images * _IMAGE_NS if time_ns is None else time_ns
        clock = StageClock()
        if self.most_people != self._opened_for:
            self._landmarker.close()
            self._opened_for = self.most_people
            self._landmarker = self._open(self._opened_for)
        poses = self._poses(image, time_ns // 1_000_000, clock)
        regions = [_region(pose) for pose in poses]
        bodies = [region.body_size for region in regions]
        identities = self._matcher.identities(list(poses[..., :2]), bodies, time_ns)
        people = [_person(*parts) for parts in zip(poses, regions, identities, strict=True)]
        spent = clock.times()
        times = EstimateTimes(preprocess=spent["preprocess"], network=spent["network"])
        return Estimate(tuple(sorted(people, key=lambda person: person.id)), times)

    def _poses(self, image: NDArray[np.uint8], time_ms: int, clock: StageClock) -> NDArray[np.float64]:
        # A stamp that does not rise is refused: two pictures of the same millisecond, and what `reset` showed.
        self._stamp_ms = max(self._stamp_ms + 1, time_ms)
        poses = self._landmarker.poses(image, self._stamp_ms, clock)
        self._follows_somebody = len(poses) > 0
        return poses


def _region(pose: NDArray[np.float64]) -> Region:
    """Around the middle of the hips as our crops are, CROP_MARGIN larger than the circle around the joints; upright."""
    center = pose[_HIPS, :2].mean(0)
    radius = float(np.linalg.norm(pose[:, :2] - center, axis=-1).max())
    return Region(float(center[0]), float(center[1]), max(1.0, 2 * CROP_MARGIN * radius), 0.0)


def _person(pose: NDArray[np.float64], region: Region, identity: Identity) -> Person:
    return Person(
        id=identity.id,
        region=region,
        presence=float("nan"),
        points={MEDIAPIPE: pose[:, :2].astype(np.float32)},
        scores={MEDIAPIPE: pose[:, 2].astype(np.float32)},
        peaks=np.full((len(pose), 2), np.nan, np.float32),
        slot=identity.slot,
    )
