"""Clients come back to another process: the same session, once, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.realtime.house import House, Wire, house
from voice_server.conversation.orders import Configure
from voice_server.realtime.returning import Kept, Returning
from voice_server.web.application import drain


class Clocked:
    """A store whose time a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rows: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self.fault: Exception | None = None
        self.slow = False

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        self.rows[key] = (self.now + ttl_s, state)

    async def load(self, key: str) -> Mapping[str, Any] | None:
        if self.fault is not None:
            raise self.fault
        if self.slow:
            await asyncio.sleep(3600)
        until, state = self.rows.get(key, (0.0, {}))
        return state if until > self.now else None


async def opened(home: House, query: str = "") -> tuple[Wire, str]:
    wire = await home.open(f"?extensions=resume,captions{query}")
    return wire, (await wire.until("voice_server.resume_token"))["token"]


async def refused(home: House, token: str) -> bool:
    wire = await home.dial(f"?resume={token}")
    return bool((await wire.until("error"))["error"]["code"] == "resume_failed")


async def test_a_session_goes_on_in_another_process() -> None:
    store = Clocked()
    async with house(returning=Returning(store, 60.0)) as home:
        wire, token = await opened(home, "&language=nl")
        update = {"type": "realtime", "audio": {"output": {"voice": "af_heart", "speed": 1.2}}}
        await wire.send("session.update", session=update)
        await wire.until("session.updated")
        store.now += 30.0
        await renewed(home)
        id = wire.seen[0]["session"]["id"]
        home.sessions._tokens.clear()  # killed: nobody says goodbye to the store
    assert token not in str(store.rows), "whoever reads the store cannot come back as the client"
    async with house(returning=Returning(store, 60.0)) as home:
        wire = await home.dial(f"?resume={token}&last_event_id=event_9&position_ms=5")
        back = await wire.until("voice_server.resumed")
        assert (back["session"]["id"], back["restarted"], back["response_id"]) == (id, True, None)
        assert back["session"]["audio"]["output"]["speed"] == 1.2
        assert back["voice_server"]["extensions"] == ["captions", "resume"]
        assert home.conversations[0].of(Configure)[0].reply.speed == 1.2
        new = (await wire.until("voice_server.resume_token"))["token"]
        assert new != token
        assert await refused(home, token), "a token is good once"
        await wire.send("response.create")
        await wire.until("response.done")
        wire.vanish()
        again = await home.dial(f"?resume={new}")
        assert "restarted" not in await again.until("voice_server.resumed")


async def test_what_was_configured_a_moment_ago_is_kept() -> None:
    store = Clocked()
    async with house(returning=Returning(store, 60.0)) as home:
        wire, token = await opened(home)
        update = {"type": "realtime", "output_modalities": ["text"]}
        await wire.send("session.update", session=update)
        await wire.until("session.updated")
        home.sessions._tokens.clear()
    kept = await Returning(store, 60.0).take(token, "")
    assert kept is not None
    assert kept.config["output_modalities"] == ["text"]


async def renewed(home: House) -> None:
    """What happens every quarter of a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("voice_server.realtime.sessions.RENEW_S", 0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await home.sessions.renew()


async def test_a_token_dies_some_time_after_its_process() -> None:
    store = Clocked()
    async with house(returning=Returning(store, 60.0)) as home:
        _, token = await opened(home)
        home.sessions._tokens.clear()
    store.now = 75.5
    async with house(returning=Returning(store, 60.0)) as home:
        assert await refused(home, token)


async def test_who_hangs_up_does_not_come_back() -> None:
    store = Clocked()
    async with house(returning=Returning(store, 60.0)) as home:
        wire, token = await opened(home)
        await wire.socket.close()
        async with asyncio.timeout(5):
            while len(home.sessions):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        assert await refused(home, token)


async def test_clients_of_a_draining_server_come_back_to_the_next() -> None:
    store = Clocked()
    async with house(returning=Returning(store, 60.0)) as home:
        wire, token = await opened(home)
        ending = asyncio.ensure_future(wire.end())
        await drain(home.application, 0.5)
        assert await ending == 1001
    async with house(returning=Returning(store, 60.0), not_yet=lambda: "loading") as home:
        early = await home.dial(f"?resume={token}")
        assert (await early.until("error"))["error"]["code"] == "server_full"
        assert await early.end() == 1013, "come again: the token is not spent"
    async with house(returning=Returning(store, 60.0)) as home:
        wire = await home.dial(f"?resume={token}")
        assert await wire.until("voice_server.resumed")


@pytest.mark.parametrize("fault", ["slow", "away", "damaged", "voice"])
async def test_what_cannot_be_read_is_no_reason_to_fail(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice_server.realtime.returning.TAKE_S", 0.05)
    store = Clocked()
    returning = Returning(store, 60.0)
    kept = Kept("sess_1", "", ("resume",), {"type": "realtime"})
    async with house(returning=returning) as home:
        if fault == "voice":
            gone = {"type": "realtime", "audio": {"output": {"voice": "nobody"}}}
            returning.keep("rt_1", Kept("sess_1", "", ("resume",), gone))
            wire = await home.dial("?resume=rt_1")
            assert (await wire.until("voice_server.resumed"))["session"]["id"] == "sess_1"
            return
        returning.keep("rt_1", kept)
        store.slow = fault == "slow"
        store.fault = OSError("away") if fault == "away" else None
        if fault == "damaged":
            store.rows = {key: (60.0, {"session": 1}) for key in store.rows}
        assert await refused(home, "rt_1")


async def test_another_shops_token_is_unknown_and_stays_good() -> None:
    store = Clocked()
    returning = Returning(store, 60.0)
    returning.keep("rt_1", Kept("sess_1", "marolle", (), {"type": "realtime"}))
    assert await returning.take("rt_1", "zwin") is None
    assert (await returning.take("rt_1", "marolle") or kept_none()).session_id == "sess_1"
    assert await returning.take("rt_1", "marolle") is None


def kept_none() -> Kept:
    raise AssertionError("the token was spent")
