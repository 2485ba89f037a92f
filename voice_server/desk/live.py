"""A person takes over a running conversation: who has control, and who hears what.

Sans-I/O: :meth:`Takeover.receive` takes what happened and returns what to do, time is an argument.
The assistant is mute from the claim until control is back and the customer has heard, in their
language, that an AI speaks again.

======== ======================================= =========================================
state    who speaks                              ends with
======== ======================================= =========================================
bot      the assistant                           ``Claimed``, or ``Passed`` to a vendor
human    a person, through our voice             ``HandedBack``, silence of the person
return   the assistant's disclosure, then it     the disclosure was heard (twice tried)
closed   nobody                                  -
======== ======================================= =========================================
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from voice_server.desk.live_events import (
    Action,
    Announce,
    AskTranslation,
    Claimed,
    Control,
    CustomerSaid,
    Ended,
    HandedBack,
    Happening,
    HumanSaid,
    Mute,
    Passed,
    SayEnded,
    Sentence,
    Show,
    ShowControl,
    Speak,
    TranslationDone,
    Unmute,
)

__all__ = [
    "ABANDON_S",
    "DISCLOSURES",
    "REASSURE_S",
    "SAY_RETRY_S",
    "Action",
    "Announce",
    "AskTranslation",
    "Claimed",
    "Control",
    "CustomerSaid",
    "Ended",
    "HandedBack",
    "Happening",
    "HumanSaid",
    "IllegalStep",
    "Mute",
    "Passed",
    "SayEnded",
    "Sentence",
    "Show",
    "ShowControl",
    "Speak",
    "Takeover",
    "TranslationDone",
    "Unmute",
]

REASSURE_S = 25.0
"""A customer who waits so long for the person's answer is told that somebody is at it."""

ABANDON_S = 180.0
"""So long without a word of the person after the customer's: the assistant takes over again."""

SAY_RETRY_S = 0.5
"""Words that could not be said because the customer is speaking are offered again so often."""

DISCLOSURES = 2
"""A disclosure that was interrupted is said once more (AI Act art. 50)."""


class IllegalStep(Exception):
    """The control cannot change hands like this; names both states."""


_MAY: dict[Control, frozenset[Control]] = {
    Control.BOT: frozenset({Control.HUMAN, Control.CLOSED}),
    Control.HUMAN: frozenset({Control.RETURNING, Control.CLOSED}),
    Control.RETURNING: frozenset({Control.BOT, Control.HUMAN, Control.CLOSED}),
    Control.CLOSED: frozenset(),
}


# ------------------------------------------------------------------------ the core


@dataclass(slots=True)
class _Saying:
    """Something to be said, in its turn."""

    id: str
    key: Sentence | None = None
    """Of a fixed sentence; None: a person's words."""
    agent: str = ""
    original: str = ""
    text: str | None = None
    """None while it is being translated."""
    ok: bool = True
    language: str = ""
    """The customer's, when the translation was asked for."""
    tries: int = 0
    cuts: int = 0
    """How often it began and was not heard to its end."""


