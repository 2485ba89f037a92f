"""One question with everything its answer may use, and the draft an answer grows from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from voice_server.dialogue.answers.phrasing import Noun, Phrasebook, breathe, capital, noun
from voice_server.dialogue.answers.sheets import Sheets
from voice_server.dialogue.answers.unconfirmed import hedge
from voice_server.dialogue.dialogue import Card, Clause
from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.level import EXPERT
from voice_server.dialogue.mentions import Mentions
from voice_server.shop import wording
from voice_server.shop.catalogue import Product, Variant
from voice_server.shop.shop import Shop
from voice_server.shop.taste import Taste


@dataclass(frozen=True, slots=True)
class Draft:
    """What an answer says and rests on."""

    sentences: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    cards: tuple[Card, ...] = ()
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of the context that change when the answer is committed."""
    sure: float = 1.0
    """How sure the answer is of itself, given that the intent is right."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A question, understood as far as rules and models go."""

    shop: Shop
    sheets: Sheets
    book: Phrasebook
    text: str
    intent: str
    mentions: Mentions
    context: Context
    now: datetime
    section: Callable[[str], Fact | None]
    """Policy sections by key, in the language of the answer."""
    details: Callable[[Product], Sequence[tuple[str, float]]]
    """A product's sentences, nearest to the question first, with their likeness."""
    nearest: Callable[[int], Sequence[Product]]
    """Products by likeness to the question."""
    uses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Occasions, people and places by key, with their words in the language of the answer."""

    @property
    def language(self) -> str:
        """The language of the answer."""
        return self.book.language

    # -- what it is about -------------------------------------------------------------------

    @property
    def products(self) -> tuple[Product, ...]:
        """The products the question names, by name or as the only one of their kind."""
        catalogue = self.shop.catalogue
        named = [catalogue.products[key] for key in self.mentions.products]
        if named or self.mentions.unknown_name:
            return tuple(named)
        return tuple(
            found[0]
            for kind in self.mentions.kinds
            if len(found := catalogue.in_category(kind)) == 1
        )

    @property
    def product(self) -> Product | None:
        """The one product in question: named, pointed at, or the last one spoken of."""
        if self.products:
            return self.products[0]
        if self.mentions.kinds or self.mentions.unknown_name:
            return None
        listed = self.context.offered or self.context.listed
        if self.mentions.ordinal is not None and listed:
            place = self.mentions.ordinal
            if place < len(listed):
                return self.shop.catalogue.get(listed[place])
        return self.shop.catalogue.get(self.context.last_product)

    @property
    def choice(self) -> tuple[Product, ...]:
        """The products of the kinds that are named, when that is more than one."""
        return self.of_kind if len(self.of_kind) > 1 else ()

    @property
    def of_kind(self) -> tuple[Product, ...]:
        """All products of the kinds that are named."""
        found = [p for kind in self.mentions.kinds for p in self.shop.catalogue.in_category(kind)]
        return tuple(dict.fromkeys(found))

    def variant_wish(self, product: Product) -> tuple[str, str]:
        """Return the colour and the size asked for, now or just before for the same product."""
        colour = next(iter(self.mentions.colours), "")
        size = next((s for s in self.mentions.sizes if s in product.sizes), "")
        size = size or next(iter(self.mentions.sizes), "")
        # "And in blue?" keeps the size that was asked for, "when is it back?" keeps both.
        same = product.id == self.context.last_product and not self.mentions.products
        if same and (colour or size or self.context.last_intent == "availability"):
            colour, size = colour or self.context.colour, size or self.context.size
        return colour, size

    def noun(self, product: Product) -> Noun:
        """Return the product's noun; a pronoun will do if it was spoken of and not named again."""
        known = product.id == self.context.last_product and not self.products
        return noun(product.text(self.language), self.language, known=known)

    def use(self, key: str) -> str:
        """Return the word of an occasion, a person or a place."""
        words = self.uses.get(key, ())
        return words[0] if words else key

    def amount(self, value: str) -> Decimal:
        """Return an amount that a reason names."""
        return Decimal(value)

    @property
    def country(self) -> str:
        """The market of this caller: where they asked delivery to, else the shop's own."""
        return self.context.country or self.shop.market.country

    @property
    def taste(self) -> Taste:
        """What counts on the caller's market."""
        return self.shop.tastes.of(self.country)

    @property
    def home(self) -> dict[str, str]:
        """Return the home country as templates name it: "in Belgium"."""
        home = next(iter(self.shop.policies.delivery), self.shop.market.country)
        words = wording.in_country(home, self.shop.market, self.language)
        return {"in_home": words, "In_home": capital(words)}

    # -- saying -----------------------------------------------------------------------------

    def say(self, key: str, product: Product | None = None, /, **fields: str) -> list[str]:
        """Return the clauses of a template, in the wording that is due, for the caller's level."""
        thing = None if product is None else self.noun(product)
        own = f"{key}_{self.context.level}"
        key = own if own in self.book.entries else key
        return self.book.clauses(key, self.context.turn, thing, **fields)

    def about(
        self,
        product: Product,
        sentences: Sequence[str],
        *,
        variant: Variant | None = None,
        sure: float = 1.0,
        **changes: Any,
    ) -> Draft:
        """Return a draft about one product, with its fact and card, which it remembers."""
        # Dates are worked out for this answer: its fact says them too.
        fact = self.sheets.product(product)
        said = " ".join(sentences)
        fact = fact if said in fact.text else replace(fact, text=f"{fact.text} {said}")
        return Draft(
            (*sentences, *technical(self, product, said)),
            (fact,),
            (self.sheets.card(product, variant),),
            {"last_product": product.id, "offered": (), **self._kept(product), **changes},
            sure,
        )

    def _kept(self, product: Product) -> dict[str, str]:
        """Another product than before: the colour and size asked for are forgotten."""
        same = product.id == self.context.last_product
        return {} if same else {"colour": "", "size": ""}

    def money(self, product: Product) -> str:
        """Word a product's price, the lowest if they differ."""
        return self.sheets.money(product.price)


