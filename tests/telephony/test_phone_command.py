"""The softphone command against a server on real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.fakes.conversation import Script
from tests.telephony.house import house
from tests.telephony.test_endpoint import PUBLIC
from voice_server.cli import main
from voice_server.commands import phoning
from voice_server.commands.phone import VENDORS
from voice_server.commands.phoning import Caller, CallFailed
from voice_server.conversation.orders import Configure
from voice_server.telephony.ports import Secrets
from voice_server.telephony.softphones import PHONES

QUICK = Script(clause_ms=100, speed=4.0)


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """Half a second of loud noise at 44.1 kHz, in two channels."""
    rng = np.random.default_rng(1)
    path = tmp_path / "question.wav"
    soundfile.write(path, rng.uniform(-0.3, 0.3, (22_050, 2)), 44_100)
    return path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phoning, "QUIET_S", 0.3)


def caller(url: str, vendor: str = "twilio", **options: Any) -> Caller:
    return Caller(vendor, url, caller="+32470123456", called="+3225550123", **options)


@pytest.mark.parametrize("vendor", ["twilio", "audiosocket", "genesys"])
async def test_a_question_is_played_and_the_call_is_saved(
    vendor: str, question: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "out" / "call.wav"
    async with house(script=QUICK) as home:
        url = home.url
        if vendor == "audiosocket":
            url = f"http://127.0.0.1:{home.audiosocket_port}"
        phone = caller(url, vendor, save=saved)
        await phone.play([question])
        await home.quiet()
        assert home.calls.records[0].turns == 1
    audio, rate = soundfile.read(saved)
    assert (rate, audio.shape[1]) == (phone.phone.codec.rate, 2)
    assert np.abs(audio[:, 0]).max() > 0.1
    assert np.abs(audio[:, 1]).max() > 0.1
    [wait] = phone.answer_s
    assert 0.0 < wait < 3.0
    said = capsys.readouterr()
    assert "caller: question.wav" in said.out
    assert "a call of" in said.err


async def test_keys_are_pressed_after_the_greeting(question: Path) -> None:
    async with house(script=QUICK) as home:
        phone = caller(home.url)
        await phone.play([question], keys="2")
        assert [one.language for one in home.conversations[0].of(Configure)] == [None, "fr"]


async def test_lost_packets_are_lost(question: Path) -> None:
    async with house(script=QUICK) as home:
        await caller(home.url, loss=0.2).play([question])
        await home.quiet()
        assert home.calls.records[0].faults > 0


async def test_a_server_that_wants_signatures_refuses_in_words(question: Path) -> None:
    secrets = Secrets(twilio="t")
    async with house(demo=False, secrets=secrets, public_url=PUBLIC) as home:
        with pytest.raises(CallFailed, match="signature"):
            await caller(home.url).play([question])


async def test_a_server_that_says_nothing_is_waited_for_boundedly(question: Path) -> None:
    async with house(script=Script(fail="no voice")) as home:
        with pytest.raises(CallFailed, match="greeting did not come"):
            await caller(home.url, timeout_s=0.2).play([question])
    async with house(max_calls=0) as home:
        with pytest.raises(CallFailed, match="hung up before"):
            await caller(home.url).play([question])


def test_what_cannot_be_is_said_in_words(
    tmp_path: Path, question: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = ["phone", "--url", "http://127.0.0.1:9", "--wav"]
    assert main([*closed, str(question)]) == 1
    assert "no server answers" in capsys.readouterr().err
    assert main([*closed, str(question), "--vendor", "audiosocket"]) == 1
    assert "--audiosocket" in capsys.readouterr().err
    assert main([*closed, str(tmp_path / "none.wav")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert main([*closed, str(question), "--codec", "l16"]) == 1
    assert "twilio has no l16: choose pcmu" in capsys.readouterr().err


def test_every_vendor_has_a_phone() -> None:
    assert set(VENDORS) == set(PHONES) - {"sip"}  # for SIP there are telephones


async def test_keys_can_be_a_turn(question: Path) -> None:
    async with house(script=QUICK) as home:
        await caller(home.url).play([question, Path("keys:10426#")])
        await home.quiet()
        assert home.calls.records[0].keys == 6
