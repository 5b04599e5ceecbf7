"""Installed packages and processes for the tests of the examination."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.checkup.findings import Finding, Severity

ROOT = Path(__file__).parents[2]
FINE, NOTE, PROBLEM = Severity.FINE, Severity.NOTE, Severity.PROBLEM


def install(site: Path, name: str, version: str, files: Mapping[str, str] | None = None) -> Path:
    """What an installer leaves of a package: its files, and the folder with its metadata. Returns that folder."""
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, content in (files or {}).items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(content)
    (about / "RECORD").write_text("".join(f"{path},,\n" for path in (*(files or {}), f"{about.name}/METADATA")))
    return about


def cv2_files(version: str, *, contrib: bool = False, headless: bool = False) -> dict[str, str]:
    """The files that matter of an OpenCV wheel."""
    return {
        "cv2/__init__.py": "",
        "cv2/version.py": f'opencv_version = "{version}"\ncontrib = {contrib}\nheadless = {headless}\n',
    }


def python_with(
    code: str, *arguments: str, path: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own. path: what lies there is imported before anything that is installed."""
    places = [str(place) for place in (path, ROOT) if place is not None]
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def one(findings: Iterable[Finding]) -> Finding:
    """The only finding."""
    (finding,) = findings
    return finding
