"""Damaged and hostile video files, read to their ends: pictures or one sentence, never a crash, a hang or gigabytes."""

from __future__ import annotations

import pytest

from tests.fuzz import campaign


@pytest.mark.thorough
def test_damaged_videos(tmp_path):
    result = campaign.run("videos", range(150), tmp_path)
    assert not result.failures, result.summary()
    # Damage that reaches neither end would show nothing.
    assert result.count(accepted=True) >= 5, result.summary()
    assert result.count(accepted=False) >= 30, result.summary()


@pytest.mark.slow
def test_ten_thousand_damaged_videos(tmp_path):
    result = campaign.run("videos", range(10_000), tmp_path, workers=2)
    print(result.summary())
    assert not result.failures
