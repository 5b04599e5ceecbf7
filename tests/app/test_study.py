"""`posescope study`: drawn maps against closed forms, statistics against injected errors, files against each other."""

from __future__ import annotations

import argparse
import csv
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.bundled import SAMPLE_CLIP
from app.comparison.variants import Variant
from app.errors import OutputError, SourceError, UserError
from app.study import command, criteria, still
from app.study.clips import measure_clip
from app.study.command import FIGURES, PAGE, TABLES, Size, run_study
from app.study.criteria import PLAIN, SHIPPED
from app.study.figures import case_name
from app.study.inputs import Clip, Network, Photograph, open_still, sample_clip, sample_photograph
from app.study.synthetic import (
    MAP_CELLS,
    Condition,
    Errors,
    Grid,
    Measurement,
    draw_centres,
    draw_maps,
    errors,
    measure,
)
from app.study.tables import form_name
from models.decoders import DECODERS, Debiased, SubcellPeak, get_decoder
from models.readings import DECODER_NAMES
from tests.models.clip import as_coco, clip_frames, true_joints

CLEAN = Condition(peak=1.0, background=0.0, noise=0.0, sigma=2.0)
NO_NOISE = torch.zeros(1, 1, MAP_CELLS, MAP_CELLS)
TINY = Size(
    Grid(
        peaks=(0.2, 1.0),
        backgrounds=(0.0, 0.02),
        noises=(0.0, 0.02),
        sigmas=(2.0,),
        betas=(5.0, 10.0),
        floors=(0.0, Debiased.floor),
        centres=4,
        draws=2,
    ),
    clip_betas=(10.0,),
    clip_frames=9,
    photo_clip_noise=4.0,
    noises=(4.0,),
    still_frames=8,
)


# Drawn maps


def test_a_map_has_the_peak_the_background_and_the_width_that_were_asked_for() -> None:
    condition = Condition(peak=0.7, background=0.02, noise=0.0, sigma=1.5)
    (heatmap,) = draw_maps(torch.tensor([[20.0, 41.0]]), condition, NO_NOISE)[0]
    assert float(heatmap[41, 20]) == pytest.approx(0.7) == float(heatmap.max())
    # x runs along the columns. At two cells along x and one along y: exp(-(4 + 1) / (2 · 1.5²)).
    assert float(heatmap[42, 22]) == pytest.approx(0.02 + 0.68 * math.exp(-5 / 4.5), rel=1e-5)
    assert float(heatmap[0, 63]) == pytest.approx(0.02)


def test_centres_lie_inside_and_every_fourth_near_a_border() -> None:
    centres = draw_centres(400, seed=3)
    to_border = torch.minimum(centres, MAP_CELLS - 1 - centres).amin(-1)
    near = torch.arange(400) % 4 == 3
    assert 3 <= float(to_border[near].min()) < 3.2
    assert float(to_border[near].max()) <= 6 <= float(to_border[~near].min())
    # All four borders, and all over the inside: the mean of a uniform distribution is its middle.
    assert {tuple(side) for side in torch.stack((centres <= 6, centres >= 57), 1)[near].flatten(1).int().tolist()} >= {
        (1, 0, 0, 0),
        (0, 1, 0, 0),
        (0, 0, 1, 0),
        (0, 0, 0, 1),
    }
    assert centres[~near].mean(0).tolist() == pytest.approx([31.5, 31.5], abs=3)
    # Fractions of a cell are uniform: standard deviation 1 / sqrt(12).
    assert float((centres % 1).std()) == pytest.approx(1 / math.sqrt(12), abs=0.02)


def test_noise_has_its_standard_deviation_and_is_cut() -> None:
    noise = torch.randn(1, 8, MAP_CELLS, MAP_CELLS, generator=torch.Generator().manual_seed(0))
    maps = draw_maps(torch.tensor([[30.0, 30.0]]), Condition(0.9, 0.5, 0.05, 1.0), noise)
    assert float(maps[..., :20, :20].std()) == pytest.approx(0.05, rel=0.03)
    cut = draw_maps(torch.tensor([[30.0, 30.0]]), Condition(1.0, 0.0, 0.05, 1.0), noise)
    assert (float(cut.min()), float(cut.max()) <= 1) == (0.0, True)
    # Half of a Gaussian is cut to 0: the mean of the rest is σ / sqrt(2π).
    assert float(cut[..., :20, :20].mean()) == pytest.approx(0.05 / math.sqrt(2 * math.pi), rel=0.03)


