"""Options of `posescope train`. Imports nothing heavy: the command line reads them at once."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_train_options(train: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    train.add_argument("--annotations", type=Path, metavar="COCO.json", help="a COCO keypoint file")
    train.add_argument("--images", type=Path, metavar="DIR", help="the folder of its images")
    train.add_argument(
        "--mapping", type=Path, metavar="MAP.json", help="which joint of BlazePose each of yours is, for other joints"
    )
    train.add_argument(
        "--rendered", type=int, default=0, metavar="N", help="also train on N rendered scenes of one to three people"
    )
    train.add_argument("--head", required=True, metavar="DECODER", help="argmax, ipr or debiased: what reads the head")
    train.add_argument(
        "--model",
        default="full",
        metavar="MODEL",
        help="lite, full, heavy or a .task file: a head of it is trained; or a checkpoint of SimpleBaseline or HRNet, "
        "of which all layers are (default: full)",
    )
    train.add_argument("--beta", type=float, default=10.0, metavar="B", help="beta of ipr and debiased (default: 10)")
    train.add_argument(
        "--shape-weight",
        type=float,
        default=0.0,
        metavar="W",
        help="of ipr and debiased: how much the map's shape counts beside the coordinates (default: 0, not at all)",
    )
    train.add_argument("--epochs", type=int, default=10, metavar="E", help="how often each view is seen (default: 10)")
    train.add_argument("--views", type=int, default=8, metavar="V", help="disturbed views of each person (default: 8)")
    train.add_argument("--rate", type=float, default=1e-3, metavar="R", help="learning rate (default: 0.001)")
    train.add_argument("--batch", type=int, default=32, metavar="N", help="views in a step (default: 32)")
    train.add_argument(
        "--validation", type=float, default=0.15, metavar="SHARE", help="of the pictures, held back (default: 0.15)"
    )
    train.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu (default: auto)"
    )
    train.add_argument("--seed", type=int, default=0, metavar="S", help="of views, order and split (default: 0)")
    train.add_argument(
        "--output", type=Path, required=True, metavar="HEAD.safetensors", help="the head; of a checkpoint a .pth file"
    )
    train.add_argument(
        "--cache", type=Path, metavar="DIR", help="for trunk features and rendered people (default: the user's cache)"
    )
    train.add_argument("--overwrite", action="store_true", help="replace files that exist, and begin anew")


def add_compare_options(compare: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    compare.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report, table and heads")
    compare.add_argument(
        "--rendered", type=int, default=300, metavar="N", help="rendered scenes to train on (default: 300)"
    )
    compare.add_argument(
        "--test-rendered", type=int, default=100, metavar="N", help="rendered scenes to test on (default: 100)"
    )
    compare.add_argument("--annotations", type=Path, metavar="COCO.json", help="real people to test on")
    compare.add_argument("--images", type=Path, metavar="DIR", help="the folder of their pictures")
    compare.add_argument("--mapping", type=Path, metavar="MAP.json", help="for other names of their joints")
    compare.add_argument("--model", default="full", metavar="MODEL", help="lite, full, heavy or a .task file")
    compare.add_argument("--seeds", default="0,1,2", metavar="LIST", help="of the trainings (default: 0,1,2)")
    compare.add_argument("--beta", type=float, default=10.0, metavar="B", help="beta of ipr and debiased (default: 10)")
    compare.add_argument(
        "--shape-weight", type=float, default=1.0, metavar="W", help="of those with shape; 0: none (default: 1)"
    )
    compare.add_argument(
        "--few", type=float, default=0.1, metavar="SHARE", help="of the people for few data; 0: none (default: 0.1)"
    )
    compare.add_argument("--epochs", type=int, default=8, metavar="E", help="of the whole data (default: 8)")
    compare.add_argument(
        "--views", type=int, default=4, metavar="V", help="disturbed views of each person (default: 4)"
    )
    compare.add_argument("--rate", type=float, default=1e-3, metavar="R", help="learning rate (default: 0.001)")
    compare.add_argument("--batch", type=int, default=32, metavar="N", help="views in a step (default: 32)")
    compare.add_argument(
        "--validation", type=float, default=0.1, metavar="SHARE", help="of the pictures, held back (default: 0.1)"
    )
    compare.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu (default: auto)"
    )
    compare.add_argument("--cache", type=Path, metavar="DIR", help="for features and rendered people")
    compare.add_argument("--overwrite", action="store_true", help="replace report and table")
