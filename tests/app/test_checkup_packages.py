"""What the examination finds in installed packages: real folders with real metadata."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from app.checkup.packages import check_opencv, check_packages, check_python, requirements, requires_python
from app.checkup.remedies import pip_line, quoted
from tests.app.checkup_builders import FINE, NOTE, PROBLEM, cv2_files, install, one


def pip(arguments: str) -> str:
    return f"pip {arguments}"


def opencv_in(site: Path):
    return one(check_opencv([str(site)], pip))


def test_one_cv2_is_fine(tmp_path: Path) -> None:
    install(tmp_path, "opencv-contrib-python", "5.0.0.93", cv2_files("5.0.0.93", contrib=True))
    install(tmp_path, "numpy", "2.4.6", {"numpy/__init__.py": ""})
    finding = opencv_in(tmp_path)
    assert (finding.severity, finding.told) == (FINE, "cv2 comes from opencv-contrib-python 5.0.0.93 alone.")
    assert not finding.remedy
    assert not finding.commands


@pytest.mark.parametrize("second", ["opencv-python", "opencv-python-headless", "opencv-contrib-python-headless"])
def test_two_packages_with_cv2_are_named_with_the_lines_that_mend_it(tmp_path: Path, second: str) -> None:
    install(tmp_path, "opencv-contrib-python", "5.0.0.93", cv2_files("5.0.0.93", contrib=True))
    install(tmp_path, second, "4.12.0.88", cv2_files("4.12.0.88"))
    finding = opencv_in(tmp_path)
    assert finding.severity is PROBLEM
    assert finding.told.startswith("2 packages provide cv2")
    assert "opencv-contrib-python 5.0.0.93" in finding.told
    assert f"{second} 4.12.0.88" in finding.told
    remove, add = finding.commands
    assert remove.startswith("pip uninstall -y ")
    assert set(remove.split()[3:]) == {"opencv-contrib-python", second}
    assert add == 'pip install "opencv-contrib-python>=5"'


def test_a_cv2_of_any_other_name_counts_too(tmp_path: Path) -> None:
    install(tmp_path, "opencv-contrib-python", "5.0.0.93", cv2_files("5.0.0.93", contrib=True))
    install(tmp_path, "cv-of-somebody", "1.0", {"cv2/__init__.py": ""})
    assert "cv-of-somebody 1.0" in opencv_in(tmp_path).told


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (cv2_files("4.12.0.88", contrib=True), "the files of version 4.12.0.88, from another package"),
        (cv2_files("5.0.0.93", contrib=False), "the files of another package"),
        (cv2_files("5.0.0.93", contrib=True, headless=True), "the files of another package"),
        ({}, "its folder cv2 is gone"),
    ],
)
def test_a_cv2_that_another_package_has_spoilt(tmp_path: Path, files: dict[str, str], said: str) -> None:
    about = install(tmp_path, "opencv-contrib-python", "5.0.0.93", files)
    (about / "RECORD").write_text("cv2/__init__.py,,\n")
    finding = opencv_in(tmp_path)
    assert finding.severity is PROBLEM
    assert said in finding.told
    assert finding.commands == (
        "pip uninstall -y opencv-contrib-python",
        'pip install "opencv-contrib-python>=5"',
    )


def test_no_cv2_at_all(tmp_path: Path) -> None:
    finding = opencv_in(tmp_path)
    assert (finding.severity, finding.commands) == (PROBLEM, ('pip install "opencv-contrib-python>=5"',))


def test_packages_against_what_is_asked_for(tmp_path: Path) -> None:
    asked = [
        Requirement(text)
        for text in (
            "numpy>=2.1",
            "av>=18",
            "tqdm>=4.67",
            "PySide6-Essentials>=6.9,!=6.12.0",
            "pyqtgraph>=0.14",
            'mediapipe>=1.2; extra == "test"',
            'hypothesis>=6; extra == "test"',
            'wheel-for-another-system>=1; sys_platform == "plan9"',
        )
    ]
    install(tmp_path, "numpy", "1.26.4")
    install(tmp_path, "tqdm", "4.70.1")
    install(tmp_path, "PySide6_Essentials", "6.12.0")
    install(tmp_path, "mediapipe", "0.10.21")
    install(tmp_path, "hypothesis", "6.170.15")
    (tmp_path / "av-18.1.0.dist-info").mkdir()  # what a broken installation leaves
    found = list(check_packages(asked, [str(tmp_path)], pip))
    assert [(finding.severity, finding.told, finding.commands) for finding in found] == [
        (PROBLEM, "numpy is 1.26.4, and PoseScope asks for >=2.1.", ('pip install "numpy>=2.1"',)),
        (PROBLEM, "av is not installed.", ('pip install "av>=18"',)),
        (
            PROBLEM,
            "PySide6-Essentials is 6.12.0, and PoseScope asks for !=6.12.0,>=6.9: that one ends Python 3.11 within "
            "minutes, for it loses references to None.",
            ('pip install "PySide6-Essentials!=6.12.0,>=6.9"',),
        ),
        (
            NOTE,
            "pyqtgraph is not installed: the window cannot open, `posescope run` works without it.",
            ('pip install "pyqtgraph>=0.14"',),
        ),
        (NOTE, "mediapipe is 0.10.21, and PoseScope asks for >=1.2.", ('pip install "mediapipe>=1.2"',)),
    ]


def test_packages_that_fit(tmp_path: Path) -> None:
    install(tmp_path, "torch", "2.13.0+cpu")
    install(tmp_path, "numpy", "3.0.0rc1")
    asked = [Requirement("torch>=2.8"), Requirement("numpy>=2.1")]
    finding = one(check_packages(asked, [str(tmp_path)], pip))
    assert (finding.severity, finding.told) == (
        FINE,
        "All 2 packages are there, in versions that PoseScope asks for.",
    )


def test_the_package_that_python_takes_is_the_first_on_its_path(tmp_path: Path) -> None:
    install(tmp_path / "first", "numpy", "2.4.6")
    install(tmp_path / "second", "numpy", "1.0")
    path = [str(tmp_path / "first"), str(tmp_path / "second")]
    assert one(check_packages([Requirement("numpy>=2.1")], path, pip)).severity is FINE


def test_these_packages_are_those_of_the_project() -> None:
    """This environment is the one that the project's own commands make."""
    asked = {requirement.name for requirement in requirements()}
    assert {"numpy", "openvino", "PySide6-Essentials", "mediapipe", "pyvirtualcam", "ruff"} <= asked
    assert [finding.severity for finding in check_packages()] == [FINE]
    assert [finding.severity for finding in check_opencv()] == [FINE]


