"""Loads networks one after another, while frames go on passing through the one before."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import UserError
from app.latest_slot import LatestSlot

if TYPE_CHECKING:
    from models.estimators import Estimator

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network that can be used, and how it is called in the results."""

    estimator: Estimator
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    load: Callable[[], Estimator]
    name: str


class NetworkLoader:
    """Loads on whatever thread calls `run`; asked from any. Of several wishes that wait the last counts.

    loaded: the network in use, None before the first; it stays where another cannot be loaded.
    error: why the last one could not be loaded, None where it could.
    settled: set once the first one is there, or cannot be had.
    """

    def __init__(self) -> None:
        self.loaded: LoadedNetwork | None = None
        self.error: UserError | None = None
        self.settled = threading.Event()
        self._wishes: LatestSlot[_Wish] = LatestSlot()
        self._pending: _Wish | None = None

    @property
    def pending(self) -> str:
        """Name of the network that is asked for and not there yet, empty where none is."""
        pending = self._pending
        return pending.name if pending is not None else ""

    def ask(self, load: Callable[[], Estimator], name: str) -> None:
        """Use another network as soon as it is loaded."""
        self.error = None
        self._pending = wish = _Wish(load, name)
        self._wishes.put(wish)

    def let_go(self) -> None:
        """Let `run` ask at once whether it is stopped, instead of when it has waited for a wish."""
        self._wishes.let_go()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Load what is asked for until `stopped()`; a load that has begun is finished."""
        while not stopped():
            wish = self._wishes.take(_POLL_S)
            if wish is None:
                continue
            try:
                loaded = LoadedNetwork(wish.load(), wish.name)
            except UserError as error:
                self.error = error
            except Exception as error:
                # A device without memory, a driver's fault: no reason to end what the present network does.
                traceback.print_exc()
                reason = str(error).partition("\n")[0] or type(error).__name__
                self.error = UserError(f"The network “{wish.name}” cannot be used: {reason.rstrip('.')}.")
            else:
                self.loaded = loaded
            finally:
                if self._pending is wish:
                    self._pending = None
                self.settled.set()
