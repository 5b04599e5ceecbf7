"""The result in words and as a table: who has which share, and where that cannot be told."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from app.meters.delay_card import CSV_COLUMNS, DelayCard
from app.meters.glass_to_glass import Outcome, measure
from tests.app.screen_loop import MS, Camera, flips_at_random, samples_of


def card_of(camera: Camera = Camera(), *, every: int = 1, missed: int = 0, **changes: object) -> DelayCard:  # noqa: B008
    """every: only each so-many-th frame was looked at."""
    rng = np.random.default_rng(1)
    flips = flips_at_random(rng, high_s=0.87)
    samples, _ = samples_of(flips, camera, rng)
    if missed:
        covered = (samples.captured_ns > flips[3].shown_ns) & (samples.captured_ns <= flips[2 + missed].shown_ns)
        samples = replace(samples, signal=np.where(covered, 0.0, samples.signal))
    samples = type(samples)(*(getattr(samples, name)[::every] for name in samples.__dataclass_fields__))
    delays = measure(flips, flips[-1].shown_ns + 500 * MS, samples, 2.0)
    return replace(DelayCard(delays, "Webcam", 1280, 720, "full", "cpu", 60.0, 84.0, 0.38), **changes)


def test_the_shares_are_camera_display_and_posescope():
    card = card_of()
    shares, delays = card.shares(), card.delays
    assert shares.split
    assert shares.display == pytest.approx(1000 / 60)
    assert shares.camera == pytest.approx(delays.received.p50 - 1000 / 60)
    assert shares.waiting == pytest.approx(delays.received.p50 - delays.changed.p50)
    assert shares.waiting == pytest.approx(1000 / 30 / 2, abs=3)
    assert shares.posescope == pytest.approx(14)
    assert shares.whole == pytest.approx(delays.received.p50 + delays.posescope.p50)
    verdict = card.verdict()
    assert f"{delays.painted.p50:.0f} ms later. PoseScope takes 14 ms of that" in verdict
    assert "cannot be told apart from inside the computer: at 60 Hz the display takes about 17 ms" in verdict
    assert card.title() == f"Glass to glass: {delays.painted.p50:.0f} ms"


@pytest.mark.parametrize(
    ("refresh_hz", "why"), [(0.0, "its refresh rate"), (math.nan, "its refresh rate"), (9e9, "its")]
)
def test_without_a_refresh_rate_nothing_is_invented(refresh_hz, why):
    card = card_of(refresh_hz=refresh_hz)
    shares = card.shares()
    assert not shares.split
    assert shares.camera == card.delays.received.p50
    assert shares.whole == card.delays.received.p50 + card.delays.posescope.p50
    assert "How much of these is whose cannot be told: the screen does not tell its refresh rate." in card.verdict()
    assert card.conditions()["Display"] == "refresh rate not known"


def test_where_a_refresh_would_take_all_of_it_nothing_is_split():
    card = card_of(Camera(fps=120, delay_ms=4))
    assert not card.shares().split
    assert "cannot be told: waiting for the next picture and one refresh at 60 Hz may take as long" in card.verdict()
    assert card_of(Camera(fps=120, delay_ms=4), refresh_hz=240.0).shares().split


def test_pictures_that_nobody_looked_at_are_told():
    assert "could be looked at" not in card_of().verdict()
    card = card_of(Camera(fps=60), every=3)
    assert "Only 20 of the camera’s 60 pictures a second could be looked at." in card.verdict()
    assert card.rate_text() == "60.0 pictures a second, 20.0 looked at"


def test_the_spread_is_told_with_what_the_frames_alone_make():
    card = card_of()
    whole = card.delays.painted
    assert f"90 % of the flips lie between {whole.p5:.0f} and {whole.p95:.0f} ms" in card.spread_text()
    assert "a picture every 33.3 ms alone makes σ 9.6 ms" in card.spread_text()


def test_flips_that_do_not_count_are_told():
    assert card_of().flips_text() == "50 of 50 flips"
    assert card_of(missed=4).flips_text() == "46 of 50 flips (4 not seen)"


def test_the_csv_has_a_row_for_each_flip():
    card = card_of(missed=4)
    rows = list(csv.DictReader(io.StringIO(card.to_csv())))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["flip"] for row in rows] == [str(number) for number in range(1, 51)]
    painted = [float(row["painted_ms"]) for row in rows if row["painted_ms"]]
    assert np.median(painted) == pytest.approx(card.delays.painted.p50, abs=0.01)
    for row, reading in zip(rows, card.delays.readings, strict=True):
        assert row["outcome"] == reading.outcome.value
        assert bool(row["received_ms"]) == (reading.outcome is Outcome.SEEN)
        assert (row["source"], row["width"], row["refresh_hz"]) == ("Webcam", "1280", "60.00")


def test_the_text_holds_figure_table_sentences_and_conditions():
    card = card_of(source="a\tcamera\nof two lines")
    lines = card.to_text().splitlines()
    assert lines[0] == card.title()
    table = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line.count("\t") == 4}
    assert table["PoseScope"] == ["14.0", "14.0", "14.0", "0.0"]
    assert table["Glass to glass"][1] == f"{card.delays.painted.p50:.1f}"
    assert card.verdict() in lines
    assert "Source\ta camera of two lines" in lines
