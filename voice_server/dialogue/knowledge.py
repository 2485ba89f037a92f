"""The shop's facts as the dialogue asks for them: find them, answer from them, fall back on them.

Everything is deterministic: the same question in the same context on the same day gets the same
answer, so an answer made speculatively is the answer that would be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from voice_server.dialogue.answers import HANDLERS, about_products, products, talk
from voice_server.dialogue.answers import orders as order_answers
from voice_server.dialogue.answers.phrasing import Phrasebook
from voice_server.dialogue.answers.scene import Draft, Scene, finish
from voice_server.dialogue.answers.sheets import Sheets
from voice_server.dialogue.answers.written import not_ours, written
from voice_server.dialogue.coverage import Coverage
from voice_server.dialogue.cues import Cues
from voice_server.dialogue.deciding import SURE, decide
from voice_server.dialogue.embedder import Embedder, Vectors, VectorStore, prune
from voice_server.dialogue.facts import Answer, Context, Fact
from voice_server.dialogue.intents import (
    FAQ,
    UNKNOWN,
    Example,
    Guess,
    IntentClassifier,
    load_examples,
    trim,
)
from voice_server.dialogue.level import wish
from voice_server.dialogue.library import Library, load_uses
from voice_server.dialogue.mention_words import THIS_ITEM
from voice_server.dialogue.mentions import MentionFinder, Mentions, common_words
from voice_server.dialogue.personal import withdraws
from voice_server.dialogue.witnesses import second_look
from voice_server.dialogue.words import plain
from voice_server.shop.catalogue import Product
from voice_server.shop.live_catalogue import LiveCatalogue
from voice_server.shop.offers import Offers
from voice_server.shop.pack_products import sentences
from voice_server.shop.shop import Shop

CLEAR = 0.75
"""Likeness of a named product's sentence from which it answers before an unlikely intent."""
LIKELY = 0.5
"""Confidence from which an intent is acted upon when nobody else can answer."""
HINT_WORDS = 100
"""Words for the recogniser: Whisper takes 224 tokens of context, about 100 names."""


