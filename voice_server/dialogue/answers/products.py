"""Answers about products: price, stock, variants, properties."""

from __future__ import annotations

from collections.abc import Sequence

from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.answers.sheets import FEW
from voice_server.dialogue.words import fold
from voice_server.shop.catalogue import Product, Variant
from voice_server.shop.taste import VAT_INCLUDED
from voice_server.shop.units import inches, pounds, wants_imperial, word_lengths, word_weight

DETAIL = 0.42
"""Likeness of a question to one of a product's sentences from which the sentence answers it.
Below, the right sentence came first in only half of the demo pack's questions."""
_HEAVY = (
    "poids",
    "pese",
    "lourd",
    "weeg",
    "gewicht",
    "zwaar",
    "wieg",
    "schwer",
    "weigh",
    "heavy",
    "pound",
)
POINTED = 0.55
"""Likeness from which a question is about that sentence, whatever its intent seemed to be."""
LEADING = 0.3
LEAD = 0.12
"""So far ahead of the second, a sentence answers with likeness LEADING."""
ALIKE = 0.06
"""A second sentence is said too when it is as near as this to the first."""


def price(scene: Scene) -> Draft | None:
    """What does it cost?"""
    product = scene.product
    if product is None:
        return which(scene)
    colour, size = scene.variant_wish(product)
    chosen = product.select(colour=colour, size=size) if colour or size else ()
    if size and not product.one_price and chosen:
        words = scene.sheets.variant("", size)
        said = scene.say(
            "price_variant", product, price=scene.sheets.money(chosen[0].price), variant=words
        )
        return scene.about(product, _taxed(scene, said), variant=chosen[0], size=size)
    if not product.one_price:
        return scene.about(
            product,
            _taxed(scene, scene.say("price_sizes", product, pairs=scene.sheets.prices(product))),
        )
    if product.was_price is not None:
        said = scene.say(
            "price_was",
            product,
            price=scene.money(product),
            was=scene.sheets.money(product.was_price),
        )
    else:
        said = scene.say("price", product, price=scene.money(product))
    said = _taxed(scene, said)
    home = next(iter(scene.shop.policies.delivery.values()), None)
    if home is not None and home.free_from is not None and product.price >= home.free_from:
        said += scene.say("delivery_free", **scene.home)
    return scene.about(product, said)


def _taxed(scene: Scene, said: list[str]) -> list[str]:
    """Add "VAT included" to a price where the market wants it, once in a row."""
    if not scene.taste.vat or scene.context.last_intent == "price" or not said[-1].endswith("."):
        return said
    words = VAT_INCLUDED.get(scene.language, VAT_INCLUDED["en"])
    return [*said[:-1], f"{said[-1][:-1]}, {words}."]


def which(scene: Scene) -> Draft | None:
    """The product is not clear: say which there are, or ask."""
    if scene.mentions.unknown_name:
        return unknown(scene)
    choice = scene.choice
    if scene.mentions.stranger and not scene.mentions.kinds:
        return unknown(scene)
    if choice:
        few = sorted(choice, key=lambda p: p.price)[:3]
        return listing(scene, "which_of", few, awaiting="product")
    return Draft(tuple(scene.say("which_product")), changes={"awaiting": "product"}, sure=0.9)


def unknown(scene: Scene) -> Draft:
    """They name something we do not have; offer what is nearest."""
    choice = scene.of_kind
    if not choice:
        return Draft(tuple(scene.say("unknown_kind")), sure=0.9)
    return listing(scene, "unknown_product", choice[:3], sure=0.8)


def listing(
    scene: Scene, key: str, products: Sequence[Product], *, sure: float = 1.0, **changes: str
) -> Draft:
    """Return a template that lists products with their prices."""
    items = [
        scene.book.text(
            "recommend_item", 0, scene.noun(product), price=scene.money(product)
        ).strip()
        for product in products
    ]
    items = [item[:1].lower() + item[1:] for item in items]
    said = scene.say(key, count=str(len(items)), list=scene.sheets.join(items, either=True))
    return Draft(
        tuple(said),
        tuple(scene.sheets.product(product) for product in products),
        tuple(scene.sheets.card(product) for product in products),
        {
            "offered": tuple(product.id for product in products),
            "last_product": products[0].id if len(products) == 1 else None,
            **changes,
        },
        sure,
    )


