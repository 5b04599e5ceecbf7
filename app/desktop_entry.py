"""`posescope install-desktop-entry`: PoseScope in the menu of a Linux desktop, with its icon.

After the Desktop Entry Specification, the Icon Theme Specification and the XDG Base Directory Specification.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import app
from app.bundled import ICON_SIZES, icon_file
from app.errors import OutputError, UserError

# The window says so too, so that the desktop knows which entry it belongs to.
DESKTOP_ID = "posescope"
_COMMAND = "posescope"


def report(*, remove: bool) -> None:
    """Install or remove it, and say what was done. Raises UserError where that is not possible."""
    if sys.platform in ("win32", "darwin"):
        raise UserError("Only desktops of Linux and its kin have desktop entries.")
    if remove:
        removed = remove_desktop_entry(data_home())
        print(f"Removed {removed[0]} and its icons." if removed else "There is no desktop entry of PoseScope.")
        return
    entry = install_desktop_entry(data_home(), launching_command(), working_folder())
    print(f"PoseScope is in the menu of applications now: {entry}")
    print("To take it away: posescope install-desktop-entry --remove")


def data_home() -> Path:
    """Where the user's desktop looks for entries and icons."""
    named = os.environ.get("XDG_DATA_HOME", "")
    # Relative ones are to be ignored.
    return Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"


def launching_command() -> list[str]:
    """What starts this very PoseScope: the installed command, or Python in a clone."""
    started = Path(sys.argv[0])
    if started.name == _COMMAND:
        return [str(started.absolute())]
    return [sys.executable, "-m", "app"]


def working_folder() -> Path | None:
    """The clone, where Python has to be started in it; None for an installed command."""
    return None if Path(sys.argv[0]).name == _COMMAND else Path(app.__file__).parents[1]


def install_desktop_entry(home: Path, command: Sequence[str], folder: Path | None = None) -> Path:
    """Write entry and icons below `home`; those of before are replaced. Returns the entry. Raises OutputError.

    command: what starts the window. folder: where it is started; None for anywhere.
    """
    entry, icons = _entry(home), _icons(home)
    try:
        for source, target in icons.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(_text(command, folder), "utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write the desktop entry to {home}: {error.strerror}.") from None
    return entry


def remove_desktop_entry(home: Path) -> list[Path]:
    """Delete entry and icons below `home`. Returns what was there. Raises OutputError."""
    there = [path for path in (_entry(home), *_icons(home).values()) if path.is_file()]
    try:
        for path in there:
            path.unlink()
    except OSError as error:
        raise OutputError(f"Cannot remove the desktop entry from {home}: {error.strerror}.") from None
    return there


def _entry(home: Path) -> Path:
    return home / "applications" / f"{DESKTOP_ID}.desktop"


def _icons(home: Path) -> dict[Path, Path]:
    """Where each icon of the package belongs."""
    theme = home / "icons" / "hicolor"
    sized = {icon_file(size): theme / f"{size}x{size}" / "apps" / f"{DESKTOP_ID}.png" for size in ICON_SIZES}
    return {icon_file(): theme / "scalable" / "apps" / f"{DESKTOP_ID}.svg", **sized}


def _text(command: Sequence[str], folder: Path | None) -> str:
    entries = {
        "Type": "Application",
        "Version": "1.1",  # of the specification: the one that brought Keywords
        "Name": "PoseScope",
        "GenericName": "Oscilloscope for pose decoders",
        "Comment": "Jitter, bias and latency of every pose decoder, live on a camera",
        "Exec": " ".join(map(_argument, command)).replace("\\", "\\\\"),
        # Where the command is gone, the desktop hides the entry.
        "TryExec": _escaped(command[0]),
        **({"Path": _escaped(str(folder))} if folder is not None else {}),
        "Icon": DESKTOP_ID,
        "Terminal": "false",
        "Categories": "Science;ArtificialIntelligence;ImageProcessing;",
        "Keywords": "pose;webcam;camera;keypoints;heatmap;decoder;",
        "StartupNotify": "true",
        "StartupWMClass": DESKTOP_ID,
    }
    return "[Desktop Entry]\n" + "".join(f"{name}={value}\n" for name, value in entries.items())


def _argument(word: str) -> str:
    """As the specification quotes an argument of Exec; the value as a whole is escaped after that."""
    word = word.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    return '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")
