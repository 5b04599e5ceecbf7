"""Pictures with times of their own -> an H.264 MP4 file that stays playable when the program dies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.container.output import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from app.errors import OutputError
from app.frames import Image
from app.output_file import OutputFile

# While it is written the file consists of fragments, each playable by itself. When it is closed, an index of
# the whole is added and the fragments are hidden: then it is a plain MP4 that every player can seek in.
_CONTAINER_OPTIONS = {
    "movflags": "+hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "500000",  # µs: what a crash may lose
    "flush_packets": "1",
}
# Large enough for nearly every fragment, so that a crash finds it written whole or not at all.
_WRITE_SIZE = 1 << 20
_KEYFRAME_EVERY_S = 1.0
# What a pause of the source adds at most to the time that the last picture is shown.
_LONGEST_LAST_PICTURE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Encoder:
    name: str
    options: Mapping[str, str]
    ticks: int = 90_000
    needs_bit_rate: bool = True
    pixel_format: str = "yuv420p"


# In order of preference, each taken where it really encodes: the first four in hardware, which leaves the processor to
# the network. The wheels of PyAV hold libx264; those after it are for builds without it. libx264's fastest preset
# takes half the processor time of veryfast, for a third more bytes at the same PSNR (measured on the sample clip).
_ENCODERS = (
    _Encoder("h264_nvenc", {"zerolatency": "1", "delay": "0", "forced-idr": "1"}),
    _Encoder("h264_videotoolbox", {"realtime": "1"}),
    _Encoder("h264_qsv", {"async_depth": "1"}, pixel_format="nv12"),
    _Encoder("h264_amf", {}),
    _Encoder("libx264", {"crf": "20", "tune": "zerolatency", "preset": "ultrafast"}, needs_bit_rate=False),
    _Encoder("h264_mf", {}),
    _Encoder("libopenh264", {}),
    # MPEG-4 part 2 stores the ticks per second in 16 bits.
    _Encoder("mpeg4", {}, ticks=60_000),
)


class Mp4Writer:
    """Writes (H, W, 3) uint8 BGR pictures, each with its time in ns, to an MP4 file.

    Presentation times are the given ones, to a tick of 1/90000 s; no constant rate is assumed. The first
    picture decides the size; an odd width or height is padded by one pixel; later pictures of another size
    are fitted into it with black bars. No picture waits in the encoder for a later one: memory is bounded.

    Raises OutputError where the file cannot be made, or exists and `overwrite` is false.
    `fps_hint` gives the length of a lone picture and the encoder's first guess, nothing else.
    """

    def __init__(self, path: Path | str, fps_hint: float = 30.0, *, overwrite: bool = False) -> None:
        self._file = OutputFile(path, overwrite=overwrite)
        self._fps = fps_hint
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._reformatter = VideoReformatter()
        self._size = (0, 0)
        self._ticks = 0
        self._start_ns = 0
        self._last_pts = -1
        self._last_key_pts = 0
        self._duration = 0
        # The file's size when a picture had been taken in: the muxer writes whole fragments only.
        self._playable_size = 0
        self.frames = 0

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def duration_s(self) -> float:
        """How long the video plays: up to the last picture, and that one as long as the one before it."""
        return (self._last_pts + self._duration) / self._ticks if self.frames else 0.0

    @property
    def encoder(self) -> str:
        """Name of the encoder in use, empty before the first picture."""
        return self._stream.codec_context.name if self._stream is not None else ""

    def write(self, image: Image, time_ns: int) -> None:
        """Append a picture taken at `time_ns`. OutputError where it cannot be encoded or written."""
        if self._container is None:
            self._begin(image, time_ns)
        try:
            self._write(image, time_ns)
        except OutputError:
            self._file.cut(self._playable_size)
            raise
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(f"Cannot write {self.path}: {error}.") from error
        self._playable_size = self._file.tell()
        self.frames += 1

    def check_still_there(self) -> None:
        """OutputError where the file was deleted while it is written."""
        self._file.check_still_there()

    def close(self) -> None:
        """Write the rest and the index, and close; may be called again.

        After a failed write only the file is closed: it plays up to its last whole fragment. OutputError
        where the end cannot be written; then, too, the file is closed and can be played.
        """
        container, stream, self._container, self._stream = self._container, self._stream, None, None
        try:
            if container is not None and stream is not None:
                if not self._file.closed:
                    self._mux(container, stream, None)
                container.close()
        except av.FFmpegError as error:
            raise OutputError(f"Cannot finish {self.path}: {error}.") from error
        finally:
            self._file.close()

    def discard(self) -> None:
        """Close and delete the file."""
        self._file.discard()
        self._container = self._stream = None

    def _begin(self, image: Image, time_ns: int) -> None:
        height, width = (side + side % 2 for side in image.shape[:2])
        encoder = _first_that_works(width, height, self._fps)
        container = av.open(
            self._file, "w", format="mp4", container_options=_CONTAINER_OPTIONS, buffer_size=_WRITE_SIZE
        )
        stream = cast(VideoStream, container.add_stream(encoder.name, rate=_rate(self._fps)))
        _configure(stream.codec_context, encoder, width, height, self._fps)
        self._size = (width, height)
        self._ticks = encoder.ticks
        self._duration = max(1, round(encoder.ticks / self._fps))
        self._start_ns = time_ns
        self._container, self._stream = container, stream

    def _write(self, image: Image, time_ns: int) -> None:
        assert self._container is not None
        assert self._stream is not None
        pts = max(round((time_ns - self._start_ns) * self._ticks / 1_000_000_000), self._last_pts + 1)
        if self.frames:
            self._duration = min(pts - self._last_pts, round(_LONGEST_LAST_PICTURE_S * self._ticks))
        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(_fitted(image, self._size), format="bgr24"),
            format=self._stream.codec_context.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = pts
        frame.time_base = Fraction(1, self._ticks)
        if self.frames == 0 or pts - self._last_key_pts >= _KEYFRAME_EVERY_S * self._ticks:
            frame.pict_type = PictureType.I
            self._last_key_pts = pts
        self._last_pts = pts
        self._mux(self._container, self._stream, frame)

    def _mux(self, container: OutputContainer, stream: VideoStream, frame: VideoFrame | None) -> None:
        for packet in stream.encode(frame):
            # The muxer takes lengths from the distance of the times, and only the last picture's from here.
            packet.duration = self._duration
            container.mux(packet)


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _configure(context: VideoCodecContext, encoder: _Encoder, width: int, height: int, fps: float) -> None:
    context.width, context.height = width, height
    context.pix_fmt = encoder.pixel_format
    context.framerate = _rate(fps)
    context.time_base = Fraction(1, encoder.ticks)
    context.max_b_frames = 0
    # Keyframes are asked for by time; this bounds them where an encoder does not listen.
    context.gop_size = max(1, round(2 * _KEYFRAME_EVERY_S * fps))
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    if encoder.needs_bit_rate:
        context.bit_rate = max(500_000, round(0.12 * width * height * fps))
    context.options = dict(encoder.options)


def working_encoder(width: int = 1280, height: int = 720, fps: float = 30.0) -> str:
    """Name of the encoder that recordings of this size use on this computer. Raises OutputError where none works."""
    return _first_that_works(width, height, fps).name


def _first_that_works(width: int, height: int, fps: float) -> _Encoder:
    """The first encoder that encodes a picture of this size: hardware ones are listed without hardware."""
    for encoder in _ENCODERS:
        try:
            context = cast(VideoCodecContext, CodecContext.create(encoder.name, "w"))
            _configure(context, encoder, width, height, fps)
            blank = VideoFrame(width, height, encoder.pixel_format)
            for plane in blank.planes:
                plane.update(bytes(plane.buffer_size))
            blank.pts, blank.time_base = 0, Fraction(1, encoder.ticks)
            if context.encode(blank) or context.encode(None):
                return encoder
        except (av.FFmpegError, ValueError):
            continue
    raise OutputError(f"This computer has no video encoder for a picture of {width} x {height}.")


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """The picture in exactly `size` (width, height), C-contiguous."""
    width, height = size
    rows, columns = image.shape[:2]
    if (columns, rows) == size:
        return np.ascontiguousarray(image)
    if width - columns in (0, 1) and height - rows in (0, 1):
        bottom, right = height - rows, width - columns
        return cast(Image, cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE))
    scale = min(width / columns, height / rows)
    inner = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=how)
    return canvas
