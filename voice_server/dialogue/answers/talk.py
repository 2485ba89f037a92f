"""Answers about the talk itself: speak simply, why this one, forget what I bought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.words import fold

Handler = Callable[[Scene], Draft | None]

WHY = {"fr": ("pourquoi",), "nl": ("waarom",), "de": ("warum", "wieso", "weshalb"), "en": ("why",)}
WHY_WORDS = 6
"""After advice, "why this one?" is short; a longer sentence asks something else."""


def asks_why_this(text: str, language: str) -> bool:
    """Tell whether an utterance after advice asks for its reasons."""
    words = fold(text).replace("?", " ").split()
    return len(words) <= WHY_WORDS and any(word in WHY.get(language, ()) for word in words)


def at_level(scene: Scene, handler: Handler | None) -> Draft:
    """Say the last answer again for the level they asked for, or ask what they want to know.

    ``handler`` is that of the last answer, None if there was none from facts.
    """
    opening = scene.say(f"level_{scene.context.level}")
    last = scene.context.last_intent or ""
    again = handler(replace(scene, intent=last)) if handler is not None else None
    if again is None:
        return Draft((*opening, *scene.say("level_ask")))
    # The thread stays where it was: the next "and in blue?" is about what was said again.
    changes = {**again.changes, "last_intent": last}
    return replace(again, sentences=(*opening, *again.sentences), changes=changes)


def why_advice(scene: Scene) -> Draft:
    """Say why something was advised, from the reasons that were used and from no others."""
    parts: list[str] = []
    for reason in scene.context.reasons:
        kind, _, value = reason.partition(" ")
        said = scene.book.text(f"why_{kind}", word=_word(scene, kind, value))
        said = said[:1].lower() + said[1:]
        if said not in parts:
            parts.append(said)
    context = scene.context
    kept = {"last_intent": context.last_intent, "reasons": context.reasons}
    return Draft(tuple(scene.say("why_advice", reasons=scene.sheets.join(parts))), changes=kept)


def _word(scene: Scene, kind: str, value: str) -> str:
    """Return a reason's value as the caller's language has it."""
    if kind == "kind":
        category = scene.shop.catalogue.categories.get(value)
        names = category.names.get(scene.language, ()) if category is not None else ()
        return names[0] if names else value
    if kind == "bought":
        product = scene.shop.catalogue.get(value)
        return scene.noun(product).den if product is not None else value
    if kind == "limit":
        return scene.sheets.money(scene.amount(value))
    return scene.use(value)


def forgotten(scene: Scene) -> Draft:
    """They took their consent back: it holds already, say so."""
    changes = {"bought": (), "likes": (), "reasons": (), "consent": ""}
    return Draft(tuple(scene.say("forgotten")), changes=changes)
