"""Sources whose pictures are at hand: video files, folders of images, the drawn figure."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.sources.image_folder import ImageFolderSource
from app.sources.pacing import Pacer
from app.sources.synthetic import JOINT_COLOUR, SyntheticSource
from app.sources.video_file import VideoFileSource
from tests.app.servers import picture
from tests.app.source_builders import IRREGULAR_MS, read_all, write_images, write_video

SAMPLE_CLIP = Path(__file__).parents[2] / "assets" / "rendered_person_960x540_30fps.mp4"


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
    assert source.frame_count is None


@pytest.mark.parametrize(("suffix", "options"), [(".ts", {}), (".mp4", {"movflags": "frag_keyframe+empty_moov"})])
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
    source.close()
    assert 10 < len(frames) < 88
    assert np.all(np.diff([frame.time_ns for frame in frames]) > 0)
    assert frames[0].image.shape == (540, 960, 3)


def test_video_colours_are_bgr(tmp_path: Path) -> None:
    source = VideoFileSource(write_video(tmp_path / "red.mp4", (0, 40), colour=(0, 0, 255)))
    source.open()
    blue, green, red = read_all(source)[0].image.mean(axis=(0, 1))
    source.close()
    assert red > 240
    assert blue < 15
    assert green < 15


def test_a_video_from_a_turned_phone_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = picture(30, (48, 64))
        image[:16, :16] = 220  # at the top left as stored
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44
    one = 0x10000
    quarter_turn_clockwise = (0, one, 0, -one, 0, 0, 0, 0, 0x40000000)
    struct.pack_into(">9i", content, matrix, *quarter_turn_clockwise)
    path.write_bytes(content)

    source = VideoFileSource(path)
    source.open()
    upright = read_all(source)[0].image
    source.close()
    assert upright.shape == (64, 48, 3)
    assert upright.flags.c_contiguous
    assert upright[4, -4].mean() > 180  # top left went to top right
    assert upright[4, 4].mean() < 80


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


def test_a_pacer_keeps_its_schedule_and_moves_it_after_a_long_delay() -> None:
    pacer, never = Pacer(), threading.Event()

    def wait_ms(*times_ms: int) -> float:
        started = time.perf_counter()
        for time_ms in times_ms:
            pacer.wait_until_due(time_ms * 1_000_000, never)
        return (time.perf_counter() - started) * 1000

    assert wait_ms(0, 30) >= 30
    time.sleep(0.2)
    assert wait_ms(60, 100) >= 40  # 60 is long overdue and goes at once, 100 keeps its distance


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
    assert [frame.time_ns for frame in frames] == [0, 100_000_000, 200_000_000, 300_000_000]
    assert source.frame_count == 4


def test_the_drawn_figure_is_where_its_true_points_say() -> None:
    source = SyntheticSource(width=640, height=480, frames=40)
    source.open()
    frames = read_all(source)
    source.close()
    wrists = []
    for frame in frames[::13]:
        points = source.true_points(frame.time_ns / 1e9)
        assert points.shape == (17, 2)
        for x, y in np.rint(points).astype(int):
            assert tuple(frame.image[y, x]) == JOINT_COLOUR
        x, y = np.rint(points[9]).astype(int)
        near = frame.image[y - 8 : y + 9, x - 8 : x + 9].astype(float)
        green = near[..., 1] - near[..., 2]
        green[green < 100] = 0
        rows, columns = np.indices(green.shape)
        centre = np.array([(columns * green).sum(), (rows * green).sum()]) / green.sum() + (x - 8, y - 8)
        assert np.abs(centre - points[9]).max() < 0.35
        wrists.append(points[9])
    assert np.abs(np.diff(wrists, axis=0)).max() > 20  # it moves
    assert points[5, 0] > points[6, 0]  # it faces the camera: its left is on the right


def test_sensor_noise_is_gaussian_and_repeats_with_its_seed() -> None:
    def first_image(**settings: float) -> np.ndarray:
        source = SyntheticSource(width=200, height=150, frames=1, **settings)
        source.open()
        (frame,) = read_all(source)
        source.close()
        return frame.image.astype(float)

    clean, noisy = first_image(), first_image(noise=3.0, seed=1)
    noise = (noisy - clean)[:20]  # background only, far from black and white
    assert abs(noise.mean()) < 0.2
    assert noise.std() == pytest.approx(3.0, rel=0.05)
    assert np.array_equal(noisy, first_image(noise=3.0, seed=1))
    assert not np.array_equal(noisy, first_image(noise=3.0, seed=2))
