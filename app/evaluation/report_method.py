"""How an evaluation was done, in the words of its report."""

from __future__ import annotations

from app import __version__
from app.comparison.page_numbers import FEW
from app.comparison.resampling import RESAMPLES
from app.evaluation.average_precision import RESAMPLES as AP_RESAMPLES
from app.evaluation.outcome import Outcome
from app.evaluation.report_verdict import NO_BREAK

_SAME_INPUT = (
    "Every decoder reads the same heatmaps, made by one network from the same crop of each person. What differs "
    "between two decoders is the reading alone. "
)
_REGRESSION = "(Regression is the network’s own output for that crop and reads no heatmap.) "
_CROPS = {
    "truth": "The crop follows from the annotated box, so the numbers say nothing about finding people.",
    "detector": "The crop follows from the detector’s box. Whoever it missed counts with an OKS of 0 for every "
    "decoder.",
}
_FLIPPED = "On: what is read is the mean of the crop and of its mirror image, for every decoder."
_OKS = (
    "Object keypoint similarity, as COCO defines it: the mean over the annotated joints of exp(−d² / (2 s² k²)), with "
    "the distance d in pixels, the annotated area s² and a constant k of each joint, which says how far apart several "
    "annotators put it. 1 is exact, 0 is far off."
)
_AP = (
    "Average precision and average recall as pycocotools computes them: the mean over the OKS thresholds .50, .55 … "
    ".95; AP50 and AP75 are those at .50 and .75."
)
_SCORE = (
    "What AP ranks people by: the network’s presence times the mean maximum of the heatmaps. It is the same for every "
    "decoder, so that AP compares points and not how well a decoder knows itself."
)
_PCK = (
    "Percentage of correct keypoints: the share of the annotated joints closer to the truth than 5 % or 10 % of the "
    "longer side of the person’s box. Median error: the median distance, as a share of that side."
)
_INTERVALS = (
    f"95 %, from {RESAMPLES:,} resamples ({AP_RESAMPLES:,} for AP): whole pictures are drawn with repeats, since the "
    "people of one picture are not independent of each other. They say what other pictures like these might have "
    "given, and nothing about pictures of another kind. Among many comparisons one in twenty excludes 0 by chance."
)
_TRUTH = (
    "Where an annotator put the joint; another one would have put it a little elsewhere, and an occluded joint is a "
    "guess. The network may also mean another point by “hip” than the annotators do. Both hit all decoders alike: "
    "differences between decoders tell about decoders, the numbers themselves about all of this together."
)


def facts(outcome: Outcome) -> list[tuple[str, str]]:
    """What was evaluated, with what, and how long it took."""
    joints = max((scores.joints for scores in outcome.overall.scores), default=0)
    boxes = {"truth": "as annotated", "detector": f"detected; {outcome.missed:,} missed"}
    return [
        ("annotations", outcome.annotations),
        ("pictures", f"{outcome.pictures:,} in {outcome.images}"),
        ("people", f"{outcome.overall.people:,}"),
        ("joints", f"{joints:,} annotated, {outcome.joint_set}"),
        ("network", outcome.network),
        ("device", outcome.device),
        ("boxes", boxes.get(outcome.boxes, outcome.boxes)),
        ("flip test", "on" if outcome.flip_test else "off"),
        ("left out", f"{len(outcome.skipped):,}" if outcome.skipped else "nothing"),
        ("speed", f"{outcome.people_per_second:.3g} people/s, {outcome.cores_busy:.1f} cores busy"),
        ("time", _duration(outcome.seconds)),
        ("PoseScope", __version__),
    ]


def method(outcome: Outcome) -> list[tuple[str, str]]:
    """Terms and what they mean, for this evaluation."""
    regression = "" if all(variant.reads_heatmaps for variant in outcome.variants) else _REGRESSION
    terms = [
        ("Same input", _SAME_INPUT + regression + _CROPS.get(outcome.boxes, "")),
        ("Flip test", _FLIPPED if outcome.flip_test else "Off: each crop is looked at once, not mirrored."),
        ("OKS", _OKS),
        ("AP, AR", _AP),
        ("Score", _SCORE),
        ("PCK", _PCK),
        ("Intervals", _INTERVALS),
        ("Too few", f"With fewer than {FEW} people nothing is called best: intervals of so few are too narrow."),
        ("Truth", _TRUTH),
    ]
    return [(term, meaning.replace(" %", f"{NO_BREAK}%")) for term, meaning in terms]


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"
