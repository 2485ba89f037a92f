"""Whether what is asked is written down: of a product that is named, of a thing that is sold."""

from __future__ import annotations

from voice_server.dialogue.answers import about_products
from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.coverage import CUES, Coverage
from voice_server.dialogue.cues import Cues
from voice_server.dialogue.intents import UNKNOWN


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
    pointed = scene.products or unknown or scene.intent in about_products
    product = scene.product if pointed else None
    if product is None:
        return Draft(()) if unknown else None
    asked = coverage.asked(scene.text)
    if asked:
        said = coverage.covering(asked, product, scene.language)
        return scene.about(product, said) if said else Draft(())
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
    """Tell whether they want to buy a thing that is none of ours."""
    if scene.mentions.names_anything or scene.intent not in {"recommend", "assortment"}:
        return False
    return scene.mentions.stranger and cues.has("have", scene.text)
