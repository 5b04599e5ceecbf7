"""What Qt needs of the system, looked at without loading Qt: a missing library would end the program."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from app.checkup.findings import Finding, fine, note, problem
from app.checkup.remedies import package_lines, pip_line, run_briefly

_SUBJECT = "Qt’s plug-ins"
_LIBRARIES = "Qt’s libraries"
# Qt reads these; see app/gui/qt_environment.py for what cv2 does to the first two.
_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QT_PLUGIN_PATH")
_PLUGIN = "Qt/plugins/platforms/libqxcb.so"
# Not by the plug-in, but by what the window imports.
_ALSO = ("QtWidgets.abi3.so",)


def check_qt_environment(environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Whether a variable leads Qt to plug-ins or fonts that are not its own.

    environment: None for this process's.
    """
    environment = os.environ if environment is None else environment
    found = False
    for name in _VARIABLES:
        value = environment.get(name)
        if not value:
            continue
        found = True
        what = "fonts" if name == "QT_QPA_FONTDIR" else "plug-ins"
        if _of_cv2(value):
            told = f"{name} leads Qt to the {what} of OpenCV ({value}), as importing cv2 does."
            remedy = "PoseScope’s window takes it back by itself; for other Qt programs started from here:"
        elif not all(Path(part).is_dir() for part in value.split(os.pathsep)):
            told = f"{name} leads Qt to {what} in {value}, where there is no such folder."
            remedy = "Take it away, also where it is set for every session:"
        else:
            told = f"{name} leads Qt to {what} that are not its own, in {value}."
            remedy = "If the window does not open or looks strange, take it away:"
        yield note(_SUBJECT, told, remedy, _without(name))
    if not found:
        yield fine(_SUBJECT, "No variable of the environment leads Qt to plug-ins or fonts of another program.")


def _of_cv2(value: str) -> bool:
    return "cv2" in re.split(r"[\\/]", value)


def _without(name: str) -> str:
    return f"Remove-Item Env:{name}" if platform.system() == "Windows" else f"unset {name}"


def check_qt_libraries(
    package: Path | None = None,
    environment: Mapping[str, str] | None = None,
    lines: Callable[[Sequence[str]], tuple[str, ...]] = package_lines,
) -> Iterator[Finding]:
    """Whether every library is there that Qt's plug-in for X11 needs. Linux only; elsewhere Qt brings all it needs.

    package: PySide6's folder; None for the installed one.
    """
    if platform.system() != "Linux":
        return
    package = package or _package_folder()
    environment = os.environ if environment is None else environment
    if package is None:
        yield note(_LIBRARIES, "PySide6 is not installed: the window cannot open, `posescope run` works without it.")
        return
    files = [package / _PLUGIN, *(package / part for part in _ALSO)]
    missing = sorted({name for file in files for name in missing_of(file)})
    gone = [file.name for file in files if not file.is_file()] + [name for name in missing if name.startswith("libQt")]
    if gone:
        yield problem(
            _LIBRARIES,
            f"PySide6 in {package} is damaged: {', '.join(gone)} cannot be found.",
            "Install it again:",
            pip_line("install --force-reinstall --no-deps PySide6-Essentials shiboken6"),
        )
    elif not missing:
        yield fine(_LIBRARIES, "Every library is there that Qt’s plug-in for X11 needs.")
    else:
        yield _missing(missing, environment, lines(missing))


def _missing(names: Sequence[str], environment: Mapping[str, str], commands: Sequence[str]) -> Finding:
    several = len(names) > 1
    told = (
        f"{len(names) if several else 'A'} librar{'ies' if several else 'y'} that Qt’s plug-in for X11 needs "
        f"{'are' if several else 'is'} missing: {', '.join(names)}."
    )
    remedy = "To install:" if commands else "Install with the package manager of this system."
    return (problem if _opens_on_x11(environment) else note)(_LIBRARIES, told, remedy, *commands)


def _opens_on_x11(environment: Mapping[str, str]) -> bool:
    """Whether Qt takes its plug-in for X11: where it is told to, else where there is X11 and no Wayland."""
    if chosen := environment.get("QT_QPA_PLATFORM"):
        return chosen.startswith("xcb")
    return bool(environment.get("DISPLAY")) and not environment.get("WAYLAND_DISPLAY")


def missing_of(file: Path) -> list[str]:
    """SONAMEs of the libraries that `file` needs, itself or through others, and the loader does not find.

    `ldd` tells all of them. Where there is none the loader itself is asked, which names the first one only.
    """
    ldd = shutil.which("ldd")
    told = run_briefly([ldd, str(file)]) if ldd else None
    if told is not None:
        return re.findall(r"^\s*(\S+) => not found", told, re.MULTILINE)
    if not file.is_file():
        return []
    try:
        ctypes.CDLL(str(file))
    except OSError as error:
        name = re.match(r"(\S+): cannot open shared object file", str(error))
        return [name[1]] if name else []
    return []


def qt_is_installed() -> bool:
    """Whether PySide6 can be found, whole or not."""
    return _package_folder() is not None


def _package_folder() -> Path | None:
    spec = importlib.util.find_spec("PySide6")
    return Path(spec.origin).parent if spec is not None and spec.origin else None
