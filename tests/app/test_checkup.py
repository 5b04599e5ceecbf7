"""The examination as a whole, and what it finds in files, encoders and OpenVINO."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bundled import ASSETS, MODELS
from app.checkup.examination import Check, all_checks, examine
from app.checkup.files import check_bundles, check_graph_cache, check_settings, why_not_writable
from app.checkup.findings import Finding, Severity, as_text, fine, lines_of, note, problem, verdict, worst_first
from app.checkup.recording import check_encoders, check_recordings_folder
from app.settings import Settings, recordings_folder, save_settings
from app.video_encoder import H264_ENCODERS, working_encoder, working_encoders
from tests.app.checkup_builders import FINE, NOTE, PROBLEM, ROOT, one, python_with

posix = pytest.mark.skipif(os.name != "posix", reason="as on POSIX")


# --- files ----------------------------------------------------------------------------------------------------------


def test_shipped_networks_are_as_published() -> None:
    assert one(check_bundles()).severity is FINE


def test_damaged_and_missing_networks(tmp_path: Path) -> None:
    for name in MODELS:
        file = f"pose_landmarker_{name}.task"
        (tmp_path / file).symlink_to(ASSETS / "weights" / file)
    (tmp_path / "pose_landmarker_full.task").unlink()
    lite = tmp_path / "pose_landmarker_lite.task"
    content = bytearray(lite.read_bytes())
    content[len(content) // 2] ^= 1
    lite.unlink()
    lite.write_bytes(content)
    found = list(check_bundles(tmp_path, clip=tmp_path / "clip.mp4"))
    assert [finding.severity for finding in found] == [PROBLEM, PROBLEM, PROBLEM]
    assert re.match(r"“lite” cannot be used: .*its sha256 differs", found[0].told)
    assert found[1].told.startswith("“full” cannot be used: No such model file")
    assert found[2].told == f"The sample clip is not there: {tmp_path / 'clip.mp4'}."


def test_why_not_writable(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "a" / "b") == ""
    assert list(tmp_path.iterdir()) == []  # nothing is made
    (tmp_path / "file").touch()
    assert why_not_writable(tmp_path / "file" / "b") == f"{tmp_path / 'file'} is not a folder"


@posix
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder is needed that not even root can write to")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    told = one(check_recordings_folder(Path("/proc/recordings")))
    assert told.severity is PROBLEM
    assert told.told.startswith("Nothing can be recorded in /proc/recordings: /proc cannot be written to (")
    assert one(check_graph_cache(Path("/proc/cache"))).severity is NOTE
    assert one(check_settings(Path("/proc/settings/settings.json"))).severity is NOTE
    assert one(check_graph_cache(tmp_path / "cache")).severity is FINE


def test_room_for_recordings(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert one(check_recordings_folder(tmp_path / "new", least_free=free // 2)).severity is FINE
    full = one(check_recordings_folder(tmp_path / "new", least_free=2 * free))
    assert (full.severity, full.told.startswith("Less than ")) == (PROBLEM, True)


def test_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    assert one(check_settings(path)).severity is FINE
    save_settings(Settings(mirror=True), path)
    assert one(check_settings(path)).severity is FINE
    path.write_text('{"mirror": "yes", "loop": 3}')
    entries = one(check_settings(path))
    assert entries.severity is NOTE
    assert "“mirror” must be true or false" in entries.told
    assert "“loop” must be true or false" in entries.told
    path.write_text('{"mirror": true')
    whole = one(check_settings(path))
    assert (whole.severity, "not JSON, or it is damaged" in whole.told) == (PROBLEM, True)


def test_the_folder_of_recordings_is_where_qt_says() -> None:
    from PySide6.QtCore import QStandardPaths

    movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    assert recordings_folder(Settings()) == Path(movies) / "PoseScope"
    assert recordings_folder(Settings(recordings="/data/poses")) == Path("/data/poses")


# --- encoders and OpenVINO ------------------------------------------------------------------------------------------


def test_encoders_of_this_computer() -> None:
    usable = working_encoders()
    assert usable[0] == working_encoder()
    finding = one(check_encoders())
    assert finding.severity is FINE
    assert finding.told.startswith(f"Recordings are encoded by {usable[0]}")


@pytest.mark.parametrize(
    ("listed", "working", "severity", "said"),
    [
        (H264_ENCODERS, [], PROBLEM, "No video encoder works here"),
        ({"mpeg4", "vp9"}, ["mpeg4"], PROBLEM, "has no H.264 encoder; recordings are made with mpeg4"),
        ({"libx264", "mpeg4"}, ["mpeg4"], PROBLEM, "None of the H.264 encoders of PyAV works here (libx264)"),
        (H264_ENCODERS, ["h264_nvenc", "libx264", "mpeg4"], FINE, "by h264_nvenc; in hardware work h264_nvenc."),
        ({"libx264", "h264_qsv"}, ["libx264", "mpeg4"], FINE, "on the processor; no hardware for h264_qsv was found."),
        ({"libx264"}, ["libx264", "mpeg4"], FINE, "by libx264, on the processor."),
    ],
)
def test_encoders(listed: set[str], working: list[str], severity: Severity, said: str) -> None:
    finding = one(check_encoders(listed, lambda: working))
    assert finding.severity is severity
    assert said in finding.told
    assert bool(finding.commands) == (severity is PROBLEM)


def openvino_that(tmp_path: Path, body: str) -> Finding:
    """What is said of a package openvino whose code is this."""
    (tmp_path / "openvino").mkdir()
    (tmp_path / "openvino" / "__init__.py").write_text(body)
    done = python_with(
        "from app.checkup.engine import check_openvino\n"
        "(finding,) = check_openvino(); print(finding.severity.word, finding.told, sep='\\n')",
        path=tmp_path,
    )
    assert done.stderr == ""
    word, told = done.stdout.splitlines()
    return Finding(Severity[word.upper()], "OpenVINO", told)


def test_openvino_that_lacks_a_library(tmp_path: Path) -> None:
    found = openvino_that(tmp_path, "raise ImportError('libtbb.so.12: cannot open shared object file')")
    assert found.severity is PROBLEM
    assert found.told.startswith("It cannot be used (ImportError: libtbb.so.12: cannot open shared object file): ")


@posix
def test_openvino_that_crashes(tmp_path: Path) -> None:
    found = openvino_that(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert (found.severity, "(it ended with SIGILL)" in found.told) == (PROBLEM, True)


def test_openvino_without_a_processor(tmp_path: Path) -> None:
    found = openvino_that(tmp_path, "class Core: available_devices = []")
    assert "it finds no processor that it can compute on" in found.told


# --- the whole ------------------------------------------------------------------------------------------------------


def test_a_check_that_fails_is_a_finding_and_the_others_go_on() -> None:
    def half() -> Iterator[Finding]:
        yield fine("half", "One half is well.")
        raise OSError("the other\nis not")

    def without() -> list[Finding]:
        raise ModuleNotFoundError("No module named 'av'")

    checks = (
        Check("whole", lambda: [note("whole", "All.")]),
        Check("half", half),
        Check("av", without),
        Check("last", list),
    )
    told = [(finding.severity, finding.subject, finding.told) for finding in examine(checks)]
    assert told == [
        (NOTE, "whole", "All."),
        (FINE, "half", "One half is well."),
        (PROBLEM, "half", "This could not be examined (OSError: the other)."),
        (PROBLEM, "av", "This could not be examined (ModuleNotFoundError: No module named 'av')."),
    ]


def test_an_examination_can_be_stopped() -> None:
    stopped = threading.Event()
    checks = (Check("a", lambda: stopped.set() or [fine("a", "Well.")]), Check("b", lambda: 1 / 0))
    assert [finding.subject for finding in examine(checks, stopped)] == ["a"]


def test_findings_in_words() -> None:
    found = [
        fine("A", "Well."),
        problem("B", "Not well, for a reason that takes some words.", "Mend it:", "mend --now every-thing", "restart"),
        note("C", "So so."),
    ]
    assert [finding.subject for finding in worst_first(found)] == ["B", "C", "A"]
    assert [verdict(found), verdict(found[2:]), verdict(found[:1]), verdict([found[1], found[1]])] == [
        "1 problem and 1 note.",
        "Everything is all right; 1 note.",
        "Everything is all right.",
        "2 problems.",
    ]
    assert as_text(found).splitlines() == [
        "1 problem and 1 note.",
        "",
        "problem  B: Not well, for a reason that takes some words.",
        "         → Mend it:",
        "             mend --now every-thing",
        "             restart",
        "note     C: So so.",
        "fine     A: Well.",
    ]
    assert lines_of(found[1], width=34)[:3] == [
        "problem  B: Not well, for a reason",
        "         that takes some words.",
        "         → Mend it:",
    ]


def test_every_check_of_this_computer_ends_in_a_finding(tmp_path: Path) -> None:
    found = list(examine(all_checks(tmp_path)))
    assert not [finding.told for finding in found if "could not be examined" in finding.told]
    subjects = {check.subject for check in all_checks(tmp_path)}
    # On other systems Qt brings its libraries.
    assert subjects - {finding.subject for finding in found} <= (
        set() if sys.platform == "linux" else {"Qt’s libraries"}
    )
    for finding in found:
        assert finding.told.endswith(".")
        assert "\n" not in finding.told + "".join(finding.commands)


def doctor(config: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return python_with(
        "import sys; from app.__main__ import main; sys.exit(main(['doctor']))",
        XDG_CONFIG_HOME=str(config),
        XDG_CACHE_HOME=str(config / "cache"),
        **environment,
    )


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="folders of the user are named by variables on Linux alone")
def test_the_exit_code_says_whether_something_is_a_problem(tmp_path: Path) -> None:
    well = doctor(tmp_path)
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.startswith("Everything is all right")
    (tmp_path / "PoseScope").mkdir()
    (tmp_path / "PoseScope" / "settings.json").write_text("[")
    ill = doctor(tmp_path)
    assert (ill.returncode, ill.stderr) == (1, "")
    first, _, told, *_ = ill.stdout.splitlines()
    assert first.startswith("1 problem")
    assert told.startswith("problem  Settings: The settings in ")


@posix
@pytest.mark.thorough
def test_whoever_reads_the_first_line_only_sees_no_traceback(tmp_path: Path) -> None:
    code = "import sys; from app.__main__ import main; sys.exit(main(['doctor']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 1)


@pytest.mark.thorough
def test_doctor_survives_broken_packages(tmp_path: Path) -> None:
    for name in ("av", "cv2", "openvino", "torch", "pyqtgraph"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('this {name} is broken')")
    done = python_with("import sys; from app.__main__ import main; sys.exit(main(['doctor']))", path=tmp_path)
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode == 1
    assert "problem  Video encoder: This could not be examined (ImportError: this av is broken)." in done.stdout
    assert "problem  OpenVINO: It cannot be used (ImportError: this openvino is broken)" in done.stdout
