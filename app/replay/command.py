"""`posescope replay`: follow, measure, write."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.bundled import ASSETS, DETECTOR, SAMPLE_CLIP, check_model, model_file, model_label
from app.comparison.variants import Variant, parse_variants, readable_variants
from app.errors import OutputError, UserError
from app.frames import Frame
from app.output_file import check_outputs
from app.replay.filters import Filter, parse_filters
from app.replay.following import follow
from app.replay.grid import MOST_PANES, layout
from app.replay.grid_video import GridVideo
from app.replay.measures import Findings, measure
from app.replay.pictures import close_ups
from app.replay.stillness import parse_still, stillness
from app.replay.tables import results_csv, results_json, results_text
from app.replay.tracks import Seen, Tracks
from app.replay.truth import Truth, read_truth
from app.sources import Source, make_source
from app.sources.image_folder import ImageFolderSource
from app.sources.video_file import VideoFileSource
from models.engines.choice import check_names
from models.estimator import PoseEstimator
from models.head_file import OWN, read_head

SAMPLE = "sample"
REPORT, RESULTS, TABLE = "report.html", "results.json", "results.csv"
FILES = (REPORT, RESULTS, TABLE)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the user asked for, checked."""

    source: Source
    variants: tuple[Variant, ...]
    filters: tuple[Filter, ...]
    still: range | None
    truth: Truth | None
    truth_name: str


def run_replay(options: argparse.Namespace) -> int:
    """Follow the person through a clip, print a table, and write FILES and the video. Returns the exit code 0.

    options: clip (str; `sample` is the shipped clip with its truth), truth (Path or None), decoders, beta (str, numbers
    with commas), filters, model, device, engine (str), head (Path or None), still (str or None), max_frames (int or
    None), video (Path or None), output (Path), overwrite (bool).
    Raises UserError for bad input, OutputError where a file exists or cannot be written.
    """
    wish = _checked(options)
    path, sha256 = model_file(options.model)
    heads = [read_head(options.head)] if options.head else []
    estimator = PoseEstimator.load(path, options.device, sha256, options.engine, DETECTOR, heads)
    estimator.head_choice = heads[0].label if heads else OWN
    if estimator.warning:
        print(f"posescope: {estimator.warning}", file=sys.stderr)
    if wish.truth is not None and wish.truth.left_out:
        print(f"posescope: {_left_out(wish.truth)}", file=sys.stderr)
    work = _Work(wish, estimator, options)
    tracks = work.follow()
    found = measure(tracks, wish.filters, stillness(tracks, wish.still, work.truth), work.truth)
    print(results_text(found))
    _write(options.output, _contents(found, wish, work, options), overwrite=options.overwrite)
    if options.video is not None:
        print(options.video)
    return 0


def _checked(options: argparse.Namespace) -> _Wish:
    """Before the work, so that it is not in vain."""
    variants = parse_variants(options.decoders, _betas(options.beta))
    variants = readable_variants(variants, options.decoders, options.model)
    filters = parse_filters(options.filters)
    still = parse_still(options.still)
    if options.max_frames is not None and options.max_frames < 1:
        raise UserError("--max-frames must be at least 1.")
    if options.video is not None and len(variants) > MOST_PANES:
        layout(len(variants), 1, 1)
    check_model(options.model)
    check_names(options.device, options.engine, needs_heatmaps=True)
    source, truth_path = _source(options.clip), options.truth
    if options.clip == SAMPLE and truth_path is None:
        truth_path = ASSETS / "rendered_person_truth.json"
    outputs = [*(options.output / name for name in FILES), *([options.video] if options.video is not None else [])]
    check_outputs(outputs, "" if options.clip == SAMPLE else options.clip, overwrite=options.overwrite)
    truth = read_truth(truth_path) if truth_path is not None else None
    return _Wish(source, variants, filters, still, truth, truth_path.name if truth_path else "")


def _source(clip: str) -> Source:
    """Raises UserError for what has no end, and for what does not exist."""
    source = make_source(str(SAMPLE_CLIP) if clip == SAMPLE else clip)
    if not isinstance(source, VideoFileSource | ImageFolderSource):
        raise UserError(f"A replay reads a video file, a folder of images or “{SAMPLE}”, not {source.name}.")
    return source


