"""A phone's network comes and goes: the conversation survives, or says in words that it did not."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.steps import (
    PATIENCE_MS,
    ask,
    events,
    greeted,
    part,
    passed,
    state_is,
    talk,
    visit,
)
from tests.fakes.realtime_server import Spoken

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LONG = (Spoken("First words.", 1000), Spoken("Then many more of them.", 3000))


async def test_dropped_socket_resumes_with_the_unheard_rest(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.answer = LONG
    await visit(page, site.url)
    await greeted(page, fake)
    token = fake.token
    await ask(page, "Tell me everything.")
    await site.realtime.until(lambda: _position(site) > 500)
    fake.drop()
    await state_is(page, "reconnecting")
    await passed(page, "reconnecting", "speaking")
    resume = fake.connections[1]
    assert resume["resume"] == token
    assert resume["last_event_id"].startswith("event_")
    heard = int(resume["position_ms"])
    assert 400 < heard < 1500
    after = [e["position_ms"] for e in fake.received_since_resume() if "position_ms" in e]
    assert after, "playback goes on"
    assert after[0] >= heard - 50, "nothing is said twice"
    assert after[0] <= heard + 300, "nothing is left out"
    await state_is(page, "listening")
    await expect(part(page, ".assistant").last).to_have_text(
        "First words. Then many more of them. "
    )
    await expect(part(page, ".cut")).to_have_count(0)
    assert fake.token != token, "a new token came"
    assert await events(page, "voice-error") == []


def _position(site: Site) -> int:
    reports = site.realtime.of_type("voice_server.playback")
    mine = [e for e in reports if e["response_id"] == site.realtime.response_id]
    return int(mine[-1]["position_ms"]) if mine else 0


async def test_question_typed_while_away_is_asked_on_return(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    fake.script.silent = True
    fake.drop()
    await state_is(page, "reconnecting")
    await ask(page, "Still there?")
    assert fake.of_type("conversation.item.create") == []
    fake.script.silent = False
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await passed(page, "reconnecting", "speaking")
    created = fake.of_type("conversation.item.create")
    assert [e["item"]["content"][0]["text"] for e in created] == ["Still there?"]


async def test_offline_and_online_are_noticed_without_waiting(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    await page.context.set_offline(True)
    await state_is(page, "reconnecting")
    await page.context.set_offline(False)
    await state_is(page, "listening")
    assert "resume" in fake.connections[-1]


async def test_forgotten_session_starts_afresh_and_says_so(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    fake.forget()
    fake.drop()
    await expect(part(page, ".notice p")).to_contain_text("started a new conversation")
    await state_is(page, "listening")
    assert "resume" in fake.connections[1]
    assert "resume" not in fake.connections[2]


async def test_full_house_is_told_and_can_be_retried(page: Page, site: Site) -> None:
    fake = site.realtime
    fake.script.close_code = 1013
    await visit(page, site.url)
    await talk(page)
    await state_is(page, "error")
    await expect(part(page, ".notice p")).to_contain_text("All lines are busy")
    assert (await events(page, "voice-error"))[0]["code"] == "busy"
    fake.script.close_code = None
    await part(page, ".retry").click()
    await passed(page, "speaking")
    await expect(part(page, ".notice")).to_be_hidden()


SWAP = """attributes => {
  const button = document.createElement("voice-button");
  for (const [name, value] of Object.entries(attributes)) button.setAttribute(name, value);
  document.querySelector("voice-button").replaceWith(button);
}"""


async def test_absent_server_is_told_after_a_few_attempts(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(SWAP, {"server": f"{site.url}/nowhere", "lang": "en"})
    attempts: list[str] = []
    page.on("websocket", lambda socket: attempts.append(socket.url))
    await talk(page)
    await state_is(page, "error")
    await expect(part(page, ".notice p")).to_contain_text("We can’t reach the assistant")
    assert len(attempts) == 3


async def test_forbidden_connection_is_told_at_once(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.evaluate(SWAP, {"server": "wss://elsewhere.test", "lang": "en"})
    await talk(page)
    await state_is(page, "error")
    errors = await events(page, "voice-error")
    assert "Content-Security-Policy forbids wss://elsewhere.test" in errors[0]["message"]


async def test_server_that_drains_hands_over(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await greeted(page, fake)
    await fake.close(1012)
    await site.realtime.until(lambda: len(fake.connections) == 2)
    await state_is(page, "listening")


async def test_key_of_the_shop_goes_into_the_subprotocol(page: Page, site: Site) -> None:
    fake = site.realtime
    await visit(page, site.url)
    await page.route(
        "**/voice-key", lambda route: route.fulfill(json={"value": "ek_123", "expires_at": 1})
    )
    await page.evaluate(SWAP, {"key-url": "/voice-key", "shop": "marolle", "language": "fr"})
    await talk(page)
    await passed(page, "speaking")
    assert fake.protocols == ["realtime, openai-insecure-api-key.ek_123"]
    assert fake.connections[0]["shop"] == "marolle"
    assert fake.connections[0]["language"] == "fr"


async def test_refused_key_is_told(page: Page, site: Site) -> None:
    await visit(page, site.url)
    await page.route("**/voice-key", lambda route: route.fulfill(status=403))
    await page.evaluate(SWAP, {"key-url": "/voice-key", "lang": "en"})
    await talk(page)
    await state_is(page, "error")
    await expect(part(page, ".notice p")).to_contain_text(
        "The shop could not open the conversation", timeout=PATIENCE_MS
    )
    assert any("403" in error["message"] for error in await events(page, "voice-error"))
