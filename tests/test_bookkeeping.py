"""What a server keeps: a conversation is on disk, translated, and gone on with after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.llm import FakeLlm
from voice_server.app import App, StartFailed
from voice_server.bookkeeping import Bookkeeping
from voice_server.config import Settings
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.memory.memory import Memory
from voice_server.shop import pack
from voice_server.shop.shop import Shop
from voice_server.trust.decisions import Decision

DECISION = Decision(
    "resp_1", "sess_1", "marolle", source="facts", intent="price", language="nl",
    facts=("product:oslo",),
)  # fmt: skip
TURN = AnsweredTurn("Wat kost de Oslo?", "Die kost € 49,90.", "nl", DECISION)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return pack.load(pack.resolve("demo"))


@asynccontextmanager
async def books(tmp_path: Path) -> AsyncIterator[Bookkeeping]:
    kept = await Bookkeeping.open(Settings(data=tmp_path))
    running = asyncio.ensure_future(kept.run())
    await asyncio.sleep(0)
    yield kept
    running.cancel()
    await asyncio.wait([running])
    await kept.close()


async def test_a_turn_is_kept_with_its_reason_and_translated_for_staff(
    shop: Shop, tmp_path: Path
) -> None:
    answers = ["Combien coûte le ⟦1⟧ ?", "Il coûte ⟦1⟧."]
    async with FakeLlm(answers) as llm, books(tmp_path) as kept:
        endpoint = ChatEndpoint(llm.url, model="m")
        records = await kept.records(shop, endpoint, lambda: False)
        assert records.journal is not None
        records.journal.answered(TURN)
        async with asyncio.timeout(10):
            while True:
                user, answer = await kept.storage.turns("sess_1")
                if answer.translation_state != "pending":
                    break
                await asyncio.sleep(0.02)
        assert (user.role, user.language, user.decision) == ("user", "nl", {})
        assert (user.translation_language, user.translation) == ("fr", "Combien coûte le Oslo ?")
        assert answer.translation == "Il coûte € 49,90."
        assert answer.source_ids == ("product:oslo",)
        assert Decision.from_json(answer.decision) == DECISION
        ((_, event),) = await kept.storage.events(session_id="sess_1")
        assert (event.kind, event.shop_id) == ("turn.answered", "marolle")
        assert "Oslo?" not in str(event.payload), "the log holds no words"
        await endpoint.close()


async def test_without_a_model_turns_are_kept_untranslated(shop: Shop, tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        records = await kept.records(shop, None, lambda: True)
        assert records.journal is not None
        records.journal.answered(AnsweredTurn("", "Bonjour !", "fr", DECISION))
        records.journal.answered(TURN)
        said = await kept.storage.turns("sess_1")
        states = [turn.translation_state for turn in said]
        assert states == ["untranslated", "untranslated"], "our side of one id is kept once"
        assert [turn.role for turn in said] == ["assistant", "user"]


async def test_memories_are_there_after_a_restart(shop: Shop, tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        records = await kept.records(shop, None, lambda: True)
        assert records.keeper is not None
        records.keeper.keep("sess_1", {"memory": Memory().to_json()})
    async with books(tmp_path) as kept:
        records = await kept.records(shop, None, lambda: True)
        assert records.keeper is not None
        state = records.keeper.recall("sess_1")
        assert state is not None
        assert Memory.from_json(state["memory"]) == Memory()


def test_a_database_or_prompts_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    async def scene(settings: Settings) -> None:
        async with App(settings).running():
            raise AssertionError("it must not start")

    away = "postgresql://me:hush@127.0.0.1:1/db"
    settings = Settings(port=0, llm="none", data=tmp_path, database=away)
    with pytest.raises(StartFailed, match="cannot use the database") as caught:
        asyncio.run(scene(settings))
    assert "hush" not in str(caught.value)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "rollout.toml").write_text('active = "none"')
    with pytest.raises(StartFailed, match="there is no prompt version 'none'"):
        asyncio.run(scene(Settings(port=0, llm="none", data=tmp_path)))
