"""The synthetic sources: a drawn figure and a rendered person, with joints that lie where they say."""

from __future__ import annotations

import json
import time
from contextlib import closing

import cv2
import numpy as np
import pytest

from app.bundled import ASSETS, SAMPLE_CLIP
from app.errors import SourceError
from app.frames import Frame
from app.sources import make_source
from app.sources.options import SyntheticOptions, parse_synthetic
from app.sources.rendered_person import RenderedPersonSource
from app.sources.synthetic import JOINT_COLOUR, SyntheticSource, TrueJointsSource
from app.sources.video_file import VideoFileSource
from tests.app.source_builders import read_all

KINDS = (SyntheticSource, RenderedPersonSource)


def frames_of(source: TrueJointsSource, at_most: int = 10_000) -> list[Frame]:
    with closing(source):
        source.open()
        return read_all(source, at_most)


def clip_picture(number: int) -> np.ndarray:
    """Of the shipped clip."""
    with closing(VideoFileSource(SAMPLE_CLIP)) as clip:
        clip.open()
        clip.seek(round(number * 1e9 / 30))
        return read_all(clip, at_most=1)[0].image


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_joints_of_a_synthetic_source_have_names(kind: type[TrueJointsSource]) -> None:
    source = kind()
    names = source.joint_names
    assert list(names) == json.loads((ASSETS / "rendered_person_truth.json").read_text("utf-8"))["names"]
    points = dict(zip(names, source.true_points(0.0), strict=True))
    assert points["nose"][1] < points["left_hip"][1] < points["left_knee"][1] < points["left_ankle"][1]
    assert points["left_shoulder"][0] > points["right_shoulder"][0]  # both face the camera


