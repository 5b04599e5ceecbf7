"""What can be done at a key, in one table: the window makes its actions from it, the help lists it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import __version__
from app.gui.widgets import named_label


class ActionKey(Enum):
    """Names of the window's actions."""

    ARGMAX = "argmax"
    IPR = "ipr"
    DEBIASED = "debiased"
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
    LABORATORY = "laboratory"
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
    ActionKey.RECORD: ActionInfo("Record", "start or finish a recording", ("R",)),
    ActionKey.SAVE_LAST: ActionInfo("Save the last seconds", "though nobody pressed record", ("B",)),
    ActionKey.COMPARE_LAST: ActionInfo("Compare", "report on every decoder over the last seconds", ("C",)),
    ActionKey.PAUSE: ActionInfo("Pause", "hold the picture, go on", ("Space",)),
    ActionKey.STEP_BACK: ActionInfo("Step back", "hold a file, one picture back", (",",)),
    ActionKey.STEP_FORWARD: ActionInfo("Step forward", "hold a file, one picture forward", (".",)),
    ActionKey.MIRROR: ActionInfo("Mirror", "show the picture as in a looking glass", ("M",)),
    ActionKey.SNAPSHOT: ActionInfo("Snapshot", "save the annotated picture", ("S",)),
    ActionKey.FULL_SCREEN: ActionInfo("Full screen", "picture only, on the whole screen (Esc ends it)", ("F",)),
    ActionKey.OPEN: ActionInfo("Open …", "choose a camera, file, folder or stream", ("Ctrl+O",)),
    ActionKey.GHOSTS: ActionInfo("Ghosts", "draw the other decoders beside the chosen one", ("G",)),
    ActionKey.ARROWS: ActionInfo("Arrows", "from ghost to chosen, magnified: × 1, × 4, × 16, off", ("A",)),
    ActionKey.HEATMAP: ActionInfo("Heatmap", "over the picture: one joint, all joints, off", ("H",)),
    ActionKey.SMOOTHING: ActionInfo("Smoothing", "smooth the points with the 1 € filter", ("O",)),
    ActionKey.HOLD_STILL: ActionInfo("Hold still", "measure jitter and bias of every decoder for 5 s", ("T",)),
    ActionKey.LABORATORY: ActionInfo("β laboratory", "a synthetic heatmap that explains the bias", ("L",)),
    ActionKey.CHECKUP: ActionInfo("Checkup", "is everything all right on this computer?", ("D",)),
    ActionKey.HELP: ActionInfo("Help", "show this list", ("?", "F1")),
    ActionKey.QUIT: ActionInfo("Quit", "close the window; a recording is finished first", ("Ctrl+Q",)),
}


class HelpDialog(QDialog):
    """The keys, and how to read the meters.

    checkup: what its button beside the version does, when the dialog has closed.
    """

    def __init__(self, parent: QWidget, checkup: QAction | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("PoseScope: keys and meters")
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        rows = (len(ACTIONS) + 1) // 2
        for place, info in enumerate(ACTIONS.values()):
            column, row = divmod(place, rows)
            grid.addWidget(QLabel(f"<b>{'</b>, <b>'.join(info.keys)}</b>"), row, 3 * column)
            grid.addWidget(QLabel(info.title), row, 3 * column + 1)
            grid.addWidget(named_label("hint", info.explained), row, 3 * column + 2)
        meters = QLabel(
            "<p><b>Jitter</b> is how much the joints tremble, in pixels of the source; steady motion is left out, "
            "so hold still to compare decoders.</p>"
            "<p><b>Bias</b> is the distance from a decoder's point to the peak of the heatmap that it read: every "
            "background cell pulls the mean of plain IPR toward the middle of the crop.</p>"
            "<p><b>β</b> of IPR and debiased IPR is how sharply the softmax picks the peak. A small β collapses IPR "
            "to the middle, where it hardly trembles; around 10 it trembles most, since the pull itself trembles; at "
            "50 it is nearly the maximum. Debiased IPR stays near the peak throughout. The meters start anew when β "
            "changes.</p>"
            "<p><b>Latency</b> counts from the moment this computer received a frame to the end of the paint that "
            "shows its skeleton. The camera's and the screen's own delays are not included.</p>"
        )
        meters.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        if checkup is not None:
            button = buttons.addButton("Is everything all right?", QDialogButtonBox.ButtonRole.ActionRole)
            button.clicked.connect(self.reject)
            button.clicked.connect(checkup.trigger)
        foot = QHBoxLayout()
        foot.addWidget(named_label("hint", f"PoseScope {__version__}"))
        foot.addWidget(buttons, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.addLayout(grid)
        layout.addSpacing(10)
        layout.addWidget(meters)
        layout.addLayout(foot)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
