"""Small sound videos of several containers, to be damaged."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

FORMATS = {
    ".mp4": ("libx264", "yuv420p", None),
    ".mkv": ("ffv1", "yuv420p", None),
    ".avi": ("mpeg4", "yuv420p", None),
    ".ts": ("mpeg2video", "yuv420p", None),
    ".webm": ("libvpx", "yuv420p", None),
    ".gif": ("gif", "rgb8", None),
    ".mjpeg": ("mjpeg", "yuvj420p", "mjpeg"),
}
FRAMES = 6


def sound_clips(folder: Path) -> list[Path]:
    """A clip of 6 frames of 64 × 48 in each of FORMATS."""
    clips = []
    for suffix, (codec, pixels, container_format) in FORMATS.items():
        path = folder / f"sound{suffix}"
        with av.open(str(path), "w", format=container_format) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            for i in range(FRAMES):
                image = np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8)
                image[:, : 8 * i] = 128
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode())
        clips.append(path)
    return clips
