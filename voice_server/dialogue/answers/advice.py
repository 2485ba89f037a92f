"""Answers that help to choose: advice, comparison, something cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_server.dialogue.answers.phrasing import noun
from voice_server.dialogue.answers.products import listing, unknown
from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.facts import Fact
from voice_server.shop.catalogue import Product
from voice_server.shop.taste import season

OFFER = 3
"""More than three items are not remembered by ear."""


def recommend(scene: Scene) -> Draft | None:
    """What would you suggest (of a kind, for somebody, below a price)?"""
    if scene.mentions.products:
        return _one(scene, scene.products[0])
    if scene.mentions.unknown_name and scene.mentions.kinds:
        return unknown(scene)
    found = _candidates(scene)
    if not found:
        return _ask(scene)
    limit = scene.mentions.limit
    fitting = [p for p in found if limit is None or p.price <= limit]
    if not fitting:
        cheapest = min(found, key=lambda p: p.price)
        said = scene.say("recommend_none", cheapest, price=scene.money(cheapest))
        return scene.about(cheapest, said)
    if scene.mentions.cheaper:
        fitting = sorted(fitting, key=lambda p: p.price)
    chosen = [p for p in fitting if p.available][:OFFER] or fitting[:OFFER]
    if len(chosen) == 1:
        return _one(scene, chosen[0])
    wishes, kinds = _wishes(scene)
    draft = listing(scene, "recommend_many", chosen)
    kept = {
        "wishes": tuple(sorted(wishes)),
        "category": next(iter(kinds), None),
        "reasons": _reasons(scene, *chosen),
    }
    return replace(draft, changes=draft.changes | kept)


def _candidates(scene: Scene) -> list[Product]:
    """Return what fits kinds and uses, best first; without either, nothing."""
    near = {
        product.id: place for place, product in enumerate(scene.nearest(len(scene.shop.catalogue)))
    }
    wishes, kinds = _wishes(scene)
    pool: Sequence[Product] = [p for kind in kinds for p in scene.shop.catalogue.in_category(kind)]
    if not pool and wishes:
        pool = [p for p in scene.shop.catalogue if wishes & p.tags]
    if not pool and scene.mentions.limit is not None:
        pool = list(scene.shop.catalogue)
    unique = list(dict.fromkeys(pool))
    # What they like decides between equals, and what they have is not offered first: both only
    # with consent, without which the context holds neither.
    likes, owned = set(scene.context.likes), set(scene.context.bought)
    return sorted(
        unique,
        key=lambda p: (
            -len(wishes & p.tags), p.id in owned, -len(likes & p.tags), near.get(p.id, 0)
        ),
    )  # fmt: skip


def _wishes(scene: Scene) -> tuple[set[str], tuple[str, ...]]:
    """Return uses and kinds asked for; "under sixty euros" narrows what was asked before."""
    uses, kinds, context = scene.mentions.uses, scene.mentions.kinds, scene.context
    narrows = context.last_intent == "recommend" and not kinds
    if narrows and (scene.mentions.limit is not None or scene.mentions.cheaper or uses):
        kinds = (context.category,) if context.category else ()
        uses = (*uses, *context.wishes)
    return set(uses), kinds


def _one(scene: Scene, product: Product) -> Draft:
    said = scene.say(
        "recommend_one",
        product,
        summary=product.text(scene.language).summary,
        price=scene.money(product),
    )
    said += stressed(scene, product)
    return scene.about(product, said, reasons=_reasons(scene, product))


def stressed(scene: Scene, product: Product) -> list[str]:
    """Say what counts on this market about a product, and that it suits the season."""
    taste, said = scene.taste, list[str]()
    if taste.emphasis == "durability":
        said += scene.say("taste_durability", product, years=scene.sheets.warranty(product))
    elif taste.emphasis == "style" and len(product.colours) > 1:
        words = [scene.shop.colour(colour, scene.language) for colour in product.colours]
        said += scene.say("options", product, options=scene.sheets.join(words))
    elif taste.emphasis == "precision" and len(product.dimensions) >= 2:
        said += scene.say("taste_precision", product, size=scene.sheets.dimensions(product))
    elif taste.emphasis == "price" and product.was_price is not None:
        said += scene.say("taste_price", was=scene.sheets.money(product.was_price))
    now = season(scene.now.date(), scene.country)
    if taste.seasons and now in product.tags:
        said += scene.say(f"season_{now}", product)
    return said


def _reasons(scene: Scene, *products: Product) -> tuple[str, ...]:
    """Return why these were advised, as identifiers: for "why this?" and the decision record."""
    wishes, kinds = _wishes(scene)
    tags = {tag for product in products for tag in product.tags}
    limit = scene.mentions.limit
    found = [f"wish {wish}" for wish in sorted(wishes & tags)]
    found += [f"kind {kind}" for kind in kinds]
    found += [f"limit {limit}"] if limit is not None else []
    found += [f"likes {tag}" for tag in scene.context.likes if tag in tags]
    found += [f"bought {own.id}" for own in _passed_over(scene, products)[:1]]
    return tuple(found)


def _passed_over(scene: Scene, chosen: Sequence[Product]) -> list[Product]:
    """Return what fits as well and was not advised because they have it."""
    wishes, kinds = _wishes(scene)
    owned = [scene.shop.catalogue.get(key) for key in scene.context.bought]
    of_kind = {p.id for kind in kinds for p in scene.shop.catalogue.in_category(kind)}
    return [
        product
        for product in owned
        if product is not None
        and product not in chosen
        and (product.id in of_kind if kinds else bool(wishes & product.tags))
    ]


def _ask(scene: Scene) -> Draft | None:
    """Nothing to go by: say what there is, or ask for whom it is."""
    if len(scene.text.split()) > 7:
        return None  # a long wish that names nothing we know: the model may understand it
    return Draft(tuple(scene.say("recommend_ask")), changes={"awaiting": "wish"}, sure=0.9)


def sells(scene: Scene) -> Draft:
    """What do you sell?"""
    roots = [c for c in scene.shop.catalogue.categories.values() if not c.parent]
    kinds = [c.names[scene.language][0] for c in roots if scene.language in c.names]
    about = scene.shop.text(scene.language).description
    said = scene.say("sells", about=about, kinds=scene.sheets.join(kinds[:5]))
    fact = Fact("shop:about", "shop", scene.shop.name, " ".join(said), scene.language)
    return Draft(tuple(said), (fact,))


def compare(scene: Scene) -> Draft | None:
    """What is the difference between these two?"""
    pair = _pair(scene)
    if len(pair) < 2:
        return Draft(tuple(scene.say("compare_ask")), sure=0.85)
    first, second = pair[:2]
    a, b = (noun(p.text(scene.language), scene.language) for p in (first, second))
    if first.price == second.price:
        said = scene.say("compare_same", pa=scene.money(first))
    else:
        said = scene.book.clauses(
            "compare_price",
            scene.context.turn,
            a,
            A=a.the[:1].upper() + a.the[1:],
            b=b.the,
            pa=scene.money(first),
            pb=scene.money(second),
        )
    materials = [p.text(scene.language).material for p in (first, second)]
    if all(materials) and not any(a in b for a, b in (materials, materials[::-1])):
        said += scene.say("compare_material", ma=materials[0], mb=materials[1])
    return Draft(
        tuple(said),
        tuple(scene.sheets.product(p) for p in (first, second)),
        tuple(scene.sheets.card(p) for p in (first, second)),
        {"offered": (first.id, second.id), "last_product": None},
    )


def _pair(scene: Scene) -> list[Product]:
    found = list(scene.products)
    if len(found) < 2:
        found += [
            product
            for key in (scene.context.last_product, *scene.context.offered)
            if (product := scene.shop.catalogue.get(key)) is not None and product not in found
        ]
    return found


def cheaper(scene: Scene) -> Draft | None:
    """Is there something cheaper?"""
    catalogue = scene.shop.catalogue
    if scene.choice:
        return _cheapest(scene, scene.choice)
    product = scene.product
    if product is None:
        offered = [p for key in scene.context.offered if (p := catalogue.get(key))]
        return _cheapest(scene, offered) if offered else recommend(scene)
    # "A lamp" was asked for: then any lamp will do, not only the kind that was shown.
    wide = catalogue.in_category(scene.context.category or "")
    pool = wide if product in wide else catalogue.in_category(product.category)
    rivals = [p for p in pool if p.price < product.price and p.available]
    if not rivals:
        return scene.about(product, scene.say("cheaper_none", product, price=scene.money(product)))
    best = max(rivals, key=lambda p: p.price)
    return scene.about(best, scene.say("cheaper", best, price=scene.money(best)))


def _cheapest(scene: Scene, products: Sequence[Product]) -> Draft:
    best = min(products, key=lambda p: p.price)
    return scene.about(best, scene.say("cheapest", best, price=scene.money(best)))
