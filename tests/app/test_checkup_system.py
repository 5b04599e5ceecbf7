"""What the examination finds in the system: libraries, variables, graphics cards. Provoked, not pretended."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app.checkup.findings import Severity
from app.checkup.gpu import NvidiaCard, check_gpu, find_nvidia_card, torch_with_cuda
from app.checkup.qt import check_qt_environment, check_qt_libraries, missing_of
from app.checkup.remedies import debian_package, package_lines
from tests.app.checkup_builders import FINE, NOTE, PROBLEM, one, python_with

linux = pytest.mark.skipif(sys.platform != "linux", reason="this is about Linux")


# --- Qt -------------------------------------------------------------------------------------------------------------


@linux
def test_what_importing_cv2_does_to_qt_is_seen() -> None:
    done = python_with(
        "import cv2\n"
        "from app.checkup.qt import check_qt_environment\n"
        "for finding in check_qt_environment(): print(finding.severity.word, finding.told, *finding.commands)",
        QT_PLUGIN_PATH="",
    )
    assert done.stderr == ""
    plugins, fonts = done.stdout.splitlines()
    assert re.match(r"note QT_QPA_PLATFORM_PLUGIN_PATH leads Qt to the plug-ins of OpenCV \(.*cv2.*\)", plugins)
    assert plugins.endswith("unset QT_QPA_PLATFORM_PLUGIN_PATH")
    assert re.match(r"note QT_QPA_FONTDIR leads Qt to the fonts of OpenCV \(.*cv2.*\)", fonts)


def test_variables_that_lead_qt_astray(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    absent, foreign = check_qt_environment({"QT_PLUGIN_PATH": str(tmp_path), "QT_QPA_FONTDIR": str(gone)})
    assert (absent.severity, foreign.severity) == (NOTE, NOTE)
    assert absent.told == f"QT_QPA_FONTDIR leads Qt to fonts in {gone}, where there is no such folder."
    assert foreign.told == f"QT_PLUGIN_PATH leads Qt to plug-ins that are not its own, in {tmp_path}."
    assert one(check_qt_environment({"HOME": "/", "QT_PLUGIN_PATH": ""})).severity is FINE


@pytest.fixture
def pyside(tmp_path: Path) -> Path:
    """A copy of the parts of PySide6 that are looked at, with the real ones' own libraries beside them."""
    real = Path(importlib.util.find_spec("PySide6").origin).parent
    copy = tmp_path / "PySide6"
    plugins = copy / "Qt" / "plugins" / "platforms"
    plugins.mkdir(parents=True)
    shutil.copy(real / "Qt" / "plugins" / "platforms" / "libqxcb.so", plugins)
    shutil.copy(real / "QtWidgets.abi3.so", copy)
    (copy / "Qt" / "lib").symlink_to(real / "Qt" / "lib")
    for library in real.glob("libpyside6.abi3.so*"):
        (copy / library.name).symlink_to(library)
    (tmp_path / "shiboken6").symlink_to(real.parent / "shiboken6")
    return copy


def need_another(plugin: Path, *names: tuple[bytes, bytes]) -> None:
    """Write other names of the same length into the list of the libraries that an ELF file needs."""
    content = plugin.read_bytes()
    for old, new in names:
        assert len(old) == len(new)
        assert content.count(old + b"\0") == 1
        content = content.replace(old + b"\0", new + b"\0")
    plugin.write_bytes(content)


@linux
def test_every_library_of_qt_is_there(pyside: Path) -> None:
    assert one(check_qt_libraries(pyside, {"DISPLAY": ":0"})).severity is FINE


