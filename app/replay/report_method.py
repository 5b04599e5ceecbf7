"""How a replay was measured, in the words of its report."""

from __future__ import annotations

from collections.abc import Iterator

from app import __version__
from app.comparison.page import Part, Terms
from app.comparison.resampling import RESAMPLES
from app.meters.jitter import STILL_BODY_SHARE
from app.replay.blocks import BLOCK_S, FEWEST_BLOCKS
from app.replay.delay import EARLIEST_S, LATEST_S, MOVING_BODY_SHARE
from app.replay.measures import Findings
from app.replay.tracks import SETTLING_FRAMES, spans_text

_SAME_INPUT = (
    "The person is followed once, and every decoder reads the same heatmaps. The crop follows from the network’s own "
    "alignment points and depends on no decoder. (Regression is the network’s own output and reads no heatmap.) "
    "Filters come after, each on the points of every decoder, causally and with the real time stamps; where the "
    "person is lost they start anew."
)
_JITTER = (
    "Standard deviation of a joint’s position noise on each axis, in px of the source, from the second difference of "
    "three frames less the parabola through the seven around: steady motion and steady acceleration cancel. Root mean "
    "square over the joints whose heatmap’s peak is at least 0.3. The first {settling} frames of a person, in "
    "which the crop settles, do not count. A decoder that has collapsed to the middle of the crop hardly trembles: "
    "read it beside the bias."
)
_BIAS = (
    "Root mean square distance from the unfiltered point to the sub-cell peak of the very heatmap that was read; for "
    "regression, to that of the network’s heatmaps."
)
_STILL = (
    "{origin}: frames {frames}. Where nobody says it, these are the stretches of at least a second in which the "
    "regression, which reads no heatmap, moves by less than {share:.0%} of the body a second (where the network has "
    "none, the peaks of its heatmaps)."
)
_ERROR = (
    "Distance to the truth over the joints that can be seen (not hidden, not outside). Its interval is 95 %, from "
    f"{RESAMPLES:,} resamples of whole blocks of {{block:g}} s, since neighbouring frames are not independent; from "
    "fewer than {fewest} blocks none is given. It says what other seconds of this clip might have given, and nothing "
    "about other people or rooms."
)
_TRUTH = (
    "Where the joints of the body model or of the annotator are. The network may mean another point by the same name: "
    "on the shipped clip the hips of the body model lie up to 6 px from where annotators of photographs put hips, at a "
    "body height of 390 px. So an error mixes two things, the reading and the definition. The definition is the same "
    "for every decoder: compare decoders, and look at jitter and lag, which do not depend on it."
)
_LAG_TRUTH = (
    "The delay from {earliest:.0f} to {latest:.0f} ms at which the points differ least from the truth, over the joints "
    "that move by more than {moving:.0%} of the body a second, each joint’s mean difference taken away. Negative: "
    "ahead. Unknown where too little moves."
)
_LAG_FILTER = (
    "The delay from 0 to 500 ms at which the filtered points differ least from the unfiltered ones, read by the app’s "
    "lag meter over 4 s again and again; the median of the readings."
)


def method(found: Findings) -> Iterator[Part]:
    """Terms and what they mean here."""
    still = found.stillness
    frames = spans_text(still.mask, found.tracks.indices)
    items = [
        ("Same input", _SAME_INPUT),
        ("Jitter", _JITTER.format(settling=SETTLING_FRAMES)),
        ("Bias", _BIAS),
        ("Still", _STILL.format(origin=_sentence(still.origin), frames=frames, share=STILL_BODY_SHARE)),
    ]
    if found.truth is not None:
        milliseconds = {"earliest": 1000 * EARLIEST_S, "latest": 1000 * LATEST_S}
        items += [
            ("Error", _ERROR.format(block=BLOCK_S, fewest=FEWEST_BLOCKS)),
            ("What truth means", _TRUTH),
            ("Lag behind the truth", _LAG_TRUTH.format(**milliseconds, moving=MOVING_BODY_SHARE)),
        ]
    if len(found.filters) > 1:
        items.append(("Lag of a filter", _LAG_FILTER))
        items.append(("Filters", "; ".join(f"{one.title}: {one.key}" for one in found.filters[1:])))
    items.append(("Decoders", "; ".join(f"{variant.title}: {variant.key}" for variant in found.tracks.variants)))
    items.append(("Version", f"PoseScope {__version__}"))
    yield Terms(items)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
