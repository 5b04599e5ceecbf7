from __future__ import annotations

import pytest
from tests.app.gui.desk import Desk


@pytest.mark.parametrize(("key", "decoder"), [("1", "argmax"), ("2", "ipr"), ("3", "debiased")])
def test_key(desk: Desk, key, decoder) -> None:
    desk.session.set_decoder("dark")
    desk.press(key)
    assert {r.decoder for r in desk.results_from_now()} == {decoder}
