"""Several shops on one server: who a request is for, and how an edited pack is taken over."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.dialogue.fake_knowledge import FakeKnowledge
from tests.shop.test_pack import change
from voice_server.config import cache_root
from voice_server.conversation.services import Services
from voice_server.dialogue.dialogue import Clause, Message, Phrase, ReplyRequest
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.manager import ShopDialogue, ShopSession
from voice_server.shop import pack
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.language import TextLanguage
from voice_server.tenants import (
    Reloader,
    ShopForbidden,
    Tenant,
    Tenants,
    UnknownShop,
    host_name,
    signature,
)

DEMO, STARTER = pack.resolve("demo"), pack.resolve("starter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "corner"
    shutil.copytree(STARTER, copy)
    return copy


# ------------------------------------------------------------------------ whose request


def two() -> Tenants:
    tenants = [Tenant(pack.load(DEMO), "/shop"), Tenant(pack.load(STARTER), "/s/tilleul")]
    return Tenants(tenants, {"Tea.example": "tilleul", "localhost": "marolle"})


@pytest.mark.parametrize(
    ("request_", "shop"),
    [
        ({}, "marolle"),
        ({"asked": "tilleul"}, "tilleul"),
        ({"asked": "starter"}, "tilleul"),
        ({"asked": "demo", "host": "tea.example"}, "marolle"),
        ({"host": "tea.example"}, "tilleul"),
        ({"host": "TEA.example:8443"}, "tilleul"),
        ({"host": "unknown.example"}, "marolle"),
        ({"bound": "tilleul"}, "tilleul"),
        ({"bound": "tilleul", "asked": "starter"}, "tilleul"),
        ({"bound": "tilleul", "host": "localhost"}, "tilleul"),
    ],
)
def test_which_shop_a_request_is_for(request_: dict[str, str], shop: str) -> None:
    assert two().pick(**request_).id == shop


def test_a_shop_that_is_not_there_and_a_key_of_another() -> None:
    tenants = two()
    with pytest.raises(UnknownShop, match="no shop 'x'"):
        tenants.pick(asked="x")
    for asked in ("marolle", "x"):
        with pytest.raises(ShopForbidden, match="This key does not open"):
            tenants.pick(asked=asked, bound="tilleul")
    assert [tenant.id for tenant in tenants] == ["marolle", "tilleul"]
    assert len(tenants) == 2


def test_shops_need_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="two shop packs have the id 'tilleul'"):
        Tenants([Tenant(pack.load(STARTER), ""), Tenant(pack.load(STARTER), "")])
    with pytest.raises(ValueError, match=r"a\.example stands for 'x'"):
        Tenants([Tenant(pack.load(STARTER), "")], {"a.example": "x"})


@pytest.mark.parametrize(
    ("header", "name"),
    [("A.example:80", "a.example"), ("a", "a"), ("[::1]:8080", "::1"), ("", "")],
)
def test_host_names(header: str, name: str) -> None:
    assert host_name(header) == name


# ------------------------------------------------------------------------------- reload


@dataclass
class Lessons:
    """Learns packs at once, or when it is let; knows a shop's return period."""

    calls: list[Shop] = field(default_factory=list)
    gate: threading.Event | None = None
    fault: Exception | None = None

    def __call__(self, shop: Shop, pictures: str) -> Knowledge:
        assert threading.current_thread() is not threading.main_thread()
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        self.calls.append(shop)
        return cast(Knowledge, Days(shop))


class Days(FakeKnowledge):
    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        said = f"{self.shop.name}: {self.shop.policies.return_days} days."
        fact = Fact("policy:returns", "policy", "Returns", said, "en")
        return Answer((Clause(said, "en"), Clause("Bye.", "en")), 1.0, "x", (fact,), context)

    def names_hint(self) -> str:
        return self.shop.name


