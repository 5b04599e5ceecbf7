"""The options of `posescope replay`. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_replay_options(replay: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    replay.add_argument(
        "clip", metavar="CLIP", help="video file or folder of images, or `sample`: the shipped clip with its truth"
    )
    replay.add_argument("--truth", type=Path, metavar="TRUTH.json", help="where the joints really are, frame by frame")
    replay.add_argument(
        "--decoders",
        default="all",
        metavar="NAMES",
        help="with commas between them and options behind colons, as in ipr,debiased:beta=5:floor=0.1; debiased-plain "
        "is the form of the paper (default: all)",
    )
    replay.add_argument(
        "--beta", default="10", metavar="B", help="beta of ipr and debiased, one or several: 1,10 (default: 10)"
    )
    replay.add_argument(
        "--filters",
        default="none,one-euro",
        metavar="NAMES",
        help="none, one-euro, exponential and mean, as in one-euro:min_cutoff=1:beta=10,mean:window=0.15; or all "
        "(default: none,one-euro)",
    )
    replay.add_argument(
        "--model", default="full", metavar="MODEL", help="lite, full, heavy, or a .task or .pth file (default: full)"
    )
    replay.add_argument(
        "--head", type=Path, metavar="HEAD.safetensors", help="let every decoder read this head's heatmaps"
    )
    replay.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu (default: auto)"
    )
    replay.add_argument("--engine", default="auto", metavar="ENGINE", help="auto, openvino or torch (default: auto)")
    replay.add_argument("--still", metavar="A-B", help="the person stands still in these frames (default: found)")
    replay.add_argument("--max-frames", type=int, metavar="N", help="stop after N frames")
    replay.add_argument("--video", type=Path, metavar="OUT.mp4", help="write all decoders side by side")
    replay.add_argument(
        "--output", type=Path, default=Path("replay"), metavar="DIR", help="folder for the report (default: replay)"
    )
    replay.add_argument("--overwrite", action="store_true", help="replace files that exist")
