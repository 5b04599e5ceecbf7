"""The pipeline as the app runs it: a file, the network, every decoder."""

from __future__ import annotations

import numpy as np

from app.bundled import SAMPLE_CLIP, model_file
from app.sources.video_file import VideoFileSource
from models.estimator import PoseEstimator
from models.readings import DECODER_NAMES
from tests.app.pipeline_parts import Run


def test_the_real_network_on_the_shipped_clip() -> None:
    class FirstSix(VideoFileSource):
        def read(self):
            frame = super().read()
            return frame if frame is not None and frame.index < 6 else None

    run = Run(FirstSix(SAMPLE_CLIP), lambda: PoseEstimator.load(model_file("lite")[0], "cpu"))
    run.pipeline.start()
    run.finish()
    assert run.indices == list(range(6))
    assert run.pipeline.estimator.device_label == "cpu (OpenVINO)"
    for result in run.results:
        (person,) = result.people
        assert person.id == 1
        assert set(person.points) == set(DECODER_NAMES)
        # The nose of the clip's person stands at x 453, y 145 in its first frames.
        assert np.abs(person.points["debiased"][0] - [453, 145]).max() < 15
        assert result.stages.network > 0
        assert (result.stages.detect > 0) == (result.frame.index == 0)
