from __future__ import annotations

import contextlib
import csv
import io
from pathlib import Path

import numpy as np
import pytest

from app.errors import OutputError
from app.exporters import COLUMNS, KeypointsCsv
from app.output_file import free_path, keypoints_path_for
from tests.app import builders


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"))))


def test_one_row_for_each_person_joint_and_decoder(tmp_path):
    path = tmp_path / "keypoints.csv"
    people = (
        builders.person(step=1.25),
        builders.person(builders.standing_points(90.123, 10, 150), 0.5, id=7),
    )
    writer = KeypointsCsv(path)
    writer.write(builders.result(4, 1_000_000_000, people=people))
    writer.write(builders.result(9, 1_033_366_600, people=people))
    writer.close()

    rows = table(path)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * 2 * 33 * 6
    wanted = [
        (time, frame, str(person.id), joint, decoder)
        for time, frame in (("0.000000", "4"), ("0.033367", "9"))
        for person in people
        for decoder in builders.DECODERS
        for joint in builders.JOINTS
    ]
    assert [(r["time_s"], r["frame"], r["person"], r["joint"], r["decoder"]) for r in rows] == wanted
    by_id = {str(person.id): person for person in people}
    for row in rows:
        person, k = by_id[row["person"]], builders.JOINTS.index(row["joint"])
        x, y = person.points[row["decoder"]][k]
        assert row["x"] == f"{x:.3f}"
        assert row["y"] == f"{y:.3f}"
        assert float(row["score"]) == pytest.approx(person.scores[row["decoder"]][k], abs=1e-4)


def test_lines_end_with_a_line_feed_on_every_system(tmp_path):
    writer = KeypointsCsv(tmp_path / "k.csv")
    writer.write(builders.result())
    writer.close()
    data = (tmp_path / "k.csv").read_bytes()
    assert b"\r" not in data
    assert b"\0" not in data
    assert data.count(b"\n") == 1 + 33 * 6
    assert data.endswith(b"\n")


def test_a_long_recording_keeps_its_decimals(tmp_path):
    writer = KeypointsCsv(tmp_path / "k.csv")
    start = 7 * 10**18
    writer.write(builders.result(0, start))
    writer.write(builders.result(1, start + 36_000_000_001_000))
    writer.close()
    assert table(tmp_path / "k.csv")[-1]["time_s"] == "36000.000001"


def test_rows_are_in_the_file_before_it_is_closed(tmp_path):
    writer = KeypointsCsv(tmp_path / "k.csv")
    for i in range(3):
        writer.write(builders.result(i))
        assert len(table(tmp_path / "k.csv")) == (i + 1) * 33 * 6
    writer.close()


def test_a_frame_without_people_has_no_row_but_counts_in_time(tmp_path):
    writer = KeypointsCsv(tmp_path / "k.csv")
    writer.write(builders.result(0, 500_000_000, people=()))
    writer.write(builders.result(1, 750_000_000))
    writer.close()
    assert {row["time_s"] for row in table(tmp_path / "k.csv")} == {"0.250000"}


def test_unknown_numbers_are_left_empty(tmp_path):
    person = builders.person()
    person.points["ipr"][3] = np.nan, np.inf
    person.scores["dark"][5] = np.nan
    writer = KeypointsCsv(tmp_path / "k.csv")
    writer.write(builders.result(people=(person,)))
    writer.close()
    empty = [
        (row["decoder"], row["joint"], column)
        for row in table(tmp_path / "k.csv")
        for column in ("x", "y", "score")
        if row[column] == ""
    ]
    assert empty == [
        ("dark", builders.JOINTS[5], "score"),
        ("ipr", builders.JOINTS[3], "x"),
        ("ipr", builders.JOINTS[3], "y"),
    ]
    assert "nan" not in (tmp_path / "k.csv").read_text("utf-8")


def test_a_missing_folder_is_made(tmp_path):
    path = tmp_path / "new" / "ünïcode folder" / "k.csv"
    KeypointsCsv(path).close()
    assert path.read_text("utf-8") == ",".join(COLUMNS) + "\n"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "k.csv", tmp_path / "file" / "deeper" / "k.csv"):
        with pytest.raises(OutputError, match="Cannot write"):
            KeypointsCsv(path)


