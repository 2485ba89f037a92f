"""Addresses, their keys, and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_server.live.out.target import (
    OutError,
    Push,
    Record,
    parse_push,
    parse_record,
    piped,
    read_push,
)


@pytest.mark.parametrize(
    ("address", "server", "app", "key"),
    [
        ("rtmp://live.twitch.tv/app/live_1_x", "rtmp://live.twitch.tv/app", "app", "live_1_x"),
        ("rtmps://a.b:443/x/y/k3y", "rtmps://a.b:443/x/y", "x/y", "k3y"),
        ("rtmp://a/live2/k3y?auth=a/b", "rtmp://a/live2", "live2", "k3y?auth=a/b"),
        (" rtmp://[::1]:1935/live/k3y ", "rtmp://[::1]:1935/live", "live", "k3y"),
    ],
)
def test_a_platforms_address_is_split_before_its_key(
    address: str, server: str, app: str, key: str
) -> None:
    assert parse_push(address) == Push(server, app, key)
    push = parse_push(address)
    arguments, preset = push.open()
    assert arguments[-1] == server
    assert key not in " ".join(arguments)
    assert preset.decode() == f"rtmp_app={app}\nrtmp_playpath={key}\n"
    assert push.clean(f"cannot publish {key} there") == "cannot publish ••• there"
    assert key not in repr(push)


@pytest.mark.parametrize(
    "address",
    [
        "", "http://a/b/c", "rtmp://", "rtmp:///app/key", "rtmp://a/key", "rtmp://a//",
        "rtmp://user:secret@a/app/key", "rtmp://a:99999/app/key", "rtmp://a/app/se cret",
        "rtmp://a/app/k\nrtmp_app=x", "rtmp://[a/app/secret", "file:///etc/passwd", "-y",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(OutError) as error:
        parse_push(address)
    assert "secret" not in str(error.value)


def test_an_address_can_stay_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("rtmp://a/app/secret\n# mine\n")
    assert read_push(f"@{path}").key == "secret"
    assert read_push("rtmp://a/app/secret").key == "secret"
    path.write_text("")
    for wish in (f"@{path}", f"@{tmp_path}/none"):
        with pytest.raises(OutError):
            read_push(wish)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OutError, match="not text"):
        read_push(f"@{path}")


def test_a_recording_never_writes_over_a_file(tmp_path: Path) -> None:
    record = Record(tmp_path / "show.mp4", least_free=0)
    (tmp_path / "show.mp4").write_bytes(b"mine")
    (tmp_path / "show-2.part.mp4").write_bytes(b"of a crash")
    assert record.open()[0][-1] == str(tmp_path / "show-3.part.mp4")
    assert record.whole == tmp_path / "show-3.mp4"
    assert record.what == "show.mp4"
    assert record.clean(f"{tmp_path}/show.mp4: no") == "show.mp4: no"


def test_a_recording_stops_while_there_is_room(tmp_path: Path) -> None:
    with pytest.raises(OutError, match="nearly full"):
        Record(tmp_path / "show.mp4", least_free=1 << 62).open()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutError, match="cannot be written"):
        Record(tmp_path / "file" / "show.mp4").open()


def test_only_what_stays_wrong_is_hopeless(tmp_path: Path) -> None:
    record = Record(tmp_path / "show.mp4")
    assert record.hopeless("show.part.mp4: No space left on device")
    assert not record.hopeless("Killed")
    assert not parse_push("rtmp://a/b/c").hopeless("Operation not permitted")


def test_the_operator_names_an_mp4() -> None:
    assert parse_record("evening.MP4").path.is_absolute()
    with pytest.raises(OutError):
        parse_record("evening.mkv")


def test_a_pipe_must_be_there() -> None:
    assert piped(1) == 1
    with pytest.raises(OutError):
        piped(None)
