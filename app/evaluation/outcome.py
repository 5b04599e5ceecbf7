"""What an evaluation found: everything that its report and its files show."""

from __future__ import annotations

from dataclasses import dataclass

from app.comparison.resampling import Interval
from app.comparison.variants import Variant

# Whom no variant reads with this OKS says something about the network, and nothing about the variants.
READ_WITH_OKS = 0.5


@dataclass(frozen=True, slots=True)
class VariantScores:
    """One variant over one group of people. Intervals are 95 %, from resampling pictures.

    people: scored; joints: annotated joints of them.
    ap, ap50, ap75, ar: as pycocotools computes them from OKS, 0 to 1; the interval of ap alone is known.
    mean_oks: 0 to 1. pck5, pck10: share of the joints closer than 5 % and 10 % of the longer side of the person's box.
    median_error: median distance of a joint, as a share of that side.
    """

    variant: Variant
    people: int
    joints: int
    ap: Interval
    ap50: float
    ap75: float
    ar: float
    mean_oks: Interval
    pck5: Interval
    pck10: Interval
    median_error: Interval


@dataclass(frozen=True, slots=True)
class Group:
    """People who have something in common. split: by what; name: which part of it; people: how many (all variants)."""

    split: str
    name: str
    people: int
    scores: tuple[VariantScores, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The same people read by two variants: `first` minus `second`.

    group: the split and the part, for example ("all people", ""). better: share of the people whom `first` reads with
    the higher OKS; ties count half.
    """

    group: tuple[str, str]
    first: Variant
    second: Variant
    people: int
    mean_oks: Interval
    better: float


@dataclass(frozen=True, slots=True)
class JointScores:
    """One joint read by one variant. seen, hidden: how many are annotated as visible (v = 2) and as occluded (v = 1).

    The rest as in VariantScores, for visible and for occluded joints; NaN where there are none.
    """

    joint: str
    variant: Variant
    seen: int
    hidden: int
    pck5_seen: float
    pck5_hidden: float
    median_error_seen: float
    median_error_hidden: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A person on whom the variants disagree, drawn.

    picture: a JPEG with every variant's joints. spread: median over the joints of the largest distance between two
    variants, as a share of the longer side of the box. oks: of each variant.
    """

    image: str
    annotation_id: int
    picture: bytes
    spread: float
    oks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image, an annotation or a person who could not be evaluated, and why, in one sentence."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One evaluation.

    annotations, images: the names of the file and the folder. joint_set: COCO-17, LSP-14, or the user's.
    boxes: truth or detector. overall: everybody. splits: one group for each part of each split.
    shrunk: the same people, read from smaller pictures; split "person shrunk to", name for example "64 px"; the first
        group is the pictures as they are.
    missed: people whom the detector did not find (scored with OKS 0); 0 with boxes from the truth.
    people_per_second: with reading files, cropping, the network and decoding, over everything that was read.
    cores_busy: processor time over time, of this process.
    """

    annotations: str
    images: str
    joint_set: str
    network: str
    device: str
    boxes: str
    flip_test: bool
    variants: tuple[Variant, ...]
    pictures: int
    people: int
    missed: int
    overall: Group
    splits: tuple[Group, ...]
    shrunk: tuple[Group, ...]
    differences: tuple[Difference, ...]
    joints: tuple[JointScores, ...]
    disagreements: tuple[Disagreement, ...]
    skipped: tuple[Skipped, ...]
    seconds: float
    people_per_second: float
    cores_busy: float
