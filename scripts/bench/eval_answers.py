"""The two hundred questions of tests/eval: is the answer right, grounded, in the right language?

Usage: python -m scripts.bench.eval_answers [--llm none|embedded|URL] [--language CODE]
           [--out FILE.json] [--show] [--set first|second]

Each question is asked of a new session of the demo shop's dialogue, on a fixed day.

- "right": the answer has what the question's row demands, and leans on one of its facts.
- "wrong value": it says a number, price or date that is not so of what it speaks of, or something
  that the row forbids.
- "refused": an unanswerable question got an admission; "hedged": an admission and then some fact.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scripts.bench.tables import percentile, print_table, write_json
from voice_server.config import cache_root
from voice_server.dialogue.claims import Kind, read_claims
from voice_server.dialogue.dialogue import Clause, ClauseKind, Message, ReplyEnd, ReplyRequest
from voice_server.dialogue.embedder import UniversalSentenceEncoder
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.knowledge import Knowledge
from voice_server.dialogue.llm.client import ChatEndpoint
from voice_server.dialogue.llm.embedded import EmbeddedModel, ModelState
from voice_server.dialogue.llm.model import LanguageModel
from voice_server.dialogue.manager import ShopDialogue
from voice_server.dialogue.prompt import ShopIdentity, prefix
from voice_server.dialogue.words import fold
from voice_server.shop import pack
from voice_server.shop.shop import Shop
from voice_server.speech.clauses import ClauseSplitter
from voice_server.speech.language import TextLanguage
from voice_server.weights import WeightStore

DATA = Path(__file__).parents[2] / "tests" / "eval"
LANGUAGES = ("fr", "nl", "de", "en")
SECOND = "second"
"""The set written later: its file has all languages, each row's first column."""
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=ZoneInfo("Europe/Brussels"))
"""A Wednesday, so that dates are the same in every run."""

