"""What the app asks of an estimator, and which one is loaded: our own networks, or MediaPipe whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.engines.choice import BundleFile, check_names
from models.estimator import Estimate, PoseEstimator
from models.head_file import TrainedHead
from models.people import MEDIAPIPE
from models.readings import DEFAULT_BETA


class Estimator(Protocol):
    """Image in, people out. Not thread-safe: one thread calls it.

    decoders: names of the readings that each person has. device_label: what the user is shown. warning: why it is not
    what was asked for, or None. most_people: how many are followed at most; may be changed between two images.
    head_choice: whose maps the decoders read, see `models.head_file.LoadedHeads`; likewise.
    """

    @property
    def decoders(self) -> tuple[str, ...]: ...

    @property
    def device_label(self) -> str: ...

    @property
    def warning(self) -> str | None: ...

    most_people: int
    head_choice: str

    def reset(self) -> None:
        """Forget the people who are being followed."""

    def estimate(
        self,
        image: NDArray[np.uint8],
        beta: float = DEFAULT_BETA,
        *,
        time_ns: int | None = None,
        keep_heatmaps: bool = False,
    ) -> Estimate:
        """See `models.estimator.PoseEstimator.estimate`."""

    def close(self) -> None:
        """End whatever runs on threads of its own; may be called again."""


def load_estimator(
    bundle: Path,
    device: str = "auto",
    sha256: str | None = None,
    engine: str = "auto",
    detector: BundleFile | None = None,
    heads: Sequence[TrainedHead] = (),
) -> Estimator:
    """Open a .task bundle or a checkpoint: with our own engines (`models.engines.choice.open_engine`, which tells what
    `detector` and `heads` are), or a bundle with MediaPipe where `engine` says so. Raises BundleError, DeviceError or
    HeadError with one sentence.
    """
    if engine != MEDIAPIPE:
        return PoseEstimator.load(bundle, device, sha256, engine, detector, heads)
    check_names(device, engine)
    from models.reference import ReferenceEstimator

    return ReferenceEstimator(bundle, sha256)
