"""Pictures with times of their own -> H.264 pictures, by the first encoder that works on this computer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext, Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from app.errors import OutputError
from app.frames import Image
from app.mp4_boxes import EncodedPicture, VideoTrack, avc_sample, avc_track, mpeg4_track

KEYFRAME_EVERY_S = 1.0


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
H264_ENCODERS = tuple(encoder.name for encoder in _ENCODERS if "264" in encoder.name)


class VideoEncoder:
    """Encodes (H, W, 3) uint8 BGR pictures. No picture waits for a later one longer than the encoder needs.

    The first picture decides the size, an odd width or height padded by one pixel; later ones of another size are
    fitted into it with black bars. An encoder that fails on the first picture is passed over for the next one.
    A keyframe is asked for every KEYFRAME_EVERY_S.

    fps_hint: the encoder's first guess, nothing else; the times may be as irregular as they like.
    bits_per_s: what the result has at most, over about a second.

    Raises OutputError where no encoder takes the picture, or the one in use fails.
    """

    def __init__(self, fps_hint: float = 30.0, bits_per_s: int | None = None) -> None:
        self.name = ""
        self.track: VideoTrack | None = None  # known when the first picture has come out
        self.ticks = _ENCODERS[0].ticks if _ENCODERS else 90_000
        self.size = (0, 0)  # width, height
        self.last_pts = -1
        self._fps = fps_hint
        self._limit = bits_per_s
        self._context: VideoCodecContext | None = None
        self._reformatter = VideoReformatter()
        self._start_ns = 0
        self._last_key_pts = 0
        self._last_out = -1

    def pts_at(self, time_ns: int) -> int:
        """When a picture taken at `time_ns` is shown, in ticks from the first one on."""
        return round((time_ns - self._start_ns) * self.ticks / 1_000_000_000)

    def encode(self, image: Image, time_ns: int) -> list[EncodedPicture]:
        """What comes out when this picture goes in: itself at once, or a little later with some hardware."""
        try:
            if self._context is None:
                return self._begin(image, time_ns)
            return self._encode(self._context, image, time_ns)
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(f"The video encoder {self.name} failed: {error}.") from error

    def finish(self) -> list[EncodedPicture]:
        """What the encoder still holds."""
        context, self._context = self._context, None
        if context is None:
            return []
        try:
            return self._taken(context, context.encode(None))
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(f"The video encoder {self.name} failed: {error}.") from error

    def _begin(self, image: Image, time_ns: int) -> list[EncodedPicture]:
        height, width = (side + side % 2 for side in image.shape[:2])
        self.size = (width, height)
        self._start_ns = time_ns
        for encoder in _working(width, height, self._fps):
            self.name, self.ticks, self.track = encoder.name, encoder.ticks, None
            self.last_pts = self._last_out = -1
            self._last_key_pts = 0
            try:
                context = _opened(encoder, width, height, self._fps, self._limit)
                pictures = self._encode(context, image, time_ns)
            except (av.FFmpegError, ValueError):
                continue
            self._context = context
            return pictures
        raise OutputError(f"This computer has no video encoder for a picture of {width} x {height}.")

    def _encode(self, context: VideoCodecContext, image: Image, time_ns: int) -> list[EncodedPicture]:
        pts = max(self.pts_at(time_ns), self.last_pts + 1)
        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(fitted(image, self.size), format="bgr24"),
            format=context.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = pts
        frame.time_base = Fraction(1, self.ticks)
        key = self.last_pts < 0 or pts - self._last_key_pts >= KEYFRAME_EVERY_S * self.ticks
        if key:
            frame.pict_type = PictureType.I
        pictures = self._taken(context, context.encode(frame))
        self.last_pts = pts
        if key:
            self._last_key_pts = pts
        return pictures

    def _taken(self, context: VideoCodecContext, packets: Sequence[Packet[Any]]) -> list[EncodedPicture]:
        pictures = []
        for packet in packets:
            data, pts = bytes(packet), packet.pts
            if pts is None or pts <= self._last_out:
                raise ValueError("its pictures come out in another order")
            if self.track is None:
                known = context.extradata or b""
                track = mpeg4_track if context.name == "mpeg4" else avc_track
                self.track = track(*self.size, self.ticks, known, data)
            if self.track.codec == "avc1":
                data = avc_sample(data)
            pictures.append(EncodedPicture(data, pts, packet.is_keyframe))
            self._last_out = pts
        return pictures


def working_encoder(width: int = 1280, height: int = 720, fps: float = 30.0) -> str:
    """Name of the encoder that recordings of this size use on this computer. Raises OutputError where none works."""
    for encoder in _working(width, height, fps):
        return encoder.name
    raise OutputError(f"This computer has no video encoder for a picture of {width} x {height}.")


def working_encoders(width: int = 1280, height: int = 720, fps: float = 30.0) -> list[str]:
    """Names of all that work on this computer, the one that recordings use first; empty where none works."""
    return [encoder.name for encoder in _working(width, height, fps)]


def _working(width: int, height: int, fps: float) -> Iterator[_Encoder]:
    """Those that encode a blank picture of this size: encoders in hardware are listed without the hardware."""
    for encoder in _ENCODERS:
        try:
            context = _opened(encoder, width, height, fps)
            blank = VideoFrame(width, height, encoder.pixel_format)
            for plane in blank.planes:
                plane.update(bytes(plane.buffer_size))
            blank.pts, blank.time_base = 0, Fraction(1, encoder.ticks)
            works = bool(context.encode(blank) or context.encode(None))
        except (av.FFmpegError, ValueError):
            continue
        if works:
            yield encoder


def _opened(encoder: _Encoder, width: int, height: int, fps: float, bits_per_s: int | None = None) -> VideoCodecContext:
    context = cast(VideoCodecContext, CodecContext.create(encoder.name, "w"))
    context.width, context.height = width, height
    context.pix_fmt = encoder.pixel_format
    context.framerate = Fraction(fps).limit_denominator(1001)
    context.time_base = Fraction(1, encoder.ticks)
    context.max_b_frames = 0
    # Keyframes are asked for by time; this bounds them where an encoder does not listen.
    context.gop_size = max(1, round(2 * KEYFRAME_EVERY_S * fps))
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.flags |= Flags.global_header
    options = dict(encoder.options)
    if encoder.needs_bit_rate:
        wanted = max(500_000, round(0.12 * width * height * fps))
        context.bit_rate = wanted if bits_per_s is None else min(wanted, bits_per_s)
    if bits_per_s is not None:
        options |= {"maxrate": str(bits_per_s), "bufsize": str(bits_per_s)}
    context.options = options
    return context


def fitted(image: Image, size: tuple[int, int]) -> Image:
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
