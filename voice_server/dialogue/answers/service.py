"""Answers about delivery, payment, warranty and people: from the shop's policies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.words import fold
from voice_server.shop import wording
from voice_server.shop.catalogue import Product
from voice_server.shop.pack_products import sentences
from voice_server.shop.policies import Delivery, Hours
from voice_server.shop.taste import holidays_between


def section(scene: Scene, key: str) -> Draft | None:
    """Read out a section of the policies; None if the shop has none of that name."""
    fact = scene.section(key)
    if fact is None:
        return None
    return Draft(sentences(fact.text), (fact,))


_MEANS = re.compile(
    r"bitcoin|crypto|krypto|ethereum|\bcheques?\b|\bchecks?\b|\bscheck|western union|sepa"
    r"|ticket restaurant|cheques?[- ]repas|eco[- ]?cheque|maaltijdcheque|goldbarren|\bgold\b"
)
"""Ways to pay that people ask for besides those of voice_server/shop/data/payments.csv, folded."""


def payment(scene: Scene) -> Draft | None:
    """How can one pay: says first that a way that is asked for is not among them."""
    draft = section(scene, "payment_methods")
    if draft is None:
        return None
    asked = _MEANS.findall(fold(scene.text))
    listed = fold(draft.facts[0].text)
    if asked and not any(way in listed for way in asked):
        return replace(draft, sentences=(*scene.say("payment_not"), *draft.sentences))
    return draft


# -- delivery ---------------------------------------------------------------------------------


def delivery_time(scene: Scene) -> Draft | None:
    """How long does it take (for this product, to that country)?"""
    country = _abroad(scene)
    if country:
        return _country(scene, country, "delivery_country_time")
    product = scene.product
    home = _home(scene)
    if product is None or home is None:
        return _delivery_home(scene, home)
    days = scene.sheets.delivery_days(product)
    fields = {"days": days, "days_dat": scene.sheets.days_dative(days)}
    restock = [v.restock_days for v in product.variants if v.restock_days is not None]
    if not product.available and restock:
        back = scene.shop.market.working_day(scene.now.date(), min(restock))
        said = scene.say("delivery_after_stock", product, date=scene.sheets.day(back), **fields)
        return scene.about(product, said)
    date = _arrival(scene, product.delivery_days)
    said = scene.say("delivery_product", product, date=date, **fields)
    said += _resting(scene, product.delivery_days)
    return scene.about(product, said)


def _delivery_home(scene: Scene, home: Delivery | None) -> Draft | None:
    fact = scene.section("delivery_time")
    if home is None or fact is None:
        return section(scene, "delivery_time")
    said = scene.say(
        "delivery_home",
        days=wording.working_days(home.days_min, home.days_max, scene.language),
        date=_arrival(scene, home.days_max),
        **scene.home,
    )
    said += _resting(scene, home.days_max)
    return Draft(tuple(said), (fact, _said(scene, fact_text=said)))


def delivery_cost(scene: Scene) -> Draft | None:
    """What does delivery cost (for this product, to that country)?"""
    country = _abroad(scene)
    if country:
        return _country(scene, country, "delivery_country_cost")
    product, home = scene.product, _home(scene)
    if product is None or home is None or home.free_from is None or not scene.products:
        return section(scene, "delivery_cost")
    return _product_cost(scene, product, home, home.free_from)


def _product_cost(scene: Scene, product: Product, home: Delivery, free: Decimal) -> Draft:
    key = "delivery_cost_free" if product.price >= free else "delivery_cost_product"
    said = scene.say(
        key,
        product,
        cost=scene.sheets.money(home.cost),
        free=scene.sheets.money(free),
        **scene.home,
    )
    draft = scene.about(product, said)
    fact = scene.section("delivery_cost")
    return Draft(
        draft.sentences, (*draft.facts, *([fact] if fact else [])), draft.cards, draft.changes
    )


def delivery_countries(scene: Scene) -> Draft | None:
    """Do you deliver there?"""
    if scene.mentions.country:
        return _country(scene, scene.mentions.country, "delivery_country")
    return section(scene, "delivery_countries")


def _country(scene: Scene, code: str, key: str) -> Draft:
    delivery = scene.shop.policies.delivery.get(code)
    market = scene.shop.market
    to = wording.to_country(code, market, scene.language)
    fact = scene.section("delivery_countries")
    if delivery is None:
        countries = wording.to_countries(list(scene.shop.policies.delivery), market, scene.language)
        said = scene.say("delivery_country_no", to=to, countries=countries)
        return Draft(tuple(said), (_said(scene, said), *([fact] if fact else [])))
    said = scene.say(
        key,
        to=to,
        days=wording.working_days(delivery.days_min, delivery.days_max, scene.language),
        cost=wording.amount_or_free(delivery.cost, market, scene.language),
    )
    if delivery.free_from is not None and delivery.cost:
        said += scene.say("delivery_free_from", free=scene.sheets.money(delivery.free_from))
    source = f"policy:delivery_{code}"
    return Draft(tuple(said), (_said(scene, said, source),), changes={"country": code})


def _said(scene: Scene, fact_text: list[str], source: str = "policy:delivery") -> Fact:
    """Return the fact behind an answer that is computed from the policies' numbers."""
    section = scene.section("delivery_countries")
    title = section.title if section else scene.shop.name
    return Fact(source, "policy", title, " ".join(fact_text), scene.language)


