"""What evaluations share: intervals against closed forms, variants against the decoders and against their own names."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.comparison.resampling import (
    UNKNOWN,
    Interval,
    mean_interval,
    median_interval,
    resampled_counts,
    statistic_interval,
)
from app.comparison.variants import PLAIN, Variant, parse_variants, read_variants
from app.errors import UserError
from models.decoders import get_decoder
from models.readings import DECODER_NAMES, DEFAULT_FLOOR

RANDOM = np.random.default_rng(11)


# Resampling


def test_people_of_one_picture_are_drawn_together_and_pictures_as_often_as_there_are() -> None:
    counts = resampled_counts(["b", "a", "b", "c", "a", "b"], 500)
    assert counts.shape == (500, 6)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 0] == counts[:, 5]).all()
    assert (counts[:, 1] == counts[:, 4]).all()
    # Three pictures drawn from three, each time.
    assert (counts[:, [0, 1, 3]].sum(1) == 3).all()
    assert counts.mean(0) == pytest.approx(np.ones(6), abs=0.15)
    # With replacement: one picture three times in one of nine cases.
    assert (counts.max(1) == 3).mean() == pytest.approx(1 / 9, abs=0.05)


def test_the_same_again_and_another_seed_is_another() -> None:
    clusters = list(range(20))
    assert (resampled_counts(clusters, 50) == resampled_counts(clusters, 50)).all()
    assert (resampled_counts(clusters, 50) != resampled_counts(clusters, 50, seed=2)).any()
    assert resampled_counts([], 5).shape == (5, 0)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = RANDOM.normal(3.0, 2.0, 400)
    found = mean_interval(values, resampled_counts(range(400), 4000))
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_people_of_one_picture_widen_the_interval() -> None:
    # 40 pictures with ten equal people each: as sure as 40 people, not as 400.
    per_picture = RANDOM.normal(0.0, 1.0, 40)
    values, pictures = np.repeat(per_picture, 10), np.repeat(np.arange(40), 10)
    found = mean_interval(values, resampled_counts(pictures.tolist(), 4000))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * per_picture.std() / math.sqrt(40), rel=0.12)


def test_the_interval_of_a_median_is_that_of_its_order_statistics() -> None:
    # Of 0 to 399, the binomial interval of the median reaches 1.96 · sqrt(400) / 2 ranks.
    values = RANDOM.permutation(np.arange(400.0))
    found = median_interval(values, resampled_counts(range(400), 4000))
    assert found.value == 199.5
    assert (found.low, found.high) == pytest.approx((199.5 - 19.6, 199.5 + 19.6), abs=2.5)


def test_medians_are_those_of_the_people_as_often_as_they_are_drawn() -> None:
    values = np.array([5.0, 1.0, 3.0, math.nan, 2.0])
    for row in RANDOM.integers(0, 4, (50, 5)):
        found = median_interval(values, row[None])
        drawn = np.repeat(values, row)
        drawn = drawn[np.isfinite(drawn)]
        assert found.value == 2.5
        if len(drawn):
            assert (found.low, found.high) == (np.median(drawn), np.median(drawn))
        else:
            assert math.isnan(found.low)


def test_what_is_not_known_does_not_count() -> None:
    counts = resampled_counts(range(4), 300)
    values = np.array([1.0, math.nan, 1.0, 1.0])
    assert mean_interval(values, counts) == Interval(1.0, 1.0, 1.0)
    assert median_interval(values, counts) == Interval(1.0, 1.0, 1.0)
    nothing = np.full(4, math.nan)
    assert mean_interval(nothing, counts) is UNKNOWN
    assert median_interval(nothing, counts) is UNKNOWN
    # A resample in which nobody known was drawn does not count either.
    alone = mean_interval(np.array([7.0, math.nan]), np.array([[0, 2], [1, 1]]))
    assert (alone.low, alone.high) == (7.0, 7.0)


def test_the_interval_of_any_statistic() -> None:
    values = RANDOM.normal(0.0, 1.0, 200)

    def mean(drawn: list[int]) -> float:
        assert len(drawn) == 200
        return float(values[drawn].mean())

    found = statistic_interval(0.5, range(200), mean, 2000)
    half = 1.96 * values.std() / math.sqrt(200)
    assert found.value == 0.5
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.15 * half)
    assert math.isnan(statistic_interval(0.5, range(5), lambda _: math.nan, 10).low)


@pytest.mark.parametrize(
    ("interval", "is_more_than_noise"),
    [((1, 0.1, 2), True), ((-1, -2, -0.1), True), ((1, -0.1, 2), False), ((0, 0, 0), False), (UNKNOWN, False)],
)
def test_a_difference_is_more_than_noise_where_its_interval_excludes_zero(
    interval: Interval | tuple[float, float, float], is_more_than_noise: bool
) -> None:
    found = interval if isinstance(interval, Interval) else Interval(*interval)
    assert found.excludes_zero == is_more_than_noise


# Variants


def test_all_are_all_decoders_and_the_form_of_the_paper_with_each_beta() -> None:
    found = parse_variants("all", [1.0, 10.0])
    keys = [variant.key for variant in found]
    assert len(set(keys)) == len(keys) == len(DECODER_NAMES) - 2 + 2 * 3
    assert {variant.decoder for variant in found} == set(DECODER_NAMES)
    assert "ipr:beta=1" in keys
    assert "debiased:beta=10:normalize=off:floor=0" in keys
    assert found[keys.index("debiased:beta=1")] == Variant("debiased", 1.0)


def test_options_stay_with_their_decoder_and_a_named_beta_is_the_only_one() -> None:
    found = parse_variants("argmax, ipr:beta=3,debiased:floor=0.1,debiased-plain:beta=5,argmax", [1.0, 2.0])
    assert [variant.key for variant in found] == [
        "argmax",
        "ipr:beta=3",
        "debiased:beta=1:floor=0.1",
        "debiased:beta=2:floor=0.1",
        "debiased:beta=5:normalize=off:floor=0",
    ]
    assert [variant.title for variant in found] == [
        "Argmax",
        "IPR, β 3",
        "Debiased IPR, floor 0.1, β 1",
        "Debiased IPR, floor 0.1, β 2",
        "Debiased IPR, paper’s form, β 5",
    ]
    assert found[1].color != found[2].color == found[4].color


@pytest.mark.thorough
@given(
    st.builds(
        Variant,
        st.just("debiased"),
        st.floats(0.01, 100).map(lambda value: float(f"{value:g}")),
        st.none() | st.booleans(),
        st.none() | st.floats(0, 0.9).map(lambda value: float(f"{value:g}")),
    )
)
def test_a_key_is_read_as_the_variant_that_it_names(variant: Variant) -> None:
    assert parse_variants(variant.key, [1.0]) == (variant,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("argmx", "Unknown decoder “argmx”. Did you mean “argmax”?"),
        ("", "The list of decoders has an empty place in it."),
        ("argmax,,ipr", "The list of decoders has an empty place in it."),
        ("ipr:floor=0.1", "The decoder ipr has no option “floor” here. It has: beta."),
        ("argmax:beta=1", "The decoder argmax has no option “beta” here. It has: none."),
        ("regression:beta=1", "The decoder regression has no option “beta” here. It has: none."),
        ("ipr:beta=much", "beta is a number, not “much”."),
        ("ipr:beta", "beta is a number, not “”."),
        ("ipr:beta=nan", "beta must be from 0.01 to 10000, not nan."),
        ("debiased:normalize=yes", "normalize is on or off, not “yes”."),
        ("debiased:floor=1", "floor must be at least 0 and less than 1, not 1."),
    ],
)
def test_a_wrong_list_is_answered_with_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        parse_variants(text, [10.0])
    assert str(error.value).startswith(sentence)
    with pytest.raises(UserError, match="beta must be"):
        parse_variants("argmax", [0.0])


def test_every_variant_reads_the_same_maps_in_shares_of_the_crop() -> None:
    # Two people with 20 joints: more maps than are read at once; 48 high, 64 wide.
    centres = RANDOM.uniform(12, 36, (2, 20, 2))
    rows, columns = np.mgrid[0:48, 0:64]
    squared = (columns - centres[..., 0, None, None]) ** 2 + (rows - centres[..., 1, None, None]) ** 2
    heatmaps = (0.8 * np.exp(-squared / 8)).astype(np.float32)
    regression = RANDOM.random((2, 20, 2)).astype(np.float32)
    variants = parse_variants(f"argmax,dark,debiased,regression,ipr,{PLAIN}", [10.0])
    points, peaks = read_variants(heatmaps, regression, variants)
    assert points.shape == (2, 6, 20, 2)
    size = np.array([64, 48])
    # Closed forms: the cell, the centre, the centre, what was given.
    assert points[:, 0] == pytest.approx(np.round(centres) / size, abs=1e-6)
    assert points[:, 1] * size == pytest.approx(centres, abs=0.05)
    assert points[:, 2] * size == pytest.approx(centres, abs=0.05)
    assert (points[:, 3] == regression).all()
    assert peaks == pytest.approx(heatmaps.max((2, 3)), abs=1e-7)
    for place, decoder in (
        (4, get_decoder("ipr", beta=10.0)),
        (5, get_decoder("debiased", beta=10.0, normalize=False, floor=0.0)),
        (2, get_decoder("debiased", beta=10.0, normalize=True, floor=DEFAULT_FLOOR)),
    ):
        expected = decoder(torch.from_numpy(heatmaps)).points.numpy() / size
        assert points[:, place] == pytest.approx(expected, abs=1e-5)
