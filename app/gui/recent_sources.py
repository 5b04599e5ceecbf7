"""The sources that were opened last."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.addresses import without_secrets
from app.settings import MOST_RECENT


class RecentSources:
    """Files, folders and addresses, the newest first. Cameras are not among them, nor anything with a password."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.sources = tuple(sources)

    def add(self, text: str) -> None:
        """Remember that it was opened."""
        if "://" in text:
            kept = text
        elif Path(text).exists():
            kept = str(Path(text).absolute())
        else:
            return
        if kept == without_secrets(kept):
            self.sources = tuple(dict.fromkeys((kept, *self.sources)))[:MOST_RECENT]
