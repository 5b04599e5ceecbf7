"""The boxes of an MP4 file with one video track (ISO/IEC 14496-12; H.264 in it: 14496-15; tags: as iTunes has them).

All functions are pure: numbers in, bytes out. Times are in ticks of the track.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import ArrayLike

_U32_MAX = 0xFFFF_FFFF
_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_KEY_SAMPLE, _OTHER_SAMPLE = 0x0200_0000, 0x0101_0000
# Seconds from 1904, where the clock of MP4 begins, to 1970.
_EPOCH_1904_S = 2_082_844_800
_SPS, _PPS, _DELIMITER = 7, 8, 9


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """What a player must know of the pictures. codec: "avc1" or "mp4v"; config: its own configuration box."""

    codec: str
    width: int
    height: int
    ticks: int
    config: bytes


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as an MP4 file stores it. pts: when it is shown, in the track's ticks from the first picture on."""

    data: bytes
    pts: int
    key: bool


class SampleTable:
    """Where all pictures lie and when they are shown: some 12 bytes for each."""

    def __init__(self) -> None:
        self.pts = array("q")
        self.sizes = array("I")
        self.keys = array("I")  # numbers of the keyframes, from 1
        self.chunk_places = array("Q")  # of each run of pictures its place in the file
        self.chunk_counts = array("I")  # and how many they are

    def add(self, pictures: Sequence[EncodedPicture], place: int) -> None:
        """Pictures that lie one after the other from `place` on."""
        for picture in pictures:
            self.pts.append(picture.pts)
            self.sizes.append(len(picture.data))
            if picture.key:
                self.keys.append(len(self.pts))
        self.chunk_places.append(place)
        self.chunk_counts.append(len(pictures))


def box(name: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), name.encode("latin-1")) + data