def test_argmax_has_the_error_of_rounding() -> None:
    centres = draw_centres(2000, seed=5)
    points = get_decoder("argmax")(draw_maps(centres, CLEAN, NO_NOISE)).points
    found = errors(points.double() - centres[:, None], centres)
    # Uniform over a cell on both axes: sqrt(2 / 12).
    assert found.rms == pytest.approx(math.sqrt(2 / 12), abs=0.006)
    assert found.jitter == 0
    assert found.bias == pytest.approx(found.rms)


def test_plain_debiasing_is_exact_on_a_background_of_zeros() -> None:
    # A small Gaussian in the middle of a cell or between cells, whose far tail is cut to exact zeros.
    centres = torch.tensor([[10.0, 40.0], [31.0, 12.0], [50.5, 20.5]], dtype=torch.float64)
    maps = draw_maps(centres, Condition(1.0, 0.0, 0.0, 1.0), NO_NOISE)
    maps = torch.where(maps < 1e-6, torch.zeros_like(maps), maps).double()
    points = Variant("debiased", 10.0, normalize=False, floor=0.0).build()(maps).points
    assert float((points[:, 0] - centres).norm(dim=-1).max()) < 1e-6
    # IPR is pulled to the middle on the very same maps.
    off = Variant("ipr", 10.0).build()(maps).points.double() - centres[:, None]
    assert errors(off, centres).pull > 1


# Statistics


def test_statistics_are_those_of_injected_errors() -> None:
    random = torch.Generator().manual_seed(1)
    centres = torch.tensor([[10.0, 31.5]], dtype=torch.float64).repeat(50, 1)
    # 0.3 cells away from the middle of the map, and noise of 0.2 on each axis.
    off = torch.tensor([-0.3, 0.0]) + 0.2 * torch.randn(50, 400, 2, dtype=torch.float64, generator=random)
    found = errors(off, centres)
    assert found.bias == pytest.approx(0.3, rel=0.02)
    assert found.jitter == pytest.approx(0.2, rel=0.02)
    assert found.rms == pytest.approx(math.sqrt(0.3**2 + 2 * 0.2**2), rel=0.02)
    assert found.pull == pytest.approx(-0.3, rel=0.02)
    # Two draws instead of 400 leave more of the noise in each mean vector, but not in the bias.
    few = errors(off.reshape(10_000, 2, 2), centres[:1].repeat(10_000, 1))
    assert (few.bias, few.jitter) == pytest.approx((0.3, 0.2), rel=0.03)
    far = errors(torch.arange(101.0, dtype=torch.float64)[None, :, None] * torch.tensor([1.0, 0.0]), centres[:1])
    assert far.p95 == pytest.approx(95)


def test_every_variant_is_measured_with_its_own_options() -> None:
    grid = Grid(peaks=(0.5,), backgrounds=(0.005,), noises=(0.0,), sigmas=(2.0,), betas=(10.0,), floors=(0.0, 0.2))
    rows = {row.variant: row.errors.rms for row in measure(grid)}
    assert {variant.decoder for variant in rows} == set(DECODERS)
    # The figures of models.decoders' design: plain is some 2.7 cells off here, dividing by the peak brings 0.1.
    assert rows[Variant("debiased", 10.0, False, 0.0)] > 1
    assert 0.02 < rows[Variant("debiased", 10.0, True, 0.0)] < 0.3
    assert rows[Variant("debiased", 10.0, True, 0.2)] < 0.02
    assert rows[Variant("debiased", 10.0, False, 0.2)] < 0.02


def row_of(form: criteria.Form, rms: float, condition: Condition = CLEAN, p95: float = 0.0) -> Measurement:
    beta = criteria.beta_of(form)
    return Measurement(condition, Variant(form[0], beta, form[1], form[2]), Errors(rms, p95, 0.0, 0.0, 0.0))


