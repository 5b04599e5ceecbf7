"""The command line: the window, or one of the commands that need none.

Nothing heavy is imported here at the top, so that `--help` and mistakes are answered at once.
"""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

from app import __version__
from app.addresses import without_secrets
from app.errors import UserError
from app.evaluation.options import add_evaluate_options
from app.replay.options import add_replay_options
from app.training.options import add_compare_options, add_train_options

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def run_command_line(arguments: list[str]) -> int:
    """Parse and run. Returns the exit code: 0, 2 with one sentence on stderr for bad input, 130 after Ctrl-C."""
    try:
        options = _parsed(arguments)
        return int(_COMMANDS[options.command](options))
    except UserError as error:
        print(f"posescope: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Tells mistakes as one sentence, without the usage; an option is written out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def _parsed(arguments: list[str]) -> argparse.Namespace:
    """Raises UserError for mistakes, SystemExit after --help and --version."""
    if arguments[:1] == ["window"]:
        arguments = arguments[1:]
    first = arguments[0] if arguments else ""
    if first and not first.startswith("-") and first not in _COMMANDS:
        raise UserError(_no_command(first))
    # A window is what most people want: without a command all options are the window's.
    parser, commands = _command_parser() if first in _COMMANDS else (_window_parser(), {})
    options, rest = parser.parse_known_args(arguments)
    if rest:
        raise UserError(_not_understood(rest[0], commands.get(options.command, parser)))
    return options


def _no_command(word: str) -> str:
    """One sentence about a first word that is neither a command nor an option."""
    word = without_secrets(word)
    if _may_be_source(word):
        return f"“{word}” is not a command. To open it in the window: posescope --source {_as_typed(word)}"
    near = difflib.get_close_matches(word, _COMMANDS, n=1)
    hint = f"Did you mean “{near[0]}”?" if near else f"Commands: {', '.join(_COMMANDS)}."
    return f"“{word}” is neither a command nor a file here. {hint}"


def _not_understood(word: str, parser: argparse.ArgumentParser) -> str:
    word = without_secrets(word)
    if not word.startswith("-"):
        takes_source = "--source" in parser._option_string_actions and _may_be_source(word)
        hint = f"Did you mean --source {_as_typed(word)}? " if takes_source else ""
        return f"“{word}” is one word too many. {hint}See `{parser.prog} --help`."
    option = word.partition("=")[0]
    near = difflib.get_close_matches(option, parser._option_string_actions, n=1)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    return f"Unknown option “{option}”. {hint}See `{parser.prog} --help`."


def _may_be_source(word: str) -> bool:
    try:
        exists = Path(word).expanduser().exists()
    except (OSError, RuntimeError):
        exists = False
    return exists or bool(re.match(r"[0-9]+$|camera:|synthetic|[a-z]+://", word))


def _as_typed(word: str) -> str:
    return f'"{word}"' if re.search(r"[^\w./:\\-]", word) else word


def _window(options: argparse.Namespace) -> int:
    try:
        from app.gui.application import run_window
    except ImportError as error:
        raise UserError(
            f"The window needs PySide6-Essentials and pyqtgraph, which cannot be loaded here ({error}). "
            "`posescope run` works without them."
        ) from None
    return run_window(options)


def _run(options: argparse.Namespace) -> int:
    from app.headless import run

    return run(options)


def _doctor(options: argparse.Namespace) -> int:
    from app.doctor import report

    return report()


def _lab(options: argparse.Namespace) -> int:
    from app.lab.command import run_lab

    return run_lab(options)


def _study(options: argparse.Namespace) -> int:
    from app.study.command import run_study

    return run_study(options)


def _bench(options: argparse.Namespace) -> int:
    from app.bench.command import run_bench

    return run_bench(options)


def _evaluate(options: argparse.Namespace) -> int:
    from app.evaluation.command import run_evaluate

    return run_evaluate(options)


def _train(options: argparse.Namespace) -> int:
    from app.training.command import run_train

    return run_train(options)


def _compare_heads(options: argparse.Namespace) -> int:
    from app.training.comparison import run_compare_heads

    return run_compare_heads(options)


def _replay(options: argparse.Namespace) -> int:
    from app.replay.command import run_replay

    return run_replay(options)


def _cameras(options: argparse.Namespace) -> int:
    from app.camera_report import report

    report()
    return 0


def _install_desktop_entry(options: argparse.Namespace) -> int:
    from app.desktop_entry import report

    report(remove=options.remove)
    return 0


_COMMANDS = {
    "window": _window,
    "run": _run,
    "lab": _lab,
    "study": _study,
    "bench": _bench,
    "evaluate": _evaluate,
    "replay": _replay,
    "train": _train,
    "compare-heads": _compare_heads,
    "cameras": _cameras,
    "doctor": _doctor,
    "install-desktop-entry": _install_desktop_entry,
}


def _preroll(text: str) -> float:
    from app.settings import LONGEST_PREROLL_S

    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_PREROLL_S:
        raise UserError(f"--preroll must be from 0 to {LONGEST_PREROLL_S:.0f} seconds, not {text}.")
    return seconds


def _export_kinds(text: str) -> tuple[str, ...]:
    from app.exporters import KEYPOINT_FORMATS
    from models.errors import unknown_name

    kinds = tuple(dict.fromkeys(kind.strip() for kind in text.split(",")))
    for kind in kinds:
        if kind not in (*KEYPOINT_FORMATS, "none"):
            raise UserError(unknown_name("export", kind, (*KEYPOINT_FORMATS, "none")))
    if "none" in kinds and len(kinds) > 1:
        raise UserError("--export takes none, or one or more of the others.")
    return () if kinds == ("none",) else kinds


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--decoder",
        metavar="NAME",
        help="argmax, argmax-quarter, dark, ipr, debiased or regression (default: debiased)",
    )
    parser.add_argument("--beta", type=float, default=10.0, metavar="B", help="beta of ipr and debiased (default: 10)")
    parser.add_argument(
        "--model",
        default="full",
        metavar="MODEL",
        help="lite, full, heavy, or the path of a .task bundle or of a checkpoint (.pth) of SimpleBaseline or HRNet "
        "(default: full)",
    )
    parser.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="HEAD.safetensors",
        help="a head of `posescope train`, read by the decoder that it was trained for; may be given several times",
    )
    parser.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu (default: auto)"
    )
    parser.add_argument(
        "--engine",
        default="auto",
        metavar="ENGINE",
        help="auto, openvino or torch; or mediapipe: MediaPipe's own detector, tracking and smoothing instead of ours, "
        "for reference (default: auto, the fastest of ours that can be used)",
    )
    parser.add_argument("--people", type=int, metavar="N", help="follow up to N people, 1 to 8 (default: 1)")