@pytest.mark.parametrize("version", ["3.10.14", "3.9.0", "2.7.18"])
def test_an_old_python(version: str) -> None:
    finding = one(check_python(version=version))
    assert (finding.severity, finding.told) == (PROBLEM, f"This is Python {version}, and PoseScope asks for >=3.11.")


@pytest.mark.parametrize("version", [None, "3.11.0", "3.14.0", "3.15.0a1"])
def test_a_python_that_fits(version: str | None) -> None:
    assert requires_python() == ">=3.11"
    assert one(check_python(version=version)).severity is FINE


def test_pip_for_this_very_python(tmp_path: Path) -> None:
    assert pip_line("install x", prefix=tmp_path, has_pip=True) == f"{quoted(sys.executable)} -m pip install x"
    uv = pip_line("uninstall -y x y", prefix=tmp_path, executable="/a b/python", has_pip=False)
    assert uv == "uv pip uninstall --python '/a b/python' x y"
    (tmp_path / "pipx_metadata.json").write_text("{}")
    assert pip_line("install x", prefix=tmp_path) == "pipx runpip posescope install x"


def test_a_program_with_a_space_in_its_path() -> None:
    assert quoted("/opt/my python", "Linux") == "'/opt/my python'"
    assert quoted(r"C:\Program Files\python.exe", "Windows") == r'& "C:\Program Files\python.exe"'
    assert quoted(r"C:\python.exe", "Windows") == r"C:\python.exe"
