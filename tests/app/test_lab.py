"""The β laboratory's numbers against closed forms and against sums written out in numpy."""

from __future__ import annotations

import argparse
import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from app.errors import OutputError, UserError
from app.lab.command import run_lab
from app.lab.readings import LAB_DECODERS, PAPER_FORM, Readings, SyntheticMap, explanation, formula_numbers, read_points
from app.lab.sweeps import bias_against_beta, bias_against_peak, bias_against_position, bias_at_places, sweeps_csv

# Not square, so that exchanged axes are seen.
OFF_CENTRE = SyntheticMap(x=12.3, y=40.8, height=64, width=48)


def numpy_map(x, y, sigma=2.0, peak=1.0, background=0.0, height=64, width=48):
    heatmap = np.empty((height, width))
    for row in range(height):
        for column in range(width):
            distance_squared = (column - x) ** 2 + (row - y) ** 2
            heatmap[row, column] = background + (peak - background) * math.exp(-distance_squared / (2 * sigma**2))
    return heatmap


def numpy_mean(weights):
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return (columns * weights).sum() / weights.sum(), (rows * weights).sum() / weights.sum()


def numpy_bias(heatmap, beta, x, y):
    pulled_x, pulled_y = numpy_mean(np.exp(beta * heatmap))
    return math.hypot(pulled_x - x, pulled_y - y)


@pytest.mark.parametrize("values", [{}, {"sigma": 0.9, "peak": 0.4, "background": 0.03}])
def test_the_heatmap_is_the_gaussian_it_says(values):
    heatmap = replace(OFF_CENTRE, **values).heatmap()
    assert heatmap.shape == (1, 1, 64, 48)
    np.testing.assert_allclose(heatmap[0, 0].numpy(), numpy_map(12.3, 40.8, **values), atol=1e-14)


def test_noise_has_its_size_and_seed_and_stays_between_0_and_1():
    noisy = SyntheticMap(10, 10, background=0.5, noise=0.05, seed=3)
    heatmap = noisy.heatmap()[0, 0].numpy()
    assert heatmap[30:, 30:].std() == pytest.approx(0.05, rel=0.05)
    assert heatmap[30:, 30:].mean() == pytest.approx(0.5, abs=0.005)
    np.testing.assert_array_equal(heatmap, noisy.heatmap()[0, 0].numpy())
    assert not np.array_equal(heatmap, replace(noisy, seed=4).heatmap()[0, 0].numpy())
    cut = replace(noisy, noise=0.5).heatmap()
    assert cut.min() == 0
    assert cut.max() == 1


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"x": 48}, "x must lie"),
        ({"y": -0.1}, "y must lie"),
        ({"x": math.nan}, "x must lie"),
        ({"sigma": 0}, "σ"),
        ({"sigma": math.inf}, "σ"),
        ({"peak": 1.2}, "peak"),
        ({"peak": 0}, "peak"),
        ({"peak": 0.3, "background": 0.3}, "background"),
        ({"background": -0.1}, "background"),
        ({"noise": -0.1}, "noise"),
        ({"noise": math.nan}, "noise"),
        ({"width": 2}, "width"),
        ({"height": 5000}, "height"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_heatmap_is_told_in_one_sentence(values, word):
    with pytest.raises(UserError, match=word) as error:
        replace(OFF_CENTRE, **values)
    assert str(error.value).count(".") >= 1
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf, 501.0])
def test_a_beta_without_sense_is_refused(beta):
    with pytest.raises(UserError, match="β must be"):
        read_points(OFF_CENTRE, beta)


