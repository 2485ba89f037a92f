"""What is said of prices and stock that cannot be looked up now: truly, and without a promise.

The words hold no number, so that no gate holds them back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice_server.dialogue.answers.scene import Draft, Scene
    from voice_server.shop.catalogue import Product

PRICE = {
    "fr": "Je ne peux pas vérifier nos prix à l'instant, voici le dernier que je connais.",
    "nl": "Ik kan onze prijzen nu even niet nakijken, dit is de laatste die ik ken.",
    "de": "Ich kann unsere Preise gerade nicht prüfen, das ist der letzte Stand, den ich kenne.",
    "en": "I can't check our prices right now, this is the last one I know.",
}
STOCK = {
    "fr": (
        "Je ne peux pas vérifier le stock à l'instant, et je ne voudrais rien vous promettre.",
        "Vous pouvez me le redemander dans un moment.",
    ),
    "nl": (
        "Ik kan de voorraad nu even niet nakijken, en ik wil u niets beloven.",
        "U kunt het me straks gerust nog eens vragen.",
    ),
    "de": (
        "Den Lagerbestand kann ich gerade nicht prüfen, und ich möchte Ihnen nichts versprechen.",
        "Fragen Sie mich gern gleich noch einmal.",
    ),
    "en": (
        "I can't check the stock right now, and I don't want to promise you anything.",
        "Do ask me again in a moment.",
    ),
}
DELIVERY = {
    "fr": "C'est sous réserve du stock, que je ne peux pas vérifier à l'instant.",
    "nl": "Dat is onder voorbehoud van de voorraad, die ik nu even niet kan nakijken.",
    "de": "Das gilt, wenn der Artikel auf Lager ist, was ich gerade nicht prüfen kann.",
    "en": "That is if it is in stock, which I can't check right now.",
}
FACT = {
    "fr": "Dernier prix connu, non vérifié à l'instant ; stock inconnu.",
    "nl": "Laatst bekende prijs, nu niet nagekeken; voorraad onbekend.",
    "de": "Letzter bekannter Preis, gerade nicht geprüft; Bestand unbekannt.",
    "en": "Last known price, not checked just now; stock unknown.",
}
CARD = {
    "fr": "Prix et stock non vérifiés",
    "nl": "Prijs en voorraad niet nagekeken",
    "de": "Preis und Bestand ungeprüft",
    "en": "Price and stock not checked",
}


def hedge(draft: Draft, scene: Scene) -> Draft:
    """Return a draft that claims no more than is known of its products' prices and stock."""
    doubtful = _doubtful(draft, scene)
    if not doubtful:
        return draft
    if scene.intent == "availability":
        facts = tuple(scene.sheets.product(product) for product in doubtful)
        return replace(draft, sentences=STOCK[scene.language], facts=facts)
    if scene.intent == "delivery_time":
        return replace(draft, sentences=(*draft.sentences, DELIVERY[scene.language]))
    said = " ".join(draft.sentences)
    amounts = {scene.sheets.money(v.price) for product in doubtful for v in product.variants}
    if any(amount in said for amount in amounts):
        return replace(draft, sentences=(PRICE[scene.language], *draft.sentences))
    return draft


def _doubtful(draft: Draft, scene: Scene) -> list[Product]:
    named = [scene.shop.catalogue.get(fact.product_id) for fact in draft.facts]
    return [p for p in named if p is not None and not scene.sheets.confirmed(p)]
