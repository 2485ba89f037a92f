"""What an utterance wants once its words and what was spoken of before are heard as well."""

from __future__ import annotations

from voice_server.dialogue.answers import HANDLERS, about_products
from voice_server.dialogue.cues import Cues
from voice_server.dialogue.facts import Context
from voice_server.dialogue.intents import Guess
from voice_server.dialogue.mention_words import THIS_ITEM
from voice_server.dialogue.mentions import Mentions
from voice_server.dialogue.words import plain

SURE = 0.6
"""Confidence from which an intent is answered. It is a pessimistic estimate: of the development
paraphrases above it, 97 in 100 are right, of those below it two in three."""
FOLLOW_UP_WORDS = 6
"""An utterance with at most so many words may lean on the last answer ("and in blue?")."""
FOLLOW_UP_REST = 3
"""... if at most so many words are left besides what it names."""


def decide(
    guess: Guess,
    text: str,
    mentions: Mentions,
    context: Context,
    language: str,
    *,
    cues: Cues,
    digits: int,
) -> tuple[str, float]:
    """Return intent and confidence, after the rules that context settles better.

    Args:
        guess: of the classifier.
        text: what was said.
        mentions: what it names.
        context: what was spoken of before.
        language: of the text.
        cues: its word groups.
        digits: of an order number.
    """
    intent, confidence = guess.intent, guess.confidence
    item = THIS_ITEM[language]
    left = len(plain(mentions.rest.replace(item, "")).split())
    short = len(text.split()) <= FOLLOW_UP_WORDS and left <= FOLLOW_UP_REST + len(
        mentions.colours + mentions.sizes
    )
    if context.awaiting in {"order", "postcode"} and mentions.digits:
        return "order_status", 1.0
    if any(len(run) >= digits for run in mentions.digits) and (short or intent == "order_status"):
        return "order_status", max(confidence, 0.95)
    if intent == "affirm" and context.awaiting == "wish":
        return "recommend", confidence
    product_known = bool(
        mentions.products or mentions.kinds or context.last_product or context.offered
    )
    listed = context.offered or context.listed
    last = context.last_intent or ""
    unnamed = not mentions.products and not mentions.kinds
    if mentions.ordinal is not None and listed and unnamed and short:
        pointed = context.awaiting == "product" and last in about_products
        return (last if pointed else "product_info"), 0.9
    if intent == "price" and last.startswith("delivery") and short and unnamed:
        return "delivery_cost", confidence
    brief = len(text.split()) <= FOLLOW_UP_WORDS and unnamed
    delivered = brief and cues.has("deliver", text)
    if intent == "delivery_time" and last.startswith("returns") and brief and not delivered:
        # "How many days do I have?" is still about the return.
        return "returns_period", max(confidence, SURE)
    if intent == "price" and mentions.products and cues.has("how_much", text):
        confidence = max(confidence, SURE)
    if intent == "compare" and short and len(mentions.products) == 1 and confidence < 0.9:
        confidence = 0.0  # "and the Milano?" is about the one, as before
    if mentions.unknown_name and intent == "delivery_cost":
        return "price", max(confidence, SURE)  # "how much is the umbrella?", if we had one
    sure = confidence >= SURE and intent not in {"off_topic", "smalltalk", "affirm", "deny"}
    if short and not sure:
        follow = _follow_up(mentions, context, product_known=product_known)
        follow = follow or cues.topic(plain(text))
        if follow == "product_info" and intent in about_products:
            return intent, SURE  # more precise, and what is named makes it likely
        if follow:
            return follow, 0.9
    return intent, confidence


def _follow_up(mentions: Mentions, context: Context, *, product_known: bool) -> str:
    """Return what a short utterance means after the last answer ("et en bleu ?")."""
    if (mentions.colours or mentions.sizes) and product_known:
        return "availability"
    if mentions.cheaper and product_known:
        return "cheaper"
    if mentions.products or (mentions.kinds and not mentions.unknown_name):
        last = context.last_intent or ""
        if context.awaiting == "product" and last in HANDLERS:
            return last
        if last in about_products and last not in {"compare", "cheaper", "recommend"}:
            return last
        return "product_info" if mentions.products else "recommend"
    if mentions.unknown_name:
        return "product_info"
    if mentions.country:
        last = context.last_intent or ""
        return last if last.startswith("delivery") else "delivery_countries"
    wishing = context.awaiting == "wish" or context.last_intent in {"recommend", "assortment"}
    if (mentions.limit is not None or mentions.uses) and wishing:
        return "recommend"
    return ""