_VIRTUAL_CAMERA_HELP = "offer the annotated picture to other programs as a camera (needs pyvirtualcam)"


def _window_parser() -> _Parser:
    parser = _Parser(
        prog="posescope",
        description="An oscilloscope for pose decoders. Without a command it opens the window.",
        epilog="Commands: `posescope run SOURCE` (no window), `posescope lab --output DIR` (why IPR is biased, in "
        "figures), `posescope study --output DIR` (how robust debiased IPR is), `posescope bench` (engines side "
        "by side), `posescope cameras` (what can be opened), `posescope doctor`. Each has --help.",
    )
    parser.add_argument("--version", action="version", version=f"PoseScope {__version__}")
    parser.add_argument(
        "--source",
        metavar="SOURCE",
        help="camera, video file, image folder, stream URL or `synthetic` "
        "(default: the camera of the last time, or the shipped clip where there is no camera)",
    )
    _add_common(parser)
    parser.add_argument("--record", action="store_true", help="start recording at once")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER", help="where recordings and snapshots go")
    parser.add_argument("--clean", action="store_true", help="record the video without the drawing, too")
    parser.add_argument(
        "--export",
        type=_export_kinds,
        metavar="KINDS",
        help="keypoints beside a recording: csv, jsonl, coco and openpose with commas between them, or none",
    )
    parser.add_argument(
        "--preroll", type=_preroll, metavar="SECONDS", help="how much can be saved afterwards, 0 to 60; 0 is off"
    )
    parser.add_argument("--virtual-camera", action="store_true", help=_VIRTUAL_CAMERA_HELP)
    parser.add_argument(
        "--reset-settings", action="store_true", help="begin with the defaults; the settings so far are set aside"
    )
    parser.add_argument("--quit-after", type=float, metavar="SECONDS", help="close the window by itself")
    parser.add_argument("--screenshot", type=Path, metavar="PATH", help="save a picture of the window before it closes")
    parser.set_defaults(command="window")
    return parser


