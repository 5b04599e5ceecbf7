"""The tables of a bench, for a terminal of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from app.bench.agreement import FAR_CELLS, LEAST_PEAK
from app.bench.contenders import MEDIAPIPE, REFERENCE
from app.bench.measure import BLOCK, STAGES, TOTAL, UNCOUNTED, Spread
from app.bench.memory import FRAMES as MEMORY_FRAMES
from app.bench.results import Bench, EngineResult
from app.bench.sweep import Step, Sweep
from app.decoder_display import display_name, three_digits

WIDTH = 100
_NOTHING = "–"


def as_text(bench: Bench) -> str:
    """The whole report, no line longer than WIDTH unless a name is."""
    people = "1 person" if bench.people == 1 else f"{bench.people} people"
    width, height = bench.size
    blocks = [
        *_wrapped(bench.machine.describe()),
        *_wrapped(bench.machine.describe_versions()),
        *_wrapped(f"Model {bench.model}, “{bench.source}” ({width} × {height}), {bench.frames} frames, {people}"),
        "",
        *_engines(bench),
        "",
        *_agreement(bench),
    ]
    if bench.sweep is not None:
        blocks += ["", *_sweep(bench.sweep)]
    blocks += ["", *(line for note in _notes(bench) for line in _wrapped(note, "- "))]
    return "\n".join(blocks)


def _engines(bench: Bench) -> Iterator[str]:
    yield "Time per frame in ms: medians of the stages, and of the whole frame with p95 and p99"
    head = ["engine", *STAGES, TOTAL, "p95", "p99", "fps", "÷ MediaPipe", "peak MB"]
    rows = []
    for engine in bench.engines:
        total = engine.stages[TOTAL]
        ratio = bench.vs_mediapipe(engine)
        rows.append(
            [
                engine.name,
                *(three_digits(spread.p50) if (spread := engine.stages[stage]) else _NOTHING for stage in STAGES),
                *(_percentiles(total) if total else [_NOTHING] * 3),
                three_digits(engine.fps),
                _NOTHING if ratio is None else f"{ratio:.2f}",
                _NOTHING if engine.peak_mb is None else f"{engine.peak_mb:.0f}",
            ]
        )
    yield from table(head, rows)


def _agreement(bench: Bench) -> Iterator[str]:
    yield f"Distance from {REFERENCE} (float32, cpu) on the same crops, in cells of the heatmap"
    compared = next((list(engine.errors) for engine in bench.engines if engine.errors is not None), [])
    head = ["engine", "", *(display_name(name) for name in compared)]
    rows: list[list[str]] = []
    for engine in bench.engines:
        if engine.errors is None:
            continue
        errors = [engine.errors[name] for name in compared]
        rows += [
            [engine.name, "p50", *(_cells(error.p50) for error in errors)],
            ["", "p95", *(_cells(error.p95) for error in errors)],
            ["", "max", *(_cells(error.max) for error in errors)],
            ["", f"> {FAR_CELLS:g} cell", *(_percent(error.far_share) for error in errors)],
        ]
    if rows:
        yield from table(head, rows, left=2)
    else:
        yield "nothing to compare"


def _sweep(sweep: Sweep) -> Iterator[str]:
    yield f"Growth: {sweep.engine}, {sweep.frames} frames each, ms per frame"
    yield from _steps("frame size", sweep.sizes)
    yield ""
    yield from _steps("people", sweep.people)
    if not sweep.parts:
        return
    yield ""
    rows = [[display_name(part.name), f"{part.ms:.3f}", f"{part.cumulative_ms:.3f}"] for part in sweep.parts]
    yield from table(["decoder", "ms", "cumulative ms"], rows)


def _steps(what: str, steps: Sequence[Step]) -> list[str]:
    rows = []
    for step in steps:
        share = step.share_of_linear
        growth = [_NOTHING] * 3
        if step.size_ratio is not None and step.time_ratio is not None and share is not None:
            growth = [f"× {step.size_ratio:.2f}", f"× {step.time_ratio:.2f}", f"{share:.2f}"]
        rows.append([step.label, *_percentiles(step.total), *growth])
    return table([what, TOTAL, "p95", "p99", "size", "time", "time ÷ size"], rows)


def _notes(bench: Bench) -> Iterator[str]:
    if bench.people == 1:
        yield (
            "total: from a frame in memory to the keypoints of every decoder in memory, following the person included, "
            f"by the host's clock. fps: 1000 ÷ total. The engines take turns every {BLOCK} frames; {UNCOUNTED} frames "
            "before each turn do not count."
        )
        looks = ", ".join(
            f"{engine.name} {spread.count}" for engine in bench.engines if (spread := engine.stages["detect"])
        )
        if looks:
            yield f"detect: median of the times that it ran, which is only while nobody is followed ({looks} times)."
    else:
        yield (
            f"total: from a frame in memory to the keypoints of every decoder for {bench.people} crops, the followed "
            "one and others around it, by the host's clock; nobody is looked for or followed. fps: 1000 ÷ total."
        )
    peers = [engine for engine in bench.engines if engine.name == MEDIAPIPE]
    for peer in peers:
        yield from _mediapipe_notes(peer, bench.frames)
    if any(engine.errors for engine in bench.engines):
        yield (
            f"Distances: over joints with a heatmap peak of at least {LEAST_PEAK:g}; a cell is four pixels of the "
            "network's input. Where a map has two peaks of the same height, argmax may jump to the other one."
        )
    if bench.sweep is not None:
        yield (
            "Growth: time ÷ size is 1 where the time grows as the size does, and less where it grows more slowly; "
            "a few percent are noise."
            + (
                " shared: what all decoders need once; peak: the reference of the bias meter; to image: from the crop "
                f"into the picture; medians of {bench.sweep.part_samples} frames."
                if bench.sweep.parts
                else " This engine does not take the decoders apart."
            )
        )
    yield _memory_note(bench.engines)
    if bench.missing:
        by_reason: dict[str, list[str]] = {}
        for missing in bench.missing:
            by_reason.setdefault(missing.reason, []).append(missing.name)
        listed = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
        yield f"Not measured: {listed}."


def _mediapipe_notes(peer: EngineResult, frames: int) -> Iterator[str]:
    yield (
        "MediaPipe does not tell its stages: preprocess is the change from BGR to RGB, network its whole task, with "
        "following and smoothing. It reads no heatmap by itself, so its points are compared with the regression only. "
        "÷ MediaPipe: time as a multiple of its time, below 1 is faster."
    )
    share = (
        ""
        if peer.share_of_body is None
        else (
            f" Its points lie {100 * peer.share_of_body:.2f} % of the body's size (median) from the regression of "
            f"{REFERENCE}; each followed the person on its own."
        )
    )
    if share or peer.frames_with_person < frames:
        yield f"MediaPipe saw a person in {peer.frames_with_person} of {frames} frames.{share}"


def _memory_note(engines: Sequence[EngineResult]) -> str:
    if all(engine.peak_mb is None for engine in engines):
        return "Peak memory: not measured on this system."
    return (
        f"Peak memory: of a process that loads only this engine and reads {MEMORY_FRAMES} frames, Python and the "
        "video's decoder included; a GPU's own memory is not."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Aligned lines: the first `left` columns to the left, the others to the right, two spaces between."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def _wrapped(text: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def _percentiles(spread: Spread) -> list[str]:
    return [three_digits(ms) for ms in (spread.p50, spread.p95, spread.p99)]


def _cells(value: float) -> str:
    return "0" if value == 0 else "< 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 1 else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share else "0 %"
