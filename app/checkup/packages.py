"""The installed packages: are they those that PoseScope asks for, and do two of them share one folder?"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

import app
from app.checkup.findings import Finding, fine, note, problem
from app.checkup.remedies import pip_line

_OPENCV = "OpenCV"
_PACKAGES = "Packages"
_PYTHON = "Python"
# As in pyproject.toml.
_WANTED_CV2 = "opencv-contrib-python"
# Whoever only runs the commands may well leave these out.
_ONLY_FOR_THE_WINDOW = ("pyside6-essentials", "pyqtgraph")
_WHY_NOT = {
    ("pyside6-essentials", "6.12.0"): ": that one ends Python 3.11 within minutes, for it loses references to None"
}

PipLine = Callable[[str], str]


def check_opencv(search_path: Sequence[str] | None = None, pip: PipLine = pip_line) -> Iterator[Finding]:
    """Whether exactly one package provides cv2, and whether its files are still its own.

    search_path: folders with installed packages; None for this Python's.
    """
    providers = _providers_of_cv2(search_path)
    wanted = next((str(r) for r in requirements() if canonicalize_name(r.name) == _WANTED_CV2), _WANTED_CV2)
    remove = pip(f"uninstall -y {' '.join(sorted({provider.name for provider in providers} | {_WANTED_CV2}))}")
    install = pip(f'install "{wanted}"')
    told = " and ".join(f"{provider.name} {provider.version}" for provider in providers)
    if not providers:
        yield problem(_OPENCV, "No package provides cv2.", "Install it:", install)
    elif len(providers) > 1:
        yield problem(
            _OPENCV,
            f"{len(providers)} packages provide cv2 and overwrite each other’s files: {told}.",
            "Remove all of them, then install the one that PoseScope uses:",
            remove,
            install,
        )
    elif strange := _not_its_own(providers[0]):
        yield problem(_OPENCV, f"{told} is damaged: {strange}.", "Remove it, then install it again:", remove, install)
    else:
        yield fine(_OPENCV, f"cv2 comes from {told} alone.")


def check_python(wanted: str | None = None, version: str | None = None) -> Iterator[Finding]:
    """wanted: as `requires-python`; None for PoseScope's. version: None for this Python's."""
    wanted = requires_python() if wanted is None else wanted
    version = version or platform.python_version()
    if SpecifierSet(wanted).contains(version, prereleases=True):
        yield fine(_PYTHON, f"Python {version} is one that PoseScope is written for ({wanted}).")
    else:
        yield problem(
            _PYTHON,
            f"This is Python {version}, and PoseScope asks for {wanted}.",
            "Install it with such a Python, in an environment of its own.",
        )


def check_packages(
    wanted: Iterable[Requirement] | None = None, search_path: Sequence[str] | None = None, pip: PipLine = pip_line
) -> Iterator[Finding]:
    """Whether every package is there in a version that PoseScope asks for; optional ones only where they are there."""
    wanted = list(requirements() if wanted is None else wanted)
    installed = _installed(search_path)
    looked_at, wrong = 0, False
    for requirement in wanted:
        optional = requirement.marker is not None and "extra" in str(requirement.marker)
        if requirement.marker is not None and not optional and not requirement.marker.evaluate():
            continue
        name = canonicalize_name(requirement.name)
        version = installed.get(name)
        if version is None and (optional or name == _WANTED_CV2):  # of cv2 more is said elsewhere
            continue
        looked_at += 1
        if version is not None and _fits(requirement, version):
            continue
        wrong = True
        plain = Requirement(str(requirement).partition(";")[0])
        yield _unfit(plain, version, optional, pip(f'install "{plain}"'))
    if not wrong:
        yield fine(_PACKAGES, f"All {looked_at} packages are there, in versions that PoseScope asks for.")


def _unfit(wanted: Requirement, version: str | None, optional: bool, line: str) -> Finding:
    if version is None and canonicalize_name(wanted.name) in _ONLY_FOR_THE_WINDOW:
        told = f"{wanted.name} is not installed: the window cannot open, `posescope run` works without it."
        return note(_PACKAGES, told, "For the window:", line)
    if version is None:
        return problem(_PACKAGES, f"{wanted.name} is not installed.", "Install it:", line)
    why = _WHY_NOT.get((canonicalize_name(wanted.name), version), "")
    told = f"{wanted.name} is {version}, and PoseScope asks for {wanted.specifier}{why}."
    return (note if optional else problem)(_PACKAGES, told, "Install one that fits:", line)


def requirements() -> list[Requirement]:
    """What PoseScope asks for, with the optional ones: of the clone that runs, else of the installed package."""
    project = _project_beside()
    if project is None:
        return [Requirement(line) for line in importlib.metadata.requires("posescope") or ()]
    asked = [Requirement(line) for line in project["dependencies"]]
    for extra, lines in project.get("optional-dependencies", {}).items():
        for line in lines:
            text, _, marker = line.partition(";")
            rest = f" and ({marker.strip()})" if marker.strip() else ""
            asked.append(Requirement(f'{text.strip()}; extra == "{extra}"{rest}'))
    return asked


def requires_python() -> str:
    """For example “>=3.11”."""
    project = _project_beside()
    if project is not None:
        return str(project["requires-python"])
    return importlib.metadata.metadata("posescope")["Requires-Python"]


def _project_beside() -> dict[str, Any] | None:
    path = Path(app.__file__).parents[1] / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text("utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return None
    return project if project.get("name") == "posescope" else None


@dataclass(frozen=True, slots=True)
class _Provider:
    """A package with a folder cv2."""

    name: str
    version: str
    folder: Path


def _providers_of_cv2(search_path: Sequence[str] | None) -> list[_Provider]:
    found: dict[str, _Provider] = {}
    for distribution in _distributions(search_path):
        name, record = str(distribution.metadata["Name"]), distribution.read_text("RECORD")
        # A package of conda keeps no such list.
        has_cv2 = "\ncv2/__init__.py," in f"\n{record}" if record else name.startswith("opencv")
        if has_cv2:
            folder = Path(str(distribution.locate_file("cv2")))
            found.setdefault(canonicalize_name(name), _Provider(name, distribution.version, folder))
    return sorted(found.values(), key=lambda provider: provider.name)


def _not_its_own(provider: _Provider) -> str:
    """What shows that another package has overwritten or taken away its files; empty where nothing does."""
    if not (provider.folder / "__init__.py").is_file():
        return "its folder cv2 is gone, as after another package that provides cv2 was removed"
    try:
        facts = (provider.folder / "version.py").read_text("utf-8")
    except OSError:
        return ""
    inside = re.search(r'opencv_version\s*=\s*"([^"]+)"', facts)
    if inside and not _same_release(inside[1], provider.version):
        return f"its folder cv2 holds the files of version {inside[1]}, from another package"
    for kind in ("contrib", "headless"):
        said = re.search(rf"{kind}\s*=\s*(True|False)", facts)
        if said and (said[1] == "True") != (kind in provider.name):
            return "its folder cv2 holds the files of another package"
    return ""


def _same_release(one: str, other: str) -> bool:
    try:
        return Version(one).release == Version(other).release
    except InvalidVersion:
        return True


def _installed(search_path: Sequence[str] | None) -> dict[str, str]:
    """Version by canonical name; of two in one place after another, the one that Python takes."""
    found: dict[str, str] = {}
    for distribution in _distributions(search_path):
        found.setdefault(canonicalize_name(str(distribution.metadata["Name"])), str(distribution.version))
    return found


def _distributions(search_path: Sequence[str] | None) -> Iterator[Distribution]:
    """Those that can be read: what a broken installation leaves has neither a name nor a version."""
    for distribution in importlib.metadata.distributions(path=list(sys.path if search_path is None else search_path)):
        about = distribution.metadata
        if about is not None and "Name" in about and "Version" in about:
            yield distribution


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
