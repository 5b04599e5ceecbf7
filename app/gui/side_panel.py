"""The panel beside the picture: the decoder switch, tabs with the meters, buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.actions import ACTIONS, ActionKey
from app.gui.decoder_panel import DecoderPanel
from app.gui.joints.panel import JointPanel
from app.gui.language import tr
from app.gui.latency_panel import LatencyPanel
from app.gui.loupe.loupe import Loupe
from app.gui.meter_panel import MeterPanel
from app.gui.network_menu import NetworkMenu
from app.gui.record_menu import RecordMenu
from app.gui.view_panel import ViewPanel
from app.gui.widgets import named_label, tool_button

TAB_NAMES = ("meters", "joints", "loupe", "latency", "view")
_WIDTH = 372
_BUTTON_ROWS = (
    (ActionKey.RECORD, ActionKey.PAUSE),
    (ActionKey.MIRROR, ActionKey.SNAPSHOT, ActionKey.FULL_SCREEN, ActionKey.OPEN, ActionKey.HELP),
)
_TOGGLES = (ActionKey.RECORD, ActionKey.PAUSE, ActionKey.MIRROR)


class SidePanel(QWidget):
    """tab_changed: another tab is in sight."""

    tab_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH)
        self.decoders = DecoderPanel()
        self.meters = MeterPanel()
        self.joints = JointPanel()
        self.loupe = Loupe()
        self.latency = LatencyPanel()
        self.looks = ViewPanel()
        self.network = NetworkMenu()
        self.record_menu = RecordMenu()
        self.buttons: dict[ActionKey, QToolButton] = {}
        self._tabs = QTabBar()
        self._tabs.setAccessibleName(tr("Panels"))
        self._tabs.setExpanding(True)
        self._tabs.setDrawBase(False)
        self._tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._stack = QStackedWidget()
        self._places: dict[QWidget, int] = {}
        for title, tip, widget in (
            (tr("Meters"), tr("Jitter and bias of every decoder"), self.meters),
            (tr("Joints"), tr("Jitter and bias of every joint"), self.joints),
            (tr("Loupe"), tr("The heatmap around one joint, magnified"), self.loupe),
            (tr("Latency"), tr("The time of every stage"), self.latency),
            (tr("View"), tr("Ghosts, arrows, heatmaps, smoothing"), self.looks),
        ):
            self._tabs.setTabToolTip(self._tabs.addTab(title), tip)
            # In a low window a panel scrolls rather than squeeze its parts into each other.
            scroll = QScrollArea()
            scroll.setWidgetResizable(True)
            scroll.setFrameShape(QFrame.Shape.NoFrame)
            scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            widget.setObjectName("tab")
            scroll.setWidget(widget)
            self._places[widget] = self._stack.addWidget(scroll)
        self._tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._tabs.currentChanged.connect(lambda _: self.tab_changed.emit())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(6)
        heading = QHBoxLayout()
        heading.addWidget(named_label("heading", tr("DECODER")), 1)
        heading.addWidget(self.network)
        layout.addLayout(heading)
        layout.addWidget(self.decoders)
        layout.addWidget(self._tabs)
        layout.addWidget(self._stack, 1)
        for row in _BUTTON_ROWS:
            layout.addLayout(self._make_buttons(row))

    def _make_buttons(self, keys: tuple[ActionKey, ...]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for key in keys:
            info = ACTIONS[key]
            title, explained = tr(info.title), tr(info.explained)
            button = tool_button(title)
            sentence = f"{explained[0].upper()}{explained[1:]}"
            button.setToolTip(tr("{sentence}. Key {key}.").format(sentence=sentence, key=info.keys[0]))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setCheckable(key in _TOGGLES)
            if len(keys) > 2:
                button.setObjectName("small")
            self.buttons[key] = button
            row.addWidget(button, 2 if key is ActionKey.RECORD else len(title) if len(keys) > 2 else 1)
            if key is ActionKey.RECORD:
                row.addWidget(self._make_record_more())
        self.buttons[ActionKey.RECORD].setObjectName("record")
        return row

    def _make_record_more(self) -> QToolButton:
        more = tool_button("▾")
        more.setAccessibleName(tr("What is recorded"))
        more.setToolTip(tr("What is recorded, and the last seconds"))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        more.setMenu(self.record_menu)
        more.setObjectName("more")
        return more

    def connect_buttons(self, actions: dict[ActionKey, QAction]) -> None:
        """Let each button do what its action does."""
        for key, button in self.buttons.items():
            button.clicked.connect(actions[key].trigger)

    @property
    def tab_name(self) -> str:
        """The panel in front, for the settings."""
        return TAB_NAMES[self._tabs.currentIndex()]

    def show_named_tab(self, name: str) -> None:
        """Bring that panel to the front, if there is one of that name."""
        if name in TAB_NAMES:
            self._tabs.setCurrentIndex(TAB_NAMES.index(name))

    def show_tab(self, widget: QWidget) -> None:
        """Bring one of the panels to the front."""
        self._tabs.setCurrentIndex(self._places[widget])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.tab_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.tab_changed.emit()

    def in_sight(self, widget: QWidget) -> bool:
        """Whether that panel is the one in front."""
        return self._stack.currentIndex() == self._places[widget] and self.isVisible()
