"""`python -m app.rendered_people clip|crossing|scenes`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from app.errors import UserError
from app.rendered_people.needs import check_installed
from app.rendered_people.wishes import PARTS, Wishes


def _span(text: str, pattern: str, what: str) -> tuple[int, int]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise argparse.ArgumentTypeError(f"“{text}” is not {what}")
    return int(match[1]), int(match[2])


def _frames(text: str) -> tuple[int, int]:
    first, last = _span(text, r"(\d+)-(\d+)", "a range of frames such as 0-29")
    if not first <= last <= 299:
        raise argparse.ArgumentTypeError("the clip has the frames 0-299")
    return first, last


def _size(text: str) -> tuple[int, int]:
    width, height = _span(text, r"(\d+)x(\d+)", "a size such as 640x480")
    if min(width, height) < 64:
        raise argparse.ArgumentTypeError("a picture needs at least 64x64 pixels")
    return width, height


def _people(text: str) -> tuple[int, int]:
    fewest, most = _span(text if "-" in text else f"{text}-{text}", r"(\d+)-(\d+)", "a range of people such as 1-3")
    if not 1 <= fewest <= most <= 6:
        raise argparse.ArgumentTypeError("1 to 6 people")
    return fewest, most


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of 1 or more")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of 0 or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m app.rendered_people", description="Rendered people, known joints.")
    commands = parser.add_subparsers(dest="command", required=True)
    clip = commands.add_parser("clip", help="the shipped clip again, and its truth")
    clip.add_argument("--output", type=Path, required=True)
    clip.add_argument("--seed", type=int, default=20261123, help="of the noise")
    clip.add_argument("--frames", type=_frames, metavar="A-B", help="only these, as PNG")
    crossing = commands.add_parser("crossing", help="two people who cross, and their truth")
    crossing.add_argument("--output", type=Path, required=True)
    scenes = commands.add_parser("scenes", help="random scenes as PNG with a COCO keypoint file")
    scenes.add_argument("--output", type=Path, required=True)
    scenes.add_argument("--count", type=_count, required=True)
    scenes.add_argument("--seed", type=_seed, required=True)
    scenes.add_argument("--size", type=_size, default=(640, 480), metavar="WxH")
    scenes.add_argument("--people", type=_people, default=(1, 1), metavar="A-B")
    scenes.add_argument("--occluders", action="store_true", help="things in front of most people")
    scenes.add_argument("--still-frames", type=_count, default=1, metavar="T", help="noisy frames of each scene")
    scenes.add_argument("--part", choices=PARTS, default="all", help="train and test share no bodies, clothes, colours")
    return parser


def _print_progress(done: int, count: int) -> None:
    print(f"{done} of {count} scenes", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Raises UserError for what the user can mend, SystemExit for options that it does not understand."""
    options = _parser().parse_args(arguments)
    check_installed()
    if options.command == "clip":
        from app.rendered_people import clip

        if options.frames is None:
            clip.make_clip(options.output, options.seed)
        else:
            first, last = options.frames
            clip.make_frames(options.output, first, last, options.seed)
    elif options.command == "crossing":
        from app.rendered_people import crossing

        crossing.make_crossing(options.output)
    else:
        from app.rendered_people import scene_set

        wishes = Wishes(options.size, options.people, options.occluders, options.still_frames, options.part)
        scene_set.make_scenes(options.output, options.count, options.seed, wishes, tell=_print_progress)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"rendered_people: {error}", file=sys.stderr)
        sys.exit(2)
