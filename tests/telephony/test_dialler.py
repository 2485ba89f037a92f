"""Calls placed whole: by vendors whose APIs are real sockets, and by SIP to real telephones."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.fakes.conversation import Script
from tests.fakes.phone_vendors import TOKEN, PhoneVendor, twilio_webhook
from tests.storage.test_phone import PROMISE
from tests.telephony.booth import LINE
from tests.telephony.house import Handset, House, house, until
from tests.telephony.test_dial_rules import PEM
from tests.telephony.test_sip import BARESIP, shell
from voice_server.call_records import OptOut
from voice_server.conversation.orders import Say
from voice_server.storage import open_storage
from voice_server.telephony import dialler as dialling_shell
from voice_server.telephony.call_backs import AGAIN, SLOTS, CallBackKeeper
from voice_server.telephony.dial_rules import Dialling, NotDialled
from voice_server.telephony.dialler import Dialler
from voice_server.telephony.outgoing import Outgoing, Wish
from voice_server.telephony.ports import Secrets, SipTrunk
from voice_server.telephony.recordings import Recordings
from voice_server.telephony.vendor_calls import VendorAccounts
from voice_server.web.telephony import DIALLER

MOBILE = "+32470123456"
NUMBER = "+3225550123"
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
GUEST = {"X-Kind": "ephemeral"}
OTHERS = {"X-Shop": "fleurs"}


def line(vendor: str, **more: Any) -> Any:
    options = {"detect": "off", **more}
    dialling = Dialling(vendor, ("BE",), **options)
    return replace(
        LINE, number=NUMBER, shop="marolle", shop_name="Marolle", dialling=dialling, vendor=""
    )  # fmt: skip


class Book:
    """A phone book on a real database."""

    def __init__(self, storage: Any, data: Path) -> None:
        self.storage = storage
        self.recordings = Recordings(data, storage.phone)
        self.closed_until: datetime | None = None
        self.events: list[tuple[str, dict[str, Any]]] = []

    @property
    def lists(self) -> Any:
        return self.storage.phone

    async def opted_out(self, number: str, shop: str) -> bool:
        return bool(await self.lists.opted_out(number, shop))

    async def opt_out(self, entry: OptOut) -> None:
        await self.lists.opt_out(entry)

    def open_from(self, shop: str, now: datetime) -> datetime | None:
        return self.closed_until or now

    def audit(self, kind: str, shop: str, session: str, **payload: Any) -> None:
        self.events.append((kind, payload))


class Office:
    """A house that calls out."""

    def __init__(self, home: House, vendor: PhoneVendor, book: Book) -> None:
        self.home, self.vendor, self.book = home, vendor, book
        self.dialler: Dialler = home.application[DIALLER]
        self.dialler.base_url = home.url
        self.dialler._wall = lambda: NOON

    async def place(self, number: str = MOBILE, **more: Any) -> Outgoing:
        return await self.dialler.place(Wish(number, **more))

    async def refused(self, number: str = MOBILE, **more: Any) -> NotDialled:
        with pytest.raises(NotDialled) as caught:
            await self.place(number, **more)
        return caught.value


@asynccontextmanager
async def office(
    tmp_path: Path, vendor: str = "twilio", script: Script | None = None, **more: Any
) -> AsyncIterator[Office]:
    storage = await open_storage("", tmp_path)
    book = Book(storage, tmp_path)
    one = line(vendor, **more.pop("dialling", {}))
    one = replace(one, **more.pop("line", {}))
    async with PhoneVendor().running() as api:
        names = ("twilio", "telnyx", "plivo", "vonage")
        accounts = VendorAccounts(
            "AC1", TOKEN, "KEY1", "conn", "MA1", "pl", "app", PEM, dict.fromkeys(names, api.url)
        )
        options = {"accounts": accounts, "call_book": lambda: book, "lines": lambda: (one,), **more}
        async with house(script or Script(clause_ms=100), **options) as home:
            yield Office(home, api, book)
    await storage.close()


async def test_a_call_by_twilio_from_the_wish_to_the_outcome(tmp_path: Path) -> None:
    secrets = Secrets(twilio=TOKEN)
    async with office(tmp_path, demo=False, secrets=secrets, line={"recording": "off"}) as out:
        outgoing = await out.place(reason="uw pakje", by="lead")
        [(method, path, form)] = out.vendor.asked
        assert (method, path) == ("POST", "/2010-04-01/Accounts/AC1/Calls.json")
        assert (form["To"], form["From"], form["Timeout"]) == (MOBILE, NUMBER, "30")
        client = out.home.client
        status, _ = await twilio_webhook(
            client, form["StatusCallback"], {"CallSid": "CA1", "CallStatus": "ringing"}
        )
        assert (status, outgoing.state) == (204, "ringing")
        status, twiml = await twilio_webhook(
            client, form["Url"], {"CallSid": "CA1", "From": NUMBER, "To": MOBILE}
        )
        assert status == 200
        [stream] = re.findall(r'Stream url="([^"]+)"', twiml)
        handset = await Handset.dial(
            out.home, "twilio", stream.removeprefix(out.home.url.replace("http", "ws", 1))
        )
        await handset.hear_ms(60)
        assert outgoing.state == "answered"
        await until(lambda: len(out.home.conversations[0].of(Say)) == 3)
        said = " ".join(say.text for say in out.home.conversations[0].of(Say))
        assert "Marolle" in said
        assert "uw pakje" in said
        await handset.give(handset.phone.hang_up())
        await out.home.quiet()
        await asyncio.wait_for(outgoing.over.wait(), 5)
        assert outgoing.outcome == "talked"
        [record] = out.home.calls.records
        assert (record.direction, record.caller) == ("outbound", "…56")
        kinds = [kind for kind, _ in out.book.events]
        assert kinds == ["call.placed", "call.out_over"]
        assert out.book.events[0][1]["number"] == "…56"
        # An unsigned webhook is nobody's.
        async with client.post(form["Url"]) as reply:
            assert reply.status == 403
        # Who is picked up too late hears nothing of us.
        _, twiml = await twilio_webhook(client, form["Url"], {"CallSid": "CA1", "x": "2"})
        assert "Hangup" in twiml
        await handset.end()


async def test_telnyx_streams_by_itself_and_is_told_to_hang_up(tmp_path: Path) -> None:
    async with office(tmp_path, "telnyx", dialling={"detect": "vendor"}) as out:
        outgoing = await out.place()
        [(_, path, body)] = out.vendor.asked
        assert path == "/v2/calls"
        stream = body["stream_url"].removeprefix(out.home.url.replace("http", "ws", 1))
        handset = await Handset.dial(out.home, "telnyx", stream)
        await until(lambda: outgoing.session is not None)
        told = {"data": {"event_type": "call.machine.detection.ended",
                         "payload": {"result": "human"}}}  # fmt: skip
        async with out.home.client.post(body["webhook_url"], json=told) as reply:
            assert reply.status == 204
        await handset.hear_ms(60)
        assert outgoing.session is not None
        assert outgoing.session.flow.tally.answered_by == "human"
        await out.dialler.hang_up(outgoing)
        await asyncio.wait_for(outgoing.over.wait(), 8)
        await until(lambda: len(out.vendor.asked) == 2)
        assert out.vendor.asked[1][1] == "/v2/calls/v3:1/actions/hangup"
        await handset.end()


@pytest.mark.parametrize(
    ("vendor", "news", "outcome"),
    [
        ("plivo", {"CallStatus": "busy", "CallUUID": "u"}, "busy"),
        ("vonage", {"status": "timeout"}, "no_answer"),
        ("twilio", {"CallStatus": "failed"}, "failed"),
    ],
)
async def test_nobody_is_reached(
    tmp_path: Path, vendor: str, news: dict[str, str], outcome: str
) -> None:
    async with office(tmp_path, vendor) as out:
        outgoing = await out.place()
        url = f"{out.home.url}/telephony/{vendor}/events/{outgoing.outbound.id}"
        async with out.home.client.post(url, json=news) as reply:
            assert reply.status == 204
        assert (outgoing.state, outgoing.outcome) == ("over", outcome)


async def test_what_the_vendor_refuses_is_told_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling_shell, "REST_S", 0.5)
    async with office(tmp_path, "telnyx", dialling={"per_minute": 60}) as out:
        out.vendor.fail = (429, {"Retry-After": "120"})
        error = await out.refused()
        assert error.code == "vendor"
        assert error.again_at == NOON + timedelta(seconds=120)
        assert "Too Many Requests" in str(error)
        out.vendor.fail = None
        out.vendor.slow_s = 2
        assert "does not answer" in str(await out.refused("+32470123457"))
    assert "KEY1" not in caplog.text


async def test_who_may_not_be_called(tmp_path: Path) -> None:
    async with office(tmp_path, dialling={"per_minute": 2}) as out:
        assert (await out.refused("0470")).code == "no_number"
        assert (await out.refused("+33612345678")).code == "not_allowed"
        assert (await out.refused(line="Nowhere")).code == "no_line"
        await out.book.opt_out(OptOut(MOBILE, "marolle", "call x", NOON))
        assert (await out.refused()).code == "opted_out"
        out.book.closed_until = NOON + timedelta(hours=3)
        error = await out.refused("+32470123457")
        assert (error.code, error.again_at) == ("closed", out.book.closed_until)
        out.book.closed_until = None
        out.dialler._wall = lambda: NOON + timedelta(hours=10)
        assert (await out.refused("+32470123457")).code == "quiet_hours"
        out.dialler._wall = lambda: NOON
        for last in "78":
            await out.place(f"+3247012345{last}")
        assert (await out.refused("+32470123459")).code == "too_fast"
        assert len(out.vendor.asked) == 2
        await out.book.storage.close()
        assert (await out.refused("+32470123459")).code in ("not_ready", "too_fast")


async def test_a_server_without_what_it_needs_says_so(tmp_path: Path) -> None:
    async with office(tmp_path, "sip") as out:
        assert "sip_trunk" in str(await out.refused())
    async with office(tmp_path, line={"dialling": None}) as out:
        assert (await out.refused()).code == "no_outbound"
    async with office(tmp_path, accounts=VendorAccounts()) as out:
        assert "account of twilio" in str(await out.refused())
    async with office(tmp_path) as out:
        out.dialler.base_url = ""
        assert "public_url" in str(await out.refused())
    async with office(tmp_path, not_yet=lambda: "loading", call_book=lambda: None) as out:
        assert (await out.refused()).code == "not_ready"


async def test_operators_place_calls_by_http(tmp_path: Path) -> None:
    async with office(tmp_path) as out:
        client, url = out.home.client, out.home.url + "/api/calls"
        async with client.post(f"{url}/out", json={"number": MOBILE}, headers=GUEST) as reply:
            assert reply.status == 403  # a customer's page calls nobody
        async with client.post(f"{url}/out", json={"number": "0470"}) as reply:
            assert (reply.status, (await reply.json())["error"]["code"]) == (400, "no_number")
        async with client.post(f"{url}/out", data=b"[") as reply:
            assert reply.status == 400
        async with client.post(f"{url}/out", json={"number": MOBILE}) as reply:
            placed = await reply.json()
            assert (reply.status, placed["state"], placed["number"]) == (201, "dialling", "…56")
        async with client.post(f"{url}/out/{placed['id']}/hang-up") as reply:
            assert reply.status == 200
        async with client.get(f"{url}/out/{placed['id']}") as reply:
            assert (await reply.json())["outcome"] == "failed"
        assert out.vendor.asked[-1][2] == {"Status": "completed"}
        entry = {"number": MOBILE, "shop": "marolle"}
        async with client.post(f"{url}/opt-outs", json=entry) as reply:
            assert reply.status == 201
        async with client.get(f"{url}/opt-outs") as reply:
            assert [one["number"] for one in (await reply.json())["opt_outs"]] == [MOBILE]
        assert (await out.refused()).code == "opted_out"
        # Another shop's key sees and changes nothing of it.
        async with client.get(f"{url}/out/{placed['id']}", headers=OTHERS) as reply:
            assert reply.status == 404
        async with client.get(f"{url}/out", headers=OTHERS) as reply:
            assert (await reply.json())["calls"] == []
        async with client.delete(f"{url}/opt-outs", json=entry, headers=OTHERS) as reply:
            assert reply.status == 404
        async with client.get(f"{url}/call-backs") as reply:
            assert (await reply.json())["call_backs"] == []


# ------------------------------------------------------------------ call-backs


async def test_a_promise_is_kept_once_tried_again_and_given_up(tmp_path: Path) -> None:
    async with office(tmp_path, dialling={"call_backs": True}) as out:
        now = NOON
        wishes: list[Wish] = []
        outcomes = ["no_answer", "busy", "talked"]

        async def place(wish: Wish) -> Outgoing:
            wishes.append(wish)
            outgoing = Outgoing(None, "call-back", 0.0, "sip")  # type: ignore[arg-type]
            outgoing.finish(outcomes.pop(0), "so it was")  # type: ignore[arg-type]
            return outgoing

        keeper = CallBackKeeper(out.book.lists, place, wall=lambda: now)

        async def step() -> int:
            async with asyncio.TaskGroup() as tries:
                return await keeper.step(tries)

        await out.book.lists.promise(replace(PROMISE, due=NOON))
        assert await step() == 1
        assert await step() == 0  # once for a slot
        now += AGAIN
        assert await step() == 1
        now += AGAIN
        assert await step() == 1
        [kept] = await out.book.lists.call_backs()
        assert (kept.state, kept.outcome, kept.attempts) == ("done", "talked", 3)
        assert {(wish.purpose, wish.number, wish.reason) for wish in wishes} == {
            ("call_back", MOBILE, "mijn pakje")
        }
        outcomes += ["no_answer"] * SLOTS
        await out.book.lists.promise(replace(PROMISE, id="cb2", due=now))
        for _ in range(SLOTS + 2):
            await step()
            now += AGAIN
        [given_up] = [one for one in await out.book.lists.call_backs() if one.id == "cb2"]
        assert (given_up.state, given_up.attempts) == ("failed", SLOTS)


async def test_a_server_that_stops_in_a_call_back_has_kept_its_promise(tmp_path: Path) -> None:
    async with office(tmp_path) as out:
        for answered_by, state in (("human", "done"), ("", "calling")):
            flow = SimpleNamespace(tally=SimpleNamespace(answered_by=answered_by))
            outgoing = Outgoing(None, "call-back", 0.0, "sip")  # type: ignore[arg-type]
            outgoing.session = SimpleNamespace(flow=flow)  # type: ignore[assignment]

            async def place(wish: Wish, placed: Outgoing = outgoing) -> Outgoing:
                return placed

            await out.book.lists.promise(replace(PROMISE, id=f"cb_{state}", due=NOON))
            keeper = CallBackKeeper(out.book.lists, place, wall=lambda: NOON)
            running = asyncio.create_task(keeper.run())
            await asyncio.sleep(0.2)
            running.cancel()
            await asyncio.wait([running])
            kept = {one.id: one.state for one in await out.book.lists.call_backs()}
            assert kept[f"cb_{state}"] == state


async def test_a_closed_shop_postpones_and_an_opt_out_ends_a_promise(tmp_path: Path) -> None:
    async with office(tmp_path) as out:
        out.book.closed_until = opens = NOON + timedelta(hours=20)
        keeper = CallBackKeeper(out.book.lists, out.dialler.place, wall=lambda: NOON)
        await out.book.lists.promise(replace(PROMISE, line=LINE.name, due=NOON))
        async with asyncio.TaskGroup() as tries:
            assert await keeper.step(tries) == 1
        [kept] = await out.book.lists.call_backs()
        assert (kept.state, kept.due, kept.outcome) == ("waiting", opens, "the shop is closed")
        out.book.closed_until = None
        await out.book.opt_out(OptOut(MOBILE, "marolle", "call x", NOON))
        later = CallBackKeeper(out.book.lists, out.dialler.place, wall=lambda: opens)
        async with asyncio.TaskGroup() as tries:
            await later.step(tries)
        [ended] = await out.book.lists.call_backs()
        assert ended.state == "failed"
        assert out.vendor.asked == []


# ------------------------------------------------------------------ real peers


async def free_port() -> int:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port: int = transport.get_extra_info("sockname")[1]
    transport.close()
    return port


@pytest.mark.skipif(not shutil.which("baresip"), reason="needs baresip")
async def test_baresip_is_called_greeted_and_recorded(tmp_path: Path) -> None:
    """A real telephone picks up, says a word, hears us; with its consent it is recorded."""
    rng = np.random.default_rng(1)
    word = rng.uniform(-0.3, 0.3, 4000)
    said = np.concatenate((np.zeros(4000), word, np.zeros(16000), word, np.zeros(48000)))
    soundfile.write(tmp_path / "source.wav", said, 8000, subtype="PCM_16")
    port = await free_port()
    config = BARESIP.format(source=tmp_path / "source.wav", player=tmp_path)
    config = config.replace("sip_listen 127.0.0.1:0", f"sip_listen 127.0.0.1:{port}")
    (tmp_path / "config").write_text(config)
    (tmp_path / "accounts").write_text(f"<sip:{MOBILE}@127.0.0.1>;regint=0;answermode=auto\n")
    (tmp_path / "contacts").write_text("")
    script = Script(["ja"], clause_ms=300, speed=1.0)
    trunk = SipTrunk(f"127.0.0.1:{port}")
    async with office(
        tmp_path, "sip", script, trunk=trunk, dialling={"detect": "own"},
        line={"recording": "ask", "languages": ("nl",), "keys": {}},
    ) as out:  # fmt: skip
        answering = asyncio.create_task(shell("baresip", "-f", str(tmp_path), "-t", "9"))
        await asyncio.sleep(1.5)
        outgoing = await out.place()
        await until(lambda: outgoing.session is not None)
        session = outgoing.session
        assert session is not None
        await until(lambda: session.flow.tally.answered_by == "human")
        await until(lambda: session.flow.tally.consent == "granted")
        await until(lambda: session._keeper._recorder is not None)
        await asyncio.sleep(1.0)
        await out.dialler.hang_up(outgoing)
        await asyncio.wait_for(outgoing.over.wait(), 10)
        assert outgoing.outcome == "talked"
        entry = await out.book.recordings.entry(session.id)
        assert entry is not None
        path = out.book.recordings.path(entry)
        sound, rate = soundfile.read(path)
        assert (rate, sound.shape[1], path.stat().st_mode & 0o777) == (8000, 2, 0o600)
        assert sound.shape[0] > 0.5 * rate
        assert np.abs(sound[:, 1]).max() > 0.05  # us, at least
        [record] = out.home.calls.records
        assert (record.consent, record.direction, record.faults) == ("granted", "outbound", 0)
        assert await out.book.recordings.destroy(session.id)
        assert not path.exists()
        await answering


@pytest.mark.skipif(not shutil.which("sipp"), reason="needs sipp (package sip-tester)")
async def test_sipp_is_called_and_hears_a_goodbye(tmp_path: Path) -> None:
    port = await free_port()
    trunk = SipTrunk(f"127.0.0.1:{port}")
    async with office(tmp_path, "sip", trunk=trunk) as out:
        answering = asyncio.create_task(
            shell("sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-m", "1",
                  "-nostdin", "-timeout", "15")
        )  # fmt: skip
        await asyncio.sleep(0.7)
        outgoing = await out.place()
        await until(lambda: outgoing.session is not None)
        await asyncio.sleep(0.5)
        await out.dialler.hang_up(outgoing)
        await asyncio.wait_for(outgoing.over.wait(), 10)
        code, text = await answering
        assert code == 0, text[-1500:]


async def test_a_telephone_that_is_off_is_not_reached(tmp_path: Path) -> None:
    trunk = SipTrunk(f"127.0.0.1:{await free_port()}")
    async with office(tmp_path, "sip", trunk=trunk, dialling={"ring_s": 1}) as out:
        outgoing = await out.place()
        await asyncio.wait_for(outgoing.over.wait(), 8)
        assert outgoing.outcome == "no_answer"
    async with office(tmp_path, "sip", trunk=SipTrunk("no.such.name.invalid")) as out:
        assert "no address" in str(await out.refused())
