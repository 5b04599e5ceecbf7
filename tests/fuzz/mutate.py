"""Seeded damage: to bytes anywhere, to the fields of a flatbuffer, to zips, to JSON."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from random import Random

from models.bundle import DETECTOR_MEMBER, LANDMARKS_MEMBER

_WIDEST_RUN = 64


def mutate_bytes(content: bytes, random: Random, hot: tuple[range, ...] = ()) -> bytes:
    """One to four damages; four of five in one of the `hot` ranges, where there are any."""
    data = bytearray(content)
    for _ in range(random.randint(1, 4)):
        if not data:
            break
        start = random.randrange(len(data))
        if hot and random.random() < 0.8:
            place = random.choice(hot)
            start = min(random.randrange(place.start, place.stop), len(data) - 1)
        length = random.randint(1, _WIDEST_RUN)
        match random.choice(
            ("bit", "bit", "byte", "byte", "run", "number", "number", "cut", "insert", "repeat", "drop")
        ):
            case "bit":
                data[start] ^= 1 << random.randrange(8)
            case "byte":
                data[start] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case "run":
                filling = random.choice((b"\0", b"\xff", None))
                data[start : start + length] = filling * length if filling else random.randbytes(length)
            case "number":
                order, size = random.choice("<>"), random.choice("HIQ")
                number = struct.pack(order + size, interesting(random, 8 * struct.calcsize("=" + size)))
                data[start : start + len(number)] = number
            case "cut":
                del data[start:]
            case "insert":
                data[start:start] = random.randbytes(length)
            case "repeat":
                length = random.choice((length, 16 * length))
                data[start:start] = data[start : start + length]
            case "drop":
                del data[start : start + length]
    return bytes(data)


def interesting(random: Random, bits: int, old: int = 0) -> int:
    """A number at which code goes wrong, as an unsigned one of so many bits."""
    most = (1 << bits) - 1
    number = random.choice(
        (
            *(0, 1, 2, 3, 4, 5, 7, 8, 16, 64, 255, 256, 1000, 65535),
            *(most, most - 1, most >> 1, (most >> 1) + 1, most >> 4),
            *(old + 1, old - 1, old + 4, old - 4, old * 2, old // 2, old ^ most, -old),
            1 << random.randrange(bits),
            random.getrandbits(bits),
        )
    )
    return number & most


def mutate_fields(content: bytes, fields: list[tuple[int, int]], random: Random) -> bytes:
    """One to three fields, each given as its (offset, size in bytes), get another value."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        offset, size = random.choice(fields)
        old = int.from_bytes(data[offset : offset + size], "little")
        if random.random() < 0.3:
            other, width = random.choice(fields)
            new = int.from_bytes(data[other : other + width], "little") & ((1 << 8 * size) - 1)
        else:
            new = interesting(random, 8 * size, old)
        data[offset : offset + size] = new.to_bytes(size, "little")
    return bytes(data)


def packed(members: dict[str, bytes], random: Random | None = None) -> bytes:
    """A sound zip; now and then a deflated one."""
    method = zipfile.ZIP_DEFLATED if random and random.random() < 0.02 else zipfile.ZIP_STORED
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def hostile_zip(detector: bytes, landmarks: bytes, random: Random) -> bytes:
    """A zip that is no bundle, or claims to be what it is not."""
    members = {DETECTOR_MEMBER: detector, LANDMARKS_MEMBER: landmarks}
    match random.randrange(9):
        case 0:
            return bomb(random.choice((1, 50, 500)) * 2**20, random.choice((None, 10, 10_000_000)))
        case 1:
            return packed({random.choice(("a", "a/", "..", "pose_detector", "é" * 100)): detector, **members}, random)
        case 2:
            return packed(dict(zip(members, (landmarks, detector), strict=True)))
        case 3:
            return packed({name: content[: random.randrange(200)] for name, content in members.items()})
        case 4:
            return packed({f"{i}": b"" for i in range(random.choice((100, 30_000)))} | {DETECTOR_MEMBER: detector})
        case 5:
            return with_directory_entry(packed(members), random)
        case 6:
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))) as archive:
                for name in members:
                    archive.writestr(name, bytes(10_000_000))
            return file.getvalue()
        case 7:
            return packed({DETECTOR_MEMBER: packed(members), LANDMARKS_MEMBER: b"TFL3" * 1000})
        case _:
            return packed({name: random.randbytes(random.randrange(3000)) for name in members})