@dataclass(slots=True)
class Takeover:
    """Who has control of one conversation."""

    internal_language: str
    customer_language: str
    control: Control = Control.BOT
    agent: str = ""
    _queue: deque[_Saying] = field(default_factory=deque)
    _speaking: _Saying | None = None
    _not_before: float = 0.0
    _seen: set[str] = field(default_factory=set)
    _shown: dict[str, CustomerSaid] = field(default_factory=dict)
    _owed_since: float | None = None
    """When the customer said something that the person has not answered yet."""
    _reassured: bool = False
    _introduced: bool = False
    """The customer has been told which person is there."""
    _count: int = 0

    def receive(self, happening: Happening, now: float) -> list[Action]:
        """Take what happened, return what to do, in order.

        Happenings that do not fit the state any more (late webhooks, answers for a conversation
        that is over) do nothing.  Raises IllegalStep for a claim of a closed conversation.
        """
        match happening:
            case Claimed():
                return self._claimed(happening, now)
            case Passed():
                return self._passed(now)
            case HumanSaid():
                return self._human_said(happening, now)
            case CustomerSaid():
                return self._customer_said(happening, now)
            case TranslationDone():
                return self._translated(happening, now)
            case SayEnded():
                return self._said(happening, now)
            case HandedBack():
                return self._back(abandoned=False, now=now)
            case _:
                return self._end()

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` should be called next."""
        due: list[float] = []
        if self._queue and self._speaking is None and self._queue[0].text is not None:
            due.append(self._not_before)
        if self.control is Control.HUMAN and self._owed_since is not None:
            if not self._reassured:
                due.append(self._owed_since + REASSURE_S)
            due.append(self._owed_since + ABANDON_S)
        return min(due, default=None)

    def tick(self, now: float) -> list[Action]:
        """Let time pass: say again what could not be said, reassure, take over from the silent."""
        out = self._speak_next(now)
        owed = self._owed_since
        if self.control is Control.HUMAN and owed is not None:
            if now >= owed + ABANDON_S:
                return out + self._back(abandoned=True, now=now)
            if now >= owed + REASSURE_S and not self._reassured:
                self._reassured = True
                if not self._queue and self._speaking is None:
                    out += self._announce("reassure", now)
        return out

    # ------------------------------------------------------------- control

    def _move(self, control: Control) -> None:
        if control not in _MAY[self.control]:
            raise IllegalStep(f"{self.control.value} cannot become {control.value}")
        self.control = control

    def _claimed(self, event: Claimed, now: float) -> list[Action]:
        if self.control is Control.HUMAN and self._introduced:  # another person of the team
            self.agent = event.agent
            return []
        out = [] if self.control is Control.HUMAN else self._take(now)
        self.agent, self._introduced = event.agent, True
        return [*out, *self._announce("joined", now, agent=event.agent)]

    def _passed(self, now: float) -> list[Action]:
        if self.control is Control.HUMAN:
            return []
        return [*self._take(now), *self._announce("passed", now)]

    def _take(self, now: float) -> list[Action]:
        self._move(Control.HUMAN)
        self.agent, self._introduced = "", False
        self._owed_since, self._reassured = now, False
        self._queue.clear()
        self._speaking = None
        return [Mute(), ShowControl(self.control)]

    def _back(self, *, abandoned: bool, now: float) -> list[Action]:
        if self.control is not Control.HUMAN:
            return []
        self._move(Control.RETURNING)
        self.agent = ""
        self._owed_since = None
        if abandoned:
            self._queue.clear()
        key: Sentence = "abandoned" if abandoned else "returned"
        return [ShowControl(self.control, abandoned), *self._announce(key, now)]

    def _end(self) -> list[Action]:
        if self.control is Control.CLOSED:
            return []
        self._move(Control.CLOSED)
        self._queue.clear()
        self._speaking = None
        self._owed_since = None
        return [ShowControl(self.control)]

    # ------------------------------------------------------------ messages

    def _human_said(self, event: HumanSaid, now: float) -> list[Action]:
        if self.control is not Control.HUMAN or event.id in self._seen or not event.text.strip():
            return []
        self._seen.add(event.id)
        introduction: list[Action] = []
        if not self._introduced:
            introduction = self._claimed(Claimed(event.agent), now)
        self._owed_since, self._reassured = None, False
        saying = _Saying(event.id, original=event.text, language=self.customer_language)
        self._queue.append(saying)
        out: list[Action] = [
            *introduction,
            Show(event.id, "human", event.text, self.internal_language, status="waiting"),
        ]
        if self.customer_language == self.internal_language:
            saying.text = event.text
            return out + self._speak_next(now)
        out.append(
            AskTranslation(event.id, event.text, self.internal_language, self.customer_language)
        )
        return out

    def _customer_said(self, event: CustomerSaid, now: float) -> list[Action]:
        if event.id in self._seen or not event.text.strip() or self.control is Control.CLOSED:
            return []
        self._seen.add(event.id)
        if event.language:
            self.customer_language = event.language
        if self.control is Control.HUMAN and self._owed_since is None:
            self._owed_since, self._reassured = now, False
        language = event.language or self.customer_language
        out: list[Action] = [Show(event.id, "user", event.text, language)]
        if language != self.internal_language:
            self._shown[event.id] = event
            out.append(AskTranslation(event.id, event.text, language, self.internal_language))
        return out

    def _translated(self, event: TranslationDone, now: float) -> list[Action]:
        asked = self._shown.pop(event.id, None)
        if asked is not None:
            return [
                Show(
                    event.id,
                    "user",
                    asked.text,
                    asked.language or self.customer_language,
                    translation=event.text if event.ok else "",
                    translated=event.ok,
                )
            ]
        for place, saying in enumerate(self._queue):
            if saying.id == event.id and saying.text is None:
                saying.text, saying.ok = event.text, event.ok
                if not event.ok:
                    self._count += 1
                    warning = _Saying(f"untranslated_{self._count}", key="untranslated", text="")
                    self._queue.insert(place, warning)
                return [self._line(saying, "waiting"), *self._speak_next(now)]
        return []

    # ------------------------------------------------------------ speaking

    def _announce(self, key: Sentence, now: float, *, agent: str = "") -> list[Action]:
        self._count += 1
        self._queue.append(_Saying(f"{key}_{self._count}", key=key, agent=agent, text=""))
        return self._speak_next(now)

    def _speak_next(self, now: float) -> list[Action]:
        """Begin to say the head of the queue, if nothing is being said and it is ready."""
        if self._speaking is not None or not self._queue or now < self._not_before:
            return []
        head = self._queue[0]
        if head.text is None:
            return []
        self._speaking = self._queue.popleft()
        head.tries += 1
        ident = f"{head.id}.{head.tries}"
        if head.key is not None:
            interruptible = not self._discloses(head)
            return [Announce(ident, head.key, head.agent, interruptible=interruptible)]
        # Words that were not translated are read by a voice of their own language.
        language = head.language if head.ok else self.internal_language
        return [self._line(head, "saying"), Speak(ident, head.text, language)]

    def _said(self, event: SayEnded, now: float) -> list[Action]:
        saying = self._speaking
        if saying is None or event.id != f"{saying.id}.{saying.tries}":
            return []
        self._speaking = None
        if not event.started:
            self._queue.appendleft(saying)
            self._not_before = now + SAY_RETRY_S
            return []
        if self._discloses(saying):
            saying.cuts += not event.whole
            if not event.whole and saying.cuts < DISCLOSURES:
                self._queue.appendleft(saying)
                return self._speak_next(now)
            return [*self._disclosed(), *self._speak_next(now)]
        out: list[Action] = []
        if saying.key is None:
            out.append(self._line(saying, "heard" if event.whole else "cut", event.heard))
        return out + self._speak_next(now)

    def _discloses(self, saying: _Saying) -> bool:
        return saying.key in ("returned", "abandoned")

    def _disclosed(self) -> list[Action]:
        """The customer knows that an AI speaks: it may."""
        self._move(Control.BOT)
        return [Unmute(), ShowControl(self.control)]

    def _line(self, saying: _Saying, status: str, heard: str = "") -> Show:
        same = saying.language == self.internal_language
        return Show(
            saying.id,
            "human",
            saying.original,
            self.internal_language,
            translation="" if same or not saying.ok else saying.text or "",
            translated=saying.ok,
            status=status,
            heard=heard,
        )