def _betas(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--beta takes numbers with commas between them, for example 1,10, not “{text}”.") from None


class _Work:
    """The one pass through the clip."""

    def __init__(self, wish: _Wish, estimator: PoseEstimator, options: argparse.Namespace) -> None:
        self._wish = wish
        self._estimator = estimator
        self._options = options
        self._video: GridVideo | None = None
        self.truth = wish.truth
        self.device = estimator.device_label
        self.last: tuple[Frame, Seen] | None = None

    def follow(self) -> Tracks:
        """Raises UserError also where the truth belongs to another clip."""
        # tqdm would start a thread that looks for bars that stand still.
        tqdm.monitor_interval = 0
        try:
            with tqdm(unit=" frames", disable=not sys.stderr.isatty(), leave=False) as bar:
                self._bar = bar
                most = self._options.max_frames
                tracks = follow(self._wish.source, self._estimator, self._wish.variants, most, self._add)
            self._check_truth(tracks)
            if self._video is not None:
                self._video.close()
        except BaseException:
            if self._video is not None:
                self._video.discard()
            raise
        return tracks

    def _add(self, frame: Frame, seen: Seen) -> None:
        if frame.index == 0:
            self._begin(frame)
        if seen.person is not None:
            self.last = frame, seen
        if self._video is not None:
            self._video.add(frame, seen)
        self._bar.update()

    def _begin(self, frame: Frame) -> None:
        source, most = self._wish.source, self._options.max_frames
        expected = [count for count in (source.frame_count, most) if count is not None]
        self._bar.total = min(expected, default=None)
        if self.truth is not None:
            height, width = frame.image.shape[:2]
            self.truth.check_size(width, height)
        if self._options.video is not None:
            self._video = GridVideo(
                self._options.video, self._wish.variants, source.fps, overwrite=self._options.overwrite
            )

    def _check_truth(self, tracks: Tracks) -> None:
        if self.truth is not None:
            self.truth.check_length(len(tracks), most=len(tracks) == self._options.max_frames)
            self.truth = self.truth.cut(len(tracks))
            self.truth.check_times(tracks.seconds)


def _contents(found: Findings, wish: _Wish, work: _Work, options: argparse.Namespace) -> dict[str, str]:
    # Here, and not at the top: a mistake in the command line is told sooner.
    from app.replay.report import About, report_html

    network = model_label(options.model) + (f", head {options.head.stem}" if options.head else "")
    source = "the shipped clip" if options.clip == SAMPLE else wish.source.name
    notes = [_left_out(wish.truth)] if wish.truth is not None and wish.truth.left_out else []
    about = About(source, network, work.device, _truth_text(wish, found), tuple(notes))
    told: dict[str, Any] = {
        "source": source,
        "network": network,
        "device": work.device,
        "truth": wish.truth_name or None,
        "truth_joints_left_out": list(wish.truth.left_out) if wish.truth else [],
        "decoders": options.decoders,
        "beta": options.beta,
        "max_frames": options.max_frames,
    }
    return {
        REPORT: report_html(found, about, _pictures(work.last)),
        RESULTS: results_json(found, told),
        TABLE: results_csv(found),
    }


def _pictures(last: tuple[Frame, Seen] | None) -> list[bytes]:
    if last is None or last[1].person is None or last[1].points is None:
        return []
    return close_ups(last[0].image, last[1].person, last[1].points)


def _truth_text(wish: _Wish, found: Findings) -> str:
    if found.truth is None:
        return ""
    joints = int(found.truth.seen.any(0).sum())
    return f"{wish.truth_name}: {joints} joints in {len(found.truth)} frames"


def _left_out(truth: Truth) -> str:
    return f"The network does not know these joints of the truth, they are left out: {', '.join(truth.left_out)}."


def _write(folder: Path, contents: dict[str, str], *, overwrite: bool) -> None:
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            path = folder / name
            with open(path, "w" if overwrite else "x", encoding="utf-8", newline="") as file:
                file.write(text)
            print(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
