"""Clips and photographs for the study, and the network that reads them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.bundled import ASSETS, SAMPLE_CLIP, model_file
from app.errors import SourceError
from app.frames import Frame, Image
from app.sources import make_source
from app.sources.image_folder import SUFFIXES
from app.sources.opencv_log import quiet_opencv
from app.sources.video_file import VideoFileSource
from models.engines.choice import open_engine
from models.estimator import PoseEstimator
from models.people import Person
from models.regions import Region

# The person in the shipped clip stands still in these frames.
SAMPLE_STILL = range(8, 88)
# The crop settles on the person in these frames, which are not measured.
SETTLING_FRAMES = 8
FPS = 30
SAMPLE_NAME = "shipped clip"
# Larger photographs are scaled down to this: noise for tens of millions of pixels takes longer than the network.
LARGEST_SIDE = 1280


@dataclass(frozen=True, slots=True)
class Truth:
    """joints: (T, 17, 2) in px, COCO-17, whole numbers at the centres of pixels; seen: (T, 17)."""

    joints: NDArray[np.float64]
    seen: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Clip:
    """A video. still: the frames that count for jitter, None for all."""

    name: str
    path: Path
    still: range | None = None
    truth: Truth | None = None

    def frames(self, most: int) -> Iterator[Frame]:
        """At most so many frames. Raises SourceError."""
        source = VideoFileSource(self.path)
        try:
            source.open()
            for _ in range(most):
                frame = source.read()
                if frame is None:
                    return
                yield frame
        finally:
            source.close()


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture (H, W, 3) uint8 BGR."""

    name: str
    image: Image

    def noisy(self, noise: float, seed: int = 1) -> Iterator[Image]:
        """The picture again and again, each time with new Gaussian noise of so many grey levels of 255."""
        random = np.random.default_rng(seed)
        while True:
            grain = random.standard_normal(self.image.shape, np.float32) * np.float32(noise)
            yield np.clip(np.rint(self.image + grain), 0, 255).astype(np.uint8)


class Footage(Protocol):
    """What the variants are measured on."""

    @property
    def name(self) -> str:
        """For tables."""

    @property
    def still(self) -> range | None:
        """The frames that count for jitter, None for all."""

    @property
    def truth(self) -> Truth | None:
        """Where the joints are, if that is known."""

    def frames(self, most: int) -> Iterator[Frame]:
        """At most so many frames."""


@dataclass(frozen=True, slots=True)
class NoisyPhotograph:
    """A photograph as footage: new sensor noise in each frame. The crop settles in the first frames."""

    photograph: Photograph
    noise: float
    most_frames: int
    truth: Truth | None = None

    @property
    def name(self) -> str:
        return f"{self.photograph.name}, noise {self.noise:g}"

    @property
    def still(self) -> range:
        return range(SETTLING_FRAMES, self.most_frames)

    def frames(self, most: int) -> Iterator[Frame]:
        """At most `most` and `most_frames` frames, 30 a second."""
        for i, image in enumerate(islice(self.photograph.noisy(self.noise), min(most, self.most_frames))):
            yield Frame(i, 0, round(i * 1e9 / FPS), image)


def sample_clip() -> Clip:
    """The shipped clip with its truth."""
    frames = json.loads((ASSETS / "rendered_person_truth.json").read_text("utf-8"))["frames"]
    # In the file 0 is the left edge of the left column.
    joints = np.array([frame["kp"] for frame in frames]) - 0.5
    seen = np.array([frame["vis"] for frame in frames]) == 2
    return Clip(SAMPLE_NAME, SAMPLE_CLIP, SAMPLE_STILL, Truth(joints, seen))


def sample_photograph() -> Photograph:
    """One frame of the shipped clip."""
    *_, frame = sample_clip().frames(SAMPLE_STILL.start + 1)
    return Photograph("frame of the shipped clip", frame.image)


def open_still(path: Path) -> Clip | Photograph:
    """What the user named: a picture or a video. Raises SourceError."""
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return Photograph(path.stem, _scaled_down(_read_bgr(path)))
    if not isinstance(make_source(str(path)), VideoFileSource):
        raise SourceError(f"“{path}” is neither a picture nor a video file.")
    return Clip(path.stem, path)


def _read_bgr(path: Path) -> Image:
    # Not cv2.imread: on Windows that knows only paths of the system's code page.
    try:
        with quiet_opencv():
            image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise SourceError(f"The picture “{path.name}” cannot be read.")
    return np.asarray(image, np.uint8)


def _scaled_down(image: Image) -> Image:
    scale = LARGEST_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


class Network:
    """One network, with the person followed from frame to frame or with a crop that is held still."""

    def __init__(self, model: str, device: str = "auto") -> None:
        """Raises BundleError or DeviceError with one sentence."""
        path, sha256 = model_file(model)
        self._engine = open_engine(path, device, sha256)
        self._reader = PoseEstimator(self._engine)
        self.device_label = self._engine.label
        self.warning = self._engine.warning

    def follower(self) -> PoseEstimator:
        """A new estimator, which follows nobody yet."""
        return PoseEstimator(self._engine)

    def read_held(self, image: Image, region: Region, beta: float, person_id: int = 0) -> Person:
        """The person in `region` of `image`, as the estimator reads them, wherever the next crop would lie."""
        (person,) = self._reader.read(image, [region], beta).people
        return dataclasses.replace(person, id=person_id)
