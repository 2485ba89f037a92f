"""The director's sentences: wording, variation, mood and gesture. Sans-I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from voice_server.live.chat.envelope import Kind
from voice_server.live.outcomes import Social
from voice_server.live.phrases import listed, phrases, sayable
from voice_server.live.policy import POLICIES
from voice_server.live.run_sheet import fields_of
from voice_server.live.show_events import AnswerDraft, Line, LineKind
from voice_server.live.show_state import NAMED, REMEMBERED, REPEAT_S, ShowState

THANKED = {
    Kind.GIFT: "thanks_gift",
    Kind.PAID: "thanks_paid",
    Kind.FOLLOW: "thanks_follow",
    Kind.SUBSCRIBE: "thanks_subscribe",
    Kind.RAID: "thanks_raid",
}
"""What people are thanked for, most generous first; everybody else is greeted."""

TALK_GESTURES = ("", "point_card", "", "hold_product", "", "count_two", "", "open_hands", "", "nod")
"""One after the other: a presenter who moves at every sentence tires the eye."""


OWN_VOICE = frozenset({"opening", "opening_again", "remind"})
"""Phrases in which the voice speaks of itself."""


def turn(show: ShowState, key: str) -> int:
    """Count on, so that the next wording is another one."""
    show.turns[key] = show.turns.get(key, -1) + 1
    return show.turns[key]


def make(
    show: ShowState,
    text: str,
    kind: LineKind,
    *,
    language: str = "",
    mood: str = "neutral",
    gesture: str = "",
    look: str = "camera",
    product: str = "",
    cluster: str = "",
    uses: frozenset[str] = frozenset(),
    about: frozenset[str] = frozenset(),
    point: int = -1,
    captions: tuple[tuple[str, str], ...] = (),
    by_host: bool = False,
) -> Line:
    """Return a line in the show's language unless another is given."""
    return Line(
        id=f"l{next(show.ids)}",
        text=text,
        language=language or show.sheet.language,
        kind=kind,
        mood=mood,
        gesture=gesture,
        look=look,
        product_id=product,
        cluster_id=cluster,
        uses=uses,
        about=about,
        point=point,
        captions=captions,
        by_host=by_host or kind is LineKind.HOST,
    )


def others(show: ShowState, language: str) -> list[str]:
    """Return the languages of the show besides one."""
    return [other for other in show.sheet.languages if other != language]


def phrase(
    show: ShowState, key: str, kind: LineKind, *, product: str = "", language: str = "", **more: str
) -> list[Line]:
    """Return a fixed phrase as lines, in the wording that is due."""
    language = language or show.sheet.language
    mood, gesture, look = MANNERS.get(key, ("happy", "", "camera"))
    if key in OWN_VOICE and not POLICIES[show.sheet.policy].voice:
        key = f"{key}_host"  # a person reads: "I am a virtual voice" would be a lie
    variant = turn(show, key)

    def wording(spoken: str) -> list[str]:
        noun = show.facts.noun(product, spoken) if product else None
        fields = {"shop": show.facts.shop_name, **show.facts.fields(product, spoken), **more}
        return phrases(spoken).clauses(key, variant, noun, **fields)

    clauses = wording(language)
    elsewhere = {other: wording(other) for other in others(show, language)}
    uses = frozenset({"price"}) if key in {"price", "flash_end"} else frozenset()
    return [
        make(
            show,
            clause,
            kind,
            language=language,
            mood=mood,
            gesture=gesture if at == 0 else "",
            look=look,
            product=product,
            uses=uses,
            captions=_beside(elsewhere, at, len(clauses)),
        )
        for at, clause in enumerate(clauses)
    ]


def _beside(
    elsewhere: Mapping[str, Sequence[str]], at: int, count: int
) -> tuple[tuple[str, str], ...]:
    """Return sentence ``at`` of ``count`` in other languages, where they have as many."""
    return tuple(
        (language, texts[at]) for language, texts in elsewhere.items() if len(texts) == count
    )


def _point_captions(show: ShowState) -> tuple[tuple[str, str], ...]:
    """Return the point that is due in the languages whose script is as long."""
    found = []
    segment = show.segment
    for other in others(show, show.sheet.language):
        own = segment.points.get(other) if segment is not None else None
        script = own or (() if _own(show) else show.facts.points(show.product, other))
        if len(script) == len(show.points):
            template = script[show.point]
            fields = show.facts.fields(show.product, other)
            if fields_of(template) <= fields.keys():
                found.append((other, template.format_map(fields)))
    return tuple(found)


def _own(show: ShowState) -> bool:
    """Whether the script of the segment is the host's, not the product's."""
    segment = show.segment
    return segment is not None and bool(segment.points.get(show.sheet.language))


