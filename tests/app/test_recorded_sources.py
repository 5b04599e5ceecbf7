"""Sources whose pictures are at hand: video files of every kind, damaged ones too, and folders of images."""

from __future__ import annotations

import struct
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from app.bundled import SAMPLE_CLIP
from app.errors import SourceError
from app.frames import Frame
from app.sources.image_folder import ImageFolderSource
from app.sources.pacing import Pacer
from app.sources.video_file import VideoFileSource
from tests.app.servers import picture
from tests.app.source_builders import (
    IRREGULAR_MS,
    grainy_pictures,
    read_all,
    write_images,
    write_movie,
    write_video,
)

MS = 1_000_000


def shown(path: Path) -> list[Frame]:
    """What a video file shows, read once."""
    source = VideoFileSource(path)
    try:
        source.open()
        return read_all(source)
    finally:
        source.close()


def shown_pictures(path: Path) -> list[np.ndarray]:
    return [frame.image for frame in shown(path)]


def smooth_picture(size: tuple[int, int]) -> np.ndarray:
    """BGR, bright at the right and blue at the bottom: what every codec keeps nearly."""
    height, width = size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = np.linspace(40, 200, width)[:, None]
    image[..., 0] = np.linspace(60, 180, height)[:, None]
    return image


def test_video_times_are_the_presentation_time_stamps(tmp_path: Path) -> None:
    source = VideoFileSource(write_video(tmp_path / "clip.mkv", [500 + stamp for stamp in IRREGULAR_MS]))
    source.open()
    frames = read_all(source)
    source.close()
    assert [frame.time_ns for frame in frames] == [stamp * 1_000_000 for stamp in IRREGULAR_MS]
    levels = [int(frame.image.mean()) for frame in frames]
    assert np.all(np.abs(np.diff(levels) - 5) <= 2)  # in order, none twice


def test_video_times_rise_across_loops_and_the_last_frame_keeps_its_duration(tmp_path: Path) -> None:
    source = VideoFileSource(write_video(tmp_path / "clip.mp4", (0, 40, 100, 160)), loop=True)
    source.open()
    times_ms = [frame.time_ns / 1e6 for frame in read_all(source, at_most=8)]
    source.close()
    step = times_ms[4] - times_ms[3]
    assert 10 <= step <= 70
    second_pass_ms = [160 + step + stamp for stamp in (0, 40, 100, 160)]
    assert times_ms == pytest.approx([0, 40, 100, 160, *second_pass_ms], abs=0.001)
    assert source.frame_count == 4


LOSSLESS: dict[str, dict[str, Any]] = {
    "ffv1.mkv": {"codec": "ffv1", "pixels": "bgr0"},
    "raw.avi": {"codec": "rawvideo", "pixels": "bgr24"},
    "png.mov": {"codec": "png", "pixels": "rgb24"},
    "with_alpha.mov": {"codec": "png", "pixels": "rgba"},
    "with_alpha.mkv": {"codec": "ffv1", "pixels": "bgra"},
    "sixteen_bits.mkv": {"codec": "ffv1", "pixels": "gbrp16le"},
    "with sound и звук.mkv": {"codec": "ffv1", "pixels": "bgr0", "sound": True},
}


