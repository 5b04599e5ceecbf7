"""Another network in mid-stream: no frame is lost, every result says who read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.errors import UserError
from tests.app.pipeline_parts import LONG, CommandedCamera, FakeEstimator, FileLike, Run, until


class Named(FakeEstimator):
    def __init__(self, device: str) -> None:
        super().__init__()
        self.device_label = device


@pytest.fixture
def file_run() -> Iterator[Run]:
    run = Run(FileLike(10**6), lambda: Named("first device"))
    yield run
    run.pipeline.stop()
    assert run.pipeline.join(LONG)


def test_a_file_loses_no_frame_while_networks_change(file_run: Run) -> None:
    pipeline = file_run.pipeline
    pipeline.start()
    until(lambda: len(file_run.results) > 5)
    for number in range(20):
        name = f"network {number}"
        pipeline.use_network(lambda number=number: Named(f"device {number}"), name)
        until(lambda name=name: file_run.results[-1].network == name)
    pipeline.stop()
    assert pipeline.join(LONG)
    assert file_run.indices == list(range(len(file_run.results)))
    seen = list(dict.fromkeys((result.network, result.device) for result in file_run.results))
    assert seen == [("", "first device"), *((f"network {n}", f"device {n}") for n in range(20))]


def test_a_network_is_closed_when_another_takes_its_place_and_at_the_end(file_run: Run) -> None:
    pipeline, estimators = file_run.pipeline, [Named("one"), Named("two")]
    pipeline.start()
    for estimator in estimators:
        pipeline.use_network(lambda estimator=estimator: estimator, estimator.device_label)
        until(
            lambda estimator=estimator: file_run.results[-1:] and file_run.results[-1].device == estimator.device_label
        )
    assert [estimator.closed for estimator in estimators] == [1, 0]
    pipeline.stop()
    assert pipeline.join(LONG)
    assert estimators[0].closed == 1
    assert estimators[1].closed >= 1


def test_the_present_network_goes_on_while_another_is_loaded_and_where_it_cannot_be() -> None:
    camera, loading, go_on = CommandedCamera(), threading.Event(), threading.Event()
    run = Run(camera, lambda: Named("present"))
    pipeline = run.pipeline
    pipeline.start()
    until(lambda: pipeline.estimator is not None)

    def fail() -> FakeEstimator:
        loading.set()
        assert go_on.wait(LONG)
        raise UserError("No such model file.")

    pipeline.use_network(fail, "other")
    assert loading.wait(LONG)
    assert pipeline.networks.pending == "other"
    camera.deliver(1)
    until(lambda: len(run.results) == 1)
    go_on.set()
    until(lambda: pipeline.model_error is not None)
    until(lambda: pipeline.networks.pending == "")
    camera.deliver(1)
    until(lambda: len(run.results) == 2)
    assert [result.device for result in run.results] == ["present", "present"]
    # The next attempt that succeeds takes the error away.
    pipeline.use_network(lambda: Named("third"), "third")
    until(lambda: pipeline.estimator is not None and pipeline.estimator.device_label == "third")
    assert pipeline.model_error is None
    pipeline.stop()
    assert pipeline.join(LONG)


def test_of_several_wishes_the_last_counts() -> None:
    camera, begun, go_on = CommandedCamera(), threading.Event(), threading.Event()
    run = Run(camera, lambda: Named("present"))
    pipeline = run.pipeline
    pipeline.start()
    until(lambda: pipeline.estimator is not None)
    loaded: list[str] = []

    def load(name: str) -> FakeEstimator:
        loaded.append(name)
        begun.set()
        assert go_on.wait(LONG)
        return Named(name)

    pipeline.use_network(lambda: load("a"), "a")
    assert begun.wait(LONG)
    for name in ("b", "c", "d"):
        pipeline.use_network(lambda name=name: load(name), name)
    go_on.set()
    until(lambda: pipeline.networks.loaded is not None and pipeline.networks.loaded.name == "d")
    assert loaded == ["a", "d"]
    pipeline.stop()
    assert pipeline.join(LONG)


def test_a_network_that_cannot_run_here_leaves_the_present_one(capfd: pytest.CaptureFixture[str]) -> None:
    camera = CommandedCamera()
    run = Run(camera, lambda: Named("present"))
    pipeline = run.pipeline
    pipeline.start()
    until(lambda: pipeline.estimator is not None)

    def fail() -> FakeEstimator:
        raise RuntimeError("CUDA out of memory.\nA second line.")

    pipeline.use_network(fail, "heavy")
    until(lambda: pipeline.model_error is not None and not pipeline.networks.pending)
    assert str(pipeline.model_error) == "The network “heavy” cannot be used: CUDA out of memory."
    assert "RuntimeError" in capfd.readouterr().err  # for whoever has to find out why
    camera.deliver(1)
    until(lambda: len(run.results) == 1)
    assert run.results[0].device == "present"
    # Another wish takes the message away at once.
    go_on = threading.Event()
    pipeline.use_network(lambda: go_on.wait(LONG) and Named("third"), "third")
    assert pipeline.model_error is None
    go_on.set()
    pipeline.stop()
    assert pipeline.join(LONG)
