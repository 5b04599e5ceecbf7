"""`posescope run`: the same pipeline without a window."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.decoder_display import DISPLAY_NAMES, READING_NAMES, three_digits
from app.errors import OutputError, UserError
from app.exporters.openpose_folder import check_folder
from app.frames import PoseResult
from app.ledger import latency_ledger
from app.meters.board import MeterBoard, MeterSnapshot
from app.meters.rolling import JointDistances
from app.output_file import check_outputs
from app.overlay import OverlayStyle
from app.recording_paths import RecordingPaths
from app.session import NetworkChoice, Session, chosen_decoder
from app.smoothing import OneEuroSettings
from app.sources import make_source
from models.engines.choice import NO_HEATMAPS
from models.errors import unknown_name
from models.people import MEDIAPIPE
from models.skeletons import BLAZEPOSE_33


def run(options: argparse.Namespace) -> int:
    """Run a source to its end, to --max-frames or to Ctrl-C. Raises UserError for bad input."""
    if options.max_frames is not None and options.max_frames < 1:
        raise UserError("--max-frames must be at least 1.")
    paths = RecordingPaths(options.output, options.clean, _keypoints(options))
    _check_outputs(paths, options)

    ghosts = _ghosts(options.ghosts, options.engine)
    # Other programs should see a file at its own speed.
    source = make_source(options.source, realtime=options.virtual_camera)
    # tqdm would start a thread that looks for bars that stand still.
    tqdm.monitor_interval = 0
    progress = _Progress(options.max_frames)
    session = Session(
        source,
        NetworkChoice(options.model, options.device, options.engine, tuple(options.head)),
        decoder=chosen_decoder(options.decoder, options.engine, options.model),
        beta=options.beta,
        most_people=1 if options.people is None else options.people,
        wait_for_model=True,
        on_result=progress,
    )
    progress.when_full = session.pipeline.stop
    session.pipeline.smoothing = OneEuroSettings() if options.smooth else None
    if MEDIAPIPE in ghosts:
        session.compare_with_reference(True)
        session.pipeline.reference.wait_until_ready()
    style = OverlayStyle(ghosts=ghosts)
    if options.virtual_camera:
        session.set_virtual_camera(style)
    try:
        if paths.all:
            session.start_recording(paths, style, overwrite=options.overwrite, block=not source.live)
    except OutputError:
        session.set_virtual_camera(None)
        session.compare_with_reference(False)
        raise
    started = time.perf_counter()
    session.start()
    interrupted = _wait(session, progress)
    camera = session.virtual_camera
    summary = session.stop()
    seconds = time.perf_counter() - started
    progress.close()

    if session.warning:
        print(f"posescope: {session.warning}", file=sys.stderr)
    if progress.frames:
        if options.report:
            _write_report(options.report, _report(session, progress, seconds))
        for path in (*(summary.paths if summary else ()), options.report):
            if path is not None:
                print(path)
        print(_closing_line(session, progress, seconds))
    error = session.pipeline.model_error or session.pipeline.source_error
    if error:
        raise error
    if summary is not None and summary.error:
        raise OutputError(summary.error)
    if camera is not None and camera.error:
        raise OutputError(camera.error)
    return 130 if interrupted else 0


def _keypoints(options: argparse.Namespace) -> dict[str, Path]:
    wanted = {"csv": options.keypoints, "jsonl": options.jsonl, "coco": options.coco, "openpose": options.openpose}
    return {kind: path for kind, path in wanted.items() if path is not None}


def _check_outputs(paths: RecordingPaths, options: argparse.Namespace) -> None:
    """Whether all outputs can be made. Raises OutputError."""
    outputs = [path for path in (*paths.all, options.report) if path is not None]
    if options.openpose is not None:
        check_folder(options.openpose, options.source, overwrite=options.overwrite)
        if options.openpose.is_dir():
            outputs.remove(options.openpose)  # the rest is about files
    check_outputs(outputs, options.source, overwrite=options.overwrite)
    for video in (options.output, options.clean):
        if video is not None and video.suffix.lower() != ".mp4" and not video.is_char_device():
            raise OutputError(f"{video} would be an MP4 file: let its name end in .mp4.")


def _ghosts(names: str | None, engine: str) -> frozenset[str]:
    """Decoders, and MediaPipe, named by the user. Raises UserError for an unknown one, and where there can be none."""
    if names is None:
        return frozenset()
    if engine == MEDIAPIPE:
        raise UserError(f"{NO_HEATMAPS} Leave --ghosts out.")
    ghosts: set[str] = set()
    for name in names.split(","):
        if name not in ("all", *READING_NAMES):
            raise UserError(unknown_name("ghost", name, ("all", *READING_NAMES)))
        ghosts.update(DISPLAY_NAMES if name == "all" else (name,))
    return frozenset(ghosts)


class _Progress:
    """Counts and measures results on the inference thread, shows a bar and calls `when_full` at `max_frames`."""

    when_full: Callable[[], None]

    def __init__(self, max_frames: int | None) -> None:
        self.frames = 0
        # The session's own board shows the last seconds, in the annotated picture as in the window.
        self.whole_run = MeterBoard(latency_window_s=math.inf, jitter_window_s=math.inf)
        self.frames_with_person = 0
        self.heads: Mapping[str, str] = {}
        self._max_frames = max_frames
        self._bar = tqdm(unit=" frames", total=max_frames, disable=not sys.stderr.isatty(), leave=False)

    def expect(self, frames: int | None) -> None:
        if frames is not None and self._bar.total != frames:
            self._bar.total = frames if self._max_frames is None else min(frames, self._max_frames)

    def __call__(self, result: PoseResult) -> None:
        self.frames += 1
        self.heads = result.heads
        self.whole_run.add(result)
        self.frames_with_person += bool(result.people)
        self._bar.update()
        if self.frames == self._max_frames:
            # From here, on the inference thread, so that not one frame more is looked at.
            self.when_full()

    def close(self) -> None:
        self._bar.close()


def _wait(session: Session, progress: _Progress) -> bool:
    """Until the pipeline has finished; True where the user pressed Ctrl-C."""
    try:
        while not session.pipeline.finished.wait(0.05):
            progress.expect(session.source.frame_count)
    except KeyboardInterrupt:
        return True
    return False


def _report(session: Session, progress: _Progress, seconds: float) -> dict[str, Any]:
    snapshot = progress.whole_run.read(everybody=True)
    return {
        **latency_ledger(session, snapshot, window_s=math.inf),
        **({"heads": dict(progress.heads)} if progress.heads else {}),
        "frames": progress.frames,
        "frames_with_person": progress.frames_with_person,
        "frames_dropped": session.pipeline.dropped,
        "wall_seconds": round(seconds, 3),
        "jitter": _distances(snapshot.jitter),
        "bias": _distances(snapshot.bias),
        **_people(progress),
        **_smoothing(progress, snapshot),
        **_reference(session, snapshot),
        "speed_px_per_s": {name: _number(value) for name, value in snapshot.motion.speed.overall.items()},
    }


def _people(progress: _Progress) -> dict[str, Any]:
    """Each by their number, where more than one was seen."""
    people = progress.whole_run.read_people()
    if len(people) < 2:
        return {}
    return {
        "people": {
            str(number): {"jitter": _distances(jitter), "bias": _distances(bias)}
            for number, (jitter, bias) in people.items()
        }
    }


def _smoothing(progress: _Progress, snapshot: MeterSnapshot) -> dict[str, Any]:
    if not snapshot.smoothed_jitter.joints:
        return {}
    return {
        "smoothed_jitter": _distances(snapshot.smoothed_jitter),
        # Over the last seconds: how far smoothed points lag depends on how fast they move.
        "smoothing_lag_ms": progress.whole_run.read_lag(),
    }


def _reference(session: Session, snapshot: MeterSnapshot) -> dict[str, Any]:
    reference = session.pipeline.reference
    if not reference.compared:
        return {}
    return {
        "mediapipe": {
            "share_of_body": _number(snapshot.difference),
            "frames_compared": reference.compared,
            "frames_left_out": reference.left_out,
        }
    }


def _distances(distances: JointDistances) -> dict[str, Any]:
    return {
        decoder: {
            "rms_px": _number(distances.overall[decoder]),
            "share_of_body": _number(distances.body_share[decoder]),
            "joints": distances.joints,
            "joints_left_out": distances.left_out,
            "per_joint_px": {
                joint: _number(value)
                for joint, value in zip(BLAZEPOSE_33.joints, distances.per_joint.get(decoder, ()), strict=False)
            },
        }
        for decoder in distances.overall
    }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return round(float(value), 6) if math.isfinite(value) else None


def _write_report(path: Path, report: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write the report {path}: {error.strerror}.") from None


def _closing_line(session: Session, progress: _Progress, seconds: float) -> str:
    snapshot = progress.whole_run.read(everybody=True)
    jitter, bias = (kind.overall.get(session.choice.name, math.nan) for kind in (snapshot.jitter, snapshot.bias))
    head = progress.heads.get(session.choice.name)
    reader = session.choice.name + (f" with the head {head}" if head else "")
    return (
        f"{progress.frames} frames in {seconds:.1f} s, a person in {progress.frames_with_person}; "
        f"{session.network.label} on {session.device_label or 'no device'}, "
        f"{reader}: jitter {three_digits(jitter)} px, bias {three_digits(bias)} px over the whole run"
    )