def test_scores_and_the_plain_form_follow_from_the_errors() -> None:
    dim, lost = Condition(0.2, 0.02, 0.0, 2.0), Condition(0.2, 0.02, 0.05, 2.0)
    argmax = ("argmax", None, None)
    rows = [row_of(argmax, 0.4, CLEAN), row_of(argmax, 0.4, dim), row_of(argmax, 30.0, lost, p95=40.0)]
    rows += [row_of(PLAIN, 1e-9, CLEAN), row_of(PLAIN, 5.0, dim), row_of(PLAIN, 30.0, lost)]
    rows += [row_of(SHIPPED, 0.1, CLEAN), row_of(SHIPPED, 0.2, dim), row_of(SHIPPED, 30.0, lost)]
    assert criteria.lost_conditions(rows) == {lost}
    found = {score.form: score for score in criteria.scores(rows, 10.0)}
    assert found[SHIPPED].geometric_mean == pytest.approx(math.sqrt(0.1 * 0.2))
    assert found[SHIPPED].criterion == pytest.approx(math.sqrt(math.sqrt(0.1 * 0.2) * 0.2))
    # 1e-9 counts as 0.05.
    assert found[PLAIN].geometric_mean == pytest.approx(math.sqrt(0.05 * 5))
    assert (found[PLAIN].median, found[PLAIN].worst) == pytest.approx((2.5, 5.0))
    assert (found[PLAIN].better_than_argmax, found[SHIPPED].better_than_argmax) == (0.5, 1.0)
    assert (found[PLAIN].more_than_a_cell_off, found[SHIPPED].more_than_a_cell_off) == (0.5, 0.0)
    assert criteria.best_form(list(found.values())) == SHIPPED
    plain = criteria.plain_form(rows)
    assert (plain.readable, plain.best, plain.off) == (2, [CLEAN], [dim])
    assert criteria.more_than_a_cell_off(rows, SHIPPED) == []
    groups = {(row.group, row.form): (row.conditions, row.worst) for row in criteria.by_group(rows, [PLAIN, SHIPPED])}
    assert groups["neither", SHIPPED] == (1, 0.1)
    assert groups["background", PLAIN] == (1, 5.0)
    assert ("both", PLAIN) not in groups


# Pictures


@pytest.fixture(scope="module")
def lite() -> Network:
    return Network("lite", "cpu")


def test_a_crop_held_where_the_estimator_looks_gives_the_estimators_points(lite: Network) -> None:
    image = sample_photograph().image
    (person,) = lite.follower().estimate(image, 7.0).people
    held = lite.read_held(image, person.region, 7.0)
    assert tuple(held.points) == DECODER_NAMES == tuple(held.scores)
    for name in DECODER_NAMES:
        assert held.points[name] == pytest.approx(person.points[name], abs=1e-3)
        assert held.scores[name] == pytest.approx(person.scores[name], abs=1e-6)
    assert held.peaks == pytest.approx(person.peaks, abs=1e-3)


def test_variants_on_the_clip_equal_the_estimators_own_points(lite: Network) -> None:
    variants = [Variant("argmax"), Variant("debiased", 10.0, Debiased.normalize, Debiased.floor)]
    rows, maps = measure_clip(sample_clip(), lite, variants, 12, lambda: None)
    joints, seen = true_joints()
    estimator = lite.follower()
    people = [estimator.estimate(image).people[0] for image in clip_frames()[:12]]
    for row in rows:
        name = row.variant.decoder
        pairs = enumerate(people)
        far = np.concatenate([np.linalg.norm(as_coco(p.points[name]) - joints[i], axis=-1)[seen[i]] for i, p in pairs])
        assert row.truth_median_px == pytest.approx(float(np.median(far)), rel=1e-4)
        assert row.truth_rms_px == pytest.approx(math.sqrt(float((far**2).mean())), rel=1e-4)
        assert (row.frames, row.clip) == (12, "shipped clip")
    assert maps.maps > 300
    assert 0.3 <= maps.peak_p5 < maps.peak_p50 < maps.peak_p95 <= 1


