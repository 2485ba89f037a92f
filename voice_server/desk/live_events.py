"""What happens in a take-over, and what is done about it: the data of :mod:`.live`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Sentence = Literal["passed", "joined", "returned", "abandoned", "reassure", "untranslated"]
"""Fixed sentences, by their key in the desk's texts."""


class Control(StrEnum):
    """Who has control."""

    BOT = "bot"
    HUMAN = "human"
    RETURNING = "returning"
    CLOSED = "closed"


# ------------------------------------------------------------------- what happened


@dataclass(frozen=True, slots=True)
class Claimed:
    """A person takes the conversation; ``agent`` may be empty."""

    agent: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """Control was passed to a vendor's desk: people will come, nobody is there yet."""


@dataclass(frozen=True, slots=True)
class HumanSaid:
    """The person wrote something, in the company's language. The same id counts once."""

    id: str
    text: str
    agent: str = ""
    """Who wrote, where nobody has claimed the conversation: introduced before the first words."""


@dataclass(frozen=True, slots=True)
class CustomerSaid:
    """The customer said or wrote something."""

    id: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class TranslationDone:
    """The answer to :class:`AskTranslation`. ``ok`` False: ``text`` is the original."""

    id: str
    text: str
    ok: bool


@dataclass(frozen=True, slots=True)
class SayEnded:
    """The conversation is through with a :class:`Speak`.

    ``started`` False: it could not begin because the customer was speaking.
    """

    id: str
    heard: str
    whole: bool
    started: bool = True


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The person, or the vendor's desk, gives the conversation back."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The customer is gone."""


Happening = (
    Claimed | Passed | HumanSaid | CustomerSaid | TranslationDone | SayEnded | HandedBack | Ended
)


# ---------------------------------------------------------------------- what to do


@dataclass(frozen=True, slots=True)
class Mute:
    """The assistant answers nobody from now on; what it is saying stops."""


@dataclass(frozen=True, slots=True)
class Unmute:
    """The assistant answers again."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Say this to the customer. One at a time: the next comes after :class:`SayEnded`."""

    id: str
    text: str
    language: str
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """Say a fixed sentence, by the key of the desk's texts, to the customer."""

    id: str
    key: Sentence
    agent: str = ""
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class AskTranslation:
    """Translate, and answer with :class:`TranslationDone`."""

    id: str
    text: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Show:
    """Show people a line. A line that comes again replaces the one before it.

    ``status`` of a human's line: "waiting", "saying", "heard", "cut" (``text`` is whole,
    ``heard`` what the customer heard of it).
    """

    id: str
    role: Literal["user", "human", "assistant"]
    text: str
    language: str
    translation: str = ""
    translated: bool = True
    """False: no translation could be made, and the reader must be told."""
    status: str = ""
    heard: str = ""


@dataclass(frozen=True, slots=True)
class ShowControl:
    """Show people who has control now; ``abandoned``: because the person was silent."""

    control: Control
    abandoned: bool = False


Action = Mute | Unmute | Speak | Announce | AskTranslation | Show | ShowControl