def _home(scene: Scene) -> Delivery | None:
    return next(iter(scene.shop.policies.delivery.values()), None)


def _abroad(scene: Scene) -> str:
    home = _home(scene)
    country = scene.mentions.country
    if not country and not scene.products and _was_delivery(scene):
        country = scene.context.country
    return country if country and (home is None or country != home.country) else ""


def _was_delivery(scene: Scene) -> bool:
    return (scene.context.last_intent or "").startswith("delivery")


def _resting(scene: Scene, days: int) -> list[str]:
    """Say which public holiday of the home market lies between now and a parcel's arrival."""
    market, today = scene.shop.market, scene.now.date()
    arrives = market.working_day(today, days)
    for day, name in holidays_between(today, arrives, market.country, scene.language):
        return scene.say("delivery_holiday", date=scene.sheets.day(day), name=name)
    return []


def _arrival(scene: Scene, days: int) -> str:
    return scene.sheets.day(scene.shop.market.working_day(scene.now.date(), days))


# -- warranty ---------------------------------------------------------------------------------


def warranty(scene: Scene) -> Draft | None:
    """How long is the warranty?"""
    product = scene.product if scene.products or scene.context.last_product else None
    if product is None:
        return section(scene, "warranty")
    said = scene.say("warranty_product", product, years=scene.sheets.warranty(product))
    return scene.about(product, said)


# -- people -----------------------------------------------------------------------------------


def hours(scene: Scene) -> Draft | None:
    """When are you open (now, on that day)?"""
    fact = scene.section("hours")
    if fact is None:
        return None
    weekday = _weekday(scene)
    week = {hours.weekday: hours for hours in scene.shop.policies.hours}
    if weekday is not None:
        said = _day(scene, weekday, week.get(weekday))
        return Draft(tuple(said), (fact, _facts_hours(scene, said)))
    if _asks_now(scene):
        return Draft(tuple(_now(scene, "hours_now")), (fact, _facts_hours(scene)))
    return Draft(sentences(fact.text), (fact,))


def _day(scene: Scene, weekday: int, day: Hours | None) -> list[str]:
    market = scene.shop.market
    name = market.weekday(weekday, scene.language)
    if scene.language == "fr":
        name = f"le {name}"
    fields = {"day": name, "Day": name[:1].upper() + name[1:]}
    if day is None:
        return scene.say("hours_day_closed", hours=_week(scene), **fields)
    return scene.say(
        "hours_day",
        opens=market.clock(day.opens, scene.language),
        closes=market.clock(day.closes, scene.language),
        **fields,
    )


def _weekday(scene: Scene) -> int | None:
    words = fold(scene.text).split()
    for weekday in range(7):
        name = fold(scene.shop.market.weekday(weekday, scene.language))
        if any(word.strip(".,?!").rstrip("s") == name.rstrip("s") for word in words):
            return weekday
    return None


_NOW = {
    "fr": ("maintenant", "en ce moment", "aujourd'hui", "la tout de suite", "ouvert la"),
    "nl": ("nu", "op dit moment", "vandaag"),
    "de": ("jetzt", "gerade", "heute", "im moment"),
    "en": ("now", "right now", "at the moment", "today"),
}


def _asks_now(scene: Scene) -> bool:
    text = f" {fold(scene.text)} "
    return any(f" {word} " in text.replace("?", " ") for word in _NOW.get(scene.language, ()))