def _full(name: str, version: int, flags: int, *parts: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


# --- codecs -------------------------------------------------------------------------------------------------------


def nal_units(data: bytes) -> list[bytes]:
    """The units of an H.264 byte stream (annex B), without their start codes."""
    units, at = [], data.find(b"\0\0\1")
    while at >= 0:
        after = data.find(b"\0\0\1", at + 3)
        unit = data[at + 3 : after if after >= 0 else len(data)].rstrip(b"\0")
        if unit:
            units.append(unit)
        at = after
    return units


def avc_sample(data: bytes) -> bytes:
    """A picture of a byte stream as MP4 stores it: each unit behind its length, without what the track knows."""
    units = [unit for unit in nal_units(data) if unit[0] & 31 not in (_SPS, _PPS, _DELIMITER)]
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def avc_track(width: int, height: int, ticks: int, extradata: bytes, first_picture: bytes) -> VideoTrack:
    """The track of an H.264 byte stream. ValueError where it nowhere says how it is to be decoded."""
    units = nal_units(extradata) + nal_units(first_picture)
    sps = next((unit for unit in units if unit[0] & 31 == _SPS), b"")
    pps = next((unit for unit in units if unit[0] & 31 == _PPS), b"")
    if len(sps) < 4 or not pps:
        raise ValueError("its pictures come without parameter sets")
    config = b"\1" + sps[1:4] + b"\xff\xe1" + struct.pack(">H", len(sps)) + sps
    config += b"\1" + struct.pack(">H", len(pps)) + pps
    if sps[1] in (100, 110, 122, 144):
        config += b"\xfd\xf8\xf8\0"  # 4:2:0, 8 bit, no extensions
    return VideoTrack("avc1", width, height, ticks, box("avcC", config))


def mpeg4_track(width: int, height: int, ticks: int, extradata: bytes, first_picture: bytes) -> VideoTrack:
    """The track of an MPEG-4 part 2 stream (14496-1: descriptors)."""

    def descriptor(tag: int, *parts: bytes) -> bytes:
        data = b"".join(parts)
        length = [0x80 | len(data) >> shift & 0x7F for shift in (21, 14, 7)] + [len(data) & 0x7F]
        return bytes([tag, *length]) + data

    how = descriptor(4, b"\x20\x11", bytes(3), bytes(8), descriptor(5, extradata))
    config = _full("esds", 0, 0, descriptor(3, b"\0\1\0", how, descriptor(6, b"\2")))
    return VideoTrack("mp4v", width, height, ticks, config)


# --- head and fragments -------------------------------------------------------------------------------------------


def file_type() -> bytes:
    return box("ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41")


def fragment(number: int, pictures: Sequence[EncodedPicture], end_pts: int) -> bytes:
    """Some pictures in a row, the last of which is shown until `end_pts`, with all that is needed to play them.

    The four bytes that lie LAST_DURATION_FROM_DATA before the pictures' data say how long the last one is shown.
    """
    rows = b"".join(
        struct.pack(">III", duration, len(picture.data), _KEY_SAMPLE if picture.key else _OTHER_SAMPLE)
        for picture, duration in zip(pictures, durations([p.pts for p in pictures], end_pts), strict=True)
    )

    def moof(data_at: int) -> bytes:
        return box(
            "moof",
            _full("mfhd", 0, 0, struct.pack(">I", number)),
            box(
                "traf",
                _full("tfhd", 0, 0x20000, struct.pack(">I", 1)),
                _full("tfdt", 1, 0, struct.pack(">Q", pictures[0].pts)),
                _full("trun", 0, 0x701, struct.pack(">Ii", len(pictures), data_at), rows),
            ),
        )

    return moof(len(moof(0)) + 8) + box("mdat", *(picture.data for picture in pictures))


def durations(pts: Sequence[int], end_pts: int) -> list[int]:
    """How long each picture is shown, as an MP4 file stores it."""
    return [min(after - before, _U32_MAX) for before, after in pairwise([*pts, end_pts])]


# The duration, size and flags of the last picture, then the head of the data.
LAST_DURATION_FROM_DATA = 12 + 8


def movie(
    track: VideoTrack,
    table: SampleTable | None,
    duration: int,
    *,
    created_s: int,
    tags: Mapping[str, str],
    size: int = 0,
) -> bytes:
    """The box that describes the file; filled up to `size` bytes where it has fewer.

    table: all pictures, or None where fragments follow, which then last for `duration`.
    """
    made = min(max(0, created_s + _EPOCH_1904_S), _U32_MAX)  # a clock may be set to anything
    length = duration if table is not None else 0
    parts = [_movie_header(made, track, length), _trak(track, table or SampleTable(), made, duration, length)]
    if table is None:
        begins = _full("trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))
        parts.append(box("mvex", _full("mehd", 1, 0, struct.pack(">Q", duration)), begins))
    parts.append(_tags(tags))
    room = size - 8 - sum(map(len, parts))
    if room >= 8:
        parts.append(box("free", bytes(room - 8)))
    return box("moov", *parts)


def _movie_header(made: int, track: VideoTrack, length: int) -> bytes:
    version, times = _wide(length)
    clock = struct.pack(f">{times}{times}I{times}", made, made, track.ticks, length)
    rest = struct.pack(">IHHQ", 0x10000, 0x100, 0, 0) + _IDENTITY + bytes(24) + struct.pack(">I", 2)
    return _full("mvhd", version, 0, clock, rest)


def _trak(track: VideoTrack, table: SampleTable, made: int, duration: int, length: int) -> bytes:
    version, times = _wide(length)
    track_clock = struct.pack(f">{times}{times}II{times}", made, made, 1, 0, length)
    size = struct.pack(">II", track.width << 16, track.height << 16)
    header = _full("tkhd", version, 3, track_clock, bytes(16), _IDENTITY, size)
    undetermined = 0x55C4  # "und", the language
    media_clock = struct.pack(f">{times}{times}I{times}HH", made, made, track.ticks, length, undetermined, 0)
    here = box("dinf", _full("dref", 0, 0, struct.pack(">I", 1), _full("url ", 0, 1)))
    media = box(
        "mdia",
        _full("mdhd", version, 0, media_clock),
        _full("hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"VideoHandler\0"),
        box("minf", _full("vmhd", 0, 1, bytes(8)), here, _sample_boxes(track, table, duration)),
    )
    return box("trak", header, media)


def _sample_boxes(track: VideoTrack, table: SampleTable, end_pts: int) -> bytes:
    parts = [_full("stsd", 0, 0, struct.pack(">I", 1), _visual_entry(track))]
    shown = durations(table.pts, end_pts) if table.pts else []
    parts.append(_table("stts", [(len(list(run)), duration) for duration, run in groupby(shown)]))
    if table.pts:
        parts.append(_table("stss", table.keys))
    counts = table.chunk_counts
    changes = [i for i, count in enumerate(counts) if i == 0 or counts[i - 1] != count]
    parts.append(_table("stsc", [(i + 1, counts[i], 1) for i in changes]))
    # Its second number would be the size of all pictures, if they had the same.
    parts.append(_full("stsz", 0, 0, bytes(4), struct.pack(">I", len(table.sizes)), _numbers(table.sizes)))
    far = bool(table.chunk_places) and table.chunk_places[-1] > _U32_MAX
    parts.append(_table("co64", table.chunk_places, ">u8") if far else _table("stco", table.chunk_places))
    return box("stbl", *parts)


def _visual_entry(track: VideoTrack) -> bytes:
    fixed = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", track.width, track.height)
    fixed += struct.pack(">III", 72 << 16, 72 << 16, 0) + struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    # BT.709, the range of television.
    colours = box("colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0))
    return box(track.codec, fixed, track.config, colours, box("pasp", struct.pack(">II", 1, 1)))


def _tags(tags: Mapping[str, str]) -> bytes:
    # The name of a file need not be UTF-8.
    data = {name: struct.pack(">II", 1, 0) + text.encode(errors="replace") for name, text in tags.items()}
    items = [box(name, box("data", value)) for name, value in data.items()]
    handler = _full("hdlr", 0, 0, bytes(4), b"mdirappl", bytes(9))
    return box("udta", _full("meta", 0, 0, handler, box("ilst", *items)))


def _table(name: str, rows: Sequence[int] | Sequence[tuple[int, ...]], kind: str = ">u4") -> bytes:
    return _full(name, 0, 0, struct.pack(">I", len(rows)), _numbers(rows, kind))


def _numbers(rows: ArrayLike, kind: str = ">u4") -> bytes:
    return np.asarray(rows).astype(kind).tobytes()


def _wide(length: int) -> tuple[int, str]:
    """The version of a box that holds a length, and the type of its times: 64 bits only where 32 are too few."""
    return (1, "Q") if length > _U32_MAX else (0, "I")
