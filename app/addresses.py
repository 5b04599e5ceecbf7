"""Addresses of streams, as they may be shown."""

from __future__ import annotations

import re

# How cameras and recorders call what nobody else may know, where it stands in the path: “…/user=admin&password=…”.
_SECRET = re.compile(r"(?i)\b(user(?:name)?|usr|login|pass(?:word|wd)?|pwd|token|key|auth|secret)(=|%3d)[^&/;,]*[&;,]?")


def without_secrets(address: str) -> str:
    """The address without user name, password, query and fragment, even where a password holds @, / or ?.

    A text that is no address comes back as it is, but for what stands in front of an @.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        before, at, behind = address.rpartition("@")
        return f"…@{behind}" if at and re.search(r"[:/]", before) else address
    path = re.split(r"[?#]", rest.rpartition("@")[2])[0]
    return f"{scheme}://{_SECRET.sub('', path)}"