MANNERS = {
    "opening": ("joyful", "wave", "camera"),
    "opening_again": ("happy", "wave", "camera"),
    "first": ("happy", "point_card", "product"),
    "next": ("happy", "point_card", "product"),
    "price": ("serious", "point_card", "camera"),
    "sold_out": ("sorry", "shrug", "camera"),
    "gone": ("sorry", "shrug", "camera"),
    "low": ("surprised", "point_card", "product"),
    "back": ("joyful", "thumbs_up", "camera"),
    "flash_start": ("excited", "clap", "camera"),
    "flash_end": ("neutral", "", "camera"),
    "idle": ("happy", "open_hands", "chat"),
    "closing": ("joyful", "wave", "camera"),
    "greet": ("happy", "wave", "chat"),
    "greet_many": ("happy", "wave", "chat"),
    "greet_crowd": ("happy", "wave", "chat"),
    "remind": ("neutral", "", "camera"),
    **dict.fromkeys((*THANKED.values(), "thanks_crowd"), ("grateful", "clap", "chat")),
    **dict.fromkeys(
        ("asked", "asked_one", "asked_some", "asked_many", "asked_crowd"),
        ("attentive", "", "chat"),
    ),
}
"""Mood, gesture and gaze of each fixed phrase."""


def talk(show: ShowState, now: float) -> Line | None:
    """Return the next sentence of the script, None when it is used up.

    A point is left out while it does not hold (a former price that there is none of) and when it
    was said a short while ago.
    """
    while show.point < len(show.points):
        template = show.points[show.point]
        uses = fields_of(template)
        fields = show.facts.fields(show.product, show.sheet.language)
        text = template.format_map(fields) if uses <= fields.keys() else ""
        said = show.said.get(text)
        if text and (said is None or now - said >= REPEAT_S):
            gesture = TALK_GESTURES[turn(show, "talk") % len(TALK_GESTURES)]
            if not show.product and gesture in {"point_card", "hold_product"}:
                gesture = ""
            return make(
                show,
                text,
                LineKind.TALK,
                mood="happy",
                gesture=gesture,
                look="product" if gesture in {"point_card", "hold_product"} else "camera",
                product=show.product,
                uses=uses & {"price", "was", "stock"},
                point=show.point,
                captions=_point_captions(show),
            )
        show.point += 1
    return None


def upcoming(show: ShowState, line: Line) -> tuple[str, str]:
    """Return (text, language) of what will probably follow a line; ("", "") if nobody knows."""
    if show.queue:
        return show.queue[0].text, show.queue[0].language
    draft = show.answer
    if draft is not None and draft.announced:
        at = 1 if line.text == draft.left[0] else 0
        if at < len(draft.left):
            return draft.left[at], draft.ready.language
    point = show.point + (line.point >= 0)
    if point >= len(show.points):
        return "", ""
    template = show.points[point]
    fields = show.facts.fields(show.product, show.sheet.language)
    known = fields_of(template) <= fields.keys()
    return (template.format_map(fields), show.sheet.language) if known else ("", "")


def remember(show: ShowState, text: str, now: float) -> None:
    """Note that a sentence was said."""
    show.said[text] = now
    show.said.move_to_end(text)
    if len(show.said) > REMEMBERED:
        show.said.popitem(last=False)


def preface(show: ShowState, draft: AnswerDraft, language: str) -> list[Line]:
    """Return who asks: names if they can be said, never the words of the question."""
    names = [name for name in map(sayable, draft.names) if name][:NAMED]
    if not names:
        key = "asked" if draft.askers < 3 else "asked_crowd"
    elif draft.askers > len(names) and draft.askers >= 3:
        key = "asked_many"
    else:
        key = "asked_one" if len(names) == 1 else "asked_some"
    lines = phrase(show, key, LineKind.ANSWER, language=language, names=listed(names, language))
    cluster = draft.ready.cluster_id
    return [
        make(
            show, line.text, line.kind, language=language, mood=line.mood, look="chat",
            cluster=cluster, captions=line.captions,
        )
        for line in lines
    ]  # fmt: skip


def answer_line(show: ShowState, draft: AnswerDraft, first: bool) -> Line:
    """Return the next sentence of an answer."""
    ready = draft.ready
    return make(
        show,
        draft.left[0],
        LineKind.ANSWER,
        language=ready.language,
        mood="happy",
        gesture="point_card" if first and ready.product_id else "",
        look="camera",
        product=ready.product_id,
        cluster=ready.cluster_id,
        uses=ready.uses,
        about=ready.about,
        captions=_beside(dict(ready.captions), -len(draft.left), len(ready.sentences)),
        by_host=ready.by_host,
    )


def social(show: ShowState) -> list[Line]:
    """Return thanks or greetings, and take those people from the crowd.

    The most generous kind first, all of it in one sentence with up to NAMED names.
    """
    for kind, key in THANKED.items():
        thanked = [person for person in show.crowd if person.kind is kind]
        if thanked:
            show.crowd = deque(person for person in show.crowd if person.kind is not kind)
            names = _names(thanked)
            found = key if names else "thanks_crowd"
            return phrase(show, found, LineKind.SOCIAL, names=listed(names, show.sheet.language))
    names = _names(show.crowd)
    many = len({person.author for person in show.crowd}) > len(names) or show.crowded_out > 0
    show.crowd.clear()
    show.crowded_out = 0
    key = "greet_crowd" if not names else "greet_many" if many else "greet"
    return phrase(show, key, LineKind.SOCIAL, names=listed(names, show.sheet.language))


def _names(people: Iterable[Social]) -> list[str]:
    names = dict.fromkeys(sayable(person.author) for person in people)
    return [name for name in names if name][:NAMED]