@linux
@pytest.mark.parametrize("ldd", [True, False])
def test_missing_libraries_of_qt_are_named(pyside: Path, ldd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = pyside / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    need_another(
        plugin, (b"libxcb-icccm.so.4", b"libxcb-iccc9.so.9"), (b"libxkbcommon-x11.so.0", b"libxkbcommon-x11.so.7")
    )
    missing = ["libxcb-iccc9.so.9", "libxkbcommon-x11.so.7"]
    if not ldd:
        monkeypatch.setenv("PATH", "")
        (name,) = missing_of(plugin)  # the loader names the first one only
        assert name in missing
        return
    asked: list[Sequence[str]] = []
    finding = one(check_qt_libraries(pyside, {"DISPLAY": ":0"}, lambda names: asked.append(names) or ("apt …",)))
    assert (finding.severity, finding.commands) == (PROBLEM, ("apt …",))
    assert finding.told == f"2 libraries that Qt’s plug-in for X11 needs are missing: {', '.join(missing)}."
    assert asked == [missing]


@linux
@pytest.mark.parametrize(
    ("environment", "severity"),
    [
        ({"DISPLAY": ":0"}, PROBLEM),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "QT_QPA_PLATFORM": "xcb"}, PROBLEM),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, NOTE),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, NOTE),
        ({}, NOTE),
    ],
)
def test_only_where_the_plug_in_is_used_it_is_a_problem(
    pyside: Path, environment: Mapping[str, str], severity: Severity
) -> None:
    need_another(pyside / "Qt/plugins/platforms/libqxcb.so", (b"libxcb-icccm.so.4", b"libxcb-iccc9.so.9"))
    assert one(check_qt_libraries(pyside, environment)).severity is severity


@linux
def test_a_damaged_pyside_is_not_mended_by_packages_of_the_system(pyside: Path) -> None:
    (pyside / "Qt" / "lib").unlink()
    finding = one(check_qt_libraries(pyside, {}))
    assert finding.severity is PROBLEM
    assert "libQt6XcbQpa.so.6" in finding.told
    assert "apt" not in " ".join(finding.commands)
    (pyside / "QtWidgets.abi3.so").unlink()
    assert "QtWidgets.abi3.so" in one(check_qt_libraries(pyside, {})).told


def test_lines_for_apt_and_dnf() -> None:
    names = ["libxcb-cursor.so.0", "libEGL.so.1", "libxkbcommon-x11.so.0"]
    apt = package_lines(names, lambda program: program if program == "apt-get" else None)
    assert apt == ("sudo apt install libegl1 libxcb-cursor0 libxkbcommon-x11-0",)
    (dnf,) = package_lines(names, lambda program: program if program == "dnf" else None)
    assert dnf.startswith("sudo dnf install ")
    assert "'libxcb-cursor.so.0()(64bit)'" in dnf
    assert package_lines(names, lambda program: None) == ()


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="only Debian knows its packages")
def test_debian_calls_its_packages_so() -> None:
    """Each library of the system that Qt's plug-in needs here, against the package that really holds it."""
    plugin = Path(importlib.util.find_spec("PySide6").origin).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    told = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=True).stdout
    # Packages from before the merger of /lib with /usr/lib list the one, newer ones the other.
    paths = {
        prefix + path: name
        for name, path in re.findall(r"^\s*(lib\S+) => (?:/usr)?(/lib/\S+)", told, re.MULTILINE)
        for prefix in ("", "/usr")
    }
    owners = subprocess.run(["dpkg-query", "-S", *paths], capture_output=True, text=True, check=False).stdout
    held = re.findall(r"^([^:\s]+)\S*: (\S+)$", owners, re.MULTILINE)
    packages = {paths[path]: package.removesuffix("t64") for package, path in held if package != "libc6"}
    assert {name: debian_package(name) for name in packages} == packages
    assert len(packages) > 20


# --- graphics card --------------------------------------------------------------------------------------------------


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def find_card(tmp_path: Path, tool: Path | None = None, devices: int = 0) -> NvidiaCard | None:
    return find_nvidia_card(lambda _: str(tool) if tool else None, tmp_path / "proc", tmp_path / "pci", lambda: devices)


@pytest.mark.skipif(os.name != "posix", reason="the tool is a shell script")
def test_a_card_by_its_tool(tmp_path: Path) -> None:
    tool = program(tmp_path, "nvidia-smi", 'test "$1" = --query-gpu=name && echo "NVIDIA GeForce RTX 4070"')
    assert find_card(tmp_path, tool) == NvidiaCard("NVIDIA GeForce RTX 4070", has_driver=True)
    broken = program(tmp_path, "broken", 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18')
    assert find_card(tmp_path, broken) is None


def test_a_card_by_its_driver(tmp_path: Path) -> None:
    about = tmp_path / "proc" / "gpus" / "0000:01:00.0" / "information"
    about.parent.mkdir(parents=True)
    about.write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 35\nGPU UUID: \t GPU-0\n")
    assert find_card(tmp_path) == NvidiaCard("NVIDIA H200", has_driver=True)
    shutil.rmtree(tmp_path / "proc")
    assert find_card(tmp_path, devices=1) == NvidiaCard("NVIDIA card", has_driver=True)


@linux
@pytest.mark.skipif(not shutil.which("cc"), reason="a library has to be compiled")
@pytest.mark.parametrize(("init", "count", "seen"), [(0, 2, True), (0, 0, False), (100, 1, False)])
def test_a_card_by_the_library_of_the_driver(tmp_path: Path, init: int, count: int, seen: bool) -> None:
    source = f"int cuInit(unsigned f) {{ return {init}; }} int cuDeviceGetCount(int *n) {{ *n = {count}; return 0; }}"
    (tmp_path / "cuda.c").write_text(source)
    library = tmp_path / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "cuda.c"], check=True)
    code = (
        "from pathlib import Path; from app.checkup.gpu import find_nvidia_card\n"
        "print(find_nvidia_card(lambda _: None, Path('none'), Path('none')))"
    )
    said = python_with(code, LD_LIBRARY_PATH=str(tmp_path)).stdout.strip()
    assert said == (str(NvidiaCard("NVIDIA card", has_driver=True)) if seen else "None")


