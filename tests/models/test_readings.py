"""What is read from a crop, by the parts that the estimator decides by."""

from __future__ import annotations

import numpy as np
import pytest

from models.readings import CropReadings


@pytest.mark.parametrize(
    ("presence", "where", "holds"),
    [(0.9, 0.4, True), (0.1, 0.4, False), (0.9, np.nan, False), (0.9, np.inf, False), (np.nan, 0.4, False)],
)
def test_a_person_is_there_where_the_network_says_so_and_where(presence: float, where: float, holds: bool) -> None:
    alignment = np.full((1, 2, 2), 0.5, np.float32)
    alignment[0, 1, 0] = where
    nothing = np.zeros((1, 6, 33, 2), np.float32)
    readings = CropReadings(nothing, nothing[..., 0], nothing[:, 0], alignment, np.array([presence], np.float32), None)
    assert readings.holds_person(0) is holds