def opening(scene: Scene) -> tuple[Hours | None, datetime | None, Hours | None]:
    """Return today's hours if people answer now; else when, and with which hours, they will."""
    week = {hours.weekday: hours for hours in scene.shop.policies.hours}
    for ahead in range(15):
        day = scene.now + timedelta(days=ahead)
        hours = week.get(day.weekday())
        if hours is None or scene.shop.market.is_holiday(day.date()):
            continue
        if ahead == 0 and hours.opens <= scene.now.time() < hours.closes:
            return hours, None, None
        if ahead or scene.now.time() < hours.opens:
            return None, day, hours
    return None, None, None


def _now(scene: Scene, key: str) -> list[str]:
    """Say whether people answer now; ``key`` has the forms _open and _closed."""
    today, day, then = opening(scene)
    market, policies = scene.shop.market, scene.shop.policies
    fields = {"phone": policies.phone, "email": policies.email, "hours": _week(scene)}
    if today is not None:
        closes = market.clock(today.closes, scene.language)
        return scene.say(f"{key}_open", closes=closes, **fields)
    if day is not None and then is not None:
        return scene.say(
            f"{key}_closed",
            day=scene.sheets.day(day.date()),
            opens=market.clock(then.opens, scene.language),
            **fields,
        )
    return scene.say("human", **fields)


def _week(scene: Scene) -> str:
    return wording.opening_hours(scene.shop.policies.hours, scene.shop.market, scene.language)


def _facts_hours(scene: Scene, answer: Sequence[str] = ()) -> Fact:
    """Every number of the week and of the answer, for the sentence gate."""
    fact = scene.section("hours")
    said = [*_now(scene, "hours_now"), *answer]
    title = fact.title if fact else scene.shop.name
    return Fact("shop:hours", "shop", title, " ".join([_week(scene), *said]), scene.language)


def contact(scene: Scene) -> Draft | None:
    """How can you be reached?"""
    return section(scene, "contact")


def human(scene: Scene) -> Draft:
    """I want a person: honest about how, and when."""
    said = _now(scene, "human")
    return Draft(tuple(said), reach(scene))


def complaint(scene: Scene) -> Draft:
    """They are angry: sorry, and somebody who can act."""
    return Draft(tuple(scene.say("complaint", **_ways(scene))), reach(scene))


def _ways(scene: Scene) -> dict[str, str]:
    policies = scene.shop.policies
    return {"phone": policies.phone, "email": policies.email, "hours": _week(scene)}


def reach(scene: Scene) -> tuple[Fact, ...]:
    """Return the facts behind a sentence that says how a human can be reached."""
    fact = scene.section("contact")
    return (*([fact] if fact else []), _facts_hours(scene))


# -- talk -------------------------------------------------------------------------------------


def talk(scene: Scene) -> Draft:
    """Courtesies, who we are and what we cannot do: said from the template of the intent."""
    key = scene.intent if scene.intent in scene.book.entries else "fallback"
    return Draft(
        tuple(scene.say(key, shop=scene.shop.name, **_ways(scene))), _talk_facts(scene, key)
    )


def repeat(scene: Scene) -> Draft:
    """Say it again: the last answer from facts, or what one may ask if there was none."""
    said = scene.context.said or tuple(scene.say("capabilities"))
    context = scene.context
    kept = {"last_intent": context.last_intent, "awaiting": context.awaiting}
    return Draft(said, changes=kept)


def identity(scene: Scene) -> Draft:
    """Who are you, are you human: always an AI, and for whom it speaks."""
    text = fold(scene.text)
    asks_name = any(
        word in text
        for word in ("appel", "votre nom", "heet", "uw naam", "heiss", "heisst", "ihr name", "name")
    )
    asks_nature = any(
        word in text
        for word in ("humain", "robot", "personne", "machine", "mens", "persoon", "roboter",
                     "person", "human", "maschine", "computer", "ordinateur", "intellig")
    )  # fmt: skip
    key = "identity_name" if asks_name and not asks_nature else "identity"
    # The second wording denies being a person, which answers only "are you human?".
    human_asked = any(
        w in text for w in ("humain", "personne", "mens", "persoon", "human", "person")
    )
    turn = 1 if key == "identity" and human_asked else 0
    said = scene.book.clauses(key, turn, shop=scene.shop.name, **_ways(scene))
    return Draft(tuple(said), _talk_facts(scene, key))


def _talk_facts(scene: Scene, key: str) -> tuple[Fact, ...]:
    return reach(scene) if key in {"identity", "fallback"} else ()