@pytest.mark.parametrize(
    ("size", "bars"),
    [((960, 540), 0), pytest.param((1440, 810), 0, marks=pytest.mark.thorough), ((640, 640), 280), ((500, 200), 144)],
)
def test_the_rendered_person_and_the_true_joints_are_scaled_together(size: tuple[int, int], bars: int) -> None:
    source = RenderedPersonSource(width=size[0], height=size[1], frames=13)
    shown = frames_of(source)[12]
    clip = clip_picture(12)
    in_clip = np.array(json.loads((ASSETS / "rendered_person_truth.json").read_text("utf-8"))["frames"][12]["kp"]) - 0.5
    points = source.true_points((shown.position_ns or 0) / 1e9)
    # The way from the clip to the picture, from the joints alone: a scale and a shift for each axis.
    (scale_x, shift_x), (scale_y, shift_y) = (np.polyfit(in_clip[:, axis], points[:, axis], 1) for axis in (0, 1))
    assert scale_x == pytest.approx(scale_y, rel=0.01)
    way = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]])
    expected = cv2.warpAffine(clip, way, size, flags=cv2.INTER_LINEAR)
    inside = (
        (slice(None), slice(bars // 2 + 2, -bars // 2 - 2))
        if size[0] > 2 * size[1]
        else (slice(bars // 2 + 2, -bars // 2 - 2), slice(None))
    )
    difference = np.abs(cv2.blur(expected, (3, 3)).astype(int) - cv2.blur(shown.image, (3, 3)))[inside]
    assert shown.image.shape == (size[1], size[0], 3)
    assert difference.mean() < 1.5  # 3 and more where the picture lies one pixel beside
    assert (
        int((shown.image.max(axis=2) == 0).all(axis=1).sum() + (shown.image.max(axis=2) == 0).all(axis=0).sum()) == bars
    )


@pytest.mark.thorough
def test_the_rendered_person_comes_at_any_rate_and_starts_anew_without_end() -> None:
    source = RenderedPersonSource(fps=12.5)
    with closing(source):
        source.open()
        frames = read_all(source, at_most=2)
        source.seek(9_600_000_000)
        frames += read_all(source, at_most=8)
    positions = [0, 80, *range(9_600, 10_161, 80)]
    assert [frame.position_ns for frame in frames] == [1_000_000 * position for position in positions]
    # The clip's 300 frames of 1/30 s: the nearest of them, and frame 300 is frame 0.
    nearest = [round(0.03 * position) % 300 for position in positions]
    assert nearest == [0, 2, 288, 290, 293, 295, 298, 0, 2, 5]
    for place in (0, 1, 2, 6, 7, 9):
        assert np.array_equal(frames[place].image, clip_picture(nearest[place]))
    assert [place for place, frame in enumerate(frames) if not frame.continues] == [2, 7]
    np.testing.assert_array_equal(source.true_points(10.0), source.true_points(0.0))
    assert np.abs(source.true_points(6.0) - source.true_points(0.0)).max() > 20  # it moves


@pytest.mark.parametrize("kind", KINDS)
def test_a_synthetic_source_without_pace_can_be_wound(kind: type[TrueJointsSource]) -> None:
    plain = frames_of(kind(width=96, height=54, noise=3.0, frames=40))
    with closing(kind(width=96, height=54, noise=3.0, frames=40)) as source:
        source.open()
        assert source.duration_ns == round(40e9 / 30)
        for number, before, right in ((30, False, 30), (7, True, 6), (0, True, 0), (999, False, 39), (39, True, 38)):
            source.seek(round(number * 1e9 / 30), before=before)
            frame = source.read()
            assert frame is not None
            assert frame.position_ns == plain[right].position_ns
            assert np.array_equal(frame.image, plain[right].image)
    assert not kind(realtime=True).seekable


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_synthetic_source_hands_its_frames_over_late_but_at_the_full_rate(kind: type[TrueJointsSource]) -> None:
    source = kind(width=64, height=36, fps=50, delay_ms=80, realtime=True)
    with closing(source):
        source.open()
        started_ns = time.perf_counter_ns()
        handed_over = [(frame, time.perf_counter_ns()) for frame in read_all(source, at_most=25)]
    captured_ns = np.array([frame.captured_ns for frame, _ in handed_over])
    assert min(now_ns - frame.captured_ns for frame, now_ns in handed_over) >= 80_000_000
    assert captured_ns[0] >= started_ns
    assert np.all(np.diff(captured_ns) > 0)
    assert np.median(np.diff(captured_ns)) < 95_000_000  # 100 ms and more if each frame waited for the one before it
    # On a busy machine some are left out.
    times = np.array([frame.time_ns for frame, _ in handed_over])
    assert times[0] == 0
    assert np.all(times % 20_000_000 == 0)
    assert np.all(np.diff(times) > 0)
    assert {frame.position_ns for frame, _ in handed_over} == {None}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_a_live_synthetic_source_is_back_at_its_rate_after_a_reader_was_late(kind: type[TrueJointsSource]) -> None:
    source = kind(width=64, height=36, fps=50, realtime=True)
    with closing(source):
        source.open()
        assert source.read() is not None
        time.sleep(0.6)
        times = np.array([frame.time_ns for frame in read_all(source, at_most=25)])
    assert source.replaced >= 25
    # 60 ms and more when each frame waited for a schedule that had moved and the next was drawn by one that had not.
    assert np.median(np.diff(times)) <= 40_000_000  # 20 ms, and a frame left out now and then on a busy machine


def test_without_pace_there_is_no_delay() -> None:
    before_ns = time.perf_counter_ns()
    (frame,) = frames_of(SyntheticSource(width=32, height=32, frames=1, delay_ms=60_000))
    assert frame.captured_ns >= before_ns


def test_the_options_of_synthetic_sources() -> None:
    assert parse_synthetic("") == parse_synthetic(":figure") == SyntheticOptions()
    everything = SyntheticOptions("person", 1280, 720, 59.94, 4.5, 30.0, 300, 1)
    assert parse_synthetic(":person,1280x720,59.94fps,noise=4.5,delay=30,frames=300,seed=1") == everything
    assert parse_synthetic(":person,seed=1,frames=300, delay=30,noise=4.5,59.94fps,1280×720") == everything
    assert (
        parse_synthetic(":64x48,noise=2")
        == parse_synthetic(",64x48,noise=2")
        == SyntheticOptions("figure", 64, 48, noise=2)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":persn", r"^Unknown synthetic source “persn”\. Did you mean “person”\? Known: figure, person\.$"),
        (":person,nois=4", r"^Unknown option .* “nois”\. Did you mean “noise”\? Known: noise, .*\.$"),
        (":person,60fp", r"^Unknown option .* “60fp”\. Did you mean “60fps”\? .*\.$"),
        (":noise=3,person", r"^Unknown option .* “person”\. .*\.$"),
        (":noise=", r"^The noise in grey levels is a number from 0 to 255, not “”\.$"),
        (":noise=nan", r"^The noise .*, not “nan”\.$"),
        (":noise=-1", r"^The noise .*, not “-1”\.$"),
        (":delay=1e99", r"^The delay in milliseconds .*\.$"),
        (":frames=2.5", r"^The number of frames .*\.$"),
        (":frames=0", r"^The number of frames .*\.$"),
        (":9x9", r"^The width .*\.$"),
        (":99999x99", r"^The width .*\.$"),
        (":0fps", r"^The rate .*\.$"),
        (":1.2.3fps", r"^The rate .*\.$"),
        (":", r"^Unknown .*\.$"),
    ],
)
def test_wrong_options_are_explained_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        make_source("synthetic" + text)


def test_make_source_hands_the_options_on() -> None:
    source = make_source("synthetic:person,320x240,25fps,frames=3,noise=2,seed=5", loop=True)
    assert isinstance(source, RenderedPersonSource)
    (a, b, c, again) = frames_of(source, at_most=4)
    assert a.image.shape == (240, 320, 3)
    assert [frame.time_ns for frame in (a, b, c, again)] == [0, 40_000_000, 80_000_000, 120_000_000]
    assert not again.continues
    assert np.array_equal(a.image, again.image)
    assert not np.array_equal(a.image, b.image)
    live = make_source("synthetic:figure,64x48,200fps,frames=3", loop=True, realtime=True)
    assert isinstance(live, SyntheticSource)
    assert live.live
    assert len(frames_of(live)) == 3  # what is live does not start again


@pytest.mark.thorough
def test_a_live_synthetic_source_that_is_too_slow_leaves_pictures_out_and_keeps_the_time() -> None:
    source = SyntheticSource(width=64, height=48, fps=200, realtime=True)
    source.open()
    frames = []
    for _ in range(12):
        frame = source.read()
        assert frame is not None
        frames.append(frame)
        time.sleep(0.08)  # a reader, or a drawing, that takes 16 pictures long
    source.close()
    host = np.array([frame.captured_ns for frame in frames[1:]])
    own = np.array([frame.time_ns for frame in frames[1:]])
    assert np.abs((own - own[0]) - (host - host[0])).max() < 60e6
    assert source.replaced > 100
