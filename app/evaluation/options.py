"""Options of `posescope evaluate`. Imports nothing heavy: the command line reads them at once."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_evaluate_options(evaluate: argparse.ArgumentParser) -> None:
    """Give the command its arguments and options."""
    evaluate.add_argument("annotations", type=Path, metavar="ANNOTATIONS.json", help="a COCO keypoint file")
    evaluate.add_argument("images", type=Path, metavar="IMAGES", help="the folder of its images")
    evaluate.add_argument(
        "--decoders",
        default="all",
        metavar="NAMES",
        help="all, or decoders with commas between them, options behind colons: argmax,ipr:beta=5,debiased:floor=0.1; "
        "debiased-plain is the paper's form (default: all)",
    )
    evaluate.add_argument(
        "--beta",
        default="10",
        metavar="B",
        help="beta of ipr and debiased, or several with commas between them (default: 10)",
    )
    evaluate.add_argument(
        "--model", default="full", metavar="MODEL", help="lite, full, heavy, or a .task or .pth file (default: full)"
    )
    evaluate.add_argument(
        "--head", type=Path, metavar="HEAD.safetensors", help="let every decoder read this head's heatmaps"
    )
    evaluate.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu (default: auto)"
    )
    evaluate.add_argument(
        "--engine", default="auto", metavar="ENGINE", help="auto, openvino or torch (default: auto, the fastest)"
    )
    evaluate.add_argument(
        "--boxes",
        default="truth",
        metavar="KIND",
        help="truth: read people at their annotated boxes; detector: where the detector finds them (default: truth)",
    )
    evaluate.add_argument("--flip-test", action="store_true", help="read each crop and its mirror image as one")
    evaluate.add_argument(
        "--mapping", type=Path, metavar="MAP.json", help="which joint of BlazePose each of yours is, for other joints"
    )
    evaluate.add_argument("--limit", type=int, metavar="N", help="only the first N pictures with people")
    evaluate.add_argument(
        "--min-keypoints", type=int, default=1, metavar="N", help="only people with N labelled keypoints (default: 1)"
    )
    evaluate.add_argument(
        "--min-area", type=float, default=0.0, metavar="PX2", help="only people whose box has this area (default: 0)"
    )
    evaluate.add_argument(
        "--output", type=Path, default=Path("evaluation"), metavar="DIR", help="folder (default: evaluation)"
    )
    evaluate.add_argument("--overwrite", action="store_true", help="replace files that exist")