@pytest.mark.parametrize("size", [(48, 64), (47, 65)])
@pytest.mark.parametrize("name", LOSSLESS)
def test_pictures_of_any_pixel_format_and_size_are_shown_as_they_are(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    pictures = grainy_pictures(6, size)
    assert np.array_equal(shown_pictures(write_movie(tmp_path / name, pictures, **LOSSLESS[name])), pictures)


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "gray16le", "ya8"])
def test_grey_video_keeps_its_levels(pixels: str, tmp_path: Path) -> None:
    codec, name = ("png", "g.mov") if pixels == "ya8" else ("ffv1", "g.mkv")
    path = write_movie(tmp_path / name, [picture(g) for g in (0, 60, 100, 255)], codec=codec, pixels=pixels)
    for image, level in zip(shown_pictures(path), (0, 60, 100, 255), strict=True):
        assert np.abs(image.astype(int) - level).max() <= 1


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size"),
    [
        ("odd.avi", "mjpeg", "yuvj420p", (47, 65)),
        ("ten_bits.mp4", "libx264", "yuv420p10le", (48, 64)),
        ("ten_bits.mkv", "libx265", "yuv422p10le", (48, 64)),
        ("odd.webm", "libvpx", "yuv420p", (47, 65)),
        ("with_alpha.webm", "libvpx-vp9", "yuva420p", (48, 64)),
        ("odd.mov", "prores_ks", "yuv422p10le", (47, 65)),
    ],
)
def test_a_lossy_video_looks_like_what_was_recorded(
    name: str, codec: str, pixels: str, size: tuple[int, int], tmp_path: Path
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    recorded = smooth_picture(size)
    images = shown_pictures(write_movie(tmp_path / name, [recorded] * 4, codec=codec, pixels=pixels, options=options))
    assert len(images) == 4
    for image in images:
        assert image.shape == (*size, 3)
        assert np.abs(image[1:-1, 1:-1].astype(int) - recorded[1:-1, 1:-1]).mean() < 4


def test_a_video_of_one_picture_and_one_without_stamps(tmp_path: Path) -> None:
    (only,) = shown(write_movie(tmp_path / "one.mp4", grainy_pictures(1)))
    assert (only.time_ns, only.position_ns) == (0, 0)
    (still,) = shown(write_images(tmp_path / "images", ["one.png"]) / "one.png")
    assert still.image.mean() == 50
    frames = shown(write_movie(tmp_path / "raw.h264", grainy_pictures(9), options={"bf": "2"}))
    assert [frame.time_ns / 1e9 for frame in frames] == pytest.approx([k / 30 for k in range(9)], abs=1e-6)


def test_avi_with_reordered_pictures_has_even_times(tmp_path: Path) -> None:
    frames = shown(write_movie(tmp_path / "b.avi", grainy_pictures(20), options={"bf": "2", "b-adapt": "0"}))
    assert [frame.time_ns / 1e9 for frame in frames] == pytest.approx([k / 30 for k in range(20)], abs=1e-6)


def test_what_an_edit_list_cuts_off_is_not_shown(tmp_path: Path) -> None:
    stamps = [-200, -160, -100, -50, 0, 40, 80, 200]
    pictures = [picture(20 + 20 * number) for number in range(8)]
    frames = shown(write_movie(tmp_path / "cut.mp4", pictures, stamps=stamps, time_base=Fraction(1, 1000)))
    assert [frame.time_ns / MS for frame in frames] == pytest.approx([0, 40, 80, 200], abs=0.1)
    assert [round(float(frame.image.mean()), -1) for frame in frames] == [100, 120, 140, 160]


def test_animated_gif_keeps_its_irregular_times_and_its_transparent_parts(tmp_path: Path) -> None:
    stamps = (0, 7, 20, 90)
    pictures = [picture(90) for _ in stamps]
    for number, image in enumerate(pictures):
        image[:, 20 * number : 20 * number + 20] = 255
    path = write_movie(
        tmp_path / "a.gif", pictures, codec="gif", pixels="gray", stamps=stamps, time_base=Fraction(1, 100)
    )
    frames = shown(path)
    assert [frame.time_ns // MS for frame in frames] == [10 * stamp for stamp in stamps]
    assert np.array_equal([frame.image for frame in frames], pictures)


def test_a_video_may_change_its_size_in_mid_stream(tmp_path: Path) -> None:
    path = tmp_path / "sizes.mjpeg"
    path.write_bytes(joined_jpegs((48, 64), (48, 64), (30, 40), (97, 131)))
    frames = shown(path)
    assert [frame.image.shape[:2] for frame in frames] == [(48, 64), (48, 64), (30, 40), (97, 131)]
    assert [frame.continues for frame in frames] == [True, True, False, False]


def joined_jpegs(*sizes: tuple[int, int]) -> bytes:
    return b"".join(cv2.imencode(".jpg", smooth_picture(size))[1].tobytes() for size in sizes)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".ts", {}),
        (".mkv", {}),
        (".mp4", {"movflags": "frag_keyframe+empty_moov"}),
        (".mp4", {"movflags": "faststart"}),
    ],
)
def test_a_video_without_its_end_delivers_what_is_there(suffix: str, options: dict[str, str], tmp_path: Path) -> None:
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    with av.open(SAMPLE_CLIP) as sample, av.open(whole, "w", options=options) as copy:
        stream = copy.add_stream_from_template(sample.streams.video[0])
        for packet in sample.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < 3:
                packet.stream = stream
                copy.mux(packet)
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) * 6 // 10])

    source = VideoFileSource(cut)
    source.open()
    frames = read_all(source)
    assert 10 < len(frames) < 88
    assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)
    assert frames[0].image.shape == (540, 960, 3)
    # Known by now, whatever the file says.
    assert source.duration_ns == pytest.approx(frames[-1].time_ns + 1e9 / 30, abs=2 * MS)
    source.seek(3_000_000_000)
    last = source.read()
    source.close()
    assert last is not None
    assert last.position_ns == frames[-1].position_ns
    assert np.array_equal(last.image, frames[-1].image)