ADMISSIONS = {
    "fr": (
        "pas la reponse", "ne le sais pas", "ne sais pas", "pas sur d'avoir compris",
        "n'avons pas", "ne vendons pas", "pas cette information", "ne peux pas", "je n'ai pas",
        "pas d'information", "ne trouve pas", "n'ai pas trouve", "pas dans notre", "ne l'avons pas",
        "pas cette precision", "un conseiller",
    ),
    "nl": (
        "antwoord heb ik niet", "weet ik niet", "weet niet of", "verkopen we niet",
        "hebben we niet", "hebben wij niet", "heb ik niet", "kan ik niet", "vind ik niet",
        "geen informatie", "verkopen wij niet", "niet in ons", "kan ik u niet", "een medewerker",
    ),
    "de": (
        "antwort habe ich nicht", "weiss ich leider nicht", "nicht sicher, ob", "haben wir nicht",
        "verkaufen wir nicht", "fuhren wir nicht", "kann ich nicht", "keine information",
        "weiss ich nicht", "finde ich nicht", "nicht im sortiment",
        "kann ich ihnen nicht", "das weiss ich", "ein mitarbeiter",
    ),
    "en": (
        "don't have that answer", "don't know", "do not know", "not sure i understood",
        "do not have", "don't have", "do not sell", "don't sell", "cannot", "can't",
        "no information", "could not find", "not in our", "one of our people",
    ),
}  # fmt: skip
"""Folded words of which an honest refusal has one."""
HEDGES = {
    "fr": "pas sur d'avoir compris",
    "nl": "weet niet of ik u goed begrijp",
    "de": "nicht sicher, ob ich sie verstehe",
    "en": "not sure i understood",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the evaluation set."""

    language: str
    topic: str
    text: str
    facts: tuple[str, ...]
    must: str
    forbidden: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        """Do the shop's facts answer it?"""
        return self.facts[0] != "-"


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a question."""

    question: Question
    answer: str
    cited: tuple[str, ...]
    source: str
    right: bool
    wrong_value: str
    language: str
    refused: bool
    hedged: bool
    ms: float


def read(language: str, which: str = "first") -> list[Question]:
    """Return a set's questions of a language."""
    if which == SECOND:
        lines = (DATA / f"{SECOND}.tsv").read_text(encoding="utf-8").splitlines()
        rows = [line.partition("\t")[2] for line in lines if line.startswith(f"{language}\t")]
    else:
        rows = (DATA / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    found = []
    for line in rows:
        topic, text, facts, must, *rest = line.split("\t")
        forbidden = tuple(part for part in (rest or [""])[0].split("|") if part)
        found.append(Question(language, topic, text, tuple(facts.split("|")), must, forbidden))
    return found


def holds(text: str, wanted: str, language: str) -> bool:
    """Does a text hold a number ("#49.90") or some words?"""
    if not wanted.startswith("#"):
        return wanted in fold(text).replace("’", "'")
    try:
        number = Decimal(wanted[1:])
    except InvalidOperation:
        raise SystemExit(f"tests/eval/{language}.tsv: {wanted!r} is no number") from None
    for claim in read_claims(text, language):
        values = {claim.value, claim.written}
        if claim.kind is Kind.TIME and isinstance(claim.value, Decimal):
            values.add(claim.value / 60)
        if number in values:
            return True
    return False


def meets(answer: str, question: Question) -> bool:
    """Does an answer have everything that its row demands?"""
    if question.must in {"", "-"}:
        return True
    return all(
        any(holds(answer, wanted, question.language) for wanted in group.split("|"))
        for group in question.must.split("&")
    )


def truths(shop: Shop, facts: Sequence[Fact], language: str) -> list[Fact]:
    """Return the library's facts, what delivery costs abroad, and dates that look-ups compute."""
    market, today = shop.market, NOON.date()
    found = list(facts)
    for country in shop.policies.delivery.values():
        days = {market.working_day(today, n) for n in range(1, country.days_max + 1)}
        costs = [c for c in (country.cost, country.free_from) if c is not None]
        said = [market.money(c, language) for c in costs]
        text = ", ".join([*(market.day(day, language) for day in sorted(days)), *said])
        found.append(Fact(f"dates:{country.country}", "policy", "", text, language))
    for product in shop.catalogue:
        days = {
            market.working_day(today, variant.restock_days)
            for variant in product.variants
            if variant.restock_days
        }
        text = ", ".join(market.day(day, language) for day in sorted(days))
        found.append(Fact(f"dates:{product.id}", "product", "", text, language, product.id))
    return found


def wrong_value(
    answer: str, question: Question, cited: Sequence[str], facts: Sequence[Fact]
) -> str:
    """Return what the answer says that is not so of what it speaks of, "" for nothing.

    True values of the wrong thing count too, where the answer leans on no fact of the thing asked
    about: then the row's forbidden values tell.
    """
    for text in question.forbidden:
        if holds(answer, text, question.language):
            return f"forbidden: {text}"
    products = frozenset(c.removeprefix("product:") for c in cited if c.startswith("product:"))
    echoes = [(question.text, question.language)]
    grounds = build_grounds(facts, echoes=echoes, said=[(str(len(products)), question.language)])
    asked = {c.value for c in read_claims(question.text, question.language)}
    for claim in read_claims(answer, question.language):
        named_day = claim.kind is Kind.WEEKDAY and claim.value in asked
        if not named_day and not grounds.backs(claim, products):
            return answer[claim.start : claim.end]
    return ""


@asynccontextmanager
async def model_for(llm: str) -> AsyncIterator[LanguageModel | None]:
    """Yield the model to ask, ready."""
    if llm == "none":
        yield None
    elif llm == "embedded":
        model = EmbeddedModel()
        folder = WeightStore(cache_root() / "models").path("qwen2.5-coder-1.5b")
        model.weights_arrived(next(folder.glob("*.gguf")))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(model.run())
            await asyncio.wait_for(model.wait_for(ModelState.READY), 120)
            yield model
            running.cancel()
    else:
        yield ChatEndpoint(llm)


async def judge(
    question: Question,
    dialogue: ShopDialogue,
    facts: Sequence[Fact],
    identify: TextLanguage,
) -> Judged:
    """Ask one question."""
    session = dialogue.open("eval", language=question.language)
    request = ReplyRequest("r", (Message("user", question.text),))
    began = time.perf_counter()
    clauses: list[Clause] = []
    source = ""
    async for part in session.reply(request):
        if isinstance(part, Clause) and part.kind is not ClauseKind.OPENER:
            clauses.append(part)
        elif isinstance(part, ReplyEnd):
            source = part.source
    taken = (time.perf_counter() - began) * 1000
    answer = " ".join(clause.text for clause in clauses)
    cited = tuple(dict.fromkeys(c.source_id for clause in clauses for c in clause.citations))
    found = [*facts, *_orders(question, answer, cited)]
    plain = fold(answer).replace("’", "'")
    hedged = HEDGES[question.language] in plain
    admitted = any(words in plain for words in ADMISSIONS[question.language])
    leans = (
        any(c.startswith("product:") for c in cited)
        if "product:*" in question.facts
        else any(_is(c, fact) for c in cited for fact in question.facts)
        or "ask:order" in question.facts
    )
    right = meets(answer, question) and leans
    other = len(question.facts) > 1 and bool(set(question.facts[1:]) & set(cited))
    return Judged(
        question,
        answer,
        cited,
        source,
        right,
        wrong_value(answer, question, cited, found),
        identify.identify(answer, LANGUAGES)[0],
        refused=(admitted and not hedged) or other,
        hedged=hedged,
        ms=taken,
    )


def _is(cited: str, fact: str) -> bool:
    """Is this the fact, or its form for a country ("policy:delivery_DE")?"""
    return cited == fact or (
        fact.startswith("policy:delivery_") and cited.startswith("policy:delivery_")
    )


def _orders(question: Question, answer: str, cited: Sequence[str]) -> list[Fact]:
    """Return a proved order's facts: the answer itself, since the library holds no orders.

    What such an answer must and must not hold stands in its row.
    """
    proved = [c for c in cited if c.startswith("order:") and c in question.facts]
    return [Fact(c, "order", "", answer, question.language) for c in proved]


def _rate(hits: int, of: int) -> str:
    return f"{100 * hits / of:.0f} % ({hits}/{of})" if of else "-"


def table(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return a row a language, and one for all."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.question.language].append(one)
        groups["all"].append(one)
    rows = []
    for name in (*LANGUAGES, "all"):
        ones = groups.get(name)
        if not ones:
            continue
        asked = [one for one in ones if one.question.answerable]
        others = [one for one in ones if not one.question.answerable]
        rows.append(
            {
                "language": name,
                "right fact": _rate(sum(one.right for one in asked), len(asked)),
                "wrong value": _rate(sum(bool(one.wrong_value) for one in ones), len(ones)),
                "in language": _rate(
                    sum(one.language == one.question.language for one in ones), len(ones)
                ),
                "refused": _rate(sum(one.refused for one in others), len(others)),
                "hedged": _rate(sum(one.hedged for one in others), len(others)),
                "ms p50": percentile([one.ms for one in ones], 50),
                "p95": percentile([one.ms for one in ones], 95),
            }
        )
    return rows


async def run(llm: str, languages: Sequence[str] = LANGUAGES, which: str = "first") -> list[Judged]:
    """Ask everything of a set, in these languages."""
    embedder = UniversalSentenceEncoder()
    embedder.warm()
    shop = pack.load(pack.resolve("demo"))
    knowledge = Knowledge(
        shop, embedder, now=lambda: NOON, cache=cache_root() / "models" / "derived" / "facts"
    )
    identify = TextLanguage()
    identity = ShopIdentity(shop.name, shop.text("en").description)
    judged = []
    async with model_for(llm) as model:
        dialogue = ShopDialogue(
            identity, shop.languages, knowledge, identify.identify, ClauseSplitter, model=model
        )
        if isinstance(model, EmbeddedModel):
            model.keep_warm(prefix(identity))
        for language in languages:
            facts = truths(shop, knowledge._libraries[language].index.facts, language)
            for question in read(language, which):
                judged.append(await judge(question, dialogue, facts, identify))
    return judged


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--llm", default="none", help="none, embedded or an endpoint's base URL")
    parser.add_argument("--language", choices=LANGUAGES, help="ask in this one only")
    parser.add_argument("--set", default="first", choices=("first", SECOND), help="which questions")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--show", action="store_true", help="print every answer that fails")
    options = parser.parse_args()
    languages = (options.language,) if options.language else LANGUAGES
    judged = asyncio.run(run(options.llm, languages, options.set))
    rows = table(judged)
    print_table(rows)
    if options.show:
        for one in judged:
            fine = one.right if one.question.answerable else one.refused
            if not fine or one.wrong_value or one.language != one.question.language:
                print(f"\n[{one.question.language} {one.question.topic}] {one.question.text}")
                print(f"  {one.source}: {one.answer}")
                print(f"  cited {', '.join(one.cited) or '-'}; wrong {one.wrong_value or '-'}")
    if options.out:
        write_json(options.out, f"eval answers, set {options.set}, llm {options.llm}", rows)


if __name__ == "__main__":
    main()