def availability(scene: Scene) -> Draft | None:
    """Is it in stock, in that colour and size?"""
    product = scene.product
    if product is None:
        return which(scene)
    colour, size = scene.variant_wish(product)
    if not colour and not size:
        return _any_variant(scene, product)
    wish = scene.sheets.variant(colour, size)
    chosen = product.select(colour=colour, size=size)
    if not chosen:
        options = scene.sheets.options(product.variants)
        if not options:
            return scene.about(product, scene.say("options_one", product))
        said = scene.say("variant_unknown", product, variant=wish, options=options)
        return scene.about(product, said)
    there = [variant for variant in chosen if variant.available]
    if there:
        said = scene.say("stock_variant_yes", product, variant=wish)
        if len(there) == 1 and there[0].stock <= FEW:
            said += scene.say("stock_few", product, count=str(there[0].stock))
        elif not size and len(product.sizes) > 1:
            said += scene.say("sizes", product, options=_sizes(scene, there))
        return scene.about(product, said, variant=there[0], colour=colour, size=size)
    said = scene.say("stock_variant_no", product, variant=wish)
    said += _back(scene, chosen)
    others = _others(product, colour, size)
    if others:
        said += scene.say("stock_others", product, options=scene.sheets.options(others))
    return scene.about(product, said, variant=chosen[0], colour=colour, size=size)


def _any_variant(scene: Scene, product: Product) -> Draft:
    there = [variant for variant in product.variants if variant.available]
    if not there:
        return scene.about(product, scene.say("stock_no", product) + _back(scene, product.variants))
    if len(there) < len(product.variants):
        colours = list(dict.fromkeys(v.colour for v in there if v.colour))
        if colours and set(colours) != set(product.colours):
            words = scene.sheets.join([scene.shop.colour(c, scene.language) for c in colours])
            return scene.about(product, scene.say("stock_some", product, colours=words))
    said = scene.say("stock_yes", product)
    if sum(variant.stock for variant in there) <= FEW:
        count = sum(variant.stock for variant in there)
        said += scene.say("stock_few", product, count=str(count))
    return scene.about(product, said)


def _back(scene: Scene, variants: Sequence[Variant]) -> list[str]:
    days = [v.restock_days for v in variants if v.restock_days is not None]
    if not days:
        return scene.say("stock_unknown")
    day = scene.shop.market.working_day(scene.now.date(), min(days))
    return scene.say("stock_back", date=scene.sheets.day(day))


def _others(product: Product, colour: str, size: str) -> list[Variant]:
    """Return what can be had instead: the same size if one was asked for."""
    there = [variant for variant in product.variants if variant.available]
    same_size = [variant for variant in there if size and variant.size == size]
    same_colour = [variant for variant in there if colour and variant.colour == colour]
    return same_size or same_colour or there


def _sizes(scene: Scene, variants: Sequence[Variant]) -> str:
    return scene.sheets.join(list(dict.fromkeys(v.size for v in variants)))


def options(scene: Scene) -> Draft | None:
    """Which colours and sizes are there?"""
    product = scene.product
    if product is None:
        return which(scene)
    colours, sizes = product.colours, product.sizes
    if not colours and not sizes:
        return scene.about(product, scene.say("options_one", product))
    said: list[str] = []
    if colours:
        words = scene.sheets.join([scene.shop.colour(c, scene.language) for c in colours])
        said += scene.say("options", product, options=words)
    if sizes:
        said += scene.say("sizes", product, options=scene.sheets.join(list(sizes)))
    return scene.about(product, said)


