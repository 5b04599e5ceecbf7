"""The guided tour of the first launch: five steps on the shipped clip, each of which shows what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.bundled import SAMPLE_CLIP
from app.gui.language import mark, tr
from app.gui.view_panel import HEATMAP_OFF
from app.gui.widgets import named_label
from models.readings import DEFAULT_BETA
from models.skeletons import BLAZEPOSE_33

if TYPE_CHECKING:
    from app.gui.main_window import MainWindow

_WIDTH, _MARGIN = 400, 18
_LOOK_MS, _LONGEST_WAIT_S = 100, 12.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What the window shows. joint: for the loupe. None: as it is."""

    decoder: str
    ghosts: frozenset[str] = frozenset()
    arrows: int = 0
    heatmap: str = HEATMAP_OFF
    split: str = ""
    tab: str = "meters"
    joint: int | None = None
    beta: float = DEFAULT_BETA

    def show(self, window: MainWindow) -> None:
        looks = window.panel.looks
        window.choose_beta(self.beta)
        window.choose_decoder(self.decoder)
        looks.set_ghosts(self.ghosts)
        looks.set_arrows(self.arrows)
        looks.set_heatmap(self.heatmap)
        looks.set_split(self.split)
        window.panel.show_named_tab(self.tab)
        if self.joint is not None:
            window.inspection.choose_joint(self.joint)

    @classmethod
    def of(cls, window: MainWindow) -> _Look:
        looks, choice = window.panel.looks, window.session.choice
        return cls(
            choice.name,
            looks.ghosts,
            looks.arrows,
            looks.heatmap,
            looks.split,
            window.panel.tab_name,
            window.panel.loupe.joint,
            choice.beta,
        )


_WRIST, _ANKLE = BLAZEPOSE_33.index["left_wrist"], BLAZEPOSE_33.index["left_ankle"]
_STEPS: tuple[tuple[str, str, _Look], ...] = (
    (
        mark("Argmax: the highest cell"),
        mark(
            "For each joint the network paints a heatmap of 64 × 64 cells: the warmer, the likelier the joint is "
            "there. <b>Argmax</b> takes the highest cell. It is never far off, but it can only sit in the middle of a "
            "cell: the point jumps, and in between it does not move at all. On the right, the loupe shows the left "
            "wrist’s map."
        ),
        _Look("argmax", tab="loupe", joint=_WRIST),
    ),
    (
        mark("IPR: the mean of the whole map"),
        mark(
            "<b>Integral pose regression</b> (soft-argmax) averages the positions of all cells, weighted by "
            "e<sup>βh</sup>. The mean moves smoothly, and a network can be trained through it. But look at the hands "
            "and feet: they are drawn in toward the middle of the body."
        ),
        _Look("ipr", ghosts=frozenset({"argmax"})),
    ),
    (
        mark("Why it is pulled to the middle"),
        mark(
            "An empty cell has h = 0, and still weighs e<sup>0</sup> = 1. There are some 4,000 of them, and their mean "
            "is the middle of the map. In the loupe the two small maps are the weights: IPR’s background is not black, "
            "and the number beneath says how much of the weight lies there. A larger β makes it less: try the slider."
        ),
        _Look("ipr", ghosts=frozenset({"argmax"}), arrows=1, tab="loupe", joint=_ANKLE),
    ),
    (
        mark("Debiasing: take that share away"),
        mark(
            "<b>Debiased IPR</b> subtracts what the background alone would give: the weights become e<sup>βh</sup> − "
            "1, and an empty cell weighs nothing. The point lies on the peak, and without the pull it trembles less, "
            "too. Drag the divider: debiased IPR on the left, plain IPR on the right, one and the same heatmap."
        ),
        _Look("debiased", split="ipr"),
    ),
    (
        mark("The meters tell who is right"),
        mark(
            "<b>Jitter</b> is how much the joints tremble; steady motion is left out. <b>Bias</b> is how far a "
            "decoder’s point lies from the peak of the very map that it read. Look at both: at a small β IPR sticks to "
            "the middle of the map, where it hardly trembles. <b>Latency</b> counts from the frame’s arrival to the "
            "end of its paint. Press T to compare all decoders while you hold still, and 1, 2, 3 to switch at any time."
        ),
        _Look("debiased", ghosts=frozenset({"argmax", "ipr"}), tab="meters"),
    ),
)


