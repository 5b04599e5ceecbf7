"""Settings: what is kept, what is not believed, and that nothing keeps the app from starting."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from app.errors import OutputError
from app.exporters import KEYPOINT_FORMATS
from app.recording_paths import RecordingWish
from app.settings import Settings, load_settings, put_aside, save_settings, settings_path

CHANGED = Settings(
    camera="camera:id=usb-0000:00:14.0-1,1280x720,30fps,MJPG",
    recordings="/home/jürgen/Vidéos/動画",
    wish=RecordingWish(annotated=False, clean=True, keypoints=("coco", "csv")),
    preroll_s=22.5,
    mirror=True,
    loop=False,
    people=4,
    theme="light",
    language="zh_CN",
    recent=("/home/jürgen/動画 1.mp4", "rtsp://camera.example/stream"),
    window="AdnQywADAAA=",
    tab="latency",
    toured=True,
)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="pipes, modes and links as on POSIX")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "settings.json"


def load(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_settings(path)


def is_one_sentence(text):
    return "\n" not in text and text.endswith(".") and len(text) < 300 and text.isprintable()


def test_what_is_saved_is_loaded(path):
    save_settings(CHANGED, path)
    assert load_settings(path) == (CHANGED, [])
    save_settings(Settings(), path)
    assert load_settings(path) == (Settings(), [])


def test_defaults_are_those_of_the_contract(path):
    defaults, problems = load_settings(path)
    assert defaults == Settings("", "", RecordingWish(True, False, ("csv",)), 10.0, False, True)
    assert problems == []
    assert not path.exists()


def test_file_is_plain_json_with_readable_names(path):
    save_settings(CHANGED, path)
    text = path.read_text("utf-8")
    assert "動画" in text
    assert json.loads(text) == {
        "camera": CHANGED.camera,
        "recordings": CHANGED.recordings,
        "wish": {"annotated": False, "clean": True, "keypoints": ["coco", "csv"]},
        "preroll_s": 22.5,
        "mirror": True,
        "loop": False,
        "people": 4,
        "theme": "light",
        "language": "zh_CN",
        "recent": ["/home/jürgen/動画 1.mp4", "rtsp://camera.example/stream"],
        "window": "AdnQywADAAA=",
        "tab": "latency",
        "toured": True,
    }


def test_every_format_of_the_exporters_can_be_wished_for(path):
    wish = RecordingWish(keypoints=tuple(KEYPOINT_FORMATS))
    save_settings(Settings(wish=wish), path)
    assert load_settings(path) == (Settings(wish=wish), [])


def test_settings_lie_in_the_users_configuration(monkeypatch, tmp_path):
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        assert settings_path() == tmp_path / "PoseScope" / "settings.json"
        save_settings(CHANGED)
        assert load_settings()[0] == CHANGED
    assert settings_path().name == "settings.json"


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("camera", '"rtsp://user:secret@host/"', "camera"),
        ("camera", '"camera:rtsp://user:secret@host/"', "camera"),
        ("camera", '"synthetic"', "camera"),
        ("camera", "0", "camera"),
        ("camera", '"camera:a\\u0000b"', "camera"),
        ("camera", '"camera:a\\ud800"', "camera"),
        ("camera", '"camera:' + "x" * 5000 + '"', "camera"),
        ("recordings", "null", "recordings"),
        ("recordings", '"/tmp/a\\nb"', "recordings"),
        ("recordings", '"' + "/x" * 5000 + '"', "recordings"),
        ("preroll_s", "-0.5", "preroll_s"),
        ("preroll_s", "60.5", "preroll_s"),
        ("preroll_s", "NaN", "preroll_s"),
        ("preroll_s", "Infinity", "preroll_s"),
        ("preroll_s", "1e999", "preroll_s"),
        ("preroll_s", "9" * 5000, "preroll_s"),
        ("preroll_s", "true", "preroll_s"),
        ("preroll_s", '"10"', "preroll_s"),
        ("mirror", "1", "mirror"),
        ("loop", '"yes"', "loop"),
        ("wish", "[]", "wish"),
        ("wish", '{"annotated": 0}', "wish.annotated"),
        ("wish", '{"clean": "x"}', "wish.clean"),
        ("wish", '{"keypoints": "csv"}', "wish.keypoints"),
        ("wish", '{"keypoints": ["csv", "csv"]}', "wish.keypoints"),
        ("wish", '{"keypoints": ["csv", ["x"]]}', "wish.keypoints"),
        ("wish", '{"keypoints": ["xml"]}', "wish.keypoints"),
    ],
)
def test_a_bad_entry_is_told_and_the_others_hold(path, name, value, field):
    others = {"mirror": True, "recordings": "/somewhere", "preroll_s": 5}
    others.pop(name, None)
    given = ", ".join(f'"{other}": {json.dumps(held)}' for other, held in others.items())
    settings, problems = load(path, f'{{{given}, "{name}": {value}}}')
    assert len(problems) == 1
    assert is_one_sentence(problems[0])
    assert f"“{field}”" in problems[0]
    assert "secret" not in problems[0]
    assert getattr(settings, name) == getattr(Settings(), name)
    assert {other: getattr(settings, other) for other in others} == others


def test_bounds_themselves_are_allowed(path):
    for seconds in (0, 60, 60.0, 0.25):
        settings, problems = load(path, json.dumps({"preroll_s": seconds}))
        assert (settings.preroll_s, problems) == (seconds, [])
        assert isinstance(settings.preroll_s, float)


def test_the_rest_of_a_wish_holds(path):
    settings, problems = load(path, '{"wish": {"clean": true, "annotated": "no", "keypoints": []}}')
    assert settings.wish == RecordingWish(annotated=True, clean=True, keypoints=())
    assert len(problems) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"camera": "\xff"}',
        b"[" * 500_000,
        b'{"a":' * 150_000,
        b'{"mirror": true}' + b" " * 1_000_001,
        b"\x00" * 100,
    ],
)
def test_what_is_no_settings_file_is_one_sentence(path, content):
    settings, problems = load(path, content)
    assert settings == Settings()
    assert len(problems) == 1
    assert is_one_sentence(problems[0])
    assert str(path) in problems[0]


def test_a_byte_order_mark_does_no_harm(path):
    assert load(path, b'\xef\xbb\xbf{"mirror": true}') == (Settings(mirror=True), [])


def test_an_entry_that_is_there_twice_has_its_default(path):
    settings, problems = load(path, '{"mirror": true, "loop": false, "mirror": true}')
    assert settings == Settings(loop=False)
    assert len(problems) == 1
    assert "“mirror” is there twice" in problems[0]


def test_at_most_five_sentences_and_names_are_shown_safely(path):
    settings, problems = load(
        path, json.dumps({"\x1b[2J\n": 1, "n" * 500: 2, "rtsp://u:secret@h": 3, **{f"k{i}": i for i in range(70)}})
    )
    assert settings == Settings()
    assert len(problems) == 5
    assert all(is_one_sentence(problem) for problem in problems)
    assert "secret" not in "".join(problems)
    assert "69" in problems[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("people", 0), ("people", 9), ("people", True), ("people", 2.5), ("theme", "blue"), ("theme", 1),
        ("language", "de"), ("language", ["en"]), ("recent", ["x"] * 9), ("recent", [""]),
        ("recent", ["rtsp://u:s@h/s"]), ("recent", [3]),
        ("window", "<xml>"), ("window", "A" * 5000), ("tab", "a b"), ("toured", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_is_replaced_by_its_default(path, name, value):
    settings, problems = load(path, json.dumps({name: value, "mirror": True}))
    assert settings == Settings(mirror=True)
    assert len(problems) == 1
    assert f"“{name}”" in problems[0]
    assert is_one_sentence(problems[0])


def test_settings_of_which_nothing_can_be_used_are_set_aside_and_not_written_over(path):
    path.parent.mkdir()
    path.write_text("{ broken")
    settings, (problem,) = load_settings(path, set_aside=True)
    assert settings == Settings()
    assert not path.exists()
    (aside,) = path.parent.iterdir()
    assert aside.read_text() == "{ broken"
    assert problem.endswith(f" They are kept as {aside.name}.")
    save_settings(CHANGED, path)
    assert load_settings(path, set_aside=True) == (CHANGED, [])
    assert aside.read_text() == "{ broken"
    # What can be used stays where it is, and a second one that cannot gets a name of its own.
    path.write_text("[]")
    load_settings(path, set_aside=True)
    assert len(list(path.parent.iterdir())) == 2
    assert put_aside(path) is None


def test_entries_of_newer_versions_stay(path):
    newer = {"shades": {"dark": [1, 2.5, None]}, "wish": {"clean": True, "depth": 8}, "mirror": False}
    _, problems = load(path, json.dumps(newer))
    assert len(problems) == 2
    save_settings(CHANGED, path)
    kept = json.loads(path.read_bytes())
    assert kept["shades"] == newer["shades"]
    assert kept["wish"] == {"annotated": False, "clean": True, "keypoints": ["coco", "csv"], "depth": 8}
    assert load_settings(path)[0] == CHANGED


@pytest.mark.parametrize(
    "unknown",
    [
        '"a": NaN',
        '"a": ' + "9" * 5000,
        '"a": "\\ud800"',
        '"\\udfff": 1',
        '"a": 1, "a": 2',
        '"a": ' + "[" * 900 + "]" * 900,
        '"a": "' + "x" * 999_900 + '"',
        '"wish": {"wish": {"wish": 1}, "\\ud800": NaN}',
    ],
)
def test_what_cannot_stay_does_not_keep_the_settings_from_being_saved(path, unknown):
    load(path, f"{{{unknown}}}")
    save_settings(CHANGED, path)
    assert load_settings(path)[0] == CHANGED


@pytest.mark.parametrize(
    "bad",
    [
        Settings(camera="rtsp://user:secret@host/"),
        Settings(camera="camera:http://user:secret@host/"),
        Settings(recordings="/tmp/\udce4"),
        Settings(preroll_s=float("nan")),
        Settings(preroll_s=61),
        Settings(wish=RecordingWish(keypoints=("xml",))),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(path, bad):
    save_settings(CHANGED, path)
    with pytest.raises(OutputError) as error:
        save_settings(bad, path)
    assert is_one_sentence(str(error.value))
    assert "secret" not in str(error.value)
    assert load_settings(path) == (CHANGED, [])


@needs_posix
def test_a_pipe_a_device_and_a_folder_neither_hang_nor_raise(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        answer = []
        thread = threading.Thread(target=lambda path=path, answer=answer: answer.append(load_settings(path)))
        thread.start()
        thread.join(10)
        if thread.is_alive():  # let go of it, so that the test can end
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        [(settings, problems)] = answer
        assert settings == Settings()
        assert len(problems) == 1
        with pytest.raises(OutputError, match="not a file"):
            save_settings(CHANGED, path)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@needs_posix
def test_saving_follows_a_link_and_leaves_nothing_beside(tmp_path):
    kept, link = tmp_path / "kept" / "mine.json", tmp_path / "settings.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    link.symlink_to(kept)
    save_settings(CHANGED, link)
    assert link.is_symlink()
    assert load_settings(kept)[0] == CHANGED
    assert [entry.name for entry in kept.parent.iterdir()] == ["mine.json"]


def test_a_failed_save_leaves_the_old_file_and_nothing_beside(path, monkeypatch):
    save_settings(CHANGED, path)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save_settings(Settings(), path)
    assert load_settings(path) == (CHANGED, [])
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as error:
        save_settings(CHANGED, tmp_path / "file" / "settings.json")
    assert is_one_sentence(str(error.value))
    settings, problems = load_settings(tmp_path / "file" / "settings.json")
    assert settings == Settings()
    assert len(problems) == 1