TECHNICAL = frozenset({"price", "product_info", "product_detail", "material", "dimensions"})
"""Intents whose answers give an expert the figures that were not asked for as well."""


def technical(scene: Scene, product: Product, said: str) -> list[str]:
    """Return a sentence with a product's figures for an expert, without those said already.

    They all stand in the product's fact: the level adds words, not facts.
    """
    if scene.context.level != EXPERT or scene.intent not in TECHNICAL:
        return []
    figures: list[str] = []
    if len(product.dimensions) >= 2 and scene.intent != "dimensions":
        figures.append(scene.book.text("figure_size", size=scene.sheets.dimensions(product)))
    if product.weight_kg is not None:
        figures.append(scene.sheets.weight(product))
    figures.append(scene.book.text("figure_warranty", years=scene.sheets.warranty(product)))
    fresh = [figure for figure in figures if figure.split()[0] not in said.split()]
    return scene.say("figures", figures=", ".join(fresh)) if fresh else []


def finish(draft: Draft, scene: Scene, confidence: float) -> Answer:
    """Make an answer of a draft: clauses with citations and cards, and the context after it."""
    draft = hedge(draft, scene)
    texts = breathe(list(draft.sentences))
    citations = tuple(fact.citation() for fact in draft.facts)
    clauses = [Clause(text, scene.language) for text in texts]
    clauses[0] = replace(clauses[0], citations=citations)
    for card in draft.cards:
        place = _place(card, clauses, scene.shop)
        clauses[place] = replace(clauses[place], cards=(*clauses[place].cards, card))
    changes = {"awaiting": "", "turn": scene.context.turn + 1, **draft.changes}
    changes["said"] = draft.sentences
    if changes.get("offered"):
        changes["listed"] = changes["offered"]
    return Answer(
        tuple(clauses),
        confidence * draft.sure,
        scene.intent,
        draft.facts,
        replace(scene.context, **{"last_intent": scene.intent, **changes}),
    )


def _place(card: Card, clauses: Sequence[Clause], shop: Shop) -> int:
    """Return the clause that names a card's product, else the first."""
    product = shop.catalogue.get(card.product_id)
    model = product.model if product else card.name
    return next((i for i, clause in enumerate(clauses) if model in clause.text), 0)