def test_sensor_noise_is_new_in_each_frame() -> None:
    grey = Photograph("grey", np.full((200, 200, 3), 128, np.uint8))
    frames = grey.noisy(4.0)
    first, second = (next(frames).astype(float) for _ in range(2))
    # Rounding adds 1 / 12.
    assert first.std() == pytest.approx(math.sqrt(16 + 1 / 12), rel=0.01)
    assert (first - second).std() == pytest.approx(math.sqrt(2) * first.std(), rel=0.01)
    white = next(Photograph("white", np.full((9, 9, 3), 254, np.uint8)).noisy(50.0))
    assert white.max() == 255


@pytest.mark.thorough
def test_without_noise_a_held_crop_does_not_tremble(lite: Network) -> None:
    picture = sample_photograph()
    rows = still.measure_still("picture", 0.0, picture.noisy(0.0), 9, lite, lambda: None)
    held = [row for row in rows if row.crop == still.HELD]
    assert [row.decoder for row in held] == list(DECODER_NAMES)
    assert all(row.jitter_px < 1e-3 and row.frames == 9 for row in held)
    # A share of the body's size, which is the same for all decoders.
    sizes = [row.bias_px / row.bias_share for row in held]
    assert sizes == pytest.approx([sizes[0]] * len(sizes))
    assert 250 < sizes[0] < 580


def verdict_of(jitter: list[float], bias: list[float]) -> still.Verdict:
    rows = [
        still.StillRow("a", 2.0, "held", name, 9, 33, jitter_px, 0.0, jitter_px, bias_px, 0.0)
        for name, jitter_px, bias_px in zip(DECODER_NAMES, jitter, bias, strict=True)
    ]
    (verdict,) = still.verdicts(rows)
    return verdict


def test_verdicts_leave_regression_out_and_tell_what_comes_out_otherwise() -> None:
    #                     argmax, quarter, dark, ipr, debiased, regression
    usual = verdict_of([1.0, 0.8, 0.3, 0.9, 0.25, 0.1], [3.0, 2.0, 1.0, 30.0, 0.5, 99.0])
    assert usual.as_expected
    assert (usual.steadiest, usual.most_biased, usual.times_the_next) == ("debiased", "ipr", 10.0)
    dark = verdict_of([1.0, 0.8, 0.2, 0.9, 0.25, 0.1], [3.0, 2.0, 1.0, 30.0, 0.5, 2.0])
    assert (dark.as_expected, dark.steadiest, dark.debiased_to_steadiest) == (False, "dark", 1.25)
    close = verdict_of([1.0, 0.8, 0.3, 0.9, 0.25, 0.1], [3.0, 2.0, 1.0, 6.0, 0.5, 2.0])
    assert (close.as_expected, close.times_the_next) == (False, 2.0)


# The command