@dataclass
class Stand:
    tenant: Tenant
    reloader: Reloader
    lessons: Lessons
    adopted: list[str]
    happened: asyncio.Event


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    shop = pack.load(folder)
    tenant, lessons, adopted = Tenant(shop, "/s/x"), Lessons(), list[str]()
    happened = asyncio.Event()
    dialogue = ShopDialogue(
        tenant.identity,
        shop.languages,
        Days(shop),
        lambda text, languages: ("en", 1.0),
        ClauseSplitter,
    )
    tenant.open(dialogue, cast(Services, None))

    def note(tenant: Tenant) -> None:
        adopted.append(tenant.shop.name)
        happened.set()

    reloader = Reloader(Tenants([tenant]), lessons, adopted=note)
    try:
        yield Stand(tenant, reloader, lessons, adopted, happened)
    finally:
        reloader.close()


def ask(session: ShopSession, number: int = 0) -> Any:
    history = (Message("user", "May I return it?"),)
    return session.reply(ReplyRequest(f"r{number}", history, "en", 1.0))


async def said(session: ShopSession) -> str:
    return " ".join([part.text async for part in ask(session) if isinstance(part, Clause)])


async def test_an_edited_pack_is_used_from_the_next_turn(folder: Path) -> None:
    async with stand(folder) as here:
        assert here.tenant.dialogue is not None
        session = here.tenant.dialogue.open("s", language="en")
        running = ask(session, 1)
        first = await anext(running)
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        change(folder, "shop.toml", 'name = "Tilleul"  ', 'name = "Linde"  ')
        result = await here.reloader.reload(here.tenant)
        assert (result.changed, result.refusal) == (True, "")
        assert here.adopted == ["Linde"]
        assert here.tenant.page.name == "Linde"
        # The reply that was under way ends with the old pack; the same session's next has the new.
        rest = [part.text async for part in running if isinstance(part, Clause)]
        assert [first.text, *rest] == ["Tilleul: 30 days.", "Bye."]
        assert await said(session) == "Linde: 45 days. Bye."
        assert session.hint == "Linde"
        assert "Linde" in session.phrase(Phrase.GREETING, 1).text


