"""What of an address may be shown."""

from __future__ import annotations

import pytest

from app.addresses import without_secrets
from app.cli import run_command_line
from app.errors import SourceError
from app.sources import make_source
from app.sources.stream import StreamSource


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://camera.local:554/live", "rtsp://camera.local:554/live"),
        ("rtsp://anna:s3cret@camera.local/live?token=t0ken#t0ken", "rtsp://camera.local/live"),
        ("rtsp://anna:s3c@r/et?#@camera.local:8554/door", "rtsp://camera.local:8554/door"),
        ("rtsp://10.0.0.7:554/user=anna&password=s3cret&channel=1", "rtsp://10.0.0.7:554/channel=1"),
        ("http://h/cgi/Pwd=s3cret/token%3Dt0ken;a/stream", "http://h/cgi//a/stream"),
        ("rtsp:/anna:s3cret@camera.local/live", "…@camera.local/live"),
        ("anna:s3cret@camera.local", "…@camera.local"),
        ("clip@home.mp4", "clip@home.mp4"),
        ("keyboard.mp4", "keyboard.mp4"),
    ],
)
def test_secrets_are_left_out(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


def test_neither_names_nor_errors_hold_them() -> None:
    assert StreamSource("rtsp://10.0.0.7:554/user=anna&password=s3cret&channel=1").name == "10.0.0.7-554-channel-1"
    with pytest.raises(SourceError) as error:
        make_source("rtsp:/anna:s3cret@camera.local/live")
    assert "s3cret" not in str(error.value)


def test_the_command_line_does_not_repeat_them(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["rtsp://anna:s3cret@host/live"], ["run", "synthetic", "rtsp://anna:s3cret@host/live"]):
        assert run_command_line(arguments) == 2
        shown = "".join(capsys.readouterr())
        assert "rtsp://host/live" in shown
        assert "s3cret" not in shown
