"""What the rest of the app names in English, in the language of the window.

Under app.gui alone there are languages. Exports, reports, what is drawn into recordings and the command line have these
names as they are.
"""

from __future__ import annotations

from app.decoder_display import display_name, display_title
from app.gui.language import mark, tr
from models.skeletons import BLAZEPOSE_33

# Of decoders, as names and as titles.
DECODERS = (
    mark("argmax"), mark("argmax ¼"), mark("DARK"), mark("IPR"), mark("debiased IPR"), mark("regression"),
    mark("Argmax"), mark("Argmax ¼"), mark("Debiased IPR"), mark("Regression"), mark("MediaPipe (reference)"),
    mark("Debiased, paper’s form"),
)  # fmt: skip
JOINTS = (
    mark("nose"),
    mark("left eye inner"), mark("left eye"), mark("left eye outer"),
    mark("right eye inner"), mark("right eye"), mark("right eye outer"),
    mark("left ear"), mark("right ear"), mark("left mouth"), mark("right mouth"),
    mark("left shoulder"), mark("right shoulder"), mark("left elbow"), mark("right elbow"),
    mark("left wrist"), mark("right wrist"), mark("left pinky"), mark("right pinky"),
    mark("left index"), mark("right index"), mark("left thumb"), mark("right thumb"),
    mark("left hip"), mark("right hip"), mark("left knee"), mark("right knee"),
    mark("left ankle"), mark("right ankle"), mark("left heel"), mark("right heel"),
    mark("left foot index"), mark("right foot index"),
)  # fmt: skip
# Of the latency: `app.meters.board.STAGES`, and where `app.session.Session.dropped` counts.
STAGES = (
    mark("capture wait"), mark("preprocess"), mark("detect"), mark("network"), mark("decode"), mark("hand-over"),
    mark("overlay"), mark("paint"),
)  # fmt: skip
DROPPED = (mark("before the network"), mark("before the paint"), mark("in the recording"))
# Of `app.exporters.KEYPOINT_FORMATS`.
FORMATS = (mark("CSV"), mark("JSON lines"), mark("COCO results"), mark("OpenPose folder"))
# Of `app.meters.glass_to_glass.Outcome`.
OUTCOMES = (mark("not seen"), mark("unsteady"), mark("no picture"), mark("not painted"))
# Of the conditions on result cards.
CONDITIONS = (
    mark("Source"), mark("Picture"), mark("Network"), mark("Frames"), mark("Joints"), mark("Camera"), mark("Display"),
    mark("Flips"), mark("Pattern"),
)  # fmt: skip
# What can be changed while something is measured: `app.replay.live`.
CHANGED = (mark("the network"), mark("the device"), mark("the size of the picture"))
# Whole sentences: `models.engines.choice.NO_HEATMAPS`, `models.top_down.files.NO_REGRESSION`,
# `app.meters.hold_still.HoldStill`.
SENTENCES = (
    mark("MediaPipe gives points and no heatmaps: there is nothing for decoders to read."),
    mark("This network gives heatmaps alone: it regresses no points."),
    mark("The measurement stopped: the source was changed."),
    mark("The measurement stopped: no picture came for more than a second."),
    mark("The measurement stopped: β was changed."),
    mark("The measurement stopped: the network was changed."),
    mark("The measurement stopped: the device was changed."),
    mark("The measurement stopped: the person to look at was changed."),
    mark("The measurement stopped: the size of the picture was changed."),
    mark("The measurement stopped: nobody was seen for more than a second."),
    mark("The measurement stopped: no joint was seen clearly enough for long enough."),
)


def decoder_name(decoder: str) -> str:
    """The name of a decoder, or of MediaPipe."""
    return tr(display_name(decoder))


def decoder_title(decoder: str) -> str:
    """The name as a title."""
    return tr(display_title(decoder))


def joint_name(joint: int) -> str:
    """`left wrist`. joint: an index into BLAZEPOSE_33."""
    return tr(BLAZEPOSE_33.joints[joint].replace("_", " "))
