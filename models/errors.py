"""Errors that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend. `str(error)` is one clear sentence, shown as it is."""


class BundleError(UserError):
    """A .task bundle that is missing, damaged, or not a pose bundle."""


class DeviceError(UserError):
    """A compute device that does not exist or cannot be used here."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence that names the nearest known spelling, for example of a decoder."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    return f"Unknown {kind} “{name}”. {hint}Known: {', '.join(names)}."
