"""What the estimator asks of an engine: something that runs a detector and a network and reads the heatmaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.detections import Detection
from models.head_file import LoadedHeads
from models.readings import CropReadings
from models.regions import Region
from models.stage_clock import StageClock
from models.traits import NetworkTraits


class Engine(Protocol):
    """Runs a detector and a network on one device. Not thread-safe: one thread calls it.

    name: torch, openvino, … label: what the user is shown, for example "cpu (OpenVINO)".
    warning: why it is not what was asked for, or None.
    traits: of the network that reads the crops.
    detects_aside: whether `detect` may run in one thread while the others run in another.
    heads: what the decoders read, which may be changed between two images.
    """

    name: str
    label: str
    warning: str | None
    detects_aside: bool
    heads: LoadedHeads
    traits: NetworkTraits

    def clock(self) -> StageClock:
        """A clock that starts now and knows this engine's device."""

    def upload(self, image: NDArray[np.uint8]) -> Any:
        """`image` (H, W, 3) uint8 BGR, wherever crops are cut from it; what it returns is what the others take."""

    def detect(self, image: Any, square: Region, clock: StageClock) -> list[Detection]:
        """People in this upright square of the image, the best first; in shares of the square.

        Laps: preprocess, detect.
        """

    def read(
        self, image: Any, regions: Sequence[Region], beta: float, clock: StageClock, *, keep_heatmaps: bool
    ) -> CropReadings:
        """The crops at `regions`, at least one, one after the other or at once, read by every decoder.

        Laps: preprocess, network, and the parts of decoding, or "decode" where they are not taken apart.
        keep_heatmaps: bring them to the host; where they are there anyway, they are always kept.
        """