def _command_parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="posescope")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    _add_run(commands)
    _add_lab(commands)
    _add_study(commands)
    _add_bench(commands)
    add_evaluate_options(commands.add_parser("evaluate", help="compare decoders on your own annotated pictures"))
    add_replay_options(commands.add_parser("replay", help="compare decoders and filters on one clip"))
    add_train_options(commands.add_parser("train", help="train a head through the decoder that reads it"))
    add_compare_options(commands.add_parser("compare-heads", help="train heads for every decoder, and compare them"))
    commands.add_parser("cameras", help="show the cameras, what they offer, and how to open each")
    commands.add_parser(
        "doctor",
        help="is everything all right? What is wrong here and how to mend it, versions, devices, cameras, encoders",
        description="Examines this computer. Exit code 1 where something is a problem, else 0.",
    )
    entry = commands.add_parser("install-desktop-entry", help="put PoseScope into the menu of a Linux desktop")
    entry.add_argument("--remove", action="store_true", help="take it away again")
    return parser, commands.choices


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    run = commands.add_parser("run", help="follow the person in a source without a window")
    run.add_argument("source", metavar="SOURCE", help="video file, image folder, stream URL, camera or `synthetic`")
    _add_common(run)
    run.add_argument("--output", type=Path, metavar="OUT.mp4", help="write the annotated video")
    run.add_argument("--clean", type=Path, metavar="OUT.mp4", help="write the video undrawn, to keep a stream")
    run.add_argument("--keypoints", type=Path, metavar="OUT.csv", help="write the keypoints of every decoder, a table")
    run.add_argument("--jsonl", type=Path, metavar="OUT.jsonl", help="the same as JSON lines, one for each frame")
    run.add_argument("--coco", type=Path, metavar="OUT.json", help="write the chosen decoder's as COCO results")
    run.add_argument("--openpose", type=Path, metavar="FOLDER", help="write them as OpenPose does, a file a frame")
    run.add_argument("--report", type=Path, metavar="OUT.json", help="write latency, jitter and bias of every decoder")
    run.add_argument(
        "--ghosts",
        metavar="NAMES",
        help="draw these decoders too, for example argmax,ipr or all, and mediapipe: MediaPipe's own points",
    )
    run.add_argument("--smooth", action="store_true", help="draw smoothed points (1 € filter) and report what it costs")
    run.add_argument("--max-frames", type=int, metavar="N", help="stop after N frames")
    run.add_argument("--overwrite", action="store_true", help="replace output files that exist")
    run.add_argument("--virtual-camera", action="store_true", help=_VIRTUAL_CAMERA_HELP)


def _add_lab(commands: argparse._SubParsersAction[_Parser]) -> None:
    lab = commands.add_parser("lab", help="write the figures and data of the β laboratory")
    lab.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the PNG and CSV files")
    lab.add_argument("--beta", type=float, default=10.0, metavar="B", help="beta of ipr and debiased (default: 10)")
    lab.add_argument("--sigma", type=float, default=2.0, metavar="S", help="width of the blob in cells (default: 2)")
    lab.add_argument("--peak", type=float, default=1.0, metavar="P", help="height of the blob (default: 1)")
    lab.add_argument("--background", type=float, default=0.0, metavar="H", help="value far from the blob (default: 0)")
    lab.add_argument("--noise", type=float, default=0.0, metavar="N", help="noise of each cell (default: 0)")
    lab.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _add_study(commands: argparse._SubParsersAction[_Parser]) -> None:
    study = commands.add_parser("study", help="measure how robust debiased IPR is, on synthetic and real heatmaps")
    study.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder for study.md, PNG and CSV files"
    )
    study.add_argument(
        "--still",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="also look at this photograph of a person (with noise added), or read the heatmaps of this clip; "
        "may be given several times",
    )
    study.add_argument(
        "--model", default="full", metavar="MODEL", help="lite, full, heavy or a .task file (default: full)"
    )
    study.add_argument("--device", default="auto", metavar="DEVICE", help="auto, cuda, mps or cpu (default: auto)")
    study.add_argument("--quick", action="store_true", help="a small grid, to see what it does")
    study.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _add_bench(commands: argparse._SubParsersAction[_Parser]) -> None:
    bench = commands.add_parser("bench", help="time every engine that is here on the same frames, and compare points")
    bench.add_argument(
        "--source", metavar="CLIP", help="video file, image folder or `synthetic` (default: the shipped clip)"
    )
    bench.add_argument(
        "--model", default="full", metavar="MODEL", help="lite, full, heavy, or a .task or .pth file (default: full)"
    )
    bench.add_argument(
        "--engines",
        default="all",
        metavar="NAMES",
        help="all, or some of cuda, torch-cuda, torch-mps, openvino, torch and mediapipe, with commas between them "
        "(default: all)",
    )
    bench.add_argument("--people", type=int, default=1, metavar="N", help="people in each frame, 1 to 16 (default: 1)")
    bench.add_argument("--frames", type=int, default=120, metavar="N", help="how many frames, from 20 (default: 120)")
    bench.add_argument("--json", type=Path, metavar="OUT", help="write all numbers into this file")
    bench.add_argument(
        "--sweep", action="store_true", help="also the growth with the size of the frame, the people and the decoders"
    )
    bench.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