def test_all_heatmap_decoders_and_the_papers_form_read_the_map():
    points = read_points(OFF_CENTRE, 5.0)
    assert list(points) == ["argmax", "argmax-quarter", "dark", "ipr", "debiased", PAPER_FORM]
    heatmap = numpy_map(12.3, 40.8)
    assert points["argmax"] == (12, 41)
    assert points["argmax-quarter"] == (12.25, 40.75)
    assert points["dark"] == pytest.approx((12.3, 40.8), abs=1e-3)
    assert points["ipr"] == pytest.approx(numpy_mean(np.exp(5 * heatmap)))
    assert points[PAPER_FORM] == pytest.approx(numpy_mean(np.exp(5 * heatmap) - 1))
    cut = (heatmap / heatmap.max() - 0.2).clip(0) / 0.8
    assert points["debiased"] == pytest.approx(numpy_mean(np.exp(5 * cut) - 1))


def test_weights_are_shares_whose_mean_is_the_point():
    readings = Readings(OFF_CENTRE, 5.0)
    for weights, decoder in ((readings.softmax_weights, "ipr"), (readings.expm1_weights, "debiased")):
        assert weights.sum() == pytest.approx(1)
        assert numpy_mean(weights) == pytest.approx(readings.points[decoder])
    assert readings.softmax_weights[0, 47] == pytest.approx(1 / np.exp(5 * numpy_map(12.3, 40.8)).sum())
    assert readings.expm1_weights[0, 47] == 0


@pytest.mark.parametrize("beta", [0.5, 10.0])
def test_nothing_is_pulled_from_the_centre(beta):
    centred = Readings(SyntheticMap(x=23.5, y=31.5, height=64, width=48), beta)
    for decoder in ("ipr", "debiased", PAPER_FORM, "dark"):
        assert centred.bias(decoder) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("beta", [2.0, 8.0])
def test_the_pull_of_a_narrow_blob_grows_linearly_with_its_distance_from_the_centre(beta):
    # Where the blob is whole and symmetric, Σ p (e^(βh) - 1) = p₀ (C - HW), hence J - p₀ = HW/C (centre - p₀).
    total = np.exp(beta * numpy_map(24, 32, sigma=1.5)).sum()
    share = 64 * 48 / total
    sweep = bias_at_places(SyntheticMap(24, 20, sigma=1.5, height=64, width=48), beta, np.arange(48.0))
    np.testing.assert_array_equal(sweep.values, np.arange(48))
    inside = slice(10, 38)
    np.testing.assert_allclose(sweep.error_x["ipr"][inside], share * (23.5 - sweep.values[inside]), atol=1e-6)
    away_y = share * (31.5 - 20)
    expected = np.hypot(share * (23.5 - sweep.values[inside]), away_y)
    np.testing.assert_allclose(sweep.bias["ipr"][inside], expected, atol=1e-6)
    for decoder in ("argmax", "dark", PAPER_FORM):
        np.testing.assert_allclose(sweep.bias[decoder][inside], 0, atol=1e-6)


def test_argmax_is_off_by_half_a_cell_on_either_side_alike():
    sweep = bias_against_position(OFF_CENTRE, 10.0, steps=8)
    inside = (sweep.values > 6) & (sweep.values < 41)
    errors = sweep.error_x["argmax"][inside]
    assert (errors.min(), errors.max()) == (-7 / 16, 7 / 16)
    assert errors.mean() == pytest.approx(0, abs=1e-9)


def test_the_pull_is_what_points_to_the_centre():
    # At a large β the mean is nearly the peak's cell: here it lies beyond the truth, seen from the centre.
    rounded = Readings(SyntheticMap(5.4, 32.0, height=64, width=48), 50.0)
    assert rounded.points["ipr"][0] < 5.4
    assert rounded.pull == 0
    pulled = Readings(SyntheticMap(5.4, 31.5, height=64, width=48), 5.0)
    assert pulled.pull == pytest.approx(pulled.points["ipr"][0] - 5.4)
    assert Readings(SyntheticMap(23.5, 31.5, height=64, width=48), 5.0).pull == 0


