"""What the app remembers from one launch to the next: a JSON file in the user's configuration directory.

The file may have been edited by hand, cut off, or written by a newer version. Whatever is not understood is replaced
by its default and told in a sentence; it never keeps the app from starting.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import stat
import tempfile
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from app.addresses import without_secrets
from app.errors import OutputError
from app.output_file import free_path
from app.recording_paths import KEYPOINT_SUFFIXES, RecordingWish
from models.tracking import MOST_PEOPLE

LONGEST_PREROLL_S = 60.0
THEMES = ("system", "light", "dark")
LANGUAGES = ("system", "en", "zh_CN")
MOST_RECENT = 8
_LARGEST_FILE_BYTES = 1_000_000
_MOST_SENTENCES = 5
_LONGEST_CAMERA = 1000
_LONGEST_FOLDER = 4096
_LONGEST_LAYOUT = 4096
_LONGEST_SHOWN_NAME = 40
_LONGEST_WHOLE_NUMBER = 1000  # digits; Python itself refuses a few thousand
# Control characters, halves of characters, and what breaks lines: they belong in no name.
_UNFIT_CATEGORIES = frozenset(("Cc", "Cs", "Zl", "Zp"))
_TWICE = object()


@dataclass(frozen=True, slots=True)
class Settings:
    """camera: the `reopen_text` of a source, or empty. recordings: a folder, or empty for the usual one.

    preroll_s: how many seconds can be saved after the event, 0 (off) to 60. mirror: whether the view is mirrored.
    loop: whether files start again at their end. people: how many are followed at most.
    theme: system, light or dark. language: system, en or zh_CN. recent: files, folders and addresses without secrets,
    the newest first. window: where it was, as Qt writes it down. tab: which panel was in front. toured: whether the
    guided tour was seen or skipped.
    """

    camera: str = ""
    recordings: str = ""
    wish: RecordingWish = field(default_factory=RecordingWish)
    preroll_s: float = 10.0
    mirror: bool = False
    loop: bool = True
    people: int = 1
    theme: str = "system"
    language: str = "system"
    recent: tuple[str, ...] = ()
    window: str = ""
    tab: str = ""
    toured: bool = False


def settings_path() -> Path:
    return Path(platformdirs.user_config_dir("PoseScope", appauthor=False)) / "settings.json"


def recordings_folder(settings: Settings) -> Path:
    """Where recordings and snapshots go, unless the command line says otherwise. Need not exist."""
    return Path(settings.recordings or Path(platformdirs.user_videos_dir()) / "PoseScope")


def load_settings(path: Path | None = None, *, set_aside: bool = False) -> tuple[Settings, list[str]]:
    """The settings kept at `path`, and at most five sentences about what in them was not understood.

    Never raises: what is missing or not understood has its default. Without a file all have, and nothing is said.
    set_aside: give a file of which nothing can be used another name, so that it is not written over.
    """
    path = path or settings_path()
    problems: list[str] = []
    try:
        stored = _stored(path)
    except FileNotFoundError:
        return Settings(), []
    except _NotUnderstoodError as reason:
        aside = put_aside(path) if set_aside else None
        kept = f" They are kept as {aside.name}." if aside is not None else ""
        return Settings(), [f"The settings in {path} are not used: {reason}.{kept}"]
    except OSError as error:
        return Settings(), [f"The settings in {path} are not used: {error.strerror or error}."]
    settings = Settings(**_understood(stored, _CHECKS, "", problems))
    if len(problems) > _MOST_SENTENCES:
        more = len(problems) - _MOST_SENTENCES + 1
        problems[_MOST_SENTENCES - 1 :] = [f"{more} more entries of the settings were not understood."]
    return settings, problems


def put_aside(path: Path | None = None) -> Path | None:
    """Give the settings another name, beside them, so that the next start begins with the defaults.

    Returns it; None where there are none, or where they cannot be renamed.
    """
    path = path or settings_path()
    aside = free_path(path.parent, f"{path.stem} set aside {time.strftime('%Y-%m-%d %H.%M.%S')}", path.suffix)
    try:
        path.rename(aside)
    except OSError:
        return None
    return aside


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Keep `settings`, whole or not at all. What a newer version stored beside them stays.

    Raises OutputError where the file cannot be written, or where `settings` hold what could not be loaded again.
    """
    # Through a link: settings are often kept elsewhere and linked to.
    path = Path(os.path.realpath(path or settings_path()))
    values = asdict(settings)
    values["wish"]["keypoints"] = list(settings.wish.keypoints)
    values["recent"] = list(settings.recent)
    unfit: list[str] = []
    _understood(values, _CHECKS, "", unfit)
    if unfit:
        raise OutputError(f"The settings cannot be saved. {unfit[0]}")
    try:
        before = _stored(path)
    except (OSError, _NotUnderstoodError):
        before = {}
    text = _as_json(_with_unknown(values, before))
    try:
        _replace(path, text if len(text) <= _LARGEST_FILE_BYTES else _as_json(values))
    except OSError as error:
        raise OutputError(f"Cannot save the settings in {path}: {error.strerror or error}.") from error


class _NotUnderstoodError(Exception):
    """The reason, without a full stop."""