async def test_a_broken_pack_is_refused_and_the_old_one_stays(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stand(folder) as here:
        change(folder, "products.csv", "kyoto;Kyoto;teapots;39", "kyoto;Kyoto;teapots;dear")
        result = await here.reloader.reload(here.tenant)
        assert not result.changed
        assert "errors" in result.refusal
        assert any("'price' is 'dear'" in problem.message for problem in result.problems)
        assert "products.csv:6" in caplog.text
        assert "keeps its old pack" in caplog.text
        assert here.tenant.shop.catalogue.get("kyoto") is not None
        assert here.lessons.calls == []


async def test_an_untouched_pack_is_not_learnt_again(folder: Path) -> None:
    async with stand(folder) as here:
        result = await here.reloader.reload(here.tenant)
        assert (result.changed, result.refusal, here.lessons.calls) == (False, "", [])


async def test_another_id_needs_a_restart(folder: Path) -> None:
    async with stand(folder) as here:
        change(folder, "shop.toml", 'id = "tilleul"', 'id = "linde"')
        result = await here.reloader.reload(here.tenant)
        assert not result.changed
        assert "restart" in result.refusal


async def test_whatever_goes_wrong_calls_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand(folder) as here:
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        here.lessons.fault = MemoryError()
        assert "MemoryError" in (await here.reloader.reload(here.tenant)).refusal
        here.lessons.fault, here.lessons.gate = None, threading.Event()
        monkeypatch.setattr("voice_server.tenants.LEARN_S", 0.01)
        assert "in time" in (await here.reloader.reload(here.tenant)).refusal
        here.lessons.gate.set()
        assert here.tenant.shop.policies.return_days == 30
        monkeypatch.setattr("voice_server.tenants.LEARN_S", 10)
        assert (await here.reloader.reload(here.tenant)).changed


async def test_turns_go_on_while_a_pack_is_learnt(folder: Path) -> None:
    async with stand(folder) as here:
        assert here.tenant.dialogue is not None
        session = here.tenant.dialogue.open("s", language="en")
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        here.lessons.gate = threading.Event()
        reloading = asyncio.ensure_future(here.reloader.reload(here.tenant))
        assert await said(session) == "Tilleul: 30 days. Bye."
        assert not reloading.done()
        here.lessons.gate.set()
        assert (await reloading).changed


async def test_files_are_watched(folder: Path) -> None:
    async with stand(folder) as here, asyncio.timeout(20):
        watching = asyncio.ensure_future(here.reloader.watch(0.02))
        await asyncio.sleep(0.1)
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        await here.happened.wait()
        assert here.tenant.shop.policies.return_days == 45
        assert len(here.lessons.calls) == 1
        watching.cancel()


async def test_a_signal_looks_at_once(folder: Path) -> None:
    async with stand(folder) as here, asyncio.timeout(20):
        watching = asyncio.ensure_future(here.reloader.watch(0))
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        here.reloader.hurry()
        await here.happened.wait()
        assert here.tenant.shop.policies.return_days == 45
        watching.cancel()


async def test_a_disk_that_fails_is_looked_at_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[int | OSError] = [1, OSError("stale handle"), 2, 2, 2]

    def look(folder: Path) -> int:
        found = looks.pop(0) if looks else 2
        if isinstance(found, OSError):
            raise found
        return found

    monkeypatch.setattr("voice_server.tenants.signature", look)
    async with stand(folder) as here, asyncio.timeout(20):
        change(folder, "shop.toml", "days = 30  ", "days = 45  ")
        watching = asyncio.ensure_future(here.reloader.watch(0.01))
        await here.happened.wait()
        watching.cancel()
    assert "stale handle" in caplog.text


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "shop.toml").write_text("x"),
        lambda folder: (folder / "orders.csv").unlink(),
        lambda folder: (folder / "colours.csv").write_text("key;fr\n"),
        lambda folder: (folder / "pictures" / "new.svg").write_text("<svg/>"),
    ],
)
def test_every_edit_changes_the_signature(folder: Path, edit: Callable[[Path], None]) -> None:
    before = signature(folder)
    assert signature(folder) == before
    edit(folder)
    assert signature(folder) != before


# --------------------------------------------------------------------- two real shops


@pytest.fixture(scope="module")
def shops() -> dict[str, ShopDialogue]:
    """Both bundled shops with their real knowledge, on one embedder, as the server has them."""
    embedder, language = UniversalSentenceEncoder(), TextLanguage()
    found = {}
    for tenant in two():
        knowledge = Knowledge(
            tenant.shop, embedder, cache=cache_root() / "test-vectors", pictures=tenant.pictures
        )
        found[tenant.id] = ShopDialogue(
            tenant.identity, tenant.shop.languages, knowledge, language.identify, ClauseSplitter
        )
    return found


async def answer(dialogue: ShopDialogue, *questions: str) -> tuple[str, list[Clause]]:
    """Ask one after the other; returns the words and clauses of the last answer."""
    session = dialogue.open("s", language="en")
    clauses: list[Clause] = []
    for number, question in enumerate(questions):
        request = ReplyRequest(f"r{number}", (Message("user", question),))
        parts = [part async for part in session.reply(request)]
        session.commit(request.reply_id)
        clauses = [part for part in parts if isinstance(part, Clause)]
    return " ".join(clause.text for clause in clauses), clauses


