"""What can be done at a key, in one table: the window makes its actions and menus from it, the help lists it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    """What an action is called, what it does in a few words, and its keys in Qt's notation."""

    title: str
    explained: str
    keys: tuple[str, ...]


ACTIONS: dict[ActionKey, ActionInfo] = {
    ActionKey.ARGMAX: ActionInfo("Argmax", "read the heatmaps with argmax", ("1",)),
    ActionKey.IPR: ActionInfo("IPR", "read them with integral pose regression", ("2",)),
    ActionKey.DEBIASED: ActionInfo("Debiased IPR", "read them with debiased IPR", ("3",)),
    ActionKey.QUARTER: ActionInfo("Argmax ¼", "the maximum, a quarter of a cell to the higher neighbour", ("4",)),
    ActionKey.DARK: ActionInfo("DARK", "a Taylor step on the logarithm of the map", ("5",)),
    ActionKey.REGRESSION: ActionInfo("Regression", "the network’s own, which reads no heatmap", ("6",)),
    ActionKey.RECORD: ActionInfo("Record", "start or finish a recording", ("R", "Ctrl+R")),
    ActionKey.SAVE_LAST: ActionInfo("Save the last seconds", "though nobody pressed record", ("B",)),
    ActionKey.COMPARE_LAST: ActionInfo("Compare", "report on every decoder over the last seconds", ("C",)),
    ActionKey.PAUSE: ActionInfo("Pause", "hold the picture, go on", ("Space",)),
    ActionKey.STEP_BACK: ActionInfo("Step back", "hold a file, one picture back", (",",)),
    ActionKey.STEP_FORWARD: ActionInfo("Step forward", "hold a file, one picture forward", (".",)),
    ActionKey.MIRROR: ActionInfo("Mirror", "show the picture as in a looking glass", ("M",)),
    ActionKey.SNAPSHOT: ActionInfo("Snapshot", "save the annotated picture", ("S", "Ctrl+S")),
    ActionKey.FULL_SCREEN: ActionInfo("Full screen", "picture only, on the whole screen (Esc ends it)", ("F", "F11")),
    ActionKey.OPEN: ActionInfo("Open …", "choose a camera, file, folder or stream", ("Ctrl+O",)),
    ActionKey.FOLDER: ActionInfo("Show the recordings", "open their folder", ("Ctrl+Shift+O",)),
    ActionKey.GHOSTS: ActionInfo("Ghosts", "draw the other decoders beside the chosen one", ("G",)),
    ActionKey.ARROWS: ActionInfo("Arrows", "from ghost to chosen, magnified: × 1, × 4, × 16, off", ("A",)),
    ActionKey.HEATMAP: ActionInfo("Heatmap", "over the picture: one joint, all joints, off", ("H",)),
    ActionKey.SPLIT: ActionInfo("Split view", "two decoders, with a divider to drag", ("D",)),
    ActionKey.SMOOTHING: ActionInfo("Smoothing", "smooth the points with the 1 € filter", ("O",)),
    ActionKey.HOLD_STILL: ActionInfo("Hold still", "measure jitter and bias of every decoder for 5 s", ("T",)),
    ActionKey.DELAY: ActionInfo("Camera’s delay …", "measure it, glass to glass", ("Ctrl+D",)),
    ActionKey.COPY: ActionInfo("Copy the numbers", "jitter, bias and latency, as text", ("Ctrl+C",)),
    ActionKey.LABORATORY: ActionInfo("β laboratory", "a synthetic heatmap that explains the bias", ("L",)),
    ActionKey.TOUR: ActionInfo("Guided tour", "the decoders and meters in five steps", ("F2",)),
    ActionKey.CHECKUP: ActionInfo("Is everything all right?", "examine this computer", ("F3",)),
    ActionKey.HELP: ActionInfo("Help", "show this list", ("?", "F1")),
    ActionKey.QUIT: ActionInfo("Quit", "close the window; a recording is finished first", ("Ctrl+Q",)),
}
