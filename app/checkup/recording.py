"""What recordings need: an encoder, and a folder with room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import av
import av.codec

from app.checkup.files import why_not_writable
from app.checkup.findings import Finding, fine, problem
from app.checkup.remedies import pip_line
from app.disk_space import LEAST_FREE_BYTES, short_of_space, size_text
from app.video_encoder import H264_ENCODERS, working_encoders

_ENCODER = "Video encoder"
_FOLDER = "Recordings"
_SOFTWARE = ("libx264", "libopenh264", "h264_mf")  # Media Foundation may use hardware, but need not


def check_encoders(
    listed: Collection[str] | None = None, working: Callable[[], Sequence[str]] = working_encoders
) -> Iterator[Finding]:
    """Whether an H.264 encoder works here, and which of the graphics cards'.

    listed: the encoders that PyAV's FFmpeg has; None asks it. working: those that encode a picture here.
    """
    listed = av.codec.codecs_available if listed is None else listed
    h264, usable = [name for name in H264_ENCODERS if name in listed], working()
    again = pip_line("install --force-reinstall --no-deps --only-binary :all: av")
    if not usable:
        yield problem(_ENCODER, "No video encoder works here: nothing can be recorded.", "Install PyAV again:", again)
        return
    if not h264:
        told = (
            f"PyAV {av.__version__} has no H.264 encoder; recordings are made with {usable[0]}, which few players show."
        )
        yield problem(_ENCODER, told, "Put the build of PyPI, which has one, in its place:", again)
        return
    if usable[0] not in h264:
        told = (
            f"None of the H.264 encoders of PyAV works here ({', '.join(h264)}); recordings are made with {usable[0]}."
        )
        yield problem(_ENCODER, told, "Install PyAV again:", again)
        return
    hardware = [name for name in usable if name in h264 and name not in _SOFTWARE]
    absent = [name for name in h264 if name not in (*hardware, *_SOFTWARE)]
    told = f"Recordings are encoded by {usable[0]}"
    if hardware:
        yield fine(_ENCODER, f"{told}; in hardware work {', '.join(hardware)}.")
    elif absent:
        yield fine(_ENCODER, f"{told}, on the processor; no hardware for {', '.join(absent)} was found.")
    else:
        yield fine(_ENCODER, f"{told}, on the processor.")


def check_recordings_folder(folder: Path, least_free: int = LEAST_FREE_BYTES) -> Iterator[Finding]:
    """Whether recordings can be written to `folder`, which need not exist yet, and whether there is room for them."""
    reason = why_not_writable(folder)
    if reason:
        yield problem(
            _FOLDER,
            f"Nothing can be recorded in {folder}: {reason}.",
            "Start with another one, “posescope --recordings FOLDER”, or make this one yours.",
        )
    elif short_of_space([folder / "recording.mp4"], least_free):
        yield problem(
            _FOLDER,
            f"Less than {size_text(least_free)} are free for {folder}, and recordings end at that point.",
            "Make room, or record on another disk: “posescope --recordings FOLDER”.",
        )
    else:
        yield fine(_FOLDER, f"Recordings can be written to {folder}.")
