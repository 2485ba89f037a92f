"""The memory of one dialogue: slots, references, promises, a running summary, the last turns.

Pure and immutable: a speculative answer makes a new memory that holds only once it is committed.
Everything is bounded, so that the sixtieth turn costs no more than the tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

VERSION = 1
"""Of the JSON; a memory of another version is forgotten rather than misread."""

EXCHANGES = 8
"""Kept word for word. The prompt shows about as many; after a restart they stand in for the
history that the connection has lost."""
EXCHANGE_CHARACTERS = 400
"""Of each side of an exchange: three spoken sentences, or half a minute of speech."""
NOTES = 64
"""Turns remembered by their topic: more than the longest call we promise (60 turns)."""
REFERENCES = 8
SLOTS = 16
PROMISES = 8
VALUE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn, as it was said: the assistant's side as far as it was heard."""

    turn: int
    user: str
    assistant: str
    language: str


@dataclass(frozen=True, slots=True)
class Note:
    """What one turn was about, in a few words."""

    turn: int
    intent: str
    """The intent, or empty where the model answered."""
    titles: tuple[str, ...] = ()
    """Titles of the facts that the answer rests on."""
    asked: str = ""
    """The beginning of the question, where neither intent nor facts say what it was about."""

    @property
    def topic(self) -> str:
        """The note in words, for a prompt in English."""
        intent = self.intent.partition(":")[2] or self.intent
        words = intent.replace("_", " ")
        about = ", ".join(self.titles)
        if words and about:
            return f"{words} ({about})"
        return words or about or f"asked “{self.asked}”"