@pytest.mark.parametrize("beta", [0.5, 10.0, 50.0, 400.0])
def test_the_numbers_of_the_formula(beta):
    synthetic = SyntheticMap(x=12.3, y=40.8, peak=0.8, background=0.01, height=64, width=48)
    numbers = formula_numbers(synthetic, beta)
    exponentials = np.exp(beta * numpy_map(12.3, 40.8, peak=0.8, background=0.01))
    assert pytest.approx(exponentials.sum()) == numbers.C
    assert numbers.HW == 3072
    assert pytest.approx(numpy_mean(exponentials)) == numbers.J
    assert numbers.sum_p == (64 * sum(range(48)), 48 * sum(range(64)))
    expected = numpy_mean(exponentials - 1)
    assert numbers.corrected == pytest.approx(expected, abs=1e-6)
    assert numbers.expm1 == pytest.approx(expected, abs=1e-9)


def test_ipr_falls_to_the_centre_as_beta_falls_to_0():
    to_centre = math.hypot(23.5 - 12.3, 31.5 - 40.8)
    sweep = bias_against_beta(OFF_CENTRE, (1e-4, 10.0), count=11)
    assert sweep.values[[0, -1]] == pytest.approx([1e-4, 10.0])
    assert np.diff(np.log(sweep.values)) == pytest.approx(math.log(1e5) / 10)
    assert sweep.bias["ipr"][0] == pytest.approx(to_centre, rel=1e-4)
    assert (np.diff(sweep.bias["ipr"]) < 0).all()
    for value, bias in zip(sweep.values, sweep.bias["ipr"], strict=True):
        assert bias == pytest.approx(numpy_bias(numpy_map(12.3, 40.8), value, 12.3, 40.8))
    assert sweep.bias["argmax"] == pytest.approx([math.hypot(0.3, 0.2)] * 11)
    assert sweep.bias[PAPER_FORM].max() < 0.01


def test_weak_peaks_pull_ipr_but_not_what_divides_by_the_peak():
    sweep = bias_against_peak(replace(OFF_CENTRE, background=0.005), 10.0, count=10)
    assert sweep.values == pytest.approx(np.linspace(0.1, 1, 10))
    for peak, bias in zip(sweep.values, sweep.bias["ipr"], strict=True):
        heatmap = numpy_map(12.3, 40.8, peak=peak, background=0.005)
        assert bias == pytest.approx(numpy_bias(heatmap, 10.0, 12.3, 40.8))
    assert sweep.bias[PAPER_FORM][4] > 1
    assert sweep.bias["debiased"].max() < 0.1


def test_the_sweep_of_peaks_starts_above_a_high_background():
    assert bias_against_peak(replace(OFF_CENTRE, background=0.4), 10.0).values[0] == pytest.approx(0.42)


def test_a_sweep_meets_the_single_reading_with_noise_too():
    noisy = SyntheticMap(20.0, 44.6, noise=0.02, background=0.02, seed=5)
    readings = Readings(noisy, 7.0)
    position, peak = bias_at_places(noisy, 7.0, np.arange(64.0)), bias_against_peak(noisy, 7.0, count=4)
    beta = bias_against_beta(noisy, (7.0, 14.0), count=2)
    for decoder in LAB_DECODERS:
        expected = pytest.approx(readings.bias(decoder), abs=1e-9)
        assert position.bias[decoder][20] == expected
        assert peak.bias[decoder][-1] == expected
        assert beta.bias[decoder][0] == expected


def test_the_explanation_has_the_numbers_in_it():
    readings = Readings(OFF_CENTRE, 6.0)
    heatmap = numpy_map(12.3, 40.8)
    far = [(r, c) for r in range(64) for c in range(48) if math.hypot(c - 12.3, r - 40.8) > 6]
    pull = numpy_bias(heatmap, 6.0, 12.3, 40.8)
    share = 100 * sum(math.exp(6 * heatmap[cell]) for cell in far) / np.exp(6 * heatmap).sum()
    assert explanation(readings).startswith(
        f"{len(far):,} background cells weigh e⁰ = 1 each, together {share:.1f} % of C, "
        f"and pull IPR {pull:.1f} cells toward the centre. "
    )
    assert "0.00 cells are left." in explanation(readings)


