"""What pages are told of a show, as JSON messages. All but the room's day is pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from voice_server.live import show_events as ev
from voice_server.live.backdrops import backdrop as choose
from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.facts import ShopFacts
from voice_server.live.policy import Policy
from voice_server.live.questions import Cluster, Status
from voice_server.live.run_sheet import RunSheet, Segment
from voice_server.live.scoring import parts
from voice_server.live.triage import Triage

SHOWN = 30
"""Questions in the host's list."""
OTHER_WORDS = 4
"""Other askers' words shown with a question: enough to see whether they mean the same."""

Message = dict[str, object]


def show(sheet: RunSheet, facts: ShopFacts, policy: Policy) -> Message:
    """Return what a page must know of the whole show."""
    return {
        "type": "show",
        "id": sheet.id,
        "title": dict(sheet.title),
        "shop": facts.shop_name,
        "language": sheet.language,
        "languages": list(sheet.languages),
        "avatar": sheet.avatar,
        "prompter": not policy.voice,
        "policy": policy.id,
        "avatar_share": policy.avatar_share,
        "segments": [
            {
                "id": entry.id,
                "product": entry.product_id,
                "title": title(entry, sheet, facts),
                "seconds": entry.duration_s,
                "picture": _picture(entry, sheet, facts),
            }
            for entry in sheet.segments
        ],
    }


def backdrop(sheet: RunSheet, facts: ShopFacts) -> Message:
    """Return the room of the show: the host's choice, else that of the market's day."""
    country = sheet.market or facts.market.country
    today = datetime.now(ZoneInfo(facts.market.timezone)).date()
    scene = choose(country, today) if sheet.backdrop == "auto" else sheet.backdrop
    return {"type": "backdrop", "scene": scene, "market": country}


def _picture(entry: Segment, sheet: RunSheet, facts: ShopFacts) -> str:
    found = facts.card(entry.product_id, sheet.language)
    return found.picture if found is not None else ""


def title(entry: Segment, sheet: RunSheet, facts: ShopFacts) -> Mapping[str, str]:
    """Return a segment's title by language: the host's, else the product's name."""
    names = {
        language: noun.name
        for language in sheet.languages
        if (noun := facts.noun(entry.product_id, language)) is not None
    }
    return {**names, **entry.title}


def cards(order: ev.ShowCard, facts: ShopFacts, languages: Sequence[str]) -> Message:
    """Return a product's card by language as it is now, {} if there is none."""
    return {
        language: asdict(found)
        for language in languages
        if (found := facts.card(order.product_id, language)) is not None
    }


def card(order: ev.ShowCard, facts: ShopFacts, languages: Sequence[str], now: float) -> Message:
    """Return a product's card in every language, with its flash price while that runs."""
    flash: Message | None = None
    if order.flash is not None and order.flash_ends_at is not None:
        price = order.flash.price
        flash = {
            "price": {language: facts.money(price, language) for language in languages},
            "code": order.flash.code,
            "seconds": max(0.0, order.flash_ends_at - now),
        }
    return {"type": "card", "cards": cards(order, facts, languages), "flash": flash}


def segment(segment_id: str, round_number: int, sheet: RunSheet, facts: ShopFacts) -> Message:
    """Return what the lower third shows when a segment begins."""
    entry = next(entry for entry in sheet.segments if entry.id == segment_id)
    names = title(entry, sheet, facts)
    return {"type": "segment", "id": segment_id, "round": round_number, "title": names}


def chat(event: ChatEvent, reason: str) -> Message:
    """Return a message of the chat; only the host sees those that are unfit, for a ``reason``."""
    hidden = reason not in ("", "chatter", "answered", "history")
    return {
        "type": "chat_hidden" if hidden else "chat",
        "id": event.id,
        "platform": event.platform,
        "author_id": event.author_id if event.platform != "watch" else "",
        "author": event.author,
        "text": event.text,
        "reason": reason,
    }


def questions(triage: Triage, now: float, on_screen: str) -> tuple[Message, Message]:
    """Return the teaser for the audience and the host's list."""
    ranked = [cluster for _, cluster in triage.ranked(now, on_screen)]
    waiting = [cluster for cluster in ranked if cluster.status is Status.WAITING]
    names = [name for cluster in waiting[:2] for name in cluster.names[:1]]
    rows = [question(cluster, now, on_screen) for cluster in ranked[:SHOWN]]
    return (
        {"type": "teaser", "waiting": len(waiting), "names": names},
        {"type": "queue", "questions": rows},
    )


def question(cluster: Cluster, now: float, on_screen: str) -> Message:
    """Return a row of the host's list, with what its score is made of."""
    why = parts(cluster, now, on_screen)
    return {
        "id": cluster.id,
        "text": cluster.text,
        "language": cluster.language,
        "names": list(cluster.names),
        "askers": cluster.askers,
        "age_s": round(now - cluster.first_at),
        "intent": cluster.understood.intent,
        "product": cluster.understood.product_id,
        "score": round(sum(why.values()), 2),
        "why": {name: round(value, 2) for name, value in why.items()},
        "languages": list(cluster.languages),
        "words": [ask.text for ask in cluster.asks[1 : 1 + OTHER_WORDS]],
        "status": cluster.status.value,
        "reason": cluster.reason,
        "pinned": cluster.pinned,
        "approved": cluster.approved,
    }
