"""Which network reads, where, and how many people it follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PySide6.QtCore import QObject

from app.errors import UserError
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.network_menu import NetworkMenu
from app.session import Session


class NetworkControl(QObject):
    """changed: called when another network was asked for."""

    def __init__(self, parent: QObject, menu: NetworkMenu, messages: MessageBar, changed: Callable[[], object]) -> None:
        super().__init__(parent)
        self._menu, self._messages, self._changed = menu, messages, changed
        self._session: Session | None = None
        menu.network_chosen.connect(lambda model: self.use(model=model))
        menu.device_chosen.connect(lambda device: self.use(device=device))
        menu.engine_chosen.connect(lambda engine: self.use(engine=engine, device="auto"))
        menu.people_chosen.connect(self._choose_people)

    def adopt(self, session: Session) -> None:
        """Steer another session; as many people are followed as in the one before."""
        if self._session is not None:
            session.most_people = self._session.most_people
        self._session = session
        self._menu.show_people(session.most_people)

    def use(self, **changes: str) -> None:
        """Read with another network as soon as it is loaded; the present one goes on until then."""
        session = self._session
        assert session is not None
        if session.pipeline.finished.is_set():
            self._messages.show_message(tr("There is no picture to read: open another source first."), "warning")
            return
        try:
            session.use_network(dataclasses.replace(session.wanted_network, **changes))
        except UserError as error:
            self._messages.show_message(str(error), "error")
        self._changed()

    def update(self) -> None:
        """Show what runs; four times a second."""
        session = self._session
        assert session is not None
        pipeline = session.pipeline
        wanted, loading = session.wanted_network, bool(pipeline.networks.pending) and not pipeline.finished.is_set()
        self._menu.show_network(wanted.model, session.device_label, wanted.device, loading, wanted.engine)

    def _choose_people(self, count: int) -> None:
        assert self._session is not None
        self._session.most_people = count
        self._menu.show_people(count)