def write_with_garbage(path: Path, garbage_packets: int) -> Path:
    """Three pictures, so many packets of nonsense, and three pictures more."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        jpeg = joined_jpegs((48, 64))
        for number in range(garbage_packets + 6):
            packet = av.Packet(jpeg if number < 3 or number >= garbage_packets + 3 else b"no picture at all")
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            container.mux(packet)
    return path


def test_damaged_packets_are_left_out_but_not_thousands_of_them(tmp_path: Path) -> None:
    frames = shown(write_with_garbage(tmp_path / "some.mkv", 300))
    assert [round(frame.time_ns * 30 / 1e9) for frame in frames] == [0, 1, 2, 303, 304, 305]
    assert len(shown(write_with_garbage(tmp_path / "many.mkv", 2000))) == 3


@pytest.mark.thorough
def test_pictures_beyond_all_measure_are_refused(tmp_path: Path) -> None:
    huge = bytearray(joined_jpegs((48, 64)))
    frame_header = huge.index(b"\xff\xc0")
    struct.pack_into(">HH", huge, frame_header + 5, 60_000, 60_000)
    (tmp_path / "all.jpg").write_bytes(huge)
    with pytest.raises(SourceError, match=r"^The .*all\.jpg.*\.$"):
        shown(tmp_path / "all.jpg")
    (tmp_path / "large.y4m").write_bytes(b"YUV4MPEG2 W9000 H9000 F30:1 C420\nFRAME\n" + bytes(10_000))
    with pytest.raises(SourceError, match=r"“large\.y4m” are too large: 9000 × 9000 pixels, 64 million at most\.$"):
        shown(tmp_path / "large.y4m")
    one, large = joined_jpegs((48, 64)), joined_jpegs((8_100, 8_100))
    (tmp_path / "one.mjpeg").write_bytes(one + bytes(huge) + large + one)
    assert [image.shape for image in shown_pictures(tmp_path / "one.mjpeg")] == [(48, 64, 3)] * 2


def test_damaged_titles_and_stamps_do_no_harm(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.mkv", grainy_pictures(5), codec="ffv1", pixels="bgr0")
    with av.open(path) as clip, av.open(tmp_path / "titled.mkv", "w") as copy:
        copy.metadata["title"] = "THE TITLE"
        stream = copy.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                packet.pts = packet.dts = packet.pts if packet.pts < 100 else packet.pts + 2**52  # 142,000 years
                copy.mux(packet)
    content = (tmp_path / "titled.mkv").read_bytes()
    (tmp_path / "titled.mkv").write_bytes(content.replace(b"THE TITLE", b"\xff\xfe TITLE"))
    frames = shown(tmp_path / "titled.mkv")
    assert len(frames) == 5
    assert frames[-1].time_ns < 10**9


# Shares of red and blue in luma.
MATRICES = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
# FFmpeg's numbers of the marks.
MARKS = {"bt709": 1, "bt601": 6, "bt2020": 9, "unmarked": 2}
LIMITED, FULL = 1, 2


def plain_yuv(bgr: tuple[int, int, int], matrix: str, *, full: bool, mark: str, pixels: str) -> av.VideoFrame:
    """A plain picture of that colour, by the definition of Y'CbCr; 8 or 10 bits."""
    of_red, of_blue = MATRICES[matrix]
    blue, green, red = (level / 255 for level in bgr)
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    differences = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    levels = [255 * luma if full else 16 + 219 * luma]
    levels += [128 + (255 if full else 224) * difference for difference in differences]
    frame = av.VideoFrame(64, 48, pixels)
    for plane, level in zip(frame.planes, levels, strict=True):
        deep = "10" in pixels
        samples = np.full(plane.buffer_size // (2 if deep else 1), round(level * (4 if deep else 1)))
        plane.update(samples.astype(np.uint16 if deep else np.uint8).tobytes())
    frame.colorspace, frame.color_range = MARKS[mark], FULL if full else LIMITED
    return frame


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("matrix", "mark"), [("bt601", "bt601"), ("bt709", "bt709"), ("bt2020", "bt2020"), ("bt601", "unmarked")]
)
def test_colours_are_converted_as_the_video_is_marked(
    matrix: str, mark: str, full: bool, pixels: str, tmp_path: Path
) -> None:
    for bgr in ((30, 90, 200), (200, 120, 20), (255, 255, 255), (0, 0, 0)):
        frame = plain_yuv(bgr, matrix, full=full, mark=mark, pixels=pixels)
        (shown,) = shown_pictures(write_movie(tmp_path / "a.mkv", [frame], pixels=pixels, options={"qp": "0"}))
        assert np.abs(shown[20, 30].astype(int) - bgr).max() <= 3
        assert np.ptp(shown, axis=(0, 1)).max() <= 5


