"""A small shop that knows three things, for the manager's tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from voice_server.dialogue.dialogue import Clause
from voice_server.dialogue.facts import Answer, Context, Fact

OSLO = Fact("product:oslo", "product", "Oslo", "The Oslo chair costs 89 euros.", "en", "oslo")
RETURNS = Fact("policy:returns", "policy", "Returns", "Returns within 30 days.", "en")
WRAP = Fact("faq:wrap", "faq", "Gift wrap", "Gift wrapping is free.", "en")


@dataclass(slots=True)
class FakeKnowledge:
    """Knows ``answers`` by a word in the question; counts what it is asked."""

    confidence: float = 0.95
    broken: bool = False
    asked: list[tuple[str, str, Context]] = field(default_factory=list)
    fallback_is_sure: bool = True

    def retrieve(self, text: str, language: str, context: Context, limit: int = 6) -> list[Fact]:
        if self.broken:
            raise RuntimeError("the index is gone")
        return [OSLO, RETURNS, WRAP][:limit]

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        self.asked.append((text, language, context))
        if self.broken:
            raise RuntimeError("the index is gone")
        if "cost" in text:
            clauses = (
                Clause("The Oslo chair costs 89 euros.", language, citations=(OSLO.citation(),)),
            )
            after = replace(context, last_product="oslo", turn=context.turn + 1)
            return Answer(clauses, self.confidence, "price", (OSLO,), after)
        if "wrap" in text:
            clauses = (Clause("Gift wrapping is free.", language),)
            return Answer(clauses, self.confidence, "faq", (WRAP,), context)
        return None

    async def refresh(self, text: str, language: str, context: Context) -> None:
        """What it knows never changes."""

    def fallback(self, text: str, language: str, context: Context) -> Answer:
        if self.broken:
            raise RuntimeError("the index is gone")
        after = replace(context, turn=context.turn + 1)
        if not self.fallback_is_sure:
            return Answer((Clause("I do not know that.", language),), 0.1, "unknown", (), after)
        clauses = (
            Clause("You can return it", language),
            Clause("within 30 days.", language, citations=(RETURNS.citation(),)),
        )
        return Answer(clauses, 0.3, "returns", (RETURNS,), after)

    def names_hint(self) -> str:
        return "Oslo, Nova"

    def product_names(self) -> dict[str, str]:
        return {"oslo": "Oslo", "nova": "Nova"}
