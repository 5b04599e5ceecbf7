"""Which network reads, where, and how many people it follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from app.errors import UserError
from app.gui.language import tr
from app.gui.message_bar import MessageBar
from app.gui.network_menu import NetworkMenu
from app.heads_offered import OfferedHead, offered_heads
from app.session import Session
from models.head_file import OWN, SHIPPED, read_head
from models.people import MEDIAPIPE


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
        menu.offered_heads = self._offered_heads
        menu.heads.chosen.connect(self.read_heads)
        menu.heads.opened.connect(self.open_head)
        self._opened_heads: list[str] = []

    def adopt(self, session: Session) -> None:
        """Steer another session; as many people are followed as in the one before."""
        if self._session is not None:
            session.most_people = self._session.most_people
            session.head_choice = self._session.head_choice
        self._session = session
        self._menu.show_people(session.most_people)

    def use(self, **changes: Any) -> None:
        """Read with another network as soon as it is loaded; the present one goes on until then.

        Another model has none of the heads of this one.
        """
        if changes.keys() & {"model"}:
            changes.setdefault("heads", ())
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

    def open_head(self, path: str) -> None:
        """Use the head in this file, for the decoder that it was trained for."""
        assert self._session is not None
        try:
            head = read_head(Path(path))
        except UserError as error:
            self._messages.show_message(str(error), "error")
            return
        # The newest first: of two for the same decoder the first is read.
        self._opened_heads = [path, *(other for other in self._opened_heads if other != path)]
        if Path(path) not in {one.path for one in self._offered_heads()}:
            self._opened_heads.remove(path)
            name = self._session.wanted_network.label
            self._messages.show_message(
                tr("The head “{head}” was trained for another network than {network}.").format(
                    head=head.label, network=name
                ),
                "error",
            )
            return
        self.read_heads(OWN)

    def read_heads(self, choice: str) -> None:
        """Let the decoders read these heads' maps (`models.head_file.LoadedHeads`): from the next frame on, or as soon
        as the heads are loaded.
        """
        session = self._session
        assert session is not None
        session.head_choice = choice
        heads = tuple(str(head.path) for head in self._offered_heads())
        if choice != SHIPPED and heads != session.wanted_network.heads:
            self.use(heads=heads)
        self.update()

    def _offered_heads(self) -> list[OfferedHead]:
        assert self._session is not None
        wanted = self._session.wanted_network
        if wanted.engine == MEDIAPIPE:
            return []
        return offered_heads(wanted.model, dict.fromkeys((*self._opened_heads, *wanted.heads)))

    def update(self) -> None:
        """Show what runs; four times a second."""
        session = self._session
        assert session is not None
        pipeline = session.pipeline
        wanted, loading = session.wanted_network, bool(pipeline.networks.pending) and not pipeline.finished.is_set()
        choice, headed = session.head_choice, bool(wanted.heads) and wanted.engine != MEDIAPIPE
        self._menu.heads.show_choice(choice, headed)
        names = {OWN: tr("own heads"), SHIPPED: ""}
        head = names.get(choice, choice) if headed else ""
        self._menu.show_network(wanted.model, session.device_label, wanted.device, loading, wanted.engine, head)

    def _choose_people(self, count: int) -> None:
        assert self._session is not None
        self._session.most_people = count
        self._menu.show_people(count)
