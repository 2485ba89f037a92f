"""A call of sixty turns with the demo shop: topics left and come back to, corrections, a switch.

Told twice: by facts alone, where every answer is checked, and led by a model, where every prompt
is measured.  In the middle the server is restarted.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest

from voice_server.dialogue.dialogue import Clause, HistoryEntry, Message, ReplyRequest
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.llm.model import ChatPart, ChatRequest, Finished, TextDelta
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.dialogue.memory.keeper import StateKeeper
from voice_server.dialogue.prompt import TOKENS_PER_MESSAGE, ShopIdentity, estimate_tokens
from voice_server.dialogue.recollection import Records
from voice_server.dialogue.resources import DialogueOptions
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.language import TextLanguage

MOST_TOKENS = 1200
RESTART = 33
"""The turn before which the server is restarted."""

# What is said; what the answer must hold; the product it is about (- : none in particular).
SCRIPT = """
Bonjour, je cherche une lampe pour lire dans ma chambre. | Oslo | -
Combien coûte la première ? | 49,90 | oslo
Et la deuxième ? | 129 | milano
Elle existe en noir ? | noir | milano
Quelles sont ses dimensions ? | 155 | milano
Quelle est la garantie sur le fauteuil Bruno ? | 5 ans | bruno
Combien coûte-t-il ? | 349 | bruno
Il existe en vert ? | vert | bruno
Et en bleu ? | Non | bruno
Vous livrez en Belgique ? | 4,95 | -
Combien coûte la livraison ? | 4,95 | -
Et aux Pays-Bas ? | 6,95 | -
Quels sont vos horaires d'ouverture ? | 18 h | -
Puis-je retourner un article ? | étiquette | -
J'ai combien de jours ? | 30 jours | -
Le retour est-il gratuit ? | gratuit | -
Revenons à la lampe Oslo, elle coûte combien ? | 49,90 | oslo
Non pardon, je voulais dire la Milano. | 129 | milano
Elle est en stock ? | Oui | milano
Pourquoi cette réponse ? | Milano | milano
Quels moyens de paiement acceptez-vous ? | Bancontact | -
Et la troisième ? | 24,90 | nemo
Elle est en stock ? | Oui | nemo
Vous avez des plaids ? | Aurora | aurora
L'Aurora est en quelle matière ? | laine | aurora
Comment on le lave ? | main | aurora
Et en gris ? | gris | aurora
Quel est le délai de livraison en France ? | 4 | -
Quelle est la garantie sur la table Verona ? | 5 ans | verona
Elle coûte combien ? | 499 | verona
Merci beaucoup. | vous | -
Quelles sont les dimensions du fauteuil Bruno ? | 78 | bruno
In het Nederlands graag, wat kost de Bruno? | 349 | bruno
Hebben jullie die in het groen? | groen | bruno
Hoe lang is de garantie? | 5 jaar | bruno
Wat kost de levering? | 4,95 | -
En naar Duitsland? | 7,95 | -
Wanneer zijn jullie open? | 18 uur | -
Hoe betaal ik? | Bancontact | -
Ik zoek een tafel voor zes personen. | Verona | verona
Hoe groot is hij? | 180 | verona
Is hij op voorraad? | Ja | verona
Wat is de levertijd? | 10 | verona
En de stoel Nora? | 5 | nora
Uit welk materiaal is hij? | eik | nora
Hoe onderhoud ik hem? | doek | nora
Sorry, ik bedoel de Verona. | zeepwater | verona
Hoe kan ik iets terugsturen? | retouretiket | -
Binnen hoeveel dagen? | 30 dagen | -
Wanneer krijg ik mijn geld terug? | 5 werkdagen | -
Kan ik het ruilen? | bestel | -
Waarom zegt u dat? | goedgekeurd|gegevens|voorwaarden | -
Ik zoek een cadeau voor mijn moeder. | Aurora | -
Wat kost de eerste? | 59,90 | aurora
En de tweede? | 16,90 | bahia
Is die op voorraad? | Ja | bahia
Nog even over de Oslo: wat kost die lamp? | 49,90 | oslo
Is die in het zwart op voorraad? | zwart | oslo
Hebben jullie een winkel waar ik kan afhalen? | Antwerpen | -
Bedankt, tot ziens. | ziens | -
"""


@dataclass(frozen=True, slots=True)
class Step:
    said: str
    holds: tuple[str, ...]
    product: str


def steps() -> list[Step]:
    lines = [line.split(" | ") for line in SCRIPT.strip().splitlines()]
    return [Step(said, tuple(holds.split("|")), product) for said, holds, product in lines]


@dataclass
class Parrot:
    """A strong or a small model that always says the same, and keeps what it was told."""

    embedded: bool
    ready: bool = True
    asked: list[ChatRequest] = field(default_factory=list)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatPart, None]:
        self.asked.append(request)
        dutch = "Nederlands" in str(request.messages[-1])
        yield TextDelta("Dat kunnen wij zeker doen." if dutch else "Nous pouvons le faire.")
        yield Finished("stop")

    async def foresee(self, messages: tuple[dict[str, Any], ...]) -> None:
        """Nothing is read ahead."""

    def missed(self) -> None:
        raise AssertionError("it is quick")


class Call:
    """One caller, whose connection and server may go and come back."""

    def __init__(self, shop: Shop, knowledge: Knowledge, model: Parrot | None = None) -> None:
        self._shop, self._knowledge, self._model = shop, knowledge, model
        self._turns = 0
        self._keeper = StateKeeper(None, shop.id, 3600)
        self.history: list[HistoryEntry] = []
        self.session = self._open()

    def _open(self) -> ShopSession:
        shop = self._shop
        dialogue = ShopDialogue(
            ShopIdentity(shop.name, "lamps, furniture and more"),
            shop.languages,
            self._knowledge,
            TextLanguage().identify,
            ClauseSplitter,
            model=self._model,
            options=DialogueOptions(llm_leads="always"),
            records=Records(shop.id, self._keeper),
        )
        return dialogue.open("sess_1")

    def restart(self) -> None:
        """Start anew with nothing but what the store holds, as JSON."""
        kept = json.dumps(self._keeper.recall("sess_1"))
        self._keeper = StateKeeper(None, self._shop.id, 3600)
        self._keeper.keep("sess_1", json.loads(kept))
        self.history = []
        self.session = self._open()

    async def say(self, text: str) -> str:
        self._turns += 1
        self.history.append(Message("user", text))
        request = ReplyRequest(f"resp_{self._turns}", tuple(self.history))
        self.session.commit(request.reply_id)
        clauses = [p.text async for p in self.session.reply(request) if isinstance(p, Clause)]
        answer = " ".join(clauses)
        self.history.append(Message("assistant", answer, self.session.language))
        return answer


async def test_sixty_turns_by_facts(shop: Shop, knowledge: Knowledge) -> None:
    call = Call(shop, knowledge)
    assert len(steps()) == 60
    for number, step in enumerate(steps(), 1):
        if number == RESTART:
            call.restart()
        answer = await call.say(step.said)
        where = f"turn {number}: {step.said!r} → {answer!r}"
        assert any(word in answer for word in step.holds), where
        if step.product != "-":
            assert call.session.context.last_product == step.product, where
        assert call.session.language == ("fr" if number < RESTART else "nl"), where
    memory = call.session.memory
    assert memory.turn == 60
    assert memory.languages == ("fr", "nl")
    assert memory.references[:2] == ("oslo", "bahia")
    assert dict(memory.slots)["colour"] == "black"
    assert memory.listed == ("aurora", "bahia", "siena")
    assert "price (lampe de table Oslo)" in memory.summary(33, 900), "the beginning is not lost"


@pytest.mark.parametrize("embedded", [False, True])
async def test_sixty_prompts_are_bounded(
    shop: Shop, knowledge: Knowledge, *, embedded: bool
) -> None:
    model = Parrot(embedded)
    call = Call(shop, knowledge, model)
    call.session.remember(lambda m: m.promised("callback", "a colleague calls back on Friday"))
    sizes: list[int] = []
    for number, step in enumerate(steps(), 1):
        if number == RESTART:
            call.restart()
        asked = len(model.asked)
        await call.say(step.said)
        if len(model.asked) > asked:
            told = model.asked[-1].messages
            sizes.append(sum(estimate_tokens(str(m["content"])) + TOKENS_PER_MESSAGE for m in told))
    assert len(sizes) > 50
    assert max(sizes) <= MOST_TOKENS, max(sizes)
    last = model.asked[-1].messages
    assert str(last[1]["content"]).startswith("<note>"), "what the beginning was about"
    assert ("calls back on Friday" in str(last)) != embedded
    assert call.session.memory.promises[0].kind == "callback", "also after the restart"
