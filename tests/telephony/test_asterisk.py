"""A real Asterisk with the documented dialplan calls the server three ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from tests.telephony.asterisk import MISSING, Asterisk, asterisk, documented
from tests.telephony.booth import LINE, sounding
from tests.telephony.composed import Composed, composed
from tests.telephony.house import House, house
from voice_server.audio.pcm import Audio
from voice_server.telephony.ports import Secrets, SipAccount

HUMAN_HZ = 440.0

NOISE = (np.random.default_rng(1).standard_normal(8000) * 0.1).astype(np.float32)
HUMAN = (0.4 * np.sin(2 * np.pi * HUMAN_HZ * np.arange(12_000) / 8000)).astype(np.float32)

TALK = """
Wait(4)
Playback({home}/question)
Wait(4.5)
SendDTMF(0)
Wait(6)
"""


@asynccontextmanager
async def exchange(
    script: str, *, known: str = "secret"
) -> AsyncIterator[tuple[Asterisk, House, Composed]]:
    """A server outside demo mode, and an Asterisk that knows its password."""
    account = SipAccount(host="127.0.0.1", user="pbx", password=known)
    secrets = Secrets(asterisk=known)
    options: dict[str, Any] = {"demo": False, "sip": account, "secrets": secrets}
    async with (
        composed() as behind,
        house(open_call=behind.open_call, **options) as home,
        asterisk(
            script,
            {
                "wss://voice.example.com": home.url.replace("http", "ws"),
                "tls_enabled = yes": "tls_enabled = no",
                "https://voice.example.com": home.url,
                "voice.example.com:9092": f"127.0.0.1:{home.audiosocket_port}",
                "voice.example.com:5060": f"127.0.0.1:{home.sip_port}",
            },
            {"question": NOISE, "human": HUMAN},
        ) as pbx,
    ):
        yield pbx, home, behind


def share_at(audio: Audio, hz: float) -> float:
    """The share of the power that lies within 20 Hz."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    at = np.fft.rfftfreq(audio.size, 1 / 8000)
    return float(power[np.abs(at - hz) < 20].sum() / power.sum())


def test_the_document_holds_the_files() -> None:
    assert set(documented()) == {
        "websocket_client.conf", "chan_websocket.conf", "extensions.conf", "pjsip.conf",
    }  # fmt: skip


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize(
    ("context", "vendor"),
    [("shop-audiosocket", "audiosocket"), ("shop-websocket", "asterisk"), ("shop-sip", "sip")],
)
async def test_asterisk_calls_talks_and_is_transferred(context: str, vendor: str) -> None:
    """Greeting, a question and its answer, key 0, and the human of the dialplan's trunk."""
    async with exchange(TALK) as (pbx, home, behind):
        await pbx.call(context)
        await pbx.idle(45)
        await home.quiet()
        log = pbx.log()[-6000:]
        heard = pbx.heard()
        assert len(home.calls.records) == 1, log
        [record] = home.calls.records
    assert record.vendor == vendor
    assert (record.turns, record.keys, record.faults) == (1, 1, 0), log
    assert record.transfers
    [utterance] = {round(call["ms"], -3) for call in behind.stt.calls if call["urgent"]}
    assert utterance in (1000, 2000)  # a second of noise, and the silence around it
    pieces = sounding(heard)
    assert pieces[0][0] < 2.0, pieces  # the greeting
    assert [piece for piece in pieces if 4.6 < piece[0] < 7], pieces  # the answer
    assert f"HUMAN {LINE.human}" in log
    assert share_at(heard[-5 * 8000 :], HUMAN_HZ) > 0.3, pieces


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("context", ["shop-audiosocket", "shop-websocket", "shop-sip"])
async def test_asterisk_without_the_password_gets_no_call(context: str) -> None:
    async with exchange("Wait(3)", known="another one") as (pbx, home, _):
        await pbx.call(context)
        await pbx.idle()
        assert not home.calls.records
        assert len(home.calls) == 0
        if context != "shop-sip":  # which is only challenged again
            assert 'calls_refused_total{vendor="a' in home.metrics