@dataclass(frozen=True, slots=True)
class Promise:
    """Something we said will happen. Kept until it is done."""

    kind: str
    """callback, human, refund, notice, ..."""
    text: str
    """In English, a few words: "a colleague calls back on Friday at 10:00"."""
    turn: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What one answered turn adds."""

    user: str
    assistant: str
    language: str
    intent: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    """(source id, title) of the facts that the answer rests on."""
    products: tuple[str, ...] = ()
    """Ids of the products spoken of, in the order of speaking."""
    offered: tuple[str, ...] = ()
    """Ids of the products that were listed, where there was a list."""
    slots: tuple[tuple[str, str], ...] = ()
    decision: Mapping[str, Any] | None = None
    """The record of the answer (JSON); None leaves the one before it (an answer to "why?")."""
    again: bool = False
    """It goes on with the same turn (after a tool's result)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """See the module. Made with ``Memory()``, changed by its methods only."""

    turn: int = 0
    """Turns answered so far."""
    slots: tuple[tuple[str, str], ...] = ()
    """What the customer told us, by name; the newest last."""
    references: tuple[str, ...] = ()
    """Ids of products spoken of, the newest first."""
    listed: tuple[str, ...] = ()
    """Ids of the last list we read out ("the second one")."""
    promises: tuple[Promise, ...] = ()
    notes: tuple[Note, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    languages: tuple[str, ...] = ()
    """Spoken so far, in order of appearance."""
    sources: tuple[tuple[str, str], ...] = ()
    """(source id, title) of the last answer."""
    decision: Mapping[str, Any] | None = None
    """The record of the last answer, for "why?"."""
    digest: str = ""
    """A model's summary of the turns up to ``digest_turn``; empty where there is none."""
    digest_turn: int = 0
    restored: tuple[Exchange, ...] = ()
    """The last exchanges before a restart: this connection's history does not have them. They stay
    as they are, so that the prompt's beginning does. Not kept."""

    # -- changing ---------------------------------------------------------------------------

    def after(self, learned: Learned) -> Memory:
        """Return the memory after a turn was answered."""
        again = learned.again and bool(self.exchanges)
        turn = self.turn if again else self.turn + 1
        earlier = self.exchanges[:-1] if again else self.exchanges
        notes = self.notes[:-1] if again else self.notes
        exchange = Exchange(turn, _cut(learned.user), _cut(learned.assistant), learned.language)
        titles = tuple(dict.fromkeys(title for _, title in learned.sources))[:3]
        asked = "" if learned.intent or titles else _short(learned.user)
        note = Note(turn, learned.intent, titles, asked)
        explained = learned.decision is None
        return replace(
            self.with_slots(learned.slots),
            turn=turn,
            references=_newest(learned.products, self.references),
            listed=learned.offered or self.listed,
            notes=(*notes, note)[-NOTES:],
            exchanges=(*earlier, exchange)[-EXCHANGES:],
            languages=tuple(dict.fromkeys((*self.languages, learned.language))),
            sources=self.sources if explained else learned.sources,
            decision=self.decision if explained else learned.decision,
        )

    def heard(self, assistant: str) -> Memory:
        """Return the memory with the last answer cut to what the user has heard of it."""
        if not self.exchanges or self.exchanges[-1].assistant == _cut(assistant):
            return self
        last = replace(self.exchanges[-1], assistant=_cut(assistant))
        return replace(self, exchanges=(*self.exchanges[:-1], last))

    def with_slots(self, slots: Iterable[tuple[str, str]]) -> Memory:
        """Return the memory with values noted or corrected; an empty value forgets the slot."""
        kept = dict(self.slots)
        for name, value in slots:
            kept.pop(name, None)
            if value:
                kept[name] = _short(value)
        return replace(self, slots=tuple(kept.items())[-SLOTS:])

    def promised(self, kind: str, text: str) -> Memory:
        """Return the memory with a promise; it takes the place of an older one of its kind."""
        others = tuple(promise for promise in self.promises if promise.kind != kind)
        return replace(self, promises=(*others, Promise(kind, _short(text), self.turn))[-PROMISES:])

    def kept(self, kind: str) -> Memory:
        """Return the memory without the promises of a kind: they were kept, or taken back."""
        return replace(self, promises=tuple(p for p in self.promises if p.kind != kind))

    def digested(self, digest: str, turn: int) -> Memory:
        """Return the memory with a model's summary of the turns up to ``turn``."""
        return replace(self, digest=digest, digest_turn=min(turn, self.turn))

    def masked(
        self, user: Callable[[str, str, int], str], assistant: Callable[[str, str], str]
    ) -> Memory:
        """Return the memory with its words masked, for keeping.

        Args:
            user: what the caller said, its language and turn → the masked text.
            assistant: what we said, and its language → the masked text.
        """
        language = self.exchanges[-1].language if self.exchanges else "en"
        return replace(
            self,
            exchanges=tuple(
                replace(
                    one,
                    user=user(one.user, one.language, one.turn),
                    assistant=assistant(one.assistant, one.language),
                )
                for one in self.exchanges
            ),
            notes=tuple(
                replace(note, asked=user(note.asked, language, note.turn)) if note.asked else note
                for note in self.notes
            ),
            slots=tuple((name, assistant(value, language)) for name, value in self.slots),
            digest=assistant(self.digest, "en"),
            promises=tuple(
                replace(promise, text=assistant(promise.text, "en")) for promise in self.promises
            ),
        )

    # -- telling ----------------------------------------------------------------------------

    def summary(self, upto: int, characters: int) -> str:
        """Return what the turns up to ``upto`` were about, the newest topics if not all fit.

        Depends only on those turns: it stays the same while the prompt's history grows, and with
        it the model's prompt cache.
        """
        if upto <= 0:
            return ""
        fits = 0 < self.digest_turn <= upto and len(self.digest) <= characters
        digest = self.digest if fits else ""
        start = self.digest_turn if digest else 0
        newest: dict[str, None] = {}
        for note in reversed(self.notes):
            if start < note.turn <= upto:
                newest.setdefault(note.topic)
        left = characters - len(digest)
        topics: list[str] = []
        for topic in newest:
            left -= len(topic) + 2
            if left < 0:
                break
            topics.append(topic)
        return " ".join(part for part in (digest, "; ".join(reversed(topics))) if part)

    def now(self, characters: int) -> str:
        """Return what holds at this moment: slots, promises, what was spoken of lately."""
        parts = [f"promised: {promise.text}" for promise in self.promises]
        parts += [f"{name.replace('_', ' ')}: {value}" for name, value in reversed(self.slots)]
        if len(self.references) > 1:
            parts.append("spoken of lately, newest first: " + ", ".join(self.references))
        said = ""
        for part in parts:
            longer = f"{said}; {part}" if said else part
            if len(longer) <= characters:
                said = longer
        return said

    # -- keeping ----------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return the memory as JSON."""
        state = {"version": VERSION, **asdict(self)}
        del state["restored"]
        return state

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Memory:
        """Return the memory that was kept; its exchanges stand in for the history.

        Raises:
            ValueError: it is no memory, or of another version.
        """
        if state.get("version") != VERSION:
            raise ValueError(f"a memory of version {state.get('version')!r} is not understood")
        try:
            exchanges = tuple(Exchange(**exchange) for exchange in state["exchanges"])
            return cls(
                turn=int(state["turn"]),
                slots=_pairs(state["slots"]),
                references=tuple(state["references"]),
                listed=tuple(state["listed"]),
                promises=tuple(Promise(**promise) for promise in state["promises"]),
                notes=tuple(
                    Note(**{**note, "titles": tuple(note["titles"])}) for note in state["notes"]
                ),
                exchanges=exchanges,
                languages=tuple(state["languages"]),
                sources=_pairs(state["sources"]),
                decision=state["decision"],
                digest=state["digest"],
                digest_turn=int(state["digest_turn"]),
                restored=exchanges,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a memory: {error}") from error


NOTHING = Memory()
"""Of a talk that begins."""


def _pairs(values: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in values)


def _newest(products: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*reversed(products), *known)))[:REFERENCES]


def _cut(text: str) -> str:
    if len(text) <= EXCHANGE_CHARACTERS:
        return text
    return text[: EXCHANGE_CHARACTERS - 2].rsplit(" ", 1)[0] + " …"


def _short(text: str) -> str:
    if len(text) <= VALUE_CHARACTERS:
        return text
    return text[: VALUE_CHARACTERS - 2].rsplit(" ", 1)[0] + " …"
