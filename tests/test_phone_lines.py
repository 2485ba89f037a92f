"""Phone lines of shop packs: what is read, what is refused, and what the server makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from voice_server.cli import build_parser, load_settings
from voice_server.config import Settings
from voice_server.conversation.services import ConversationOptions
from voice_server.conversation.transcript import History
from voice_server.phone_lines import (
    add_phone,
    lines,
    listen_address,
    spoken_by_phone,
    telephony_backend,
)
from voice_server.shop import pack
from voice_server.shop.pack_reader import PackError
from voice_server.telephony.bridges import BRIDGES
from voice_server.web.application import METRICS
from voice_server.web.metrics import Metrics

LINES = """
[[phone.lines]]
number = "+32 2 555 01 23"
name = "Bruxelles"
languages = ["nl", "fr"]
vendor = "twilio"
human = "+32 2 555 01 99"
keys = { "1" = "nl", "4" = "fr" }
tones = true

[[phone.lines]]
idle_s = 20
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo pack."""
    copy = tmp_path / "shop"
    shutil.copytree(pack.resolve("demo"), copy)
    return copy


def add(folder: Path, text: str) -> Path:
    path = folder / "shop.toml"
    kept = path.read_text(encoding="utf-8").partition("[[phone.lines]]")[0]
    path.write_text(kept + text, encoding="utf-8")
    return folder


def test_lines_are_read_and_joined_with_the_shops_words(folder: Path) -> None:
    shop = pack.load(add(folder, LINES))
    first, every = lines([shop])
    assert (first.number, first.name, first.vendor) == ("+32 2 555 01 23", "Bruxelles", "twilio")
    assert first.shop == shop.id
    assert first.language == "nl"
    assert first.keys == {"1": "nl", "4": "fr"}
    assert first.greetings == {one: shop.text(one).greeting for one in ("nl", "fr")}
    assert first.tones
    assert (every.number, every.idle_s, every.languages) == ("", 20.0, shop.languages)
    assert every.keys == {"1": "fr", "2": "nl", "3": "de", "4": "en"}
    said = list(spoken_by_phone([first]))
    assert (first, "fr", "Pour le français, appuyez sur 4.") in said


def test_a_shop_without_lines_takes_every_call() -> None:
    shop = pack.load(pack.resolve("demo"))
    [line] = lines([shop])
    assert (line.number, line.languages) == ("", shop.languages)
    assert lines([]) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[phone.lines]]\nnumber = "call me"\n', "no phone number"),
        ('[[phone.lines]]\nvendor = "nobody"\n', "no such vendor"),
        ('[[phone.lines]]\nlanguages = ["it"]\n', "does not speak"),
        ('[[phone.lines]]\nkeys = { "0" = "fr" }\n', "cannot choose"),
        ('[[phone.lines]]\nlanguages = ["fr"]\nkeys = { "1" = "nl" }\n', "not spoken"),
        ('[[phone.lines]]\nnumber = "+32 2"\n[[phone.lines]]\nnumber = "322"\n', "twice"),
        ("[[phone.lines]]\n[[phone.lines]]\n", "without a number"),
        ('[phone]\nlines = "x"\n', "must be tables"),
    ],
)
def test_mistakes_are_named_with_their_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(PackError) as refused:
        pack.load(add(folder, text))
    found = [problem for problem in refused.value.problems if message in problem.message]
    assert len(found) == 1
    assert found[0].file == "shop.toml"


def test_the_second_lines_mistake_is_found_on_its_own_line(folder: Path) -> None:
    text = '[[phone.lines]]\nnumber = "+32 2 555"\n\n[[phone.lines]]\nnumber = "oops"\n'
    before = len((folder / "shop.toml").read_text(encoding="utf-8").splitlines())
    with pytest.raises(PackError) as refused:
        pack.load(add(folder, text))
    [problem] = refused.value.problems
    assert problem.line == before + 5


@pytest.mark.parametrize(
    ("text", "address"),
    [("", None), (":9092", ("127.0.0.1", 9092)), ("[::1]:0", ("::1", 0)), ("h:1", ("h", 1))],
)
def test_addresses(text: str, address: tuple[str, int] | None) -> None:
    assert listen_address("sip", text) == address


@pytest.mark.parametrize("text", ["9092", "host:", "host:99999", "host:x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        listen_address("sip", text)


def test_secrets_are_no_command_line_options() -> None:
    text = build_parser().format_help() + str(build_parser()._subparsers)
    for name in ("twilio_auth_token", "asterisk_password"):
        assert name in Settings.model_fields
        assert name.replace("_", "-") not in text


def test_the_trunks_addresses_may_be_given_on_the_command_line() -> None:
    args = build_parser().parse_args(["serve", "--sip", ":5060", "--sip-peers", "10.0.0.1", "::1"])
    assert load_settings(args).sip_peers == ("10.0.0.1", "::1")


def test_open_servers_want_a_proof() -> None:
    application = web.Application()
    application[METRICS] = Metrics()

    def refused(**settings: Any) -> str:
        given = Settings(**settings)
        backend = telephony_backend(given, tuple, _unused, ready=dict)
        with pytest.raises(ValueError, match="needs") as error:
            add_phone(application, given, backend)
        return str(error.value)

    assert "asterisk_password" in refused(audiosocket="0.0.0.0:9092")
    assert "sip_peers" in refused(sip="0.0.0.0:5060")


def _unused(*_: Any, **__: Any) -> Any:
    raise AssertionError("nobody calls")


def test_a_call_gets_the_conversation_of_its_shop() -> None:
    made: list[tuple[str, ConversationOptions]] = []

    def make(shop_id: str, options: ConversationOptions, **_: Any) -> Any:
        made.append((shop_id, options))

    shop = pack.load(pack.resolve("demo"))
    backend = telephony_backend(Settings(), lambda: [shop], make, ready=lambda: {"facts": False})
    assert "facts" in backend.not_yet()
    [line] = backend.lines()
    features = BRIDGES["audiosocket"]().features
    backend.open_call(
        session_id="s", line=line, language="nl", features=features, emit=print, history=History()
    )
    [(shop_id, options)] = made
    assert shop_id == shop.id
    assert (options.language, options.input_rate, options.piece_ms) == ("nl", 16_000, 20.0)
    assert options.flushes
    assert options.lead_ms == 60.0