def test_the_explanation_says_what_a_background_a_centre_and_a_large_beta_change():
    lifted = explanation(Readings(replace(OFF_CENTRE, background=0.05), 10.0))
    assert "weigh 1.65 each on average" in lifted  # e^(10 · 0.05)
    assert "once the map is divided by its peak" in lifted
    assert "cancels out" in explanation(Readings(SyntheticMap(31.5, 31.5), 5.0))
    assert "too little to pull" in explanation(Readings(SyntheticMap(10, 10), 40.0))


def options(output, **values):
    standard = {"beta": 8.0, "sigma": 2.0, "peak": 0.9, "background": 0.01, "noise": 0.0, "overwrite": False}
    return argparse.Namespace(output=output, x=12.25, y=40.0, **{**standard, **values})


def test_the_csv_holds_every_sweep_value_and_decoder():
    synthetic = SyntheticMap(12.25, 40.0, peak=0.9, background=0.01)
    sweeps = [bias_at_places(synthetic, 8.0, np.linspace(0, 63, 7)), bias_against_beta(synthetic, count=5)]
    rows = list(csv.DictReader(sweeps_csv(sweeps).splitlines()))
    assert len(rows) == (7 + 5) * 6
    for row in rows:
        if row["decoder"] == "ipr":
            x, beta = (float(row["x"]), 8.0) if row["sweep"] == "position" else (12.25, float(row["x"]))
            heatmap = numpy_map(x, 40.0, peak=0.9, background=0.01, width=64)
            assert float(row["bias_cells"]) == pytest.approx(numpy_bias(heatmap, beta, x, 40.0), rel=1e-4)
            if row["sweep"] == "position":
                assert float(row["error_x_cells"]) == pytest.approx(
                    numpy_mean(np.exp(beta * heatmap))[0] - x, rel=1e-4, abs=1e-9
                )
            else:
                assert row["error_x_cells"] == ""


@pytest.mark.thorough
def test_the_command_writes_figures_and_data_and_then_keeps_them(tmp_path, capsys):
    (tmp_path / "lab_bias.csv").write_bytes(b"old")
    assert run_lab(options(tmp_path, overwrite=True)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == sorted(str(path) for path in tmp_path.iterdir())
    figures = {"overview", "map", "weights", "bias_position", "bias_beta", "bias_peak", "gradient"}
    assert {path.name for path in tmp_path.iterdir()} == {"lab_bias.csv", *(f"lab_{name}.png" for name in figures)}
    with open(tmp_path / "lab_bias.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["sweep"] == "peak" and row["decoder"] == "ipr"]
    for row in rows[::9]:
        heatmap = numpy_map(12.25, 40.0, peak=float(row["x"]), background=0.01, width=64)
        assert float(row["bias_cells"]) == pytest.approx(numpy_bias(heatmap, 8.0, 12.25, 40.0), rel=1e-4)

    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OutputError, match="exists already"):
        run_lab(options(tmp_path, beta=20.0))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("taken", ["lab_bias.csv", "lab_bias_peak.png"])
def test_one_file_that_exists_keeps_everything_from_being_written(tmp_path, taken):
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(OutputError, match=taken):
        run_lab(options(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_bytes() == b"mine"


def test_a_bad_value_or_a_file_for_a_folder_writes_nothing(tmp_path):
    with pytest.raises(UserError, match="σ"):
        run_lab(options(tmp_path / "lab", sigma=-1.0))
    with pytest.raises(UserError, match="β"):
        run_lab(options(tmp_path / "lab", beta=0.0))
    assert not (tmp_path / "lab").exists()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="not a folder"):
        run_lab(options(tmp_path / "file"))
