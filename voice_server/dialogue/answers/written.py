"""Whether what is asked is written down: of a product that is named, of a thing that is sold."""

from __future__ import annotations

from voice_server.dialogue.answers import about_products
from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.coverage import CUES, Coverage
from voice_server.dialogue.cues import Cues
from voice_server.dialogue.intents import UNKNOWN
from voice_server.dialogue.mention_words import ARTICLES, FOR_WHAT
from voice_server.dialogue.words import tokens

SOFTLY = (about_products | {UNKNOWN}) - {"warranty", "delivery_cost", "compare", "cheaper"}
"""Intents for which a sentence with hours or litres may be what "how long", "how much" asks for."""
SMALL = 3
"""Letters of a word that is no thing's name."""


def written(scene: Scene, coverage: Coverage, cues: Cues, *, sure: bool) -> Draft | None:
    """Return what is written of an attribute that is asked for of a product.

    A draft without sentences says that nothing is; None, that the intent may answer.

    Args:
        scene: the question.
        coverage: of its language.
        cues: of its language.
        sure: its intent is sure.
    """
    unknown = scene.intent == UNKNOWN
    asked = coverage.asked(scene.text)
    if coverage.never(asked):
        return Draft(())
    pointed = scene.products or unknown or scene.intent in about_products
    product = scene.product if pointed else None
    if product is None:
        return Draft(()) if unknown else None
    if scene.intent not in SOFTLY or cues.has("deliver", scene.text):
        asked = coverage.must(asked)
    said = coverage.covering(asked, product, scene.language)
    if said:
        return scene.about(product, said)
    if coverage.must(asked):
        return Draft(())
    if unknown:
        return Draft(())
    nearest = next(iter(scene.details(product)), ("", 0.0))[1]
    group = CUES.get(scene.intent)
    cued = group is not None and cues.has(group, scene.text)
    misses = coverage.misses(
        scene.intent, scene.mentions, product, nearest, cued=cued, sure=sure,
        language=scene.language,
    )  # fmt: skip
    return Draft(()) if misses else None


def not_ours(scene: Scene, cues: Cues) -> bool:
    """Tell whether they want to buy, or have found for them, a thing that is none of ours.

    For whom or when it is meant does not make it ours: "skis for the winter" are skis.
    """
    mentions = scene.mentions
    if mentions.products or scene.intent not in {"recommend", "assortment"}:
        return False
    wish = cues.behind("have", scene.text)
    if wish is not None and _names_stranger(wish, scene):
        return True
    kind = mentions.kinds or mentions.uses or mentions.colours or mentions.sizes
    if kind or mentions.limit is not None or mentions.country:
        return False
    return mentions.strange_thing or (mentions.stranger and wish is not None)


def _names_stranger(wish: str, scene: Scene) -> bool:
    """Is the noun of a wish a word that nobody here knows?

    What it is for comes behind a preposition; in French the noun comes first, else last.
    """
    noun = ""
    for word in tokens(wish):
        if word in FOR_WHAT and noun:
            break
        if len(word) <= SMALL or word in ARTICLES:
            continue
        if not noun or scene.language != "fr":
            noun = word
    return noun in scene.mentions.strange_words
