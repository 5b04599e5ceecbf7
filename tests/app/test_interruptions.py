"""What the pipeline makes of a source that was interrupted."""

from __future__ import annotations

from tests.app.pipeline_parts import LONG, CommandedCamera, FakeEstimator, Run, until


def test_a_gap_is_known_also_where_the_first_frame_after_it_was_dropped() -> None:
    camera, estimator = CommandedCamera(), FakeEstimator()
    camera.restarts = (3,)
    estimator.hold()
    run = Run(camera, lambda: estimator)
    run.pipeline.start()
    camera.deliver(1)
    until(lambda: estimator.seen == [0])
    camera.deliver(5)
    estimator.release()
    until(lambda: run.indices == [0, 5])
    camera.deliver(1)
    until(lambda: run.indices == [0, 5, 6])
    assert [result.frame.continues for result in run.results] == [True, False, True]
    assert estimator.resets_before == [0, 1, 0]
    run.pipeline.stop()
    assert run.pipeline.join(LONG)
