"""Names of recordings: readable in any script, never too long, never one that exists."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from app.output_names import ledger_path, recording_paths, snapshot_path
from app.recording_paths import ALL_SUFFIXES, KEYPOINT_SUFFIXES, RecordingPaths, RecordingWish

EVERYTHING = RecordingWish(clean=True, keypoints=("csv", "jsonl", "coco", "openpose"))


def name_of(source: str) -> str:
    stem = recording_paths(Path("x"), source, "dark").annotated.name.removesuffix(" dark.mp4")
    return re.fullmatch(r"posescope \d{4}-\d\d-\d\d \d\d-\d\d-\d\d (.*)", stem)[1]


def test_the_files_of_a_recording_lie_beside_each_other(tmp_path):
    before = datetime.now().replace(microsecond=0)
    paths = recording_paths(tmp_path, "Front camera", "argmax-quarter", EVERYTHING)
    stem = paths.annotated.name.removesuffix(".mp4")
    made = datetime.strptime(stem[10:29], "%Y-%m-%d %H-%M-%S")
    assert before <= made <= datetime.now()
    assert stem[29:] == " Front-camera argmax-quarter"
    assert paths.clean.name == f"{stem}.clean.mp4"
    assert {kind: path.name for kind, path in paths.keypoints.items()} == {
        "csv": f"{stem}.keypoints.csv",
        "jsonl": f"{stem}.keypoints.jsonl",
        "coco": f"{stem}.coco.json",
        "openpose": f"{stem}.openpose",
    }
    assert paths.all == (paths.annotated, paths.clean, *paths.keypoints.values())
    assert {path.parent for path in paths.all} == {tmp_path}


def test_only_what_is_wished():
    assert recording_paths(Path("x"), "a", "b", RecordingWish(False, False, ())).all == ()
    paths = recording_paths(Path("x"), "a", "b", RecordingWish(annotated=False, clean=True, keypoints=("coco",)))
    assert [path.name.partition(".")[2] for path in paths.all] == ["clean.mp4", "coco.json"]
    assert [path.name.partition(".")[2] for path in recording_paths(Path("x"), "a", "b").all] == [
        "mp4",
        "keypoints.csv",
    ]
    assert RecordingPaths().all == ()


@pytest.mark.parametrize("taken", ALL_SUFFIXES)
def test_a_name_is_taken_where_any_file_of_it_is(tmp_path, monkeypatch, taken):
    monkeypatch.setattr("app.output_names._stem", lambda source, what: f"{source} {what}")
    for count, stem in enumerate(("cam dark", "cam dark-2", "cam dark-3", "cam dark-4")):
        paths = recording_paths(tmp_path, "cam", "dark", RecordingWish())
        assert paths.annotated == tmp_path / f"{stem}.mp4"
        assert snapshot_path(tmp_path, "cam", "dark") == tmp_path / f"{stem}.png"
        if taken == KEYPOINT_SUFFIXES["openpose"]:
            (tmp_path / f"{stem}{taken}").mkdir()
        elif count == 0:
            (tmp_path / f"{stem}{taken}").symlink_to(tmp_path / "nowhere")
        else:
            (tmp_path / f"{stem}{taken}").touch()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("clip (1).mp4", "clip-1-mp4"),
        ("rtsp://host:554/live?a=b", "rtsp-host-554-live-a-b"),
        ("Küche ß", "Küche-ß"),
        ("Ku\u0308che", "Küche"),  # as macOS writes it
        ("कैमरा २", "कैमरा-२"),
        ("กล้องหน้า", "กล้องหน้า"),
        ("カメラ・正面", "カメラ-正面"),
        ("كاميرا ١", "كاميرا-١"),
        ("\u202eevil\u202c name", "evil-name"),
        ("../../etc/passwd", "etc-passwd"),
        ("  ", "source"),
        ("🎥", "source"),
        ("a\0b\nc", "a-b-c"),
        ("-rf", "rf"),
    ],
)
def test_names_of_sources(source, expected):
    assert name_of(source) == expected


@pytest.mark.parametrize("letter", ["x", "é", "日", "𝔘", "किं", "e\u0301\u0323\u0327"])
def test_names_that_are_too_long_are_cut_and_can_be_written(tmp_path, letter):
    paths = recording_paths(tmp_path, letter * 300, "argmax-quarter", EVERYTHING)
    for path in paths.all:
        # With what is put behind it: a number, “.replaced”, and the name of a frame in the OpenPose folder.
        longest = tmp_path / f"{path.stem}-999_000000000042_keypoints.json.replaced"
        assert len(longest.name.encode()) <= 255
        path.touch()
        longest.touch()
    name = name_of(letter * 300)
    assert 10 <= len(name) <= 40
    assert len(name.encode()) <= 120
    if letter == "किं":
        assert name == letter * (len(name) // 3)  # no letter without its marks


def test_ledgers(tmp_path):
    assert re.fullmatch(r"posescope [-\d ]{19} cam latency\.json", ledger_path(tmp_path, "cam").name)
