"""Where the settings send which show."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from voice_server.commands import show
from voice_server.config import Settings
from voice_server.live.out import camera
from voice_server.live.out.target import OutError, Push, Record
from voice_server.show_outputs import ShowOutputs, wishes


def test_the_settings_name_shows_and_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text("rtmps://a/live/k3y-2\n")
    monkeypatch.setenv("VOICE_SERVER_SHOW_PUSH", f"evening=rtmp://a/app/k3y?x=1, demo=@{path}")
    monkeypatch.setenv("VOICE_SERVER_SHOW_RECORD", f"evening={tmp_path}/evening.mp4")
    settings = Settings()
    assert "k3y" not in repr(settings)
    push, record = wishes(settings, "evening")
    assert isinstance(push, Push)
    assert push.key == "k3y?x=1"
    assert isinstance(record, Record)
    (push,) = wishes(settings, "demo")
    assert isinstance(push, Push)
    assert push.key == "k3y-2"
    assert list(wishes(settings, "another")) == []
    path.unlink()
    with pytest.raises(OutError):
        list(wishes(settings, "demo"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("localhost", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::", "http://[::1]:8080"),
        ("192.0.2.1", "http://192.0.2.1:8080"),
    ],
)
def test_our_browser_finds_us(host: str, address: str) -> None:
    outputs = ShowOutputs(Settings(host=host, api_keys=("k",)))
    outputs.listening(8080)
    assert outputs._address() == address


@pytest.mark.parametrize(
    ("push", "record", "words"),
    [
        (["http://a/b/c"], [], "rtmp://"),
        ([], ["show.avi"], ".mp4"),
        (["rtmp://a/app/k3y"], [], "apt-get install chromium"),
    ],
)
def test_the_command_says_what_is_wrong_before_it_serves(
    push: list[str],
    record: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(camera, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(show, "find_ffmpeg", lambda: "ffmpeg")
    args = argparse.Namespace(sheet="demo", push=push, record=record)
    assert show.run(args, Settings()) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "k3y" not in said
