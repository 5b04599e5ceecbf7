"""What can be done at a key, in one table: the window makes its actions and menus from it, the help lists it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.gui.language import mark


class ActionKey(Enum):
    """Names of the window's actions."""

    ARGMAX = "argmax"
    IPR = "ipr"
    DEBIASED = "debiased"
    QUARTER = "argmax-quarter"
    DARK = "dark"
    REGRESSION = "regression"
    RECORD = "record"
    SAVE_LAST = "save last"
    COMPARE_LAST = "compare last"
    PAUSE = "pause"
    STEP_BACK = "step back"
    STEP_FORWARD = "step forward"
    MIRROR = "mirror"
    SNAPSHOT = "snapshot"
    FULL_SCREEN = "full screen"
    OPEN = "open"
    GHOSTS = "ghosts"
    ARROWS = "arrows"
    HEATMAP = "heatmap"
    SMOOTHING = "smoothing"
    HOLD_STILL = "hold still"
    DELAY = "delay"
    COPY = "copy"
    SPLIT = "split"
    LABORATORY = "laboratory"
    FOLDER = "folder"
    TOUR = "tour"
    CHECKUP = "checkup"
    HELP = "help"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """What an action is called, what it does in a few words (both marked), and its keys in Qt’s notation."""

    title: str
    explained: str
    keys: tuple[str, ...]


ACTIONS: dict[ActionKey, ActionInfo] = {
    ActionKey.ARGMAX: ActionInfo(mark("Argmax"), mark("read the heatmaps with argmax"), ("1",)),
    ActionKey.IPR: ActionInfo(mark("IPR"), mark("read them with integral pose regression"), ("2",)),
    ActionKey.DEBIASED: ActionInfo(mark("Debiased IPR"), mark("read them with debiased IPR"), ("3",)),
    ActionKey.QUARTER: ActionInfo(
        mark("Argmax ¼"), mark("the maximum, a quarter of a cell to the higher neighbour"), ("4",)
    ),
    ActionKey.DARK: ActionInfo(mark("DARK"), mark("a Taylor step on the logarithm of the map"), ("5",)),
    ActionKey.REGRESSION: ActionInfo(mark("Regression"), mark("the network’s own, which reads no heatmap"), ("6",)),
    ActionKey.RECORD: ActionInfo(mark("Record"), mark("start or finish a recording"), ("R", "Ctrl+R")),
    ActionKey.SAVE_LAST: ActionInfo(mark("Save the last seconds"), mark("though nobody pressed record"), ("B",)),
    ActionKey.COMPARE_LAST: ActionInfo(mark("Compare"), mark("report on every decoder over the last seconds"), ("C",)),
    ActionKey.PAUSE: ActionInfo(mark("Pause"), mark("hold the picture, go on"), ("Space",)),
    ActionKey.STEP_BACK: ActionInfo(mark("Step back"), mark("hold a file, one picture back"), (",",)),
    ActionKey.STEP_FORWARD: ActionInfo(mark("Step forward"), mark("hold a file, one picture forward"), (".",)),
    ActionKey.MIRROR: ActionInfo(mark("Mirror"), mark("show the picture as in a looking glass"), ("M",)),
    ActionKey.SNAPSHOT: ActionInfo(mark("Snapshot"), mark("save the annotated picture"), ("S", "Ctrl+S")),
    ActionKey.FULL_SCREEN: ActionInfo(
        mark("Full screen"), mark("picture only, on the whole screen (Esc ends it)"), ("F", "F11")
    ),
    ActionKey.OPEN: ActionInfo(mark("Open …"), mark("choose a camera, file, folder or stream"), ("Ctrl+O",)),
    ActionKey.FOLDER: ActionInfo(mark("Show the recordings"), mark("open their folder"), ("Ctrl+Shift+O",)),
    ActionKey.GHOSTS: ActionInfo(mark("Ghosts"), mark("draw the other decoders beside the chosen one"), ("G",)),
    ActionKey.ARROWS: ActionInfo(mark("Arrows"), mark("from ghost to chosen, magnified: × 1, × 4, × 16, off"), ("A",)),
    ActionKey.HEATMAP: ActionInfo(mark("Heatmap"), mark("over the picture: one joint, all joints, off"), ("H",)),
    ActionKey.SPLIT: ActionInfo(mark("Split view"), mark("two decoders, with a divider to drag"), ("D",)),
    ActionKey.SMOOTHING: ActionInfo(mark("Smoothing"), mark("smooth the points with the 1 € filter"), ("O",)),
    ActionKey.HOLD_STILL: ActionInfo(
        mark("Hold still"), mark("measure jitter and bias of every decoder for 5 s"), ("T",)
    ),
    ActionKey.DELAY: ActionInfo(mark("Camera’s delay …"), mark("measure it, glass to glass"), ("Ctrl+D",)),
    ActionKey.COPY: ActionInfo(mark("Copy the numbers"), mark("jitter, bias and latency, as text"), ("Ctrl+C",)),
    ActionKey.LABORATORY: ActionInfo(mark("β laboratory"), mark("a synthetic heatmap that explains the bias"), ("L",)),
    ActionKey.TOUR: ActionInfo(mark("Guided tour"), mark("the decoders and meters in five steps"), ("F2",)),
    ActionKey.CHECKUP: ActionInfo(mark("Is everything all right?"), mark("examine this computer"), ("F3",)),
    ActionKey.HELP: ActionInfo(mark("Help"), mark("show this list"), ("?", "F1")),
    ActionKey.QUIT: ActionInfo(mark("Quit"), mark("close the window; a recording is finished first"), ("Ctrl+Q",)),
}