def info(scene: Scene) -> Draft | None:
    """Tell me about it."""
    product = scene.product
    if product is None:
        return which(scene)
    text = product.text(scene.language)
    nearest = next(iter(scene.details(product)), None)
    if nearest is not None and nearest[1] >= POINTED and nearest[0] != text.summary:
        return detail(scene)
    said = [text.summary]
    if product.one_price:
        said += scene.book.clauses(
            "info_more",
            scene.context.turn,
            scene.noun(product),
            price=scene.money(product),
        )
    return scene.about(product, said)


def detail(scene: Scene) -> Draft | None:
    """Does it have this property? Answered by the sentence of its text that is nearest."""
    product = scene.product
    if product is None:
        return which(scene) if scene.choice or scene.mentions.unknown_name else None
    ranked = scene.details(product)
    if not ranked or not _answers([score for _, score in ranked]):
        return None
    said = [ranked[0][0]]
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < ALIKE:
        said.append(ranked[1][0])
    return scene.about(product, said, sure=0.7 + 0.3 * min(1.0, ranked[0][1] / 0.6))


def unknown_detail(scene: Scene) -> Draft | None:
    """They ask what the shop has not written down: say so, what it is, and who may know."""
    product = scene.product
    if product is None:
        return None
    policies = scene.shop.policies
    said = scene.say(
        "unknown_detail",
        product,
        summary=product.text(scene.language).summary,
        phone=policies.phone,
        email=policies.email,
    )
    return scene.about(product, said, sure=0.8)


def _answers(scores: Sequence[float]) -> bool:
    """Tell whether the nearest sentence is near enough, or far enough ahead of the others."""
    lead = scores[0] - scores[1] if len(scores) > 1 else 0.0
    return scores[0] >= DETAIL or (scores[0] >= LEADING and lead >= LEAD)


def material(scene: Scene) -> Draft | None:
    """What is it made of?"""
    product = scene.product
    if product is None:
        return which(scene)
    text = product.text(scene.language)
    if not text.material:
        return detail(scene)
    return scene.about(product, scene.say("material", product, material=text.material))


def dimensions(scene: Scene) -> Draft | None:
    """How big, how heavy?"""
    product = scene.product
    if product is None:
        return which(scene)
    numbers = [scene.shop.market.number(value, scene.language) for value in product.dimensions]
    said: list[str] = []
    if len(numbers) == 3:
        said = scene.say("size_3", product, w=numbers[0], d=numbers[1], h=numbers[2])
    elif len(numbers) == 2:
        said = scene.say("size_2", product, w=numbers[0], h=numbers[1])
    elif product.sizes:
        said = scene.say("size_variants", product, options=scene.sheets.join(list(product.sizes)))
    asked = fold(scene.text)
    heavy = any(word in asked for word in _HEAVY)
    if heavy and product.weight_kg is not None:
        said = []
    if not said and not heavy and (found := detail(scene)) is not None:
        return found  # "how long is the blade?" is no question of weight
    weighed = product.weight_kg is not None and (heavy or not said)
    if weighed:
        said += scene.say("weight", product, weight=scene.sheets.weight(product))
    if said and (scene.taste.units == "imperial" or wants_imperial(asked, scene.language)):
        said += converted(scene, product, weighed=weighed)
    return scene.about(product, said) if said else detail(scene)


def converted(scene: Scene, product: Product, *, weighed: bool) -> list[str]:
    """Say the same in inches or pounds, and that it is converted."""
    number, language = scene.shop.market.number, scene.language
    if weighed and product.weight_kg is not None:
        value = word_weight(number(pounds(product.weight_kg), language), language)
    elif product.dimensions:
        value = word_lengths([number(inches(v), language) for v in product.dimensions], language)
    else:
        return []
    return scene.say("converted", value=value)


def care(scene: Scene) -> Draft | None:
    """How is it cleaned?"""
    product = scene.product
    if product is None:
        return which(scene)
    text = product.text(scene.language)
    return scene.about(product, [text.care]) if text.care else detail(scene)
