"""MediaPipe in the window: as the engine, where there is nothing to decode, and as a ghost beside our own network."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Signal

from app.decoder_display import DISPLAY_NAMES
from app.errors import UserError
from app.gui.actions import ActionKey
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.side_panel import SidePanel
from app.meters.board import MeterSnapshot
from app.session import Session
from models.engines.choice import NO_HEATMAPS
from models.people import MEDIAPIPE
from models.readings import REGRESSION
from models.top_down.files import NO_REGRESSION

# What only makes sense where decoders read heatmaps.
_NEED_DECODERS = frozenset(
    {
        ActionKey.ARGMAX,
        ActionKey.IPR,
        ActionKey.DEBIASED,
        ActionKey.QUARTER,
        ActionKey.DARK,
        ActionKey.REGRESSION,
        ActionKey.GHOSTS,
        ActionKey.ARROWS,
        ActionKey.HEATMAP,
        ActionKey.SPLIT,
    }
)


class ReferenceControl(QObject):
    """engine_changed: decoders read from now on, or MediaPipe instead of them."""

    engine_changed = Signal()

    def __init__(self, parent: QObject, panel: SidePanel, messages: MessageBar) -> None:
        super().__init__(parent)
        self._panel = panel
        self._messages = messages
        self._session: Session | None = None
        self._had_decoders = tuple(DISPLAY_NAMES)
        self._difference = math.nan
        panel.looks.style_changed.connect(self._look_changed)
        panel.meters.snapshot_read.connect(self._show_snapshot)

    def adopt(self, session: Session) -> None:
        """Look at another session; what was ticked before is still wanted."""
        self._session = session
        self._look_changed()
        self.update()

    def allows(self, key: ActionKey) -> bool:
        """Whether this can be done now; says why not."""
        session = self._session
        if session is None or key not in _NEED_DECODERS:
            return True
        if not session.has_decoders:
            self._messages.show_message(tr(NO_HEATMAPS))
            return False
        if key is ActionKey.REGRESSION and REGRESSION not in session.decoders:
            self._messages.show_message(tr(NO_REGRESSION))
            return False
        return True

    def update(self) -> None:
        """Show what is so; to be called now and then."""
        session, panel = self._session, self._panel
        if session is None:
            return
        if session.decoders != self._had_decoders:
            self._had_decoders = session.decoders
            for part in (panel.decoders, panel.meters, panel.looks):
                part.show_decoders(session.decoders if session.has_decoders else ())
            self.engine_changed.emit()
            panel.looks.style_changed.emit()  # what can be drawn over the picture is another
        if session.pipeline.reference.error is not None and MEDIAPIPE in panel.looks.ghosts:
            self._messages.show_message(str(session.pipeline.reference.error), "error")
            panel.looks.take_away(MEDIAPIPE)
        panel.looks.show_reference(self._text(session))

    def _look_changed(self) -> None:
        if self._session is None:
            return
        try:
            self._session.compare_with_reference(MEDIAPIPE in self._panel.looks.ghosts)
        except UserError as error:
            self._messages.show_message(str(error), "error")
            self._panel.looks.take_away(MEDIAPIPE)

    def _show_snapshot(self, snapshot: MeterSnapshot, numbers: bool) -> None:
        if numbers:
            self._difference = snapshot.difference

    def _text(self, session: Session) -> str:
        reference = session.pipeline.reference
        if not session.has_decoders:
            return tr("MediaPipe alone reads these pictures.")
        if MEDIAPIPE not in self._panel.looks.ghosts:
            return ""
        if not reference.is_ready:
            return tr("Loading MediaPipe …")
        if not reference.compared or math.isnan(self._difference):
            return tr("MediaPipe is drawn from the next picture on.")
        differs = tr("MediaPipe differs by {percent:.2g} % of the body").format(percent=100 * self._difference)
        return differs + (tr(" · {n} left out").format(n=reference.left_out) if reference.left_out else "")
