"""A real Asterisk with the documented dialplan calls the server three ways."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tests.telephony.asterisk import MISSING, Asterisk, asterisk, documented, free_port
from tests.telephony.booth import LINE, sounding
from tests.telephony.composed import Composed, composed
from tests.telephony.house import House, house
from voice_server.audio.pcm import Audio
from voice_server.telephony.ports import Secrets, SipAccount, SipTrunk
from voice_server.web.telephony import SIP

HUMAN_HZ = 440.0

NOISE = (np.random.default_rng(1).standard_normal(8000) * 0.1).astype(np.float32)
HUMAN = (0.4 * np.sin(2 * np.pi * HUMAN_HZ * np.arange(12_000) / 8000)).astype(np.float32)

TALK = """
Wait(4)
Playback({home}/question)
Wait(4.5)
SendDTMF(0)
Wait(16)
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


def human(heard: Audio) -> bool:
    """Whether there is half a second with nothing but the human's tone in it."""
    at = np.fft.rfftfreq(4000, 1 / 8000)
    for start in range(0, heard.size - 4000, 2000):
        power = np.abs(np.fft.rfft(heard[start : start + 4000])) ** 2
        if power.sum() > 1000 and power[np.abs(at - HUMAN_HZ) < 20].sum() > 0.9 * power.sum():
            return True
    return False


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
    assert record.turns >= 1, log  # two, if a busy machine tears the question apart
    assert (record.keys, record.faults) == (1, 0), log
    assert record.transfers, log
    longest = max(round(call["ms"], -3) for call in behind.stt.calls if call["urgent"])
    assert longest in (1000, 2000)  # a second of noise, and the silence around it
    pieces = sounding(heard)
    assert pieces[0][0] < 4.0, pieces  # the greeting, before the question
    assert [piece for piece in pieces if 4.6 < piece[0] < 9], pieces  # the answer, before the key
    assert f"HUMAN {LINE.human}" in log
    assert human(heard), pieces


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


TRUNK = """
[transport-tcp]
type = transport
protocol = tcp
bind = 127.0.0.2:{port}

[transport-tls]
type = transport
protocol = tls
bind = 127.0.0.2:{tls}
cert_file = {files}/own.pem
priv_key_file = {files}/own.pem
method = tlsv1_2
ca_list_file = {files}/own.pem
verify_server = yes

[carrier]
type = endpoint
context = from-shop
disallow = all
allow = alaw
aors = carrier
auth = carrier
outbound_auth =

[carrier]
type = aor
max_contacts = 1
remove_existing = yes

[carrier]
type = auth
auth_type = userpass
username = carrier
password = theirs
"""

CARRIED = """
[carried]
exten => _[+0-9].,1,Answer()
 same => n,Dial(PJSIP/${{EXTEN}}@carrier,30)
 same => n,Hangup()
"""


def certificate(folder: Path) -> None:
    """A certificate for this machine, and its key, in one file."""
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1,IP:127.0.0.2 -keyout key.pem -out certificate.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    parts = [(folder / name).read_text() for name in ("key.pem", "certificate.pem")]
    (folder / "own.pem").write_text("".join(parts))


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
async def test_we_register_with_asterisk_which_brings_calls(
    transport: Literal["UDP", "TCP", "TLS"], tmp_path: Path
) -> None:
    """The trunk knows us by registration only; it calls, and gets its transfer."""
    certificate(tmp_path)
    own, port, tls = str(tmp_path / "own.pem"), free_port(), free_port()
    trunk = SipTrunk(
        f"127.0.0.2:{tls if transport == 'TLS' else port}", "127.0.0.2", "carrier", "theirs",
        register=True, transport=transport, authority=own,
    )  # fmt: skip
    account = SipAccount(host="127.0.0.1", tls=("127.0.0.1", 0), certificate=own)
    more = {
        "pjsip.conf": TRUNK.format(port=port, tls=tls, files=tmp_path),
        "extensions.conf": CARRIED.format(),
    }
    options: dict[str, Any] = {"demo": False, "sip": account, "trunk": trunk}
    async with composed() as behind:
        sounds = {"question": NOISE, "human": HUMAN}
        async with asterisk(
            TALK, {"203.0.113.7": "127.0.0.9"}, sounds, port=port, more=more
        ) as pbx:
            async with house(open_call=behind.open_call, **options) as home:
                registration = home.application[SIP].registration
                assert registration is not None
                async with asyncio.timeout(60):
                    while registration.state != "up":  # noqa: ASYNC110 - it tells nobody
                        await asyncio.sleep(0.1)
                assert "carrier" in await pbx.command("pjsip show contacts")
                await pbx.call("carried")
                await pbx.idle(45)
                await home.quiet()
                log, heard = pbx.log()[-6000:], pbx.heard()
                [record] = home.calls.records
                assert record.turns >= 1, log  # two, if a busy machine tears the question apart
                assert (record.keys, record.faults) == (1, 0), log
                assert len(sounding(heard)) >= 3
                if transport == "UDP":  # the human is called by UDP, whatever brought the caller
                    assert f"HUMAN {LINE.human}" in log
                    assert human(heard)
            assert "carrier/sip:" not in await pbx.command("pjsip show contacts")  # given back