def options(output: Path, *stills: Path, overwrite: bool = False) -> argparse.Namespace:
    return argparse.Namespace(
        output=output, still=list(stills), model="lite", device="cpu", quick=True, overwrite=overwrite
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "new" / "folder"
    picture = folder.parent.parent / "someone.png"
    cv2.imwrite(str(picture), clip_frames()[150])
    assert run_study(options(folder, picture), TINY) == 0
    return folder


def records(folder: Path, name: str) -> list[dict[str, str]]:
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.thorough
def test_the_command_writes_what_it_lists(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == sorted((PAGE, *FIGURES, *TABLES))
    text = (written / PAGE).read_text("utf-8")
    assert sorted(re.findall(r"!\[[^]]*\]\(([^)]*)\)", text)) == sorted(FIGURES)
    assert set(re.findall(r"`(\w+\.csv)`", text)) == set(TABLES)
    for name in FIGURES:
        height, width = cv2.imread(str(written / name)).shape[:2]
        assert (width >= 1000, height >= 300) == (True, True)
    rows = records(written, "synthetic.csv")
    # 8 conditions; argmax, argmax-quarter, DARK, 2 × IPR and 2 × 2 × 2 × debiased IPR.
    assert len(rows) == 8 * (3 + 2 + 8)
    assert {row["floor"] for row in rows} == {"", "0", f"{Debiased.floor:g}"}


def table_rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


@pytest.mark.thorough
def test_the_pages_numbers_are_those_of_the_tables(written: Path) -> None:
    text = (written / PAGE).read_text("utf-8")
    cells = table_rows(text)
    seen = 0
    by_case: dict[tuple[str, str], dict[str, str]] = {}
    for row in records(written, "stills.csv"):
        key = (case_name(row["case"], float(row["noise"])), row["crop"])
        by_case.setdefault(key, {})[row["decoder"]] = f"{float(row['jitter_px']):.2f} / {float(row['bias_px']):.2f}"
    for key, numbers in by_case.items():
        assert [*key, *(numbers[name] for name in DECODER_NAMES)] in cells
        seen += 1
    assert seen == 2 * 3
    for row in records(written, "criteria.csv"):
        if row["beta"] == "10":
            form = (row["decoder"], row["normalize"] == "on" if row["normalize"] else None, float(row["floor"] or 0))
            numbers = [f"{float(row[name]):.3f}" for name in ("criterion", "geometric_mean", "median", "p95", "worst")]
            assert next(line[1:6] for line in cells if line[0] == form_name(form)) == numbers
    spoken = re.findall(r"- (.*), (followed|held): lowest jitter .*? \((\S+) px\), largest bias .*? \((\S+) px", text)
    assert len(spoken) == 6
    for case, crop, jitter, bias in spoken:
        numbers = [
            (float(row["jitter_px"]), float(row["bias_px"]))
            for row in records(written, "stills.csv")
            if (case_name(row["case"], float(row["noise"])), row["crop"]) == (case, crop) and row["decoder"] in DECODERS
        ]
        assert jitter == f"{min(number[0] for number in numbers):.2f}"
        assert bias == f"{max(number[1] for number in numbers):.2f}"


def test_an_existing_file_is_refused_before_the_work_and_replaced_on_request(tmp_path: Path) -> None:
    (tmp_path / "maps.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"maps\.csv exists already: choose another folder, or say --overwrite"):
        run_study(options(tmp_path), TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.csv"]
    assert (tmp_path / "maps.csv").read_text() == "mine"
    command._check_folder(tmp_path, overwrite=True)
    command._write(tmp_path, {"maps.csv": b"new"}, overwrite=True)
    assert (tmp_path / "maps.csv").read_text() == "new"
    with pytest.raises(OutputError, match="it is not a folder"):
        run_study(options(tmp_path / "maps.csv"), TINY)


def test_stills_are_pictures_or_videos(tmp_path: Path) -> None:
    assert isinstance(open_still(SAMPLE_CLIP), Clip)
    cv2.imwrite(str(tmp_path / "large.png"), np.zeros((1000, 2560, 3), np.uint8))
    large = open_still(tmp_path / "large.png")
    assert isinstance(large, Photograph)
    assert (large.name, large.image.shape) == ("large", (500, 1280, 3))
    (tmp_path / "empty.jpg").touch()
    for path, sentence in (
        (tmp_path / "empty.jpg", "The picture “empty.jpg” cannot be read."),
        (tmp_path / "none.jpg", f"No such file or folder: {tmp_path / 'none.jpg'}."),
        (tmp_path, f"“{tmp_path}” is neither a picture nor a video file."),
    ):
        with pytest.raises(SourceError) as caught:
            open_still(path)
        assert str(caught.value) == sentence


def test_a_picture_without_a_person_is_named(lite: Network) -> None:
    black = Photograph("black", np.zeros((200, 200, 3), np.uint8))
    with pytest.raises(UserError, match="Nobody was seen in “black”"):
        still.measure_still(black.name, 2.0, black.noisy(2.0), 3, lite, lambda: None)


def test_the_reference_of_the_bias_is_exact_on_drawn_maps() -> None:
    centres = draw_centres(50, seed=2)
    points = SubcellPeak()(draw_maps(centres, CLEAN, NO_NOISE).double()).points[:, 0]
    assert float((points - centres).norm(dim=-1).max()) < 1e-3
