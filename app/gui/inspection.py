"""Looking closer: which joint, what lies over the picture, smoothing, hold still, the ledger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.errors import OutputError
from app.frames import PoseResult
from app.gui.big_meters import BigMeters
from app.gui.hold_still_card import HoldStillDialog
from app.gui.language import tr
from app.gui.latency_panel import save_ledger
from app.gui.message_bar import MessageBar
from app.gui.numbers_text import numbers_as_text
from app.gui.side_panel import SidePanel
from app.gui.video_view import VideoView
from app.gui.view_panel import HEATMAP_JOINT
from app.meters.board import LATENCY_WINDOW_S, MeterSnapshot
from app.meters.hold_still import badge_text
from app.overlay import OverlayStyle
from app.session import Session

# A click further than this from every joint, as a share of the body's size, means none of them.
_CLICK_REACH = 0.08


class Inspection(QObject):
    """style_changed: what is on screen has to be drawn anew."""

    style_changed = Signal()

    def __init__(
        self, window: QWidget, panel: SidePanel, view: VideoView, messages: MessageBar, recordings: Path
    ) -> None:
        super().__init__(window)
        self._window = window
        self._panel = panel
        self._view = view
        self._messages = messages
        self._recordings = recordings
        self._session: Session | None = None
        self._latency_window_s = LATENCY_WINDOW_S
        self.big_meters = BigMeters()
        panel.meters.snapshot_read.connect(self._show_snapshot)
        panel.meters.window_chosen.connect(self._set_jitter_window)
        panel.meters.hold_still_asked.connect(self.hold_still)
        panel.meters.people.person_chosen.connect(self._look_at)
        panel.latency.window_chosen.connect(self._set_latency_window)
        panel.latency.save_asked.connect(self._save_ledger)
        panel.loupe.joint_chosen.connect(self.choose_joint)
        panel.joints.joint_chosen.connect(self.choose_joint)
        panel.joints.choose_joint(panel.loupe.joint)
        panel.looks.style_changed.connect(self._look_changed)
        panel.looks.smoothing_changed.connect(self._smoothing_changed)
        panel.tab_changed.connect(self._look_changed)
        panel.tab_changed.connect(panel.meters.refresh_numbers)
        view.clicked.connect(self._pick)

    def adopt(self, session: Session) -> None:
        """Look at another session, as before at the last one."""
        self._session = session
        self._set_latency_window(self._latency_window_s)
        self._panel.latency.show_window(self._latency_window_s)
        self._panel.loupe.clear()
        self._smoothing_changed()
        self._look_changed()

    def style(self, *, mirror: bool) -> OverlayStyle:
        """How the picture is to be annotated now."""
        looks = self._panel.looks
        if self._session is not None and not self._session.has_decoders:
            return OverlayStyle(mirror=mirror)  # there is nothing else to show
        return OverlayStyle(
            mirror=mirror,
            ghosts=looks.ghosts,
            arrows=looks.arrows,
            heatmap=looks.heatmap_of(self._panel.loupe.joint),
        )

    def show(self, result: PoseResult, *, mirror: bool) -> None:
        """A result is about to be on screen: the loupe looks at it, and the picture shows where it looks."""
        person = result.person
        loupe = self._panel.loupe
        in_sight = self._panel.in_sight(loupe)
        marked = in_sight or self._panel.looks.heatmap == HEATMAP_JOINT or self._panel.in_sight(self._panel.joints)
        self._view.marker = None
        if person is not None and marked:
            shown = result.smoothed_person or person
            x, y = shown.points[result.decoder][loupe.joint].tolist()
            self._view.marker = (result.frame.image.shape[1] - 1 - x if mirror else x, y)
        if in_sight:
            loupe.show_person(person, result.decoder, result.beta)

    def choose_joint(self, joint: int) -> None:
        """Look at this joint, an index into BLAZEPOSE_33."""
        self._panel.loupe.choose_joint(joint)
        self._panel.joints.choose_joint(joint)
        self._look_changed()

    def _pick(self, place: QPointF, mirrored: bool) -> None:
        """The picture was clicked at `place`, in its pixels."""
        result = self._view.result
        if result is None or not result.people:
            return
        x = result.frame.image.shape[1] - 1 - place.x() if mirrored else place.x()
        # The nearest joint of each, as a share of the reach of a click.
        nearest = []
        for person in result.shown:
            points = np.asarray(person.points[result.decoder], np.float64)
            distances = np.nan_to_num(np.hypot(points[:, 0] - x, points[:, 1] - place.y()), nan=np.inf)
            joint = int(np.argmin(distances))
            nearest.append((float(distances[joint]) / (_CLICK_REACH * person.region.body_size), person.id, joint))
        share, number, joint = min(nearest)
        if share <= 1:
            self._look_at(number)
            self._panel.show_tab(self._panel.loupe)
            self.choose_joint(joint)

    def _look_at(self, person: int) -> None:
        """Meters and loupe look at the person with this number."""
        if self._session is not None:
            self._session.look_at(person)
            self.style_changed.emit()

    # --- session ----------------------------------------------------------------------------------------------

    def _look_changed(self) -> None:
        if self._session is None:
            return
        wanted = self._panel.in_sight(self._panel.loupe) or self._panel.looks.heatmap != "off"
        self._session.pipeline.keep_heatmaps = wanted
        self._session.set_recorded_style(self.style(mirror=False))
        self._view.split.decoder = self._panel.looks.split
        self.style_changed.emit()

    def _smoothing_changed(self) -> None:
        if self._session is not None:
            self._session.pipeline.smoothing = self._panel.looks.smoothing
            self._session.board.forget_smoothing()
            if self._session.hold_still is not None:
                self._session.hold_still = None
                broken_off = tr("The hold-still measurement was broken off: the smoothing was changed.")
                self._messages.show_message(broken_off)
            self.style_changed.emit()

    def _set_jitter_window(self, seconds: float) -> None:
        if self._session is not None:
            self._session.board.set_jitter_window(seconds)

    def _set_latency_window(self, seconds: float) -> None:
        self._latency_window_s = seconds
        if self._session is not None:
            self._session.board.set_latency_window(seconds)

    def _show_snapshot(self, snapshot: MeterSnapshot, numbers: bool) -> None:
        panel, session = self._panel, self._session
        if session is None:
            return
        if panel.meters.live:
            panel.latency.add(snapshot)
        if not numbers:
            return
        self.big_meters.show_snapshot(snapshot, session.choice.name)
        if panel.in_sight(panel.latency):
            panel.latency.show_numbers(snapshot, session)
        if panel.in_sight(panel.joints):
            panel.joints.as_body_share = panel.meters.as_body_share
            panel.joints.show_distances(snapshot.jitter, snapshot.bias, session.choice.name)

    def _save_ledger(self) -> None:
        if self._session is None:
            return
        try:
            path = save_ledger(self._session, self._recordings)
        except OutputError as error:
            self._messages.show_message(str(error), "error")
            return
        self._messages.show_message(tr("Saved {path}").format(path=path))

    def copy_numbers(self) -> None:
        """Put the meters into the clipboard, as a table with tabs."""
        if self._session is not None:
            QGuiApplication.clipboard().setText(numbers_as_text(self._session))
            self._messages.show_message(tr("The numbers are in the clipboard, as a table."))

    # --- hold still -------------------------------------------------------------------------------------------

    def hold_still(self) -> None:
        """Start the measurement, or break it off."""
        session = self._session
        if session is None:
            return
        if session.hold_still is not None:
            session.hold_still = None
            self._messages.show_message(tr("The hold-still measurement was broken off."))
        elif session.pipeline.finished.is_set() or session.paused:
            self._messages.show_message(tr("There is no moving picture to measure in."), "warning")
        else:
            session.start_hold_still()

    def hold_still_badge(self) -> str:
        """What the picture says meanwhile; shows the card at the end. Empty where nothing is measured."""
        session = self._session
        if session is None or session.hold_still is None:
            return ""
        measurement = session.hold_still
        state = measurement.state()
        running = state.phase in ("countdown", "measuring")
        if running and not session.pipeline.finished.is_set():
            return badge_text(state, tr)
        session.hold_still = None
        if running:
            if session.pipeline.source_error is None:
                self._messages.show_message(tr("The measurement stopped: the source has ended."), "warning")
            return ""
        card = measurement.card()
        if card is not None:
            HoldStillDialog(card, self._recordings, self._window).open()
        else:
            self._messages.show_message(tr(state.message), "warning")
        return ""