def test_a_name_that_is_a_folder(tmp_path):
    with pytest.raises(OutputError, match="Cannot write"):
        KeypointsCsv(tmp_path, overwrite=True)


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "k.csv"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        KeypointsCsv(path)
    assert path.read_text() == "precious"
    KeypointsCsv(path, overwrite=True).close()
    assert path.read_text().startswith("time_s")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk():
    with pytest.raises(OutputError) as caught:
        KeypointsCsv("/dev/full", overwrite=True)
    assert "/dev/full" in str(caught.value)
    assert "space" in str(caught.value)
    assert Path("/dev/full").exists()


def test_close_may_be_called_again(tmp_path):
    writer = KeypointsCsv(tmp_path / "k.csv")
    writer.close()
    writer.close()


def test_free_names(tmp_path):
    assert free_path(tmp_path, "take", ".mp4") == tmp_path / "take.mp4"
    (tmp_path / "take.mp4").touch()
    assert free_path(tmp_path, "take", ".mp4") == tmp_path / "take-2.mp4"
    assert free_path(tmp_path, "take", ".png") == tmp_path / "take-2.png"
    (tmp_path / "take-2.keypoints.csv").touch()
    assert free_path(tmp_path, "take", ".mp4") == tmp_path / "take-3.mp4"
    assert free_path(tmp_path, "take", ".keypoints.csv") == tmp_path / "take-3.keypoints.csv"
    assert free_path(tmp_path / "not there yet", "take", ".mp4").name == "take.mp4"


def test_the_keypoints_file_lies_beside_the_video():
    assert keypoints_path_for(Path("out") / "take 12.30.mp4") == Path("out") / "take 12.30.keypoints.csv"
    assert keypoints_path_for("take.mp4") == Path("take.keypoints.csv")


def test_beta_stands_beside_the_decoders_that_have_one(tmp_path):
    with contextlib.closing(KeypointsCsv(tmp_path / "k.csv")) as file:
        file.write(builders.result(0, beta=7.5))
        file.write(builders.result(1, beta=20.0))
    betas = {(row["frame"], row["decoder"]): row["beta"] for row in table(tmp_path / "k.csv")}
    assert {d for (_, d), beta in betas.items() if beta} == {"ipr", "debiased"}
    assert betas["0", "ipr"] == betas["0", "debiased"] == "7.5"
    assert betas["1", "ipr"] == "20"


def test_the_decoder_on_the_screen_is_marked_in_each_frame(tmp_path):
    with contextlib.closing(KeypointsCsv(tmp_path / "k.csv")) as file:
        for i, decoder in enumerate(("ipr", "argmax", "ipr")):
            file.write(builders.result(i, decoder=decoder))
    rows = table(tmp_path / "k.csv")
    assert {(row["frame"], row["decoder"]) for row in rows if row["shown"] == "1"} == {
        ("0", "ipr"),
        ("1", "argmax"),
        ("2", "ipr"),
    }
    assert {row["shown"] for row in rows} == {"0", "1"}
    assert sum(row["shown"] == "1" for row in rows) == 3 * 33


@pytest.mark.parametrize(
    "name",
    ["full", "", "my model, v2", 'the "best" one', "100 %s", "nan", "nano", "two\nlines", "姿勢 β", "a\0b"],
)
def test_any_name_of_a_network_comes_back_from_the_table(name, tmp_path):
    person = builders.person(id=3)
    person.points["ipr"][3] = np.nan
    with contextlib.closing(KeypointsCsv(tmp_path / "k.csv")) as file:
        file.write(builders.result(0, network=name, people=(person, builders.person(id=4))))
        file.write(builders.result(1, network="other"))
    rows = table(tmp_path / "k.csv")
    assert {row["network"] for row in rows if row["frame"] == "0"} == {name.replace("\0", "")}
    assert {row["network"] for row in rows if row["frame"] == "1"} == {"other"}
    assert len(rows) == 3 * 33 * 6
    assert {row["joint"] for row in rows if row["x"] == ""} == {builders.JOINTS[3]}
    assert {row["person"] for row in rows if row["frame"] == "0"} == {"3", "4"}
    assert {row["time_s"] for row in rows} == {"0.000000", "0.033333"}
