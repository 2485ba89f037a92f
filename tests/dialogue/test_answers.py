"""Conversations with the demo shop, without any model: right facts, in the caller's language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.dialogue.conftest import TUESDAY, Clock
from voice_server.dialogue.answers.phrasing import SHORTEST
from voice_server.dialogue.facts import Answer, Context
from voice_server.dialogue.knowledge import HINT_WORDS, Knowledge
from voice_server.shop.shop import Shop

LANGUAGES = ("fr", "nl", "de", "en")


class Caller:
    """Somebody who asks one thing after the other and hears every answer."""

    def __init__(self, knowledge: Knowledge, language: str) -> None:
        self.knowledge = knowledge
        self.language = language
        self.context = Context()

    def ask(self, text: str) -> Answer:
        answer = self.knowledge.answer(text, self.language, self.context)
        assert answer is not None, f"no answer to {text!r}"
        self.context = answer.context
        return answer

    def hear(self, text: str) -> str:
        return self.ask(text).text


def cards(answer: Answer) -> list[str]:
    return [card.product_id for clause in answer.clauses for card in clause.cards]


@pytest.fixture
def fr(knowledge: Knowledge) -> Caller:
    return Caller(knowledge, "fr")


@pytest.fixture
def nl(knowledge: Knowledge) -> Caller:
    return Caller(knowledge, "nl")


@pytest.fixture
def de(knowledge: Knowledge) -> Caller:
    return Caller(knowledge, "de")


@pytest.fixture
def en(knowledge: Knowledge) -> Caller:
    return Caller(knowledge, "en")


# -- products -----------------------------------------------------------------------------------


def test_price_then_follow_ups_by_pronoun(fr: Caller) -> None:
    price = fr.hear("combien coûte la lampe Oslow")
    assert "49,90 €" in price
    assert "au lieu de 59,90 €" in price
    green = fr.ask("et en vert ?")
    assert green.intent == "availability"
    assert "épuisé" in green.text or "n'y en a plus" in green.text
    assert "vendredi 4 décembre" in green.text
    assert "noir et blanc" in green.text
    assert fr.hear("elle est en quelle matière ?").startswith("Elle est en métal et lin")
    assert "2 jours ouvrables" in fr.hear("et la livraison ?")


def test_a_price_comes_with_its_card_and_its_source(nl: Caller) -> None:
    answer = nl.ask("wat kost de regenjas Delta")
    assert cards(answer) == ["delta"]
    card = answer.clauses[0].cards[0]
    assert (card.price, card.stock) == ("€ 79,90", "In voorraad")
    assert card.image == "/shop/pictures/delta.svg"
    assert answer.clauses[0].citations[0].source_id == "product:delta"
    assert "gratis" in answer.text, "delivery is free from 50 euros"


def test_the_price_depends_on_the_size(de: Caller) -> None:
    said = de.hear("was kostet die Bettwäsche Alma")
    assert "79 € in 140 x 200" in said
    assert "119 € in 240 x 220" in said
    assert "99 €" in de.hear("was kostet die Alma in 200 mal 200")


def test_colour_and_size_are_remembered_for_the_same_product(nl: Caller) -> None:
    assert "uitverkocht" in nl.hear("hebt u de regenjas Delta in het geel in maat XL")
    blue = nl.hear("en in het blauw")
    assert "blauw" in blue
    assert "XL" in blue
    assert "maar 2" in blue


def test_when_is_it_back_speaks_of_the_colour_that_was_asked_for(en: Caller) -> None:
    en.ask("does the Tango speaker come in blue")
    assert "2 December" in en.hear("when will it be back")


@pytest.mark.parametrize(
    ("language", "question", "words"),
    [
        ("fr", "la lampe Oslo existe en rouge", ("n'existe pas en rouge", "noir, blanc et vert")),
        ("nl", "bestaat de lamp Oslo in het rood", ("bestaat niet in rood", "zwart, wit en groen")),
        ("de", "gibt es die Lampe Oslo in Rot", ("nicht", "Schwarz, Weiß und Grün")),
        (
            "en",
            "does the Oslo lamp come in red",
            ("does not come in red", "black, white and green"),
        ),
    ],
)
def test_a_colour_that_does_not_exist(
    knowledge: Knowledge, language: str, question: str, words: tuple[str, ...]
) -> None:
    said = Caller(knowledge, language).hear(question)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("language", "question", "part"),
    [
        ("fr", "la machine Torino fonctionne avec des capsules", "pas les capsules"),
        ("fr", "combien de temps tient la batterie du casque Sonata", "40 heures"),
        ("fr", "la cocotte Carlo va au four", "250 degrés"),
        ("nl", "hoe lang gaat de batterij van de luidspreker Tango mee", "16 uur"),
        ("nl", "mag de Carlo in de oven", "250 graden"),
        ("de", "ist der Lautsprecher Tango wasserdicht", "IP67"),
        ("de", "wie viele Liter fasst der Wasserkocher Vesta", "1,5 Liter"),
        ("en", "does the Nevada tent have a mosquito net", "mosquito net"),
        ("en", "is the bulb of the Milano included", "not included"),
    ],
)
def test_properties_are_answered_by_their_own_sentence(
    knowledge: Knowledge, language: str, question: str, part: str
) -> None:
    assert part in Caller(knowledge, language).hear(question)


@pytest.mark.parametrize(
    ("language", "question", "part"),
    [
        ("fr", "quelles sont les dimensions de la table Verona", "180 centimètres de large"),
        ("nl", "hoeveel weegt de tent Nevada", "3,8 kg"),
        ("de", "wie schwer ist der Stuhl Nora", "5,2 kg"),
        ("en", "what are the dimensions of the Aurora throw", "130 by 170 centimetres"),
        ("en", "how big is the Siena bathrobe", "S, M, L"),
        ("nl", "hoe was ik de badjas Siena", "60 graden"),
        ("de", "welche Farben gibt es beim Kissen Bella", "Gelb und Rosa"),
        ("fr", "quelles tailles pour le peignoir Siena", "S, M, L et XL"),
        ("en", "which colours does the Toledo knife come in", "one version only"),
        ("de", "erzählen Sie mir von der Vase Flora", "von Hand gedreht"),
        ("fr", "la station météo Nimbus est en stock", "en stock"),
        ("nl", "is de tent Nevada in voorraad", "in voorraad"),
    ],
)
def test_facts_of_a_product(knowledge: Knowledge, language: str, question: str, part: str) -> None:
    assert part in Caller(knowledge, language).hear(question)


def test_a_kind_with_one_product_is_that_product(en: Caller) -> None:
    assert cards(en.ask("how much is the tent")) == ["nevada"]


def test_a_kind_with_several_asks_which(en: Caller) -> None:
    answer = en.ask("how much is the lamp")
    assert answer.context.awaiting == "product"
    assert len(answer.context.offered) == 3
    assert cards(en.ask("the second one")) == [answer.context.offered[1]]


@pytest.mark.parametrize(
    "question",
    [
        "is it in stock",
        "which colours does it come in",
        "tell me more about it",
        "what is it made of",
        "what are the dimensions",
        "how do I clean it",
    ],
)
def test_without_a_product_it_asks_for_one(knowledge: Knowledge, question: str) -> None:
    asked = Caller(knowledge, "en").ask(question)
    assert asked.context.awaiting == "product"
    lamps = Caller(knowledge, "en").ask(question.replace("it", "the lamp", 1) + " of the lamps")
    assert lamps.context.awaiting == "product" or lamps.intent == "recommend"


def test_a_property_of_nothing_is_left_to_others(knowledge: Knowledge) -> None:
    assert knowledge.answer("is it waterproof", "en", Context()) is None
    spoken_of = Context(last_product="nevada")
    answer = knowledge.fallback("is it waterproof", "en", spoken_of)
    assert "waterproof" in answer.text


def test_no_date_is_invented_for_what_may_never_come_back(fr: Caller) -> None:
    said = fr.hear("la chaise de jardin Capri en bleu elle revient quand en stock")
    assert "ne connais pas encore la date" in said


def test_sold_out_in_all_variants(knowledge: Knowledge, shop: Shop) -> None:
    nimbus = shop.catalogue.products["nimbus"]
    gone = replace(nimbus, variants=(replace(nimbus.variants[0], stock=0, restock_days=3),))
    before = shop.catalogue.products
    shop.catalogue.products = {**before, "nimbus": gone}
    try:
        caller = Caller(knowledge, "en")
        assert "27 November" in caller.hear("is the Nimbus in stock")
        assert "new stock" in caller.hear("how long does delivery of the Nimbus take").lower()
        fact = knowledge.fallback("tell me about the Nimbus", "en", Context()).facts[0]
        assert "Sold out for now" in fact.text
    finally:
        shop.catalogue.products = before


def test_the_last_few_are_counted(nl: Caller, en: Caller) -> None:
    answer = en.ask("is the Verona table in stock")
    assert "only 3" in answer.text.lower()
    assert answer.clauses[0].cards[0].stock == "Only 3 left"
    assert "maat" not in nl.hear("is de lamp Oslo in het zwart in voorraad")


def test_a_colour_of_clothing_comes_with_the_sizes_that_are_left(en: Caller) -> None:
    assert "S, L, XL and XXL" in en.hear("do you have the Delta jacket in blue")


def test_the_unknown_is_offered_what_is_near(en: Caller) -> None:
    answer = en.ask("what does the Sofia armchair cost")
    assert "can't find that item" in answer.text
    assert cards(answer) == ["bruno"]


def test_the_product_that_was_asked_for_gets_the_question_that_was_asked(en: Caller) -> None:
    assert en.ask("what does it cost").context.awaiting == "product"
    answer = en.ask("the Torino")
    assert answer.intent == "price"
    assert "€199" in answer.text


def test_what_we_do_not_have_is_not_invented(fr: Caller, en: Caller) -> None:
    answer = fr.ask("combien coûte la lampe Zanzibar")
    assert "ne trouve pas cet article" in answer.text
    assert "Zanzibar" not in answer.text
    assert len(cards(answer)) == 3
    unknown = en.knowledge.fallback("do you have laptops", "en", Context())
    assert unknown.text.startswith("We don't have that")


# -- advice -------------------------------------------------------------------------------------


def test_advice_narrows_step_by_step(nl: Caller) -> None:
    lamps = nl.ask("ik zoek een lamp")
    assert len(cards(lamps)) == 3
    cheap = nl.ask("onder de 60 euro")
    assert set(cards(cheap)) == {"nemo", "oslo"}
    assert cards(nl.ask("de goedkoopste")) == ["nemo"]


def test_a_gift_within_a_budget(fr: Caller) -> None:
    answer = fr.ask("je cherche un cadeau pour ma mère à moins de trente euros")
    shop = fr.knowledge.shop
    assert cards(answer)
    for product_id in cards(answer):
        product = shop.catalogue.products[product_id]
        assert product.price <= 30
        assert product.available
        assert {"gift", "mother"} & product.tags


def test_nothing_at_that_price(en: Caller) -> None:
    answer = en.ask("I am looking for an armchair under 50 euros")
    assert "nothing at that price" in answer.text
    assert "€349" in answer.text


def test_a_wish_without_words_is_asked_about(de: Caller) -> None:
    assert de.ask("was empfehlen Sie mir").context.awaiting == "wish"
    assert "capri" in cards(de.ask("etwas für den Garten"))


def test_comparing_two_and_the_last_two(en: Caller) -> None:
    answer = en.ask("compare the Torino and the Vesta")
    assert "€199" in answer.text
    assert "€49.90" in answer.text
    assert cards(answer) == ["torino", "vesta"]
    same = en.ask("what is the difference between Nora and Carlo")
    assert "Both cost €89" in same.text
    assert "oak" in same.text
    assert en.ask("which of the two is better").facts == en.ask("compare those two").facts


def test_a_comparison_of_nothing_asks_what(fr: Caller) -> None:
    assert "deux noms" in fr.hear("pouvez-vous comparer les deux")


def test_something_cheaper_of_the_kind_that_was_asked_for(fr: Caller) -> None:
    fr.ask("je cherche une lampe")
    fr.ask("parlez-moi de la Milano")
    cheaper = fr.ask("vous n'avez pas moins cher")
    assert cheaper.facts[0].product_id in {"luna", "oslo"}
    fr.ask("le prix de la tente")
    assert "meilleur prix" in fr.hear("c'est trop cher")
    assert cards(fr.ask("quelle est la lampe la moins chère")) == ["nemo"]


def test_what_the_shop_sells(knowledge: Knowledge) -> None:
    assert "meubles" in Caller(knowledge, "fr").hear("qu'est-ce que vous vendez")
    assert "Lampen" in Caller(knowledge, "de").hear("was verkaufen Sie")


# -- service ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "question", "part"),
    [
        ("fr", "combien coûte la livraison", "4,95 €"),
        ("nl", "vanaf welk bedrag is de levering gratis", "€ 50"),
        ("de", "wie lange kann ich zurücksenden", "30 Tage"),
        ("en", "is returning free", "free"),
        ("fr", "comment renvoyer un article", "étiquette de retour"),
        ("nl", "wanneer krijg ik mijn geld terug na een retour", "5 werkdagen"),
        ("de", "kann ich gegen eine andere Größe umtauschen", "bestellen den richtigen"),
        ("en", "do you take Bancontact", "Bancontact"),
        ("fr", "quelle est la garantie", "2 ans"),
        ("nl", "hoe lang is de garantie op de zetel Bruno", "5 jaar"),
        ("de", "kann ich meine Bestellung in Brüssel abholen", "Rue Haute 214"),
        ("en", "what is your phone number", "+32 2 555 01 23"),
        ("fr", "faites-vous des emballages cadeaux", "3 €"),
        ("nl", "kan ik in drie keer betalen", "Klarna"),
        ("de", "mein Artikel ist kaputt angekommen", "Foto"),
        ("en", "I want to cancel my order", "cancel in your account"),
    ],
)
def test_policies_and_approved_answers(
    knowledge: Knowledge, language: str, question: str, part: str
) -> None:
    answer = Caller(knowledge, language).ask(question)
    assert part in answer.text
    assert answer.clauses[0].citations


@pytest.mark.parametrize(
    ("language", "question", "parts"),
    [
        ("fr", "vous livrez en Allemagne", ("Oui", "2 à 4 jours", "7,95 €", "100 €")),
        ("nl", "leveren jullie in Zwitserland", ("niet", "België")),
        ("de", "was kostet die Lieferung in die Niederlande", ("6,95 €", "75 €")),
        ("en", "how long does delivery to France take", ("2 to 4 working days",)),
    ],
)
def test_delivery_abroad(
    knowledge: Knowledge, language: str, question: str, parts: tuple[str, ...]
) -> None:
    said = Caller(knowledge, language).hear(question)
    assert all(part in said for part in parts), said


def test_delivery_follow_ups(fr: Caller) -> None:
    fr.ask("vous livrez en Allemagne")
    assert "7,95 €" in fr.hear("c'est combien")
    assert "aux Pays-Bas" in fr.hear("et aux Pays-Bas")


def test_delivery_of_a_product_says_the_day(en: Caller) -> None:
    assert "Tuesday 8 December" in en.hear("how long does delivery of the Verona table take")
    assert "free" in en.hear("how much is delivery for the Verona table")
    assert "€4.95" in en.hear("how much is delivery for the Bahia candle")


def test_delivery_without_a_product_says_the_day(de: Caller) -> None:
    assert "Donnerstag, 26. November" in de.hear("wie lange dauert die Lieferung")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_facts_in_every_language(knowledge: Knowledge, language: str) -> None:
    question = {
        "fr": "combien coûte la livraison",
        "nl": "hoeveel kost de levering",
        "de": "was kostet die Lieferung",
        "en": "how much is delivery",
    }[language]
    said = Caller(knowledge, language).hear(question)
    assert re.findall(r"\d+[.,]\d\d|\b50\b", said.replace(".", ","))[:2] == ["4,95", "50"]


# -- people -------------------------------------------------------------------------------------


def test_hours_now_and_on_a_day(fr: Caller, clock: Clock) -> None:
    assert "18 h" in fr.hear("vous êtes ouvert maintenant")
    assert "fermé" in fr.hear("vous êtes ouverts le dimanche")
    assert "10 h à 16 h" in fr.hear("et vous êtes ouverts le samedi")
    clock.now = TUESDAY + timedelta(hours=6)
    assert "mercredi 25 novembre à 9 h" in fr.hear("c'est ouvert maintenant")
    clock.now = datetime(2026, 12, 25, 11, tzinfo=TUESDAY.tzinfo)
    assert "samedi 26 décembre" in fr.hear("vous êtes ouvert maintenant"), "Christmas is closed"
    clock.now = TUESDAY.replace(hour=7)
    assert "mardi 24 novembre à 9 h" in fr.hear("vous êtes ouvert maintenant")


def test_a_human_is_never_refused_and_never_promised(nl: Caller, clock: Clock) -> None:
    assert "vandaag tot 18 uur" in nl.hear("ik wil een mens spreken")
    clock.now = TUESDAY + timedelta(hours=8)
    night = nl.hear("geef mij een medewerker")
    assert "woensdag 25 november om 9 uur" in night
    assert "+32 2 555 01 23" in night


@pytest.mark.parametrize(
    ("language", "question", "words"),
    [
        ("fr", "vous êtes une vraie personne", "intelligence artificielle"),
        ("nl", "bent u een mens", "artificiële intelligentie"),
        ("de", "sind Sie ein Mensch", "künstliche Intelligenz"),
        ("en", "are you human", "artificial intelligence"),
        ("en", "what is your name", "artificial intelligence"),
        ("fr", "qui êtes-vous", "intelligence artificielle"),
    ],
)
def test_it_always_says_that_it_is_an_ai(
    knowledge: Knowledge, language: str, question: str, words: str
) -> None:
    for turn in range(3):
        context = Context(turn=turn)
        answer = knowledge.answer(question, language, context)
        assert answer is not None
        assert words in answer.text
        assert "Marolle" in answer.text


@pytest.mark.parametrize(
    ("language", "question", "intent"),
    [
        ("fr", "c'est scandaleux", "complaint"),
        ("nl", "wat voor weer wordt het morgen", "off_topic"),
        ("de", "was können Sie", "capabilities"),
        ("en", "thank you very much", "thanks"),
        ("fr", "au revoir", "goodbye"),
        ("nl", "hoe gaat het met u", "smalltalk"),
        ("de", "guten Tag", "greeting"),
        ("en", "no thank you", "deny"),
        ("en", "yes please", "affirm"),
    ],
)
def test_talk(knowledge: Knowledge, language: str, question: str, intent: str) -> None:
    assert Caller(knowledge, language).ask(question).intent == intent


def test_wordings_vary_and_are_the_same_for_the_same_turn(knowledge: Knowledge) -> None:
    said = [knowledge.answer("merci", "fr", Context(turn=turn)) for turn in (0, 1, 2, 0)]
    texts = [answer.text for answer in said if answer]
    assert texts[0] != texts[1]
    assert texts[0] == texts[2] == texts[3]


def test_say_it_again_without_a_model(fr: Caller) -> None:
    price = fr.ask("combien coûte la tente Nevada")
    assert fr.knowledge.answer("vous pouvez répéter", "fr", fr.context) is None
    again = fr.knowledge.fallback("vous pouvez répéter", "fr", fr.context)
    assert again.text == price.text
    assert again.context.last_intent == "price"
    first = fr.knowledge.fallback("vous pouvez répéter", "fr", Context())
    assert "produits" in first.text


# -- orders -------------------------------------------------------------------------------------


def test_an_order_needs_number_and_postcode(fr: Caller) -> None:
    first = fr.ask("où est ma commande")
    assert first.context.awaiting == "order"
    second = fr.ask("B E un zéro quatre huit deux")
    assert second.context.awaiting == "postcode"
    assert second.context.pending_number == "BE-10482"
    assert not second.facts, "nothing is told before the proof"
    third = fr.ask("mille")
    assert "mercredi 25 novembre" in third.text
    assert third.context.order == "BE-10482"
    assert third.facts[0].source_id == "order:BE-10482"
    assert "83,70 €" in third.facts[0].text
    assert fr.ask("et ma commande elle arrive quand").context.order == "BE-10482"


def test_the_postcode_may_come_first(nl: Caller) -> None:
    nl.ask("waar is mijn pakje")
    assert nl.ask("mijn postcode is 4000").context.pending_postcode == "4000"
    assert "geleverd" in nl.hear("10433")


def test_an_unknown_number_and_a_wrong_postcode_sound_alike(knowledge: Knowledge) -> None:
    wrong = Caller(knowledge, "en").ask("my order is BE-10482 postcode 9999")
    unknown = Caller(knowledge, "en").ask("my order is BE-99999 postcode 1000")
    assert wrong.text == unknown.text
    assert wrong.facts == unknown.facts == ()
    assert (wrong.context.failed_lookups, unknown.context.failed_lookups) == (1, 1)


def test_three_failures_and_no_more(en: Caller) -> None:
    en.ask("where is my order")
    for guess in ("10482 9000", "10482 9001"):
        assert "can't find that order" in en.hear(guess)
    assert "can't look up any more" in en.hear("10482 9002")
    assert "can't look up any more" in en.hear("my order 10482 postcode 1000")


@pytest.mark.parametrize(
    ("number", "postcode", "words"),
    [
        ("10497", "9000", "being prepared"),
        ("10433", "4000", "was delivered"),
        ("10455", "2000", "is ready"),
        ("10461", "1050", "delayed"),
        ("10398", "3000", "cancelled"),
        ("10377", "7000", "received your return"),
        ("10364", "8000", "refunded"),
        ("10501", "1180", "waiting for your payment"),
        ("10476", "1011 AB", "PostNL"),
        ("10470", "50667", "DHL"),
        ("10420", "1311", "today"),
    ],
)
def test_every_state_has_its_words(
    knowledge: Knowledge, number: str, postcode: str, words: str
) -> None:
    assert words in Caller(knowledge, "en").hear(f"my order {number} postcode {postcode}")


def test_another_order_needs_its_own_proof(fr: Caller) -> None:
    fr.ask("ma commande 10482 code postal 1000")
    answer = fr.ask("et mon autre commande 10455")
    assert answer.context.awaiting == "postcode"
    assert "2000" not in answer.text


# -- retrieval and fallback ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "question", "source"),
    [
        ("fr", "quelque chose pour garder mon café chaud en randonnée", "product:fresco"),
        ("nl", "waarmee kan ik water koken voor thee", "product:vesta"),
        ("de", "womit kann ich draußen Musik hören", "product:tango"),
        ("en", "something to clean the floor by itself", "product:turbo"),
        ("fr", "livrez-vous le samedi", "faq:delivery_slot"),
        ("en", "how do I use a voucher code", "faq:promo_code"),
        ("de", "Rücksendung", "policy:returns"),
        ("nl", "Oslo", "product:oslo"),
    ],
)
def test_the_nearest_facts_are_found(
    knowledge: Knowledge, language: str, question: str, source: str
) -> None:
    facts = knowledge.retrieve(question, language, Context())
    assert len(facts) == 6
    assert any(fact.source_id.startswith(source) for fact in facts[:4]), [
        fact.source_id for fact in facts
    ]
    assert all(fact.language == language for fact in facts)


def test_kinds_that_are_named_come_first(knowledge: Knowledge) -> None:
    facts = knowledge.retrieve("headphones or speakers for the beach", "en", Context())
    assert {"product:sonata", "product:tango"} <= {fact.source_id for fact in facts[:3]}


def test_the_last_product_and_a_proved_order_come_along(knowledge: Knowledge) -> None:
    context = Context(last_product="nemo", offered=("luna",), order="BE-10482")
    facts = knowledge.retrieve("is it good", "en", context, 3)
    sources = [fact.source_id for fact in facts]
    assert sources[0] == "order:BE-10482"
    assert "product:nemo" in sources
    assert len(sources) == 3


def test_a_language_the_shop_lacks_gets_the_default(knowledge: Knowledge) -> None:
    assert knowledge.retrieve("Oslo", "it", Context())[0].language == "fr"


@pytest.mark.parametrize("text", ["", "?", "hm", "x" * 500, "42", "ぜひ", "la la la la"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fallback_always_says_something(knowledge: Knowledge, language: str, text: str) -> None:
    for context in (Context(), Context(last_product="oslo", awaiting="product", turn=3)):
        answer = knowledge.fallback(text, language, context)
        assert answer.text
        assert answer.clauses[0].language == language


def test_the_fallback_describes_a_product_or_reads_what_is_near(knowledge: Knowledge) -> None:
    told = knowledge.fallback("my uncle once saw the Venus mirror in a film", "en", Context())
    assert cards(told) == ["venus"]
    near = knowledge.fallback("packaging plastic cardboard environment", "en", Context())
    assert near.facts
    nothing = knowledge.fallback("trains are late", "en", Context())
    assert nothing.intent == "fallback"
    assert "555 01 23" in nothing.text


def test_the_hint_is_bounded_and_names_the_products(knowledge: Knowledge) -> None:
    hint = knowledge.names_hint()
    assert hint.startswith("Marolle, Oslo")
    assert len(hint.split()) <= HINT_WORDS


# -- what is said rests on facts ----------------------------------------------------------------

NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
HARMLESS = {"2", "3", "5"}
"""How many ideas there are, and how many digits an order number has."""


def questions() -> Iterator[tuple[str, str]]:
    data = Path(__file__).parent / "data" / "paraphrases.tsv"
    for line in data.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, _, text = line.split("\t")
            yield language, text


def test_every_number_that_is_spoken_is_in_a_fact(knowledge: Knowledge) -> None:
    answered = 0
    for language, text in questions():
        for context in (Context(), Context(last_product="siena", turn=1)):
            answer = knowledge.answer(text, language, context)
            if answer is None:
                continue
            answered += 1
            facts = " ".join(fact.text for fact in answer.facts)
            contact = knowledge.shop.policies.phone
            spoken = set(NUMBER.findall(answer.text.replace(contact, "")))
            known = set(NUMBER.findall(facts)) | HARMLESS
            assert spoken <= known, (text, answer.text, spoken - known)
    assert answered > 500


def test_every_clause_can_be_spoken(knowledge: Knowledge) -> None:
    first_words = []
    for language, text in questions():
        answer = knowledge.answer(text, language, Context()) or knowledge.fallback(
            text, language, Context()
        )
        assert 1 <= len(answer.clauses) <= 6
        for clause in answer.clauses:
            assert clause.text == clause.text.strip()
            assert not re.search(r"[{}\[\]|*#]|\s\s", clause.text), clause.text
            assert clause.language == language
        assert len(answer.clauses[0].text) >= SHORTEST
        assert answer.text[-1] in ".!?", answer.text
        first_words.append(len(answer.clauses[0].text.split()))
    assert sorted(first_words)[len(first_words) // 2] <= 8