class Tour(QObject):
    """Runs the tour over a window, and puts everything back where it was. ended: called when it is over."""

    def __init__(self, window: MainWindow, ended: Callable[[], None]) -> None:
        super().__init__(window)
        self._window, self._ended = window, ended
        self._card: _Card | None = None
        self._before: _Look | None = None
        self._source = ""
        self._step = 0

    @property
    def is_running(self) -> bool:
        return self._card is not None

    def start(self, afterwards: str = "") -> None:
        """From the first step; on the shipped clip, which is opened if another source is. afterwards: what is opened at
        the end, by default what is open now.
        """
        if self._card is not None:
            return
        window = self._window
        window.pages.show_live()
        self._before = _Look.of(window)
        self._source = afterwards or window.source_text
        if window.source_text != str(SAMPLE_CLIP):
            window.open_source(str(SAMPLE_CLIP))
        self._card = _Card(window.view)
        self._card.back.clicked.connect(lambda: self._go(-1))
        self._card.next.clicked.connect(lambda: self._go(1))
        self._card.skip.clicked.connect(self.end)
        self._step = 0
        self._show()

    def start_when_seen(self, afterwards: str = "") -> None:
        """`start` as soon as there is a skeleton to point at: at the first launch a network takes seconds to load.

        Not at all where the user has begun with something else meanwhile.
        """
        give_up = time.monotonic() + _LONGEST_WAIT_S
        timer = QTimer(self, interval=_LOOK_MS)

        def look() -> None:
            result, pipeline = self._window.view.result, self._window.session.pipeline
            seen = result is not None and (result.people or pipeline.model_error is not None)
            busy = self.is_running or self._window.source_text != str(SAMPLE_CLIP)
            if busy or seen or time.monotonic() > give_up:
                timer.stop()
                timer.deleteLater()
            if not busy and not timer.isActive():
                self.start(afterwards)

        timer.timeout.connect(look)
        timer.start()

    def end(self) -> None:
        """Leave the tour; what was shown before is shown again."""
        if self._card is None or self._before is None:
            return
        self._card.close()
        self._card.deleteLater()
        self._card = None
        if self._source and self._source != self._window.source_text:
            self._window.open_source(self._source)
        self._before.show(self._window)
        self._window.view.setFocus()
        self._ended()

    def _go(self, by: int) -> None:
        self._step += by
        if self._step == len(_STEPS):
            self.end()
        else:
            self._show()

    def _show(self) -> None:
        assert self._card is not None
        title, text, look = _STEPS[self._step]
        look.show(self._window)
        self._card.show_step(tr(title), tr(text), self._step, len(_STEPS))


class _Card(QFrame):
    """The text of a step, at the bottom right of the picture."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.setObjectName("tour")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName(tr("Guided tour"))
        self._step = named_label("heading")
        self._title = named_label("title")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self.skip, self.back, self.next = QPushButton(tr("Skip")), QPushButton(tr("Back")), QPushButton(tr("Next"))
        self.next.setObjectName("primary")
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(8)
        for part in (self._step, self._title, self._text):
            layout.addWidget(part)
        layout.addSpacing(4)
        layout.addLayout(buttons)
        over.installEventFilter(self)

    def show_step(self, title: str, text: str, step: int, steps: int) -> None:
        """step: from 0."""
        self._step.setText(tr("TOUR, {n} OF {count}").format(n=step + 1, count=steps))
        self._title.setText(title)
        self._text.setText(text)
        self.back.setEnabled(step > 0)
        last = step == steps - 1
        self.next.setText(tr("Done") if last else tr("Next"))
        self.skip.setVisible(not last)
        self.show()
        self._place()
        self.next.setFocus()

    def _place(self) -> None:
        self.adjustSize()
        # On the right, where the clip's room is empty.
        place = self._over.rect().bottomRight() - self.rect().bottomRight() - QPoint(_MARGIN, _MARGIN)
        self.move(place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Right):
            self.next.click()
        elif event.key() == Qt.Key.Key_Left:
            self.back.click()
        else:
            super().keyPressEvent(event)
