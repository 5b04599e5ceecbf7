"""Opens a .task bundle: a zip of two .tflite files, the person detector and the landmark network."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from models.errors import BundleError

DETECTOR_MEMBER = "pose_detector.tflite"
LANDMARKS_MEMBER = "pose_landmarks_detector.tflite"
# The largest official member has 27 MB, in float16; a file that is or claims far more is damaged or hostile.
LARGEST_MEMBER_BYTES = 64 * 2**20
LARGEST_BUNDLE_BYTES = 128 * 2**20
# More than 20,000 members; a bundle has two.
_LARGEST_DIRECTORY_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """The two networks of a bundle as .tflite file contents; sha256 of the whole file, hexadecimal."""

    path: Path
    sha256: str
    detector: bytes
    landmarks: bytes

    @property
    def landmarks_sha256(self) -> str:
        """Of the landmark network alone, hexadecimal: heads are trained for it."""
        return hashlib.sha256(self.landmarks).hexdigest()


def open_bundle(path: Path, sha256: str | None = None) -> Bundle:
    """Read both members of the bundle at `path`.

    sha256: hexadecimal digest that the whole file must have; None accepts any.
    Raises BundleError with one sentence where the file is missing, damaged, too large, or not a pose bundle.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256:
        raise BundleError(
            f"The shipped model file {path} is not the one that was published (its sha256 differs). Install again."
        )
    try:
        file = _WaryFile(content)
        with zipfile.ZipFile(file) as archive:
            file.most = LARGEST_BUNDLE_BYTES
            return Bundle(
                path, digest, _member(archive, path, DETECTOR_MEMBER), _member(archive, path, LANDMARKS_MEMBER)
            )
    except BundleError:
        raise
    except Exception:
        # Of a damaged zip come BadZipFile, zlib.error, struct.error, UnicodeDecodeError, and what else may be.
        raise BundleError(f"{path} is not a .task bundle, or it is damaged or truncated.") from None


def _content(path: Path) -> bytes:
    try:
        about = path.stat()
        # Reading a pipe would wait for ever, and a device may have no end.
        if not stat.S_ISREG(about.st_mode):
            raise BundleError(f"Cannot read the model file {path}: it is not a file.")
        if about.st_size > LARGEST_BUNDLE_BYTES:
            raise BundleError(f"{path} is not a pose bundle: it has more than {LARGEST_BUNDLE_BYTES >> 20} MB.")
        with path.open("rb") as file:
            return file.read(about.st_size)
    except FileNotFoundError:
        raise BundleError(f"No such model file: {path}") from None
    except OSError as error:
        raise BundleError(f"Cannot read the model file {path}: {error.strerror}.") from None


class _WaryFile(io.BytesIO):
    """Reads no more than `most` bytes at once: what a zip says of its directory is believed up to there."""

    most = _LARGEST_DIRECTORY_BYTES

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.most:
            raise zipfile.BadZipFile
        return super().read(size)


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise BundleError(f"{path} is not a pose bundle: it holds no {name}.") from None
    if info.file_size > LARGEST_MEMBER_BYTES:
        raise BundleError(f"{path} is not a pose bundle: its {name} claims {info.file_size} bytes.")
    # Only of these two no more is unpacked than is asked for, whatever the packed bytes would expand to.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleError(f"{path} is not a pose bundle: its {name} is packed in a way that is not supported.")
    with archive.open(info) as member:
        content = member.read(info.file_size)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile
    return content