@pytest.mark.parametrize(
    ("matrix", "corner"), [((0, 1, -1, 0), (0, -1)), ((-1, 0, 0, -1), (-1, -1)), ((0, -1, 1, 0), (-1, 0))]
)
def test_a_video_from_a_turned_phone_stands_upright(
    matrix: tuple[int, int, int, int], corner: tuple[int, int], tmp_path: Path
) -> None:
    image = picture(30, (48, 64))
    image[:16, :16] = 220  # at the top left as stored
    path = write_movie(tmp_path / "phone.mp4", [image], options={"crf": "10"})
    content = bytearray(path.read_bytes())
    one = 0x10000
    a, b, c, d = matrix
    struct.pack_into(
        ">9i", content, content.index(b"tkhd") + 44, a * one, b * one, 0, c * one, d * one, 0, 0, 0, 0x40000000
    )
    path.write_bytes(content)

    (upright,) = shown_pictures(path)
    assert upright.shape == ((64, 48, 3) if a == 0 else (48, 64, 3))
    assert upright.flags.c_contiguous
    bright = [
        (row, column) for row in (0, -1) for column in (0, -1) if upright[9 * row + 4, 9 * column + 4].mean() > 180
    ]
    assert bright == [corner]


def test_realtime_is_not_faster_than_real_time_even_after_a_pause_of_the_reader(tmp_path: Path) -> None:
    stamps = tuple(range(0, 600, 60))
    source = VideoFileSource(write_video(tmp_path / "clip.mp4", stamps), realtime=True)
    source.open()
    started_ns = time.perf_counter_ns()
    frames = read_all(source, at_most=3)
    time.sleep(0.3)
    frames += read_all(source)
    source.close()
    assert len(frames) == len(stamps)
    captured_ms = np.array([frame.captured_ns - started_ns for frame in frames]) / 1e6
    ahead_ms = np.array(stamps[3:]) - stamps[3] - (captured_ms[3:] - captured_ms[3])
    assert ahead_ms.max() < 100  # 240 if the frames behind the pause raced to catch up
    assert captured_ms[2] >= 120


def test_a_pacer_keeps_its_schedule_and_moves_it_after_a_long_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = 5_000
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now_ms * 1_000_000)
    pacer = Pacer()

    def ms_left(time_ms: int, delay_ms: int = 0) -> float:
        return pacer.seconds_left(time_ms * 1_000_000, delay_ns=delay_ms * 1_000_000) * 1000

    assert ms_left(0) == 0
    assert ms_left(30) == pytest.approx(30)
    now_ms += 70
    assert ms_left(30) == 0  # late, but not so late that the schedule moves
    assert ms_left(100) == pytest.approx(30)
    now_ms += 200
    assert ms_left(100) == 0  # long overdue: it goes at once,
    assert ms_left(140) == pytest.approx(40)  # and the next keeps its distance
    pacer.restart()
    assert ms_left(60_000) == 0
    pacer.restart()
    assert ms_left(0, delay_ms=25) == pytest.approx(25)
    now_ms += 25
    assert ms_left(0, delay_ms=25) == 0
    assert ms_left(10, delay_ms=25) == pytest.approx(10)
    now_ms += 400
    assert ms_left(10, delay_ms=25) == 0
    assert ms_left(50, delay_ms=25) == pytest.approx(40)


def test_images_come_in_natural_order_with_their_own_sizes(tmp_path: Path) -> None:
    folder = write_images(tmp_path, ("img10.png", "img2.JPG".lower(), "Img1.png"))
    cv2.imwrite(str(folder / "img3.png"), np.full((20, 30), 77, np.uint8))  # grey, and smaller
    (folder / "img4.png").write_bytes(b"no image")
    (folder / "notes.txt").write_text("not an image either")
    source = ImageFolderSource(folder, fps=10)
    source.open()
    frames = read_all(source)
    source.close()
    assert [round(float(frame.image.mean())) for frame in frames] == [150, 100, 77, 50]
    assert [frame.image.shape for frame in frames][1:3] == [(96, 128, 3), (20, 30, 3)]
    assert [frame.time_ns for frame in frames] == [0, 100_000_000, 200_000_000, 400_000_000]  # img4.png has its time
    assert source.frame_count == 4
    assert source.duration_ns == 500_000_000
