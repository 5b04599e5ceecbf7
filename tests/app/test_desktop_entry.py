"""The desktop entry: valid, starts what it says, with icons, and gone when it is removed."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.__main__ import main
from app.bundled import ICON_SIZES, icon_file
from app.desktop_entry import data_home, install_desktop_entry, remove_desktop_entry
from app.errors import OutputError

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="only Linux and its kin have these")
ODD = '/opt/my "poses" 100% $HOME `x` \\back/posescope'


def read(entry: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(delimiters="=")
    parser.optionxform = str
    parser.read_string(entry.read_text("utf-8"))
    return parser["Desktop Entry"]


def started(entry: Path) -> list[str]:
    """The words that a desktop starts, by the shell, which quotes in the same way."""
    value = read(entry)["Exec"].replace("\\\\", "\\").replace("%%", "%")
    done = subprocess.run(["sh", "-c", f"printf '%s\\n' {value}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("command", "folder"),
    [(["/usr/bin/posescope"], None), ([ODD], None), (["/usr/bin/python3", "-m", "app"], Path("/home/ada/my clone"))],
)
def test_the_entry_is_valid_and_starts_the_command(tmp_path: Path, command: list[str], folder: Path | None) -> None:
    entry = install_desktop_entry(tmp_path, command, folder)
    assert entry == tmp_path / "applications" / "posescope.desktop"
    assert started(entry) == command
    assert read(entry)["TryExec"].replace("\\\\", "\\") == command[0]
    assert read(entry).get("Path") == (None if folder is None else str(folder))
    if validate := shutil.which("desktop-file-validate"):
        done = subprocess.run([validate, "--warn-kde", entry], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_icons_of_every_size_lie_where_desktops_look(tmp_path: Path) -> None:
    install_desktop_entry(tmp_path, ["posescope"])
    theme = tmp_path / "icons" / "hicolor"
    assert (theme / "scalable" / "apps" / "posescope.svg").read_bytes() == icon_file().read_bytes()
    for size in ICON_SIZES:
        picture = cv2.imread(str(theme / f"{size}x{size}" / "apps" / "posescope.png"), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (size, size, 4)
        assert picture[0, 0, 3] == 0  # round corners
        assert picture[size // 2, size // 2, 3] == 255


def test_removing_leaves_nothing_of_it_and_everything_else(tmp_path: Path) -> None:
    install_desktop_entry(tmp_path, ["posescope"])
    other = tmp_path / "applications" / "other.desktop"
    other.touch()
    assert len(remove_desktop_entry(tmp_path)) == 2 + len(ICON_SIZES)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other]
    assert remove_desktop_entry(tmp_path) == []


def test_an_entry_of_before_is_replaced(tmp_path: Path) -> None:
    install_desktop_entry(tmp_path, ["/old/posescope"])
    assert started(install_desktop_entry(tmp_path, ["/new/posescope"])) == ["/new/posescope"]


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "icons").touch()
    with pytest.raises(OutputError, match="Cannot write the desktop entry to "):
        install_desktop_entry(tmp_path, ["posescope"])


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "bin" / "posescope"), "install-desktop-entry"])
    entry = tmp_path / "applications" / "posescope.desktop"
    assert main(["install-desktop-entry"]) == 0
    assert started(entry) == [str(tmp_path / "bin" / "posescope")]
    assert str(entry) in capsys.readouterr().out
    assert main(["install-desktop-entry", "--remove"]) == 0
    assert not entry.exists()
    assert main(["install-desktop-entry", "--remove"]) == 0
    assert capsys.readouterr().out.endswith("There is no desktop entry of PoseScope.\n")


def test_what_it_starts_from_a_clone_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["install-desktop-entry"]) == 0
    entry = tmp_path / "applications" / "posescope.desktop"
    done = subprocess.run(
        [*started(entry), "--version"], cwd=read(entry)["Path"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("PoseScope ")


@pytest.mark.parametrize("named", ["", "relative/data"])
def test_the_usual_data_home(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", named)
    monkeypatch.setenv("HOME", "/home/ada")
    assert data_home() == Path("/home/ada/.local/share")


def test_the_pictures_are_of_the_drawing(tmp_path: Path) -> None:
    """Who changes the SVG renders the others again: assets/icons/render.py."""
    code = """
import sys
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
image = QImage(64, 64, QImage.Format.Format_ARGB32)
image.fill(0)
painter = QPainter(image)
QSvgRenderer(sys.argv[1]).render(painter)
painter.end()
image.save(sys.argv[2])
"""
    path = tmp_path / "icon.png"
    subprocess.run([sys.executable, "-c", code, icon_file(), path], check=True, timeout=60)
    again = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(int)
    shipped = cv2.imread(str(icon_file(64)), cv2.IMREAD_UNCHANGED).astype(int)
    assert np.abs(again - shipped).mean() < 1