@pytest.mark.parametrize(
    ("vendor", "kind", "seen"),
    [
        ("0x10de", "0x030000", True),
        ("0x10de", "0x030200", True),
        ("0x10de", "0x040300", False),
        ("0x8086", "0x030000", False),
    ],
)
def test_a_card_without_a_driver_on_the_bus(tmp_path: Path, vendor: str, kind: str, seen: bool) -> None:
    device = tmp_path / "pci" / "0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")
    card = find_card(tmp_path)
    assert card == (NvidiaCard("NVIDIA card", has_driver=False) if seen else None)
    if seen:
        finding = one(check_gpu(lambda: card))
        assert (finding.severity, finding.told) == (NOTE, "There is an NVIDIA card, but no driver for it is loaded.")


def with_torch(tmp_path: Path, cuda: str | None, body: str = "") -> str:
    """What the whole check says where nvidia-smi and torch are these."""
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(body)
    version = "2.13.0" if cuda else "2.13.0+cpu"
    (package / "version.py").write_text(f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\nxpu = None\n")
    program(tmp_path, "nvidia-smi", 'echo "NVIDIA GeForce RTX 4070"')
    done = python_with(
        "from app.checkup.gpu import check_gpu\n"
        "(finding,) = check_gpu()\n"
        "print(finding.severity.word, finding.told, finding.remedy, *finding.commands, sep='\\n')",
        path=tmp_path,
        PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    )
    assert done.stderr == ""
    return done.stdout


@linux
def test_a_torch_for_the_processor_beside_a_card(tmp_path: Path) -> None:
    said = with_torch(tmp_path, cuda=None)
    assert said.startswith(
        "problem\nThere is an NVIDIA card (NVIDIA GeForce RTX 4070), but the installed torch 2.13.0+cpu"
    )
    assert "pip uninstall -y torch\n" in said
    assert re.search(r"pip install torch( --index-url \S+)?\n$", said)


@linux
def test_a_driver_that_is_too_old_for_torch(tmp_path: Path) -> None:
    body = (
        "def zeros(*_, **__): raise RuntimeError('The NVIDIA driver on your system is too old (found version 11040).')"
    )
    said = with_torch(tmp_path, "13.0", body)
    assert said.startswith("problem\n")
    assert (
        "cannot compute on it: RuntimeError: The NVIDIA driver on your system is too old (found version 11040)." in said
    )


@linux
def test_a_torch_that_computes_on_the_card(tmp_path: Path) -> None:
    body = """
class _Any:
    def __getattr__(self, name): return lambda *_: self
    def __str__(self): return "NVIDIA GeForce RTX 4070"
cuda = _Any()
def zeros(*_, **__): return _Any()
"""
    assert with_torch(tmp_path, "13.0", body).startswith("fine\ntorch 2.13.0 computes on NVIDIA GeForce RTX 4070.")


def test_no_card_and_no_torch() -> None:
    assert one(check_gpu(lambda: None, lambda: None)).severity is FINE
    assert one(check_gpu(lambda: NvidiaCard("X", True), lambda: None)).severity is NOTE


def test_where_the_torch_with_cuda_comes_from() -> None:
    assert [
        torch_with_cuda(*where)[1].partition(" -m pip ")[2] for where in (("Linux", "x86_64"), ("Windows", "AMD64"))
    ] == [
        "install torch",
        "install torch --index-url https://download.pytorch.org/whl/cu130",
    ]
