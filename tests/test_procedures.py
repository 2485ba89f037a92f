"""A shop's procedures, put together as the server does it: real platform, identity and flows."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from tests.dialogue.fake_knowledge import FakeKnowledge
from tests.dialogue.flow_house import demo, identify
from tests.dialogue.test_scenarios import TextTalk
from voice_server.config import Settings
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import ShopIdentity
from voice_server.procedures import Procedures
from voice_server.speech.clauses import ClauseSplitter


async def say(data: Path, *words: str) -> list[str]:
    """Talk with a server that starts and stops around the words."""
    shop, facts = demo()
    async with aiohttp.ClientSession() as http:
        procedures = Procedures(shop, Settings(data=data), http)
        dialogue = ShopDialogue(
            ShopIdentity(shop.name),
            shop.languages,
            FakeKnowledge(),
            identify,
            ClauseSplitter,
            flows=procedures.flows(shop, facts),
        )
        talk = TextTalk(dialogue.open("sess", language="en"), speculate=True)
        said = [(await talk.say(text)).text for text in words]
        dialogue.renew(
            ShopIdentity(shop.name), shop.languages, FakeKnowledge(), procedures.flows(shop, facts)
        )
        said.append((await talk.say("cancel order 10497")).text)
        await dialogue.close()
        await procedures.close()
    return said


async def test_what_was_changed_survives_a_restart(tmp_path: Path) -> None:
    first = await say(tmp_path, "cancel my order", "10497, 9000", "yes please")
    assert "is cancelled" in first[2]
    assert "closed already" in first[3], "an edited pack works on the same orders"
    again = await say(tmp_path, "cancel order 10497, postcode 9000")
    assert "closed already" in again[0]


async def test_without_a_desk_the_telephone_number_is_told(tmp_path: Path) -> None:
    told = await say(tmp_path, "cancel my order", "give me a human")
    assert "+32 2 555 01 23" in told[1]