class Knowledge:
    """Finds facts and answers from them. Thread-safe after construction.

    Construction embeds the shop's texts and trains the intents: about ten seconds the first time,
    one from the cache; do it in a worker thread.  :meth:`answer` takes a few milliseconds of one
    core: call it inline.

    Args:
        shop: whose facts.
        embedder: multilingual sentence vectors.
        now: the present in the shop's time zone; None reads the clock.
        cache: folder for vectors and weights; None keeps nothing.
        pictures: URL path under which the pack's folder is served, for cards.
    """

    def __init__(
        self,
        shop: Shop,
        embedder: Embedder,
        *,
        now: Callable[[], datetime] | None = None,
        cache: Path | None = None,
        pictures: str = "/shop",
    ) -> None:
        zone = ZoneInfo(shop.market.timezone)
        self._now = now or (lambda: datetime.now(zone))
        self.shop = shop
        self._live: LiveCatalogue | None = None
        # One utterance is asked about up to four times: partial and final transcript, answer,
        # retrieval, fallback. The cache is the interpreter's own and safe between threads.
        # Without a way back to self, so that an old pack's knowledge is freed at once.
        self._vector = lru_cache(maxsize=256)(partial(_encode, embedder))
        store = VectorStore(cache, embedder)
        self._books = {
            language: Phrasebook.load(language, informal=language in shop.familiar)
            for language in shop.languages
        }
        self._sheets = {
            language: Sheets(shop, book, pictures) for language, book in self._books.items()
        }
        self._libraries = {
            language: Library(shop, self._sheets[language], store) for language in shop.languages
        }
        self._cues = {language: Cues.load(language) for language in shop.languages}
        uses = self._uses = load_uses(shop.languages)
        examples = {language: load_examples(language) for language in shop.languages}
        self._finders = {
            language: MentionFinder(
                shop,
                language,
                common_words(
                    [text for texts in examples[language].values() for text in texts]
                    + self._libraries[language].prose
                ),
                uses[language],
            )
            for language in shop.languages
        }
        self._coverage = {
            language: Coverage.load(
                language,
                common_words(
                    [
                        text
                        for intent, texts in examples[language].items()
                        if intent != UNKNOWN
                        for text in texts
                    ]
                    + self._libraries[language].prose
                ),
            )
            for language in shop.languages
        }
        self._intents = IntentClassifier(
            [
                example
                for language in shop.languages
                for example in self._examples(language, examples[language])
            ],
            embedder,
            store,
        )
        if cache is not None:
            prune(cache)

    # -- the interface ----------------------------------------------------------------------

    def retrieve(self, text: str, language: str, context: Context, limit: int = 6) -> list[Fact]:
        """Return the facts nearest to a question, nearest first, in ``language``.

        A product that is named, or was spoken of last, and the customer's proved order come with
        it, so that a follow-up question finds them.
        """
        language = self._spoken(language)
        mentions = self._find(text, language)
        library = self._libraries[language]
        boosts = {f"product:{key}": 0.2 for key in mentions.products}
        for kind in mentions.kinds:
            for product in self.shop.catalogue.in_category(kind):
                boosts[f"product:{product.id}"] = 0.08
        if not mentions.products and not mentions.kinds:
            for place, key in enumerate((context.last_product, *context.offered)):
                if key:
                    boosts.setdefault(f"product:{key}", 0.16 if place == 0 else 0.06)
        for product in self.shop.catalogue if mentions.uses else ():
            shared = len(product.tags.intersection(mentions.uses))
            key = f"product:{product.id}"
            boosts[key] = boosts.get(key, 0.0) + 0.04 * shared
        guess = self._guess(text, language, mentions)[0]
        if guess.intent.startswith(FAQ):
            boosts[guess.intent] = 0.15
        found = library.index.search(text, self._vector(plain(text)), limit=limit, boosts=boosts)
        facts = [self._as_now(fact, language) for fact, _ in found]
        order = self._order_fact(text, language, context)
        return ([order, *facts] if order else facts)[:limit]

    def answer(self, text: str, language: str, context: Context) -> Answer | None:
        """Answer from templates and approved texts, or None when not sure enough."""
        language = self._spoken(language)
        mentions = self._find(text, language)
        about = self._about_the_talk(text, language, mentions, context)
        if about is not None:
            return about
        guess, vector = self._guess(text, language, mentions)
        intent, confidence = self._decide(guess, text, mentions, context, language)
        scene = self._scene(text, language, mentions, context, intent, vector)
        attribute = self._written(scene, confidence)
        if attribute is not None:
            return finish(attribute, scene, SURE) if attribute.sentences else None
        if not_ours(scene, self._cues[language]):
            scene = replace(scene, intent="recommend")
            return finish(products.unknown(scene), scene, SURE)
        if confidence < SURE:
            return self._pointed(scene)
        if intent == "repeat":
            # What was said last may have been the model's words: it has the history.
            return None
        plainly = self._pointed(scene, CLEAR) if guess.confidence < LIKELY else None
        if plainly is not None:
            return plainly
        draft = self._draft(scene)
        return None if draft is None else finish(draft, scene, confidence)

    def fallback(self, text: str, language: str, context: Context) -> Answer:
        """Return something true and useful when nothing better is there: never raises, never None.

        What is probably meant is answered with its intent's template; of a named product it is said
        that this is not known, and what is; else a policy on the same matter is read out; else it
        is said plainly that the answer is not there.  A human is named where it is not.
        """
        language = self._spoken(language)
        mentions = self._find(text, language)
        guess, vector = self._guess(text, language, mentions)
        intent, confidence = self._decide(guess, text, mentions, context, language)
        scene = self._scene(text, language, mentions, context, intent, vector)
        about = self._written(scene, confidence)
        missing = intent == UNKNOWN or (about is not None and not about.sentences)
        draft = None
        if missing:
            draft = products.unknown_detail(scene) or HANDLERS["fallback"](scene)
        elif about is not None:
            draft = about
        elif confidence >= LIKELY:
            draft = self._draft(scene)
        stranger = mentions.unknown_name or (
            not mentions.names_anything and self._cues[language].has("have", text)
        )
        if draft is None and stranger:
            scene = replace(scene, intent="recommend")
            draft = products.unknown(scene)
        if draft is None and (scene.products or (scene.product and intent in about_products)):
            draft = products.detail(scene) or products.unknown_detail(scene)
        if draft is None:
            scene = replace(scene, intent="fallback")
            draft = self._nearest_fact(scene, vector) or HANDLERS["fallback"](scene)
        assert draft is not None, "the fallback template always answers"  # noqa: S101
        return finish(draft, scene, min(confidence, LIKELY))

    def product_names(self) -> dict[str, str]:
        """Return the proper names of the products by their ids."""
        return {product.id: product.model for product in self.shop.catalogue}

    def names_hint(self) -> str:
        """Return the names a recogniser should expect, at most about a hundred words."""
        words: list[str] = [self.shop.name]
        for product in self.shop.catalogue:
            words.append(product.model)
        return ", ".join(dict.fromkeys(words[:HINT_WORDS]))

    # -- prices and stock of this moment ------------------------------------------------------

    def follow(self, offers: Offers | None) -> None:
        """Speak of prices and stock as these offers tell them; None: as the pack does."""
        self._live = None if offers is None else LiveCatalogue(self.shop, offers)
        for sheets in self._sheets.values():
            sheets.follow(self._live)

    @property
    def offers(self) -> Offers | None:
        """The live offers that are followed, None where the pack's are the truth."""
        return None if self._live is None else self._live.offers

    async def refresh(self, text: str, language: str, context: Context) -> None:
        """Have the products looked up that the answer would speak of; free without live offers.

        Takes no longer than :meth:`Offers.refresh` twice: new prices may bring other products in
        ("the cheapest"), which are looked up too if the platform answers.
        """
        for _ in range(0 if self._live is None else 2):
            answer = self.answer(text, language, context)
            facts = answer.facts if answer else self.retrieve(text, language, context)
            named = [fact.product_id for fact in facts if fact.product_id]
            if self._live is None or not await self._live.refresh(named):
                return

    def _as_now(self, fact: Fact, language: str) -> Fact:
        """Return a product's fact with its live price and stock; others as they are."""
        if self._live is None or fact.product_id is None:
            return fact
        return self._sheets[language].product(self._live.view().catalogue.products[fact.product_id])

    # -- understanding ----------------------------------------------------------------------

    def intent_of(self, text: str, language: str, context: Context) -> tuple[str, float]:
        """Return what a text is taken to want and how surely; for reports and tests."""
        language = self._spoken(language)
        mentions = self._find(text, language)
        guess, _ = self._guess(text, language, mentions)
        return self._decide(guess, text, mentions, context, language)

    def mentions_of(self, text: str, language: str) -> Mentions:
        """Return what a text names; for reports and tests."""
        return self._find(text, self._spoken(language))

    def _find(self, text: str, language: str) -> Mentions:
        """Return what a text names; a thing whose price or stock is asked for has a name."""
        mentions = self._finders[language].find(text)
        cues = self._cues[language]
        if mentions.names_anything or cues.has("deliver", text):
            return mentions
        priced = mentions.stranger and cues.has("how_much", text)
        if priced or (mentions.strange_thing and cues.has("stock", text)):
            return replace(mentions, unknown_name=True)
        return mentions

    def _guess(self, text: str, language: str, mentions: Mentions) -> tuple[Guess, Vectors]:
        rest = trim(mentions.rest, language)
        vector = self._vector(plain(rest))
        gains = self._cues[language].weigh(text, mentions)
        guess = self._intents.guess(rest, vector, gains)
        return second_look(guess, text, vector, gains, mentions, self._libraries[language]), vector

    def _decide(
        self, guess: Guess, text: str, mentions: Mentions, context: Context, language: str
    ) -> tuple[str, float]:
        """Return intent and confidence, after the rules that context settles better."""
        digits = self.shop.orders.digits
        cues = self._cues[language]
        return decide(guess, text, mentions, context, language, cues=cues, digits=digits)

    # -- answering --------------------------------------------------------------------------

    def _draft(self, scene: Scene) -> Draft | None:
        if scene.intent.startswith(FAQ):
            fact = self._libraries[scene.language].index.get(scene.intent)
            return None if fact is None else Draft(sentences(fact.text), (fact,))
        handler = HANDLERS.get(scene.intent)
        return None if handler is None else handler(scene)

    def _about_the_talk(
        self, text: str, language: str, mentions: Mentions, context: Context
    ) -> Answer | None:
        """Answer what is not about the shop: speak simply, why this one, forget what I bought."""

        def scene(intent: str) -> Scene:
            nothing = np.zeros(0, np.float32)
            return self._scene(text, language, mentions, context, intent, nothing)

        if withdraws(text, language):
            return finish(talk.forgotten(scene("forgotten")), scene("forgotten"), 1.0)
        advised = context.reasons and context.last_intent == "recommend"
        if advised and talk.asks_why_this(text, language):
            return finish(talk.why_advice(scene("why_advice")), scene("why_advice"), 1.0)
        if wish(text, language) and not mentions.names_anything:
            handler = HANDLERS.get(context.last_intent or "") if context.last_product else None
            view = scene("level")
            return finish(talk.at_level(view, handler), view, 1.0)
        return None

    def _written(self, scene: Scene, confidence: float) -> Draft | None:
        coverage, cues = self._coverage[scene.language], self._cues[scene.language]
        return written(scene, coverage, cues, sure=confidence >= SURE)

    def _pointed(self, scene: Scene, likeness: float = products.POINTED) -> Answer | None:
        """Answer a question about a named product that one of its sentences answers plainly."""
        product = scene.product if scene.mentions.products else None
        nearest = next(iter(scene.details(product)), None) if product else None
        if nearest is None or nearest[1] < likeness:
            return None
        scene = replace(scene, intent="product_detail")
        draft = products.detail(scene)
        return None if draft is None else finish(draft, scene, SURE)

    def _scene(
        self,
        text: str,
        language: str,
        mentions: Mentions,
        context: Context,
        intent: str,
        vector: Vectors,
    ) -> Scene:
        library = self._libraries[language]
        shop = self.shop if self._live is None else self._live.view()

        def details(product: Product) -> Sequence[tuple[str, float]]:
            return library.details(product, text, vector)

        def nearest(limit: int) -> Sequence[Product]:
            found = library.nearest_products(self._vector(plain(text)), limit)
            return [shop.catalogue.products[product.id] for product in found]

        return Scene(
            shop,
            self._sheets[language],
            self._books[language],
            text,
            intent,
            mentions,
            context,
            self._now(),
            lambda key: library.index.get(f"policy:{key}"),
            details,
            nearest,
            self._uses[language],
        )

    def _nearest_fact(self, scene: Scene, vector: Vectors) -> Draft | None:
        """Read out a policy or an approved answer if one is near enough to be worth hearing."""
        found = self._libraries[scene.language].nearest_text(scene.text, vector)
        if found is None:
            return None
        said = scene.say("fallback_fact", text=found.text)
        return Draft(tuple(said), (found,))

    def _order_fact(self, text: str, language: str, context: Context) -> Fact | None:
        now = self._now()
        order = self.shop.orders.verified(context.order, today=now.date())
        if order is None:
            return None
        scene = self._scene(
            text, language, Mentions(), context, "order_status", np.zeros(0, np.float32)
        )
        return self._sheets[language].order(order, " ".join(order_answers.words(scene, order)))

    def _spoken(self, language: str) -> str:
        return language if language in self._books else self.shop.default_language

    def _examples(self, language: str, bundled: dict[str, tuple[str, ...]]) -> list[Example]:
        finder, cues = self._finders[language], self._cues[language]
        pairs = [
            (intent, group, text)
            for intent, texts in bundled.items()
            for group, text in enumerate(texts)
        ]
        pairs += [
            (f"{FAQ}{entry.id}", group, question)
            for entry in self.shop.faq.get(language, ())
            for group, question in enumerate(entry.questions)
        ]
        found = []
        for intent, group, text in pairs:
            named = text.count("{p}")
            worded = trim(finder.generalise(text.replace("{p}", THIS_ITEM[language])), language)
            mentions = finder.find_plain(text, products=named)
            found.append(Example(worded, intent, cues.weigh(text, mentions), group))
        return found


def _encode(embedder: Embedder, text: str) -> Vectors:
    first: Vectors = embedder.encode([text])[0]
    return first
