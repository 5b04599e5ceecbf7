"""Opens a .task bundle: a zip of two .tflite files, the person detector and the landmark network."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from models.errors import BundleError

DETECTOR_MEMBER = "pose_detector.tflite"
LANDMARKS_MEMBER = "pose_landmarks_detector.tflite"
# The largest official member has 27 MB; a zip that claims far more is damaged or hostile.
LARGEST_MEMBER_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """The two networks of a bundle as .tflite file contents; sha256 of the whole file, hexadecimal."""

    path: Path
    sha256: str
    detector: bytes
    landmarks: bytes


def open_bundle(path: Path, sha256: str | None = None) -> Bundle:
    """Read both members of the bundle at `path`.

    sha256: hexadecimal digest that the whole file must have; None accepts any.
    Raises BundleError with one sentence where the file is missing, damaged, or not a pose bundle.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"No such model file: {path}") from None
    except OSError as error:
        raise BundleError(f"Cannot read the model file {path}: {error.strerror}.") from None
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256:
        raise BundleError(
            f"The shipped model file {path} is not the one that was published (its sha256 differs). Install again."
        )
    del content
    try:
        with zipfile.ZipFile(path) as archive:
            return Bundle(
                path, digest, _member(archive, path, DETECTOR_MEMBER), _member(archive, path, LANDMARKS_MEMBER)
            )
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError, RuntimeError):
        raise BundleError(f"{path} is not a .task bundle, or it is damaged or truncated.") from None


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise BundleError(f"{path} is not a pose bundle: it holds no {name}.") from None
    if info.file_size > LARGEST_MEMBER_BYTES:
        raise BundleError(f"{path} is not a pose bundle: its {name} claims {info.file_size} bytes.")
    return archive.read(info)
