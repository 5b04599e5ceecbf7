"""The keys, and how to read the meters."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import __version__
from app.gui.actions import ACTIONS
from app.gui.language import mark, tr
from app.gui.widgets import named_label

_METERS = mark(
    "<p><b>Jitter</b> is how much the joints tremble, in pixels of the source; steady motion is left out, "
    "so hold still to compare decoders.</p>"
    "<p><b>Bias</b> is the distance from a decoder's point to the peak of the heatmap that it read: every "
    "background cell pulls the mean of plain IPR toward the middle of the crop.</p>"
    "<p><b>β</b> of IPR and debiased IPR is how sharply the softmax picks the peak. A small β collapses IPR "
    "to the middle, where it hardly trembles; around 10 it trembles most, since the pull itself trembles; at "
    "50 it is nearly the maximum. Debiased IPR stays near the peak throughout. The meters start anew when β "
    "changes.</p>"
    "<p><b>Latency</b> counts from the moment this computer received a frame to the end of the paint that "
    "shows its skeleton. The camera's and the screen's own delays are not included; with the camera pointed at "
    "this window, <b>Ctrl+D</b> measures the whole way.</p>"
)


class HelpDialog(QDialog):
    """The keys, and how to read the meters.

    checkup: what its button beside the version does, when the dialog has closed.
    """

    def __init__(self, parent: QWidget, checkup: QAction | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("PoseScope: keys and meters"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        rows = (len(ACTIONS) + 1) // 2
        for place, info in enumerate(ACTIONS.values()):
            column, row = divmod(place, rows)
            grid.addWidget(QLabel(f"<b>{'</b>, <b>'.join(info.keys)}</b>"), row, 3 * column)
            grid.addWidget(QLabel(tr(info.title)), row, 3 * column + 1)
            grid.addWidget(named_label("hint", tr(info.explained)), row, 3 * column + 2)
        meters = QLabel(tr(_METERS))
        meters.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        if checkup is not None:
            button = buttons.addButton(checkup.text(), QDialogButtonBox.ButtonRole.ActionRole)
            button.clicked.connect(self.reject)
            button.clicked.connect(checkup.trigger)
        foot = QHBoxLayout()
        foot.addWidget(named_label("hint", f"PoseScope {__version__}"))
        foot.addWidget(buttons, 1)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 8, 0)
        inside.addLayout(grid)
        inside.addSpacing(10)
        inside.addWidget(meters)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName(self.windowTitle())
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.addWidget(scroll, 1)
        layout.addLayout(foot)
        # As large as its text, where the screen has room for that.
        width = grid.sizeHint().width() + 60
        wanted = QSize(width, inside.heightForWidth(width) + 110)
        self.resize(wanted.boundedTo(parent.screen().availableSize() * 0.95))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