def _stored(path: Path) -> dict[str, Any]:
    """The object in the file. Entries that are there twice are _TWICE. Raises OSError or _NotUnderstoodError."""
    about = path.stat()
    # Reading a pipe would wait for ever.
    if not stat.S_ISREG(about.st_mode):
        raise _NotUnderstoodError("that is not a file")
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE_BYTES + 1)
    if len(content) > _LARGEST_FILE_BYTES:
        raise _NotUnderstoodError("the file has more than 1 MB")
    try:
        # Editors on Windows put a mark in front.
        stored = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_int=_whole_number)
    except (ValueError, RecursionError):
        raise _NotUnderstoodError("the file is not JSON, or it is damaged") from None
    if not isinstance(stored, dict):
        raise _NotUnderstoodError("the file holds no object with settings")
    return stored


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                values[name] = _TWICE
            seen.add(name)
    return values


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_WHOLE_NUMBER else math.inf


def _understood(
    stored: Mapping[str, Any], checks: Mapping[str, Callable[[Any], str]], within: str, problems: list[str]
) -> dict[str, Any]:
    """Those entries that pass their check, as Settings or RecordingWish take them; a sentence for each other one."""
    understood: dict[str, Any] = {}
    for name, value in stored.items():
        shown = f"“{within}{_shown(name)}”"
        if name not in checks:
            problems.append(f"The setting {shown} is not known to this version.")
        elif value is _TWICE:
            problems.append(f"The setting {shown} is there twice: its default is used.")
        elif rule := checks[name](value):
            problems.append(f"The setting {shown} must be {rule}: its default is used.")
        elif name == "wish":
            understood[name] = RecordingWish(**_understood(value, _WISH_CHECKS, "wish.", problems))
        elif name == "preroll_s":
            understood[name] = float(value)
        else:
            understood[name] = tuple(value) if isinstance(value, list) else value
    return understood


def _is_text(value: Any, longest: int) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= longest
        and _UNFIT_CATEGORIES.isdisjoint(unicodedata.category(character) for character in value)
    )


def _camera(value: Any) -> str:
    # Only what cameras call themselves: the address of a stream could hold a password.
    fits = _is_text(value, _LONGEST_CAMERA) and "://" not in value and (not value or value.startswith("camera:"))
    return "" if fits else "a camera as the app names it"


def _folder(value: Any) -> str:
    return "" if _is_text(value, _LONGEST_FOLDER) else "the name of a folder"


def _switch(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _seconds(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if is_number and 0 <= value <= LONGEST_PREROLL_S else f"a number from 0 to {LONGEST_PREROLL_S:g}"


def _people(value: Any) -> str:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_PEOPLE
    return "" if fits else f"a whole number from 1 to {MOST_PEOPLE}"


def _one_of(*choices: str) -> Callable[[Any], str]:
    return lambda value: "" if value in choices and isinstance(value, str) else f"one of {', '.join(choices)}"


def _recent(value: Any) -> str:
    fits = (
        isinstance(value, list)
        and len(value) <= MOST_RECENT
        and all(_is_text(one, _LONGEST_FOLDER) and one and one == without_secrets(one) for one in value)
    )
    return "" if fits else f"a list of at most {MOST_RECENT} sources"


def _base64(value: Any) -> str:
    fits = isinstance(value, str) and len(value) <= _LONGEST_LAYOUT and re.fullmatch(r"[A-Za-z0-9+/=]*", value)
    return "" if fits else "what the window wrote"


def _name(value: Any) -> str:
    return "" if isinstance(value, str) and (not value or _shown(value) == value) else "a name"


def _wish(value: Any) -> str:
    return "" if isinstance(value, dict) else "an object"


def _formats(value: Any) -> str:
    fits = isinstance(value, list) and all(isinstance(kind, str) and kind in KEYPOINT_SUFFIXES for kind in value)
    return "" if fits and len(set(value)) == len(value) else f"a list of {', '.join(KEYPOINT_SUFFIXES)}"


# Each says what the entry has to be; nothing where it is that.
_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "camera": _camera,
    "recordings": _folder,
    "wish": _wish,
    "preroll_s": _seconds,
    "mirror": _switch,
    "loop": _switch,
    "people": _people,
    "theme": _one_of(*THEMES),
    "language": _one_of(*LANGUAGES),
    "recent": _recent,
    "window": _base64,
    "tab": _name,
    "toured": _switch,
}
_WISH_CHECKS: Mapping[str, Callable[[Any], str]] = {"annotated": _switch, "clean": _switch, "keypoints": _formats}


def _shown(name: str) -> str:
    # Anything else than a plain name may be an address with a password, or what a terminal obeys.
    return name if name.isidentifier() and len(name) <= _LONGEST_SHOWN_NAME else "…"


def _with_unknown(values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, and those entries of `before` that this version does not know."""
    merged = dict(values)
    for name, value in before.items():
        if name not in values:
            if _can_stay({name: value}):
                merged[name] = value
        elif isinstance(values[name], dict) and isinstance(value, dict):
            merged[name] = _with_unknown(values[name], value)
    return merged


def _can_stay(value: Any) -> bool:
    """Whether it can be written so that this version can read the file again."""
    try:
        # Deeper than it will lie.
        _as_json([[[value]]])
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, so that nobody ever reads half of it. Raises OSError."""
    if path.exists() and not path.is_file():
        raise OSError("that is not a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix="settings-", suffix=".tmp", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise
