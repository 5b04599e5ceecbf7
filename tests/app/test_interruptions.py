"""What the pipeline makes of a source that was interrupted."""

from __future__ import annotations

from pathlib import Path

from app.sources.image_folder import ImageFolderSource
from tests.app.pipeline_parts import LONG, CommandedCamera, FakeEstimator, Run, until
from tests.app.source_builders import write_images


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


def test_a_file_is_at_its_end_when_its_last_frame_was_looked_at(tmp_path: Path) -> None:
    source = ImageFolderSource(write_images(tmp_path / "images"), realtime=False)
    source.hold_at_end = True
    estimator = FakeEstimator()
    estimator.hold()
    run = Run(source, lambda: estimator)
    run.pipeline.start()
    until(lambda: source.at_end)
    assert not run.pipeline.at_end
    assert run.results == []
    estimator.release()
    until(lambda: run.pipeline.at_end)
    assert run.indices == [0, 1, 2]
    run.pipeline.seek(0)
    until(lambda: run.indices == [0, 1, 2, 3, 4, 5])
    until(lambda: run.pipeline.at_end)
    run.pipeline.stop()
    assert run.pipeline.join(LONG)