@pytest.mark.parametrize(
    ("question", "marolle", "tilleul"),
    [
        ("How much does delivery cost?", "4.95", "4.50"),
        ("From what amount is delivery free?", "€50", "€40"),
        ("How can I reach you?", "555 01 23", "555 09 87"),
        ("How much is the Oslo lamp?", "49.90", "don't have|can't find|which item"),
        ("How much is the Kyoto teapot?", "don't have|can't find|don't know|which item", "39"),
        ("Can I pay by iDEAL?", "iDEAL", "Bancontact"),
        ("How do I make black tea?", "", "95 degrees"),
    ],
)
async def test_each_shop_answers_from_its_own_pack(
    shops: dict[str, ShopDialogue], question: str, marolle: str, tilleul: str
) -> None:
    for shop, expected in (("marolle", marolle), ("tilleul", tilleul)):
        text, _ = await answer(shops[shop], question)
        assert any(part.lower() in text.lower() for part in expected.split("|")), (shop, text)


SECRETS = {
    "marolle": ("Marolle", "Oslo", "Milano", "555 01 23", "BE-1", "Nationalestraat", "4.95"),
    "tilleul": ("Tilleul", "Kyoto", "Lotte", "Assam", "555 09 87", "TI-2", "Marché", "4.50"),
}
QUESTIONS = (
    "What do you sell?", "Who are you?", "I am looking for a gift", "Something for the kitchen",
    "How much is the Oslo lamp?", "Is the Kyoto teapot in stock?", "Do you have the Lotte mug?",
    "Where can I pick up my order?", "Which countries do you deliver to?", "I want a human",
    "How long is the warranty?", "When are you open?", "Do you wrap gifts?", "I want to complain",
    "Where is my order BE-10482 1000", "Where is my order TI-20001 1000", "Tell me a joke",
)  # fmt: skip


@pytest.mark.parametrize("shop", ["marolle", "tilleul"])
@pytest.mark.parametrize("question", QUESTIONS)
async def test_nothing_of_one_shop_is_heard_in_the_other(
    shops: dict[str, ShopDialogue], shop: str, question: str
) -> None:
    other = next(name for name in SECRETS if name != shop)
    text, clauses = await answer(shops[shop], question)
    shown = [
        *(f"{c.source_id} {c.title} {c.excerpt} {c.url}" for x in clauses for c in x.citations),
        *(f"{c.name} {c.image} {c.url}" for x in clauses for c in x.cards),
    ]
    for secret in SECRETS[other]:
        if secret.lower() not in question.lower():
            assert secret.lower() not in " ".join([text, *shown]).lower(), (text, shown)
    folder = "/shop/" if shop == "marolle" else "/s/tilleul/"
    assert all(card.image.startswith(folder) for clause in clauses for card in clause.cards)


async def test_an_order_is_known_in_its_own_shop_only(shops: dict[str, ShopDialogue]) -> None:
    text, _ = await answer(shops["marolle"], "Where is my order BE-10482, postcode 1000?")
    assert "on its way" in text or "parcel has left" in text or "arrives" in text
    text, _ = await answer(shops["tilleul"], "Where is my order 10482, postcode 1000?")
    assert "can't find" in text


def test_hints_and_fixed_sentences_are_the_shops_own(shops: dict[str, ShopDialogue]) -> None:
    for shop, dialogue in shops.items():
        other = next(name for name in SECRETS if name != shop)
        said = dialogue.open("s").hint + " ".join(
            clause.text
            for language in dialogue.languages
            for clause in dialogue.phrases.all_fixed(language)
        )
        assert SECRETS[shop][0] in said
        assert not [secret for secret in SECRETS[other] if secret in said]


def test_an_old_packs_knowledge_is_freed_at_once(shops: dict[str, ShopDialogue]) -> None:
    """The server freezes what it loaded: a cycle in it would never be collected."""
    embedder = UniversalSentenceEncoder()
    knowledge = Knowledge(pack.load(STARTER), embedder, cache=cache_root() / "test-vectors")
    assert knowledge.answer("How much is the Kyoto teapot?", "en", Context())
    gone = weakref.ref(knowledge)
    gc.disable()
    try:
        del knowledge
        assert gone() is None
    finally:
        gc.enable()