def bomb(size: int, claimed: int | None = None) -> bytes:
    """A zip whose detector unpacks to `size` zeros, whatever size it claims."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = bytes(2**20)
    content = b"".join(compressor.compress(part) for _ in range(size // len(part))) + compressor.flush()
    checksum = zlib.crc32(bytes(min(size, claimed or size)))
    name = DETECTOR_MEMBER.encode()
    sizes = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, checksum, len(content), claimed or size, len(name), 0)
    local = b"PK\3\4" + sizes + name + content
    directory = b"PK\1\2" + struct.pack("<H", 20) + sizes + bytes(2 + 2 + 2 + 4 + 4) + name
    return local + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(local), 0)


def with_directory_entry(content: bytes, random: Random) -> bytes:
    """One number in the zip's directory or at its end is another."""
    data = bytearray(content)
    if random.random() < 0.4:
        start = data.rfind(b"PK\5\6")
        offset, size = random.choice(((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)))
    else:
        start = data.rfind(b"PK\1\2")
        offset, size = random.choice(
            ((4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (42, 4))
        )
    old = int.from_bytes(data[start + offset : start + offset + size], "little")
    data[start + offset : start + offset + size] = interesting(random, 8 * size, old).to_bytes(size, "little")
    return bytes(data)


_NAMES = (
    "camera",
    "recordings",
    "wish",
    "preroll_s",
    "mirror",
    "loop",
    "annotated",
    "clean",
    "keypoints",
    "x",
    "",
    "é",
)
_TEXTS = (
    *("", "camera:0", "camera:id=/dev/v4l/by-id/usb,1280x720,30fps,MJPG", "camera:rtsp://u:p@h/", "rtsp://u:p@h/"),
    *("/home/a", "C:\\a", "csv", "openpose", "\0", "a\nb", "\ud800", "\u202e", "\x1b[2J", "é" * 3000, "x" * 70_000),
)
_NUMBERS = (0, 1, -1, 10, 60, 60.0001, -0.0, 1e308, -1e308, 2**63, 10**400, float("nan"), float("inf"), 5e-324)


def json_value(random: Random, depth: int = 3) -> object:
    kind = random.randrange(9 if depth else 6)
    if kind < 2:
        return random.choice(_TEXTS)
    if kind < 4:
        return random.choice(_NUMBERS)
    if kind < 6:
        return random.choice((True, False, None, [], {}))
    if kind < 7:
        return [json_value(random, depth - 1) for _ in range(random.randrange(4))]
    return {random.choice((*_NAMES, *_TEXTS)): json_value(random, depth - 1) for _ in range(random.randrange(4))}


def mutate_settings(valid: dict[str, object], random: Random) -> bytes:
    """A settings file: some entries of a sound one replaced, added, there twice, or its bytes damaged."""
    values = json.loads(json.dumps(valid))
    for _ in range(random.randrange(4)):
        inner = values["wish"] if random.random() < 0.4 and isinstance(values.get("wish"), dict) else values
        name = random.choice((*inner, *_NAMES))
        if random.random() < 0.2:
            inner.pop(name, None)
        else:
            inner[name] = json_value(random)
    text = json.dumps(values, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 2)))
    if random.random() < 0.15:
        extra = f'"{random.choice(_NAMES)}": {json.dumps(json_value(random))}'
        text = text[:-1].rstrip() + random.choice((", ", ",", "")) + extra + "}"
    if random.random() < 0.05:
        depth = random.choice((50, 500, 5000, 100_000))
        text = text.replace(random.choice(("true", "false", "[", "{")), "[" * depth, 1)
    content = text.encode(random.choice(("utf-8",) * 8 + ("utf-16", "utf-8-sig", "latin-1")), "replace")
    if random.random() < 0.02:
        content += b" " * 1_000_000
    return mutate_bytes(content, random) if random.random() < 0.5 else content
